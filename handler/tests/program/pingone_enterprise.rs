//! PingOne for Enterprise: reading consumes.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use simulator::generate::pingone_enterprise::SubscriptionEvents;
use simulator::logs_ingestion as azure;
use simulator::pingone_enterprise::{Authentication, PingOneEnterprise, SubscriptionFault, SubscriptionOptions};

use crate::harness::*;
use crate::ingestion::Azure;

const TABLE: &str = "PingOneEnterprise_AuditEvents_CL";

fn configured(vendor: &PingOneEnterprise, authentication: Authentication) -> Handler {
    let options = SubscriptionOptions::default();
    let mut handler = Handler::new();
    handler.set("PINGONE_ENTERPRISE__POLL_URL", &vendor.poll_url());
    match authentication {
        Authentication::Bearer => {
            handler.set("PINGONE_ENTERPRISE__CLIENT_ID", &options.client_id);
            handler.set("PINGONE_ENTERPRISE__CLIENT_SECRET", &options.client_secret);
            handler.set("PINGONE_ENTERPRISE__TOKEN_URL", &vendor.token_url());
        }
        Authentication::Basic => {
            handler.set("PINGONE_ENTERPRISE__USERNAME", &options.username);
            handler.set("PINGONE_ENTERPRISE__PASSWORD", &options.password);
        }
    }
    handler
}

fn publish(vendor: &PingOneEnterprise, events: &mut SubscriptionEvents, count: i64) {
    vendor.publish(
        (0..count)
            .map(|number| events.at(now() - TimeDelta::minutes(number)))
            .collect::<Vec<_>>(),
    );
}

