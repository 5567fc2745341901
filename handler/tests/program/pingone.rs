//! `handler poll` on PingOne.

use chrono::TimeDelta;
use simulator::generate::pingone::Activities;
use simulator::pingone::{EnvironmentOptions, Fault, PingOne, PingOneFault, TokenStyle};

use crate::harness::*;

#[tokio::test(flavor = "multi_thread")]
async fn each_activity_arrives_once_over_runs_with_late_and_same_millisecond_events() {
    let pingone = PingOne::start(options());
    pingone.publish(activities(1, 1300, 50));
    let handler = Handler::with_pingone(&pingone);
    handler.poll_well().await;
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));

    // Shown only now, though recorded before the end of the first window, in the same milliseconds as others.
    let mut late = Activities::new(2, ENVIRONMENT_ID);
    let known = pingone.published();
    pingone.publish(
        known
            .iter()
            .rev()
            .take(20)
            .map(|activity| late.at(activity.recorded_at))
            .collect::<Vec<_>>(),
    );
    let output = handler.poll_well().await;
    assert!(output.contains("20 rows delivered"), "{output}");
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));

    let output = handler.poll_well().await;
    assert!(output.contains(" 0 rows delivered"), "{output}");
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_order_of_the_pages_is_relied_on() {
    let pingone = PingOne::start(EnvironmentOptions {
        newest_first: false,
        ..options()
    });
    pingone.publish(activities(3, 1100, 30));
    let handler = Handler::with_pingone(&pingone);
    for _ in 0..2 {
        handler.poll_well().await;
        assert_each_once(&pingone, &handler.ids(ACTIVITIES));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn passing_faults_cost_time_and_nothing_else() {
    let pingone = PingOne::start(EnvironmentOptions {
        token_uses: Some(3),
        ..options()
    });
    pingone.publish(activities(4, 2600, 40));
    pingone.fail_next_tokens([503]);
    pingone.fail_next([
        Fault::Status {
            status: 429,
            retry_after: Some(1),
        },
        Fault::Status {
            status: 503,
            retry_after: None,
        },
        Fault::TruncatedJson,
        Fault::HtmlPage,
        Fault::RevokeToken,
        Fault::Reset,
        Fault::RepeatLastOfPreviousPage,
        Fault::Status {
            status: 500,
            retry_after: Some(0),
        },
    ]);
    let handler = Handler::with_pingone(&pingone);
    handler.poll_well().await;
    assert_eq!(pingone.waiting_faults(), 0);
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));
}

