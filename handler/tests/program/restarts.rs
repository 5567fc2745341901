//! A process that is killed between two pages.

use std::time::Duration;

use simulator::pingone::PingOne;
use simulator::sentinelone::{SentinelOne, Stream};

use crate::harness::*;
use crate::sentinelone::{assert_each_current_version_once, name};

/// Pages of 500.
const PINGONE_EVENTS: usize = 1700;
const PINGONE_PAGES: usize = 4;
/// Pages of 1000.
const CONSOLE_EVENTS: i32 = 2200;
const CONSOLE_PAGES: usize = 3;
/// Longer than any test.
const NEVER: Duration = Duration::from_secs(600);

/// Runs until every waiting fault was met, the last of which keeps the run waiting for its page, and kills it there.
async fn kill_once_met(handler: &Handler, waiting: impl Fn() -> usize) {
    let mut child = handler.command(&["poll"]).spawn().unwrap();
    until("the page is asked for", || waiting() == 0).await;
    assert!(child.try_wait().unwrap().is_none(), "it did not wait for the page");
    child.kill().await.unwrap();
}

fn delay_page_of_pingone(pingone: &PingOne, page: usize) {
    use simulator::pingone::Fault;
    pingone.fail_next(vec![Fault::Delay(Duration::ZERO); page]);
    pingone.fail_next([Fault::Delay(NEVER)]);
}

