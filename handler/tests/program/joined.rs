//! Streams that are pushed and polled at once, while something is out of order.

use std::fs;
use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use simulator::functions_host::{FunctionsHost, Mode};
use simulator::generate::onelogin_api::{ApiEvent, ApiEvents, webhook_twin};
use simulator::onelogin_api::{AccountOptions, OneLoginApi};
use simulator::pingone::PingOne;

use crate::harness::*;
use crate::ingestion::Azure;

const API_TABLE: &str = "OneLoginEventsV2_CL";

fn with_onelogin_joined(vendor: &OneLoginApi) -> Handler {
    let options = AccountOptions::default();
    let mut handler = Handler::with_onelogin();
    handler
        .set("ONELOGIN__URL", &vendor.origin())
        .set("ONELOGIN__CLIENT_ID", &options.client_id)
        .set("ONELOGIN__CLIENT_SECRET", &options.client_secret);
    handler
}

/// Old enough that nobody waits any more for their other form.
fn events_of_the_last_hour(events: &mut ApiEvents, count: i32) -> Vec<ApiEvent> {
    let start: DateTime<Utc> = now() - TimeDelta::minutes(55);
    (0..count)
        .map(|number| events.at(start + TimeDelta::minutes(35) * number / count))
        .collect()
}

async fn push_each(host: &FunctionsHost, events: &[ApiEvent]) {
    for event in events {
        push(host, "onelogin", format!("[{}]", webhook_twin(event).json)).await;
    }
}

async fn push(host: &FunctionsHost, vendor: &str, body: String) {
    let headers = [("Authorization".to_owned(), format!("Bearer {PUSH_TOKEN}"))];
    let path = format!("/api/push/{vendor}");
    let answer = host.http("POST", &path, &headers, body.into_bytes()).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
}

fn waits_in_the_spool(handler: &Handler) -> usize {
    files_below(&handler.path("data/state/spool")).len()
}