#[tokio::test(flavor = "multi_thread")]
async fn both_ways_to_sign_in_work_without_a_setting() {
    for token_style in [TokenStyle::Basic, TokenStyle::Body] {
        let pingone = PingOne::start(EnvironmentOptions {
            token_style,
            ..options()
        });
        pingone.publish(activities(5, 10, 30));
        let handler = Handler::with_pingone(&pingone);
        handler.poll_well().await;
        assert_each_once(&pingone, &handler.ids(ACTIVITIES));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_application_may_live_in_another_environment() {
    let home = "5f1c2d3e-0000-4000-8000-00000000a002";
    let pingone = PingOne::start(EnvironmentOptions {
        auth_environment_id: home.to_owned(),
        ..options()
    });
    pingone.publish(activities(6, 10, 30));
    let mut handler = Handler::with_pingone(&pingone);
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(1), "{}", ended.output);
    assert!(
        ended.output.contains("PINGONE__AUTH_ENVIRONMENT_ID"),
        "{}",
        ended.output
    );
    handler.set("PINGONE__AUTH_ENVIRONMENT_ID", home);
    handler.poll_well().await;
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_smaller_pages_only_is_asked_for_them() {
    let pingone = PingOne::start(EnvironmentOptions {
        largest_limit: 100,
        ..options()
    });
    pingone.publish(activities(7, 350, 30));
    let handler = Handler::with_pingone(&pingone);
    handler.poll_well().await;
    let delivered = handler.ids(ACTIVITIES);
    assert_eq!(delivered.len(), 350);
    assert!(
        pingone
            .requests()
            .iter()
            .any(|request| request.query.contains("limit=100"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_to_another_host_is_not_followed_and_said() {
    let pingone = PingOne::start(options());
    let other = PingOne::start(options());
    pingone.publish(activities(8, 700, 30));
    pingone.fail_next([Fault::Vendor(PingOneFault::ForeignNext(other.origin()))]);
    let handler = Handler::with_pingone(&pingone);
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(1), "{}", ended.output);
    assert!(ended.output.contains(&other.origin()), "{}", ended.output);
    assert_eq!(other.requests().len(), 0);

    handler.poll_well().await;
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_credentials_are_named_with_their_status_and_settings() {
    let pingone = PingOne::start(EnvironmentOptions {
        client_secret: "another".to_owned(),
        ..options()
    });
    pingone.publish(activities(9, 10, 30));
    let handler = Handler::with_pingone(&pingone);
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(1));
    for word in [
        "pingone/default/activities",
        "401",
        "invalid_client",
        "PINGONE__CLIENT_ID",
        "PINGONE__CLIENT_SECRET",
    ] {
        assert!(ended.output.contains(word), "{word}: {}", ended.output);
    }

    // Put right at the vendor: nothing of the time between is missing.
    pingone.rotate_secret(CLIENT_SECRET);
    handler.poll_well().await;
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_run_begins_at_the_lookback_and_a_failed_one_does_not_slide_it() {
    let pingone = PingOne::start(options());
    let mut generator = Activities::new(10, ENVIRONMENT_ID);
    let mut at = |minutes: i64| generator.at(now() - TimeDelta::minutes(minutes));
    let (before, inside) = (at(20), at(9));
    pingone.publish([before.clone(), inside.clone()]);
    pingone.fail_next(vec![
        Fault::Status {
            status: 403,
            retry_after: None
        };
        1
    ]);
    let mut handler = Handler::with_pingone(&pingone);
    handler.set("POLL_LOOKBACK", "10m");
    assert_eq!(handler.poll().await.code, Some(1));
    handler.set("POLL_LOOKBACK", "1s");
    handler.poll_well().await;
    assert_eq!(handler.ids(ACTIVITIES), [inside.id]);
}

#[tokio::test(flavor = "multi_thread")]
async fn both_tables_get_every_activity_and_one_added_later_gets_its_own_beginning() {
    let pingone = PingOne::start(options());
    pingone.publish(activities(11, 200, 30));
    let mut handler = Handler::with_pingone(&pingone);
    handler.poll_well().await;
    handler.set(
        "PINGONE__TABLES",
        "PingOne_AuditActivitiesV2_CL,PingOne_AuditActivities_CL",
    );
    handler.poll_well().await;
    handler.poll_well().await;
    for table in [ACTIVITIES, ACTIVITIES_OLD] {
        assert_each_once(&pingone, &handler.ids(table));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_instance_that_fails_leaves_the_other_alone() {
    let (good, bad) = (PingOne::start(options()), PingOne::start(options()));
    good.publish(activities(12, 50, 30));
    bad.publish(activities(13, 50, 30));
    bad.fail_next([Fault::Status {
        status: 403,
        retry_after: None,
    }]);
    let mut handler = Handler::with_pingone(&good);
    handler.add_pingone("PINGONE__ACME__", ENVIRONMENT_ID, &bad);
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.output.contains("pingone/acme/activities") && ended.output.contains("403"),
        "{}",
        ended.output
    );
    assert_each_once(&good, &handler.ids(ACTIVITIES));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_selected_streams_are_polled() {
    let (one, other) = (PingOne::start(options()), PingOne::start(options()));
    one.publish(activities(14, 5, 30));
    let mut handler = Handler::with_pingone(&one);
    handler.add_pingone("PINGONE__ACME__", ENVIRONMENT_ID, &other);
    assert_eq!(
        handler
            .run(&["poll", "--source", "pingone/default/activities"])
            .await
            .code,
        Some(0)
    );
    assert_eq!(other.requests().len(), 0);
    assert_eq!(handler.run(&["poll", "--source", "pingone/acme"]).await.code, Some(0));
    assert!(!other.requests().is_empty());
    let unknown = handler.run(&["poll", "--source", "sentinelone"]).await;
    assert_eq!(unknown.code, Some(64));
    assert!(unknown.output.contains("pingone/acme/activities"), "{}", unknown.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_is_down_ends_the_run_within_its_budget() {
    let pingone = PingOne::start(options());
    pingone.publish(activities(15, 20, 30));
    pingone.fail_next(vec![Fault::Status {
        status: 429,
        retry_after: Some(3600),
    }]);
    let mut handler = Handler::with_pingone(&pingone);
    handler.set("POLL_BUDGET", "20s");
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.output.contains("429 and asks to wait 1 h 0 min (Retry-After)"),
        "{}",
        ended.output
    );
    handler.poll_well().await;
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));
}