fn ids(handler: &Handler) -> BTreeMap<String, usize> {
    let mut ids = BTreeMap::new();
    for row in handler.rows(TABLE) {
        *ids.entry(row["Id"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    ids
}

/// The times of possible losses that the status shows.
async fn possible_losses(handler: &Handler) -> Vec<Value> {
    let status: Value = serde_json::from_str(&handler.run(&["status", "--json"]).await.output).unwrap();
    let streams = status["streams"].as_array().unwrap();
    let losses = streams.iter().filter_map(|stream| stream["possible_losses"].as_array());
    losses.flatten().cloned().collect()
}

fn assert_each_event_once(vendor: &PingOneEnterprise, handler: &Handler) {
    let expected: BTreeMap<String, usize> = vendor.published().into_iter().map(|event| (event.id, 1)).collect();
    assert_eq!(ids(handler), expected);
    assert_eq!(vendor.violations(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_arrives_once_with_both_ways_to_sign_in_until_the_queue_is_empty() {
    for authentication in [Authentication::Bearer, Authentication::Basic] {
        let vendor = PingOneEnterprise::start(SubscriptionOptions {
            authentication,
            batch_size: 30,
            token_uses: Some(2),
            ..SubscriptionOptions::default()
        });
        let mut events = SubscriptionEvents::new(100);
        publish(&vendor, &mut events, 200);
        let handler = configured(&vendor, authentication);
        for _ in 0..3 {
            handler.poll_well().await;
            assert_each_event_once(&vendor, &handler);
            publish(&vendor, &mut events, 10);
        }
        assert!(files_below(&handler.path("data/state/spool")).is_empty());
        assert!(files_below(&handler.path("data/state/intents")).is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn times_with_day_and_month_swapped_are_read_by_nearness_and_the_text_is_kept() {
    let vendor = PingOneEnterprise::start(SubscriptionOptions::default());
    publish(&vendor, &mut SubscriptionEvents::new(101), 60);
    let handler = configured(&vendor, Authentication::Bearer);
    handler.poll_well().await;
    let rows = handler.rows(TABLE);
    let mut swapped = 0;
    for event in vendor.published() {
        let row = rows.iter().find(|row| row["Id"] == event.id.as_str()).unwrap();
        let recorded: DateTime<Utc> = row["RecordedAt"].as_str().unwrap().parse().unwrap();
        assert_eq!(recorded, event.recorded, "{}", event.json);
        assert!(event.json.contains(row["RecordedText"].as_str().unwrap()));
        assert_eq!(row["AccountId"], SubscriptionOptions::default().account_id.as_str());
        assert_eq!(
            row["SubscriptionId"],
            SubscriptionOptions::default().subscription_id.as_str()
        );
        swapped += usize::from(event.day_before_month);
    }
    assert!(swapped > 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_that_consume_nothing_cost_only_time() {
    let vendor = PingOneEnterprise::start(SubscriptionOptions {
        batch_size: 20,
        ..SubscriptionOptions::default()
    });
    publish(&vendor, &mut SubscriptionEvents::new(102), 90);
    vendor.fail_next_tokens([503]);
    vendor.fail_next([
        SubscriptionFault::Status {
            status: 504,
            retry_after: None,
        },
        SubscriptionFault::ExpireToken,
        SubscriptionFault::Status {
            status: 429,
            retry_after: Some(1),
        },
        SubscriptionFault::Status {
            status: 504,
            retry_after: Some(0),
        },
    ]);
    let handler = configured(&vendor, Authentication::Bearer);
    handler.poll_well().await;
    assert_eq!(vendor.waiting_faults(), 0);
    assert_each_event_once(&vendor, &handler);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_torn_reply_gives_up_its_whole_events_and_the_rest_is_set_aside() {
    let vendor = PingOneEnterprise::start(SubscriptionOptions {
        batch_size: 20,
        uneven_batches: false,
        ..SubscriptionOptions::default()
    });
    publish(&vendor, &mut SubscriptionEvents::new(103), 60);
    vendor.fail_next([SubscriptionFault::TruncatedJson, SubscriptionFault::NotJson]);
    let handler = configured(&vendor, Authentication::Bearer);
    let output = handler.poll_well().await;
    // What was behind the tear nobody knows.
    assert_eq!(output.matches("possible loss at").count(), 2, "{output}");
    assert_eq!(possible_losses(&handler).await.len(), 2);
    // The page that was no list gave no event and ended the turn.
    assert_eq!(vendor.waiting_events(), 20);
    let output = handler.poll_well().await;
    assert!(!output.contains("possible loss at"), "{output}");
    let ids = ids(&handler);
    assert!(
        ids.len() >= 25 && ids.values().all(|count| *count == 1),
        "{}",
        ids.len()
    );
    // Nothing that came is gone: what is no row stands in the dead letters.
    let letters = handler.dead_letters();
    assert_eq!(letters.len(), 2, "{letters:?}");
    assert!(letters.iter().any(|letter| letter.contains("breaks off")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_in_a_reply_loses_none_of_the_whole_events_that_came() {
    let vendor = PingOneEnterprise::start(SubscriptionOptions {
        batch_size: 20,
        uneven_batches: false,
        ..SubscriptionOptions::default()
    });
    publish(&vendor, &mut SubscriptionEvents::new(110), 60);
    vendor.fail_next([SubscriptionFault::Delay(Duration::ZERO), SubscriptionFault::BreakInBody]);
    let handler = configured(&vendor, Authentication::Bearer);
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(1));
    for words in ["possible loss", "cannot be asked for again"] {
        assert!(ended.output.contains(words), "{words}: {}", ended.output);
    }
    assert_eq!(possible_losses(&handler).await.len(), 1);
    let letters = handler.dead_letters();
    assert!(letters.len() == 1 && letters[0].contains("breaks off"), "{letters:?}");
    assert!(files_below(&handler.path("data/state/spool")).is_empty());
    assert!(files_below(&handler.path("data/state/intents")).is_empty());

    let output = handler.poll_well().await;
    assert!(!output.contains("possible loss at"), "{output}");
    let consumed = vendor.consumed();
    let readable: BTreeMap<String, usize> = consumed
        .into_iter()
        .flat_map(|consumption| consumption.readable)
        .map(|id| (id, 1))
        .collect();
    assert!((41..60).contains(&readable.len()), "{}", readable.len());
    assert_eq!(ids(&handler), readable);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_is_taken_waits_in_the_spool_while_the_destination_is_down() {
    let vendor = PingOneEnterprise::start(SubscriptionOptions {
        batch_size: 20,
        ..SubscriptionOptions::default()
    });
    let mut events = SubscriptionEvents::new(104);
    publish(&vendor, &mut events, 70);
    let handler = configured(&vendor, Authentication::Bearer);
    let in_the_way = handler.path(&format!("data/tables/{TABLE}.ndjson"));
    std::fs::create_dir_all(&in_the_way).unwrap();
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.output.contains("wait in the spool"), "{}", ended.output);
    assert_eq!(vendor.waiting_events(), 0);
    std::fs::remove_dir(&in_the_way).unwrap();
    publish(&vendor, &mut events, 5);
    handler.poll_well().await;
    assert_each_event_once(&vendor, &handler);
    assert!(files_below(&handler.path("data/state/spool")).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_loses_at_most_the_reply_in_flight_and_that_is_reported_with_its_time() {
    let vendor = PingOneEnterprise::start(SubscriptionOptions {
        batch_size: 20,
        uneven_batches: false,
        ..SubscriptionOptions::default()
    });
    publish(&vendor, &mut SubscriptionEvents::new(105), 100);
    // Delay consumes at once; the answer never comes.
    vendor.fail_next([
        SubscriptionFault::Delay(Duration::ZERO),
        SubscriptionFault::Delay(Duration::from_secs(60)),
    ]);
    let handler = configured(&vendor, Authentication::Bearer);
    let mut child = handler.command(&["poll"]).spawn().unwrap();
    until("the second reply is being taken", || vendor.waiting_faults() == 0).await;
    child.kill().await.unwrap();
    let output = handler.poll_well().await;
    assert!(
        output.contains("possible loss") && output.contains(&now().format("%Y-%m-%dT").to_string()),
        "{output}"
    );
    let ids = ids(&handler);
    assert_eq!(ids.len(), 80);
    assert!(ids.values().all(|count| *count == 1));
    let output = handler.poll_well().await;
    assert!(!output.contains("possible loss"), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_got_lost_on_the_way_is_reported_at_once() {
    let vendor = PingOneEnterprise::start(SubscriptionOptions {
        batch_size: 20,
        uneven_batches: false,
        ..SubscriptionOptions::default()
    });
    publish(&vendor, &mut SubscriptionEvents::new(106), 60);
    vendor.fail_next([SubscriptionFault::ResetAfterConsuming]);
    let handler = configured(&vendor, Authentication::Bearer);
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.output.contains("possible loss"), "{}", ended.output);
    handler.poll_well().await;
    assert_eq!(ids(&handler).len(), 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_at_a_time_reads_a_subscription_and_nothing_is_read_into_a_full_spool() {
    let vendor = PingOneEnterprise::start(SubscriptionOptions {
        batch_size: 20,
        ..SubscriptionOptions::default()
    });
    publish(&vendor, &mut SubscriptionEvents::new(107), 40);
    vendor.fail_next([SubscriptionFault::Delay(Duration::from_secs(3))]);
    let mut handler = configured(&vendor, Authentication::Bearer);
    let first = handler.command(&["poll"]).spawn().unwrap();
    until("the first process reads", || vendor.waiting_faults() == 0).await;
    let output = handler.poll_well().await;
    assert!(output.contains("skipped"), "{output}");
    assert!(first.wait_with_output().await.unwrap().status.success());
    assert_each_event_once(&vendor, &handler);

    handler.set("SPOOL_MAX_BYTES", "10");
    let waiting = handler.path(&format!("data/state/spool/{TABLE}/another"));
    std::fs::create_dir_all(&waiting).unwrap();
    std::fs::write(waiting.join("entry.json"), "more than ten bytes").unwrap();
    publish(&vendor, &mut SubscriptionEvents::new(108), 20);
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.output.contains("SPOOL_MAX_BYTES"), "{}", ended.output);
    assert_eq!(vendor.waiting_events(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_credentials_are_named_and_nothing_is_read() {
    let vendor = PingOneEnterprise::start(SubscriptionOptions {
        client_secret: "another".to_owned(),
        ..SubscriptionOptions::default()
    });
    publish(&vendor, &mut SubscriptionEvents::new(109), 10);
    let handler = configured(&vendor, Authentication::Bearer);
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(1));
    for word in [
        "pingone-enterprise/default/events",
        "401",
        "PINGONE_ENTERPRISE__CLIENT_SECRET",
    ] {
        assert!(ended.output.contains(word), "{word}: {}", ended.output);
    }
    assert!(!ended.output.contains(&SubscriptionOptions::default().client_secret));
    assert_eq!(vendor.waiting_events(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_taken_when_less_time_is_left_than_a_reply_may_need() {
    let azure = Azure::with_tables(&[TABLE]);
    let vendor = PingOneEnterprise::start(SubscriptionOptions::default());
    let mut events = SubscriptionEvents::new(109);
    publish(&vendor, &mut events, 10);
    let mut handler = configured(&vendor, Authentication::Bearer);
    azure.configure(&mut handler);
    azure.ingestion.set_access(&azure.rule_id, false);
    assert_eq!(handler.poll().await.code, Some(1));
    azure.ingestion.set_access(&azure.rule_id, true);
    assert_eq!(files_below(&handler.path("data/state/spool")).len(), 1);

    // What waits takes more than half of the run.
    publish(&vendor, &mut events, 10);
    let delay = azure::IngestionFault::Delay(Duration::from_millis(5500));
    azure.ingestion.fail_next([delay]);
    handler.set("POLL_BUDGET", "9s");
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    assert!(
        ended.output.contains("there was still something to take"),
        "{}",
        ended.output
    );
    assert_eq!(vendor.waiting_events(), 10);

    handler.poll_well().await;
    let mut delivered: Vec<String> = azure
        .ingestion
        .rows(TABLE)
        .iter()
        .map(|row| row["Id"].as_str().unwrap().to_owned())
        .collect();
    let mut expected: Vec<String> = vendor.published().into_iter().map(|event| event.id).collect();
    delivered.sort();
    expected.sort();
    assert_eq!(delivered, expected);
}