#[tokio::test(flavor = "multi_thread")]
async fn pushes_that_wait_out_an_outage_end_in_their_own_table_and_the_api_brings_only_what_was_never_pushed() {
    let vendor = OneLoginApi::start(AccountOptions::default());
    let mut events = ApiEvents::new(31, 4711);
    let all = events_of_the_last_hour(&mut events, 270);
    vendor.publish_events(all.clone());
    let azure = Azure::with_tables(&[ONELOGIN, API_TABLE, "OneLoginUsersV2_CL"]);
    let mut handler = with_onelogin_joined(&vendor);
    azure.configure(&mut handler);
    let host = handler.host(Mode::Proxy).await;
    azure.ingestion.set_access(&azure.rule_id, false);
    push_each(&host, &all[..260]).await;
    for _ in 0..2 {
        assert!(
            host.timer().await.is_err(),
            "a destination that refuses everything fails the run"
        );
    }
    assert_eq!(waits_in_the_spool(&handler), 260);

    azure.ingestion.set_access(&azure.rule_id, true);
    for _ in 0..3 {
        host.timer().await.unwrap();
    }
    assert_eq!(azure.ingestion.rows(ONELOGIN).len(), 260);
    assert_eq!(azure.ingestion.rows(API_TABLE).len(), 10);
    assert_eq!(waits_in_the_spool(&handler), 0);
    assert_eq!(azure.ingestion.violations(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_without_the_table_of_the_api_costs_no_push() {
    let vendor = OneLoginApi::start(AccountOptions::default());
    let mut events = ApiEvents::new(32, 4711);
    let all = events_of_the_last_hour(&mut events, 240);
    vendor.publish_events(all.clone());
    let azure = Azure::with_tables(&[ONELOGIN, "OneLoginUsersV2_CL"]);
    let mut handler = with_onelogin_joined(&vendor);
    azure.configure(&mut handler);
    let host = handler.host(Mode::Proxy).await;
    azure.ingestion.set_access(&azure.rule_id, false);
    push_each(&host, &all[..230]).await;
    assert!(host.timer().await.is_err());
    azure.ingestion.set_access(&azure.rule_id, true);
    // What only the API has cannot be delivered, and that is said.
    let failed = host.timer().await.unwrap_err().to_string();
    assert!(failed.contains("500"), "{failed}");
    // A push of an event that the API showed before, but that no table took.
    push_each(&host, &all[230..]).await;
    let _ = host.timer().await;
    assert_eq!(azure.ingestion.rows(ONELOGIN).len(), 240);
    assert_eq!(waits_in_the_spool(&handler), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_that_fail_do_not_make_one_push_stand_for_two_events_that_look_alike() {
    let vendor = OneLoginApi::start(AccountOptions::default());
    let mut events = ApiEvents::new(33, 4711);
    let first = events_of_the_last_hour(&mut events, 1).remove(0);
    // The same user, the same second, the same kind: only the id is another one.
    let mut second = first.clone();
    second.id += 1;
    second.json = first.json.replace(&first.id.to_string(), &second.id.to_string());
    assert_ne!(first.json, second.json);
    vendor.publish_events([first.clone(), second]);
    let azure = Azure::with_tables(&[ONELOGIN, API_TABLE, "OneLoginUsersV2_CL"]);
    let mut handler = with_onelogin_joined(&vendor);
    azure.configure(&mut handler);
    let host = handler.host(Mode::Proxy).await;
    azure.ingestion.set_access(&azure.rule_id, false);
    push_each(&host, &[first]).await;
    for _ in 0..3 {
        assert!(host.timer().await.is_err());
    }
    azure.ingestion.set_access(&azure.rule_id, true);
    host.timer().await.unwrap();
    assert_eq!(azure.ingestion.rows(ONELOGIN).len(), 1);
    assert_eq!(azure.ingestion.rows(API_TABLE).len(), 1);
}

fn checkpoint(handler: &Handler, path: &str) -> Value {
    let text = fs::read(handler.path("data/state/checkpoints").join(path)).unwrap();
    serde_json::from_slice(&text).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_in_good_health_that_only_confirms_what_was_pushed_saves_how_far_it_was_read() {
    let pingone = PingOne::start(options());
    let mut handler = Handler::with_pingone(&pingone);
    handler.set("PINGONE__PUSH_TOKEN", PUSH_TOKEN).set("POLL_SETTLE", "1ms");
    let host = handler.host(Mode::Proxy).await;
    let watermark = || -> DateTime<Utc> {
        let checkpoint = checkpoint(&handler, "pingone/default/activities.json");
        let text = checkpoint["tables"][ACTIVITIES]["watermark"].as_str().unwrap();
        text.parse().unwrap()
    };
    for (run, activity) in activities(34, 4, 3).into_iter().enumerate() {
        pingone.publish(vec![activity.clone()]);
        push(&host, "pingone", format!("[{}]", activity.json)).await;
        let begun = now();
        host.timer().await.unwrap();
        let read_up_to = watermark();
        assert!(
            read_up_to >= begun - TimeDelta::seconds(1),
            "run {run}, begun at {begun}, saved {read_up_to}"
        );
    }
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));
}

#[tokio::test(flavor = "multi_thread")]
async fn identities_of_a_joined_stream_are_forgotten_by_age_however_many_they_are() {
    let vendor = OneLoginApi::start(AccountOptions::default());
    let handler = with_onelogin_joined(&vendor);
    let mut events = ApiEvents::new(35, 4711);
    let host = handler.host(Mode::Proxy).await;
    let fresh = events_of_the_last_hour(&mut events, 2);
    push_each(&host, &fresh[..1]).await;
    host.timer().await.unwrap();
    let segments = || -> Vec<PathBuf> {
        let all = files_below(&handler.path("data/state/checkpoints/onelogin/default/events"));
        let of_table = all
            .into_iter()
            .filter(|path| path.parent().unwrap().ends_with(ONELOGIN));
        of_table.collect()
    };
    let bytes = || -> u64 { segments().iter().map(|path| fs::metadata(path).unwrap().len()).sum() };
    let (one, size_of_one) = (segments().remove(0), bytes());

    // More than half a million that were delivered a month ago.
    let month_ago = (now() - TimeDelta::days(30)).timestamp_millis().to_le_bytes();
    let mut outdated = b"IDS1".to_vec();
    for number in 0..600_000_u128 {
        outdated.extend_from_slice(&number.to_be_bytes());
        outdated.extend_from_slice(&month_ago);
    }
    fs::write(one.with_file_name("000000009000.ids"), outdated).unwrap();
    push_each(&host, &fresh[1..]).await;
    host.timer().await.unwrap();
    assert!(bytes() <= size_of_one * 2, "{} bytes", bytes());
    // And those that are needed are still there.
    push_each(&host, &fresh).await;
    host.timer().await.unwrap();
    assert_eq!(handler.rows(ONELOGIN).len(), 2);
}