fn delay_page_of_console(console: &SentinelOne, stream: Stream, page: usize) {
    use simulator::sentinelone::Fault;
    console.fail_next_on(stream, vec![Fault::Delay(Duration::ZERO); page]);
    console.fail_next_on(stream, [Fault::Delay(NEVER)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_before_any_page_of_pingone_loses_nothing_and_doubles_nothing() {
    for page in 0..PINGONE_PAGES {
        let pingone = PingOne::start(options());
        pingone.publish(activities(400, PINGONE_EVENTS, 50));
        let handler = Handler::with_pingone(&pingone);
        delay_page_of_pingone(&pingone, page);
        kill_once_met(&handler, || pingone.waiting_faults()).await;
        handler.poll_well().await;
        assert_each_once(&pingone, &handler.ids(ACTIVITIES));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_before_any_page_of_sentinelone_loses_nothing_and_doubles_nothing() {
    for stream in Stream::ALL {
        // What a console offers for unified alerts is asked before their first page.
        let before = usize::from(stream == Stream::UnifiedAlerts);
        for page in before..CONSOLE_PAGES + before {
            let console = SentinelOne::start(console_options());
            Estate::new(401).publish(&console, stream, times(CONSOLE_EVENTS, 50));
            let handler = Handler::with_sentinelone(&console, name(stream));
            delay_page_of_console(&console, stream, page);
            kill_once_met(&handler, || console.waiting_faults()).await;
            handler.poll_well().await;
            assert_each_current_version_once(&console, &handler);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_one_after_the_other_with_news_in_between_lose_nothing_and_double_nothing() {
    let pingone = PingOne::start(options());
    pingone.publish(activities(402, PINGONE_EVENTS, 6));
    let console = SentinelOne::start(console_options());
    let mut estate = Estate::new(403);
    for stream in [Stream::Activities, Stream::Threats] {
        estate.publish(&console, stream, times(CONSOLE_EVENTS, 6));
    }
    let mut handler = Handler::with_sentinelone(&console, "activities,threats");
    handler.add_pingone("PINGONE__", ENVIRONMENT_ID, &pingone);
    for round in 0..2 {
        for page in 0..CONSOLE_PAGES {
            delay_page_of_pingone(&pingone, page);
            for stream in [Stream::Activities, Stream::Threats] {
                delay_page_of_console(&console, stream, page);
            }
            kill_once_met(&handler, || pingone.waiting_faults() + console.waiting_faults()).await;
            pingone.publish(activities(404 + round * 10 + page as u64, 20, 5));
            for stream in [Stream::Activities, Stream::Threats] {
                estate.publish(&console, stream, times(20, 5));
            }
        }
        // The second round reads all of it again, and delivers nothing of it.
        handler.poll_well().await;
        assert_each_once(&pingone, &handler.ids(ACTIVITIES));
        assert_each_current_version_once(&console, &handler);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_before_any_page_of_the_onelogin_api_loses_nothing_and_doubles_nothing() {
    use chrono::TimeDelta;
    use simulator::generate::onelogin_api::{ApiEvents, Users};
    use simulator::onelogin_api::{AccountOptions, Fault, OneLoginApi};

    for (stream, table, pages) in [("events", "OneLoginEventsV2_CL", 3), ("users", "OneLoginUsersV2_CL", 3)] {
        for page in 0..pages {
            let vendor = OneLoginApi::start(AccountOptions::default());
            let mut events = ApiEvents::new(405, 4711);
            vendor.publish_events(
                (0..2300)
                    .map(|number| events.at(now() - TimeDelta::seconds(60 + number)))
                    .collect::<Vec<_>>(),
            );
            let mut users = Users::new(406);
            vendor.publish_users(
                (0..2300)
                    .map(|number| users.new_object(now() - TimeDelta::hours(number)))
                    .collect::<Vec<_>>(),
            );
            let options = AccountOptions::default();
            let mut handler = Handler::new();
            handler.set("ONELOGIN__URL", &vendor.origin());
            handler
                .set("ONELOGIN__CLIENT_ID", &options.client_id)
                .set("ONELOGIN__CLIENT_SECRET", &options.client_secret);
            vendor.fail_next(vec![Fault::Delay(Duration::ZERO); page]);
            vendor.fail_next([Fault::Delay(NEVER)]);
            let source = format!("onelogin/default/{stream}");
            let mut child = handler.command(&["poll", "--source", &source]).spawn().unwrap();
            until("the page is asked for", || vendor.waiting_faults() == 0).await;
            child.kill().await.unwrap();
            assert_eq!(handler.run(&["poll", "--source", &source]).await.code, Some(0));
            assert_eq!(handler.rows(table).len(), 2300, "{stream}, page {page}");
            assert_eq!(handler.run(&["poll", "--source", &source]).await.code, Some(0));
            assert_eq!(handler.rows(table).len(), 2300, "{stream}, page {page}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_before_any_reply_of_pingone_for_enterprise_loses_only_what_was_in_flight() {
    use chrono::TimeDelta;
    use simulator::generate::pingone_enterprise::SubscriptionEvents;
    use simulator::pingone_enterprise::{PingOneEnterprise, SubscriptionFault, SubscriptionOptions};

    for reply in 0..4 {
        let options = SubscriptionOptions {
            batch_size: 40,
            uneven_batches: false,
            ..SubscriptionOptions::default()
        };
        let vendor = PingOneEnterprise::start(options.clone());
        let mut events = SubscriptionEvents::new(407);
        vendor.publish(
            (0..200)
                .map(|number| events.at(now() - TimeDelta::minutes(number)))
                .collect::<Vec<_>>(),
        );
        let mut handler = Handler::new();
        handler.set("PINGONE_ENTERPRISE__POLL_URL", &vendor.poll_url());
        handler.set("PINGONE_ENTERPRISE__TOKEN_URL", &vendor.token_url());
        handler.set("PINGONE_ENTERPRISE__CLIENT_ID", &options.client_id);
        handler.set("PINGONE_ENTERPRISE__CLIENT_SECRET", &options.client_secret);
        vendor.fail_next(vec![SubscriptionFault::Delay(Duration::ZERO); reply]);
        vendor.fail_next([SubscriptionFault::Delay(NEVER)]);
        kill_once_met(&handler, || vendor.waiting_faults()).await;
        let output = handler.poll_well().await;
        assert!(output.contains("possible loss"), "{output}");
        let mut ids = handler.ids("PingOneEnterprise_AuditEvents_CL");
        assert_eq!(ids.len(), 160, "reply {reply}");
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 160, "reply {reply}: doubles");
    }
}
