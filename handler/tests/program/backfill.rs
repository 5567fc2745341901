//! `backfill`: holes of a past window, filled once.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use simulator::functions_host::Mode;
use simulator::generate::onelogin_api::{ApiEvents, Users};
use simulator::generate::pingone::{Activities, Activity};
use simulator::onelogin_api::OneLoginApi;
use simulator::pingone::{Fault, PingOne};
use simulator::pingone_enterprise::PingOneEnterprise;
use simulator::sentinelone::{SentinelOne, Stream};
use tokio::process::Command;

use crate::harness::*;
use crate::sentinelone::{assert_each_current_version_once, name};

/// Longer than any test.
const NEVER: Duration = Duration::from_secs(600);
const DAYS: TimeDelta = TimeDelta::days(1);

/// `count` activities, spread over `length` from `start` on, three to a millisecond.
fn spread(seed: u64, count: i32, start: DateTime<Utc>, length: TimeDelta) -> Vec<Activity> {
    let mut generator = Activities::new(seed, ENVIRONMENT_ID);
    let step = length / (count / 3 + 1);
    (0..count)
        .map(|number| generator.at(start + step * (number / 3)))
        .collect()
}

async fn backfill(handler: &Handler, source: &str, from: DateTime<Utc>, to: DateTime<Utc>) -> Ended {
    let (from, to) = (from.to_rfc3339(), to.to_rfc3339());
    handler
        .run(&["backfill", "--source", source, "--from", &from, "--to", &to])
        .await
}

async fn backfill_well(handler: &Handler, source: &str, from: DateTime<Utc>, to: DateTime<Utc>) -> String {
    let ended = backfill(handler, source, from, to).await;
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    ended.output
}

fn pages_asked_for(pingone: &PingOne) -> usize {
    let requests = pingone.requests();
    requests
        .iter()
        .filter(|request| request.path.ends_with("/activities"))
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hole_is_filled_once_and_the_poller_goes_on_where_it_was() {
    let pingone = PingOne::start(options());
    let start = now() - DAYS * 3;
    pingone.publish(spread(500, 1500, start, DAYS * 3 - TimeDelta::minutes(2)));
    let mut handler = Handler::with_pingone(&pingone);
    handler.poll_well().await;
    let polled = handler.ids(ACTIVITIES).len();
    assert!(0 < polled && polled < 200, "{polled} of the last hour");
    // Behind the watermark, and the poller's.
    pingone.publish(spread(515, 30, now() - TimeDelta::seconds(25), TimeDelta::seconds(15)));

    let output = backfill_well(&handler, "pingone", start, now()).await;

    assert!(
        output.contains("older than 48 hours") && output.contains("100% filled"),
        "{output}"
    );
    assert!(output.contains("is left to `handler poll`"), "{output}");
    pingone.publish(activities(501, 20, 3));
    handler.set("POLL_SETTLE", "1s").poll_well().await;
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));
    let asked = pages_asked_for(&pingone);
    let output = backfill_well(&handler, "pingone/default/activities", start, now()).await;
    assert!(output.contains("nothing is missing"), "{output}");
    assert_eq!(pages_asked_for(&pingone), asked, "it read what is covered");
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_came_later_gets_what_it_lacks_and_the_others_nothing_twice() {
    let pingone = PingOne::start(options());
    let start = now() - TimeDelta::hours(9);
    pingone.publish(spread(502, 900, start, TimeDelta::hours(9) - TimeDelta::minutes(2)));
    let mut handler = Handler::with_pingone(&pingone);
    handler.set("POLL_LOOKBACK", "4h");
    handler.poll_well().await;
    handler
        .set("PINGONE__TABLES", &format!("{ACTIVITIES},{ACTIVITIES_OLD}"))
        .set("POLL_LOOKBACK", "1h");
    handler.poll_well().await;

    backfill_well(&handler, "pingone/default", start, now()).await;

    for table in [ACTIVITIES, ACTIVITIES_OLD] {
        assert_each_once(&pingone, &handler.ids(table));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_before_any_page_and_other_slices_afterwards_double_nothing() {
    let start = now() - DAYS * 2;
    for page in 0..5 {
        let pingone = PingOne::start(options());
        pingone.publish(spread(503, 1700, start, TimeDelta::minutes(55)));
        pingone.publish(spread(504, 300, start + TimeDelta::hours(2), TimeDelta::hours(3)));
        let handler = Handler::with_pingone(&pingone);
        handler.poll_well().await;
        pingone.fail_next(vec![Fault::Delay(Duration::ZERO); page]);
        pingone.fail_next([Fault::Delay(NEVER)]);
        let (from, to) = (start.to_rfc3339(), now().to_rfc3339());
        let mut child = handler
            .command(&["backfill", "--source", "pingone", "--from", &from, "--to", &to])
            .spawn()
            .unwrap();
        until("the page is asked for", || pingone.waiting_faults() == 0).await;
        child.kill().await.unwrap();
        let delivered = handler.ids(ACTIVITIES).len();
        assert!(
            page < 3 || delivered > 0,
            "nothing was delivered before the kill at page {page}"
        );

        // Other windows first: their slices end, and begin, in the middle of the one that was broken off.
        let half = start + TimeDelta::minutes(25);
        backfill_well(&handler, "pingone", start - TimeDelta::minutes(30), half).await;
        backfill_well(&handler, "pingone", start + TimeDelta::minutes(20), now()).await;
        backfill_well(&handler, "pingone", start, start + TimeDelta::minutes(7)).await;
        backfill_well(&handler, "pingone", start, now()).await;
        assert_each_once(&pingone, &handler.ids(ACTIVITIES));
        handler.poll_well().await;
        assert_each_once(&pingone, &handler.ids(ACTIVITIES));
        let left = files_below(&handler.path("data/state/checkpoints"));
        let left: Vec<_> = left
            .iter()
            .filter(|file| file.to_string_lossy().contains("/backfill/"))
            .collect();
        assert!(left.is_empty(), "identities are left behind: {left:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_stream_of_a_console_can_be_filled() {
    let console = SentinelOne::start(console_options());
    let mut estate = Estate::new(505);
    for stream in Stream::ALL {
        estate.publish(&console, stream, times(60, 360));
    }
    let handler = Handler::with_sentinelone(&console, &Stream::ALL.map(name).join(","));
    handler.poll_well().await;
    backfill_well(&handler, "sentinelone", now() - TimeDelta::hours(7), now()).await;
    assert_each_current_version_once(&console, &handler);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_while_a_window_is_filled_is_the_pollers() {
    let console = SentinelOne::start(console_options());
    let mut estate = Estate::new(506);
    estate.publish(&console, Stream::Threats, times(40, 360));
    let handler = Handler::with_sentinelone(&console, "threats");
    handler.poll_well().await;
    estate.change(&console, Stream::Threats, 10, now() - TimeDelta::seconds(5));
    backfill_well(&handler, "sentinelone", now() - TimeDelta::hours(7), now()).await;
    handler.poll_well().await;
    let rows = handler.rows("SentinelOneThreats_CL");
    let mut versions: Vec<_> = rows
        .iter()
        .map(|row| (row["Id"].to_string(), row["UpdatedAt"].to_string()))
        .collect();
    let count = versions.len();
    versions.sort();
    versions.dedup();
    assert_eq!(versions.len(), count, "doubles");
    assert!(console.versions_current().len() <= count);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_just_before_the_first_window_is_left_to_the_backfill() {
    let vendor = OneLoginApi::start(simulator::onelogin_api::AccountOptions::default());
    let handler = onelogin(&vendor);
    assert_eq!(
        handler.run(&["poll", "--source", "onelogin/default/events"]).await.code,
        Some(0)
    );
    let checkpoint = handler.path("data/state/checkpoints/onelogin/default/events.json");
    let checkpoint: serde_json::Value = serde_json::from_slice(&std::fs::read(checkpoint).unwrap()).unwrap();
    let begin = &checkpoint["tables"]["OneLoginEventsV2_CL"]["begin"];
    let begin: DateTime<Utc> = begin.as_str().unwrap().parse().unwrap();
    let mut events = ApiEvents::new(507, 4711);
    vendor.publish_events([-900, -100, 0, 100].map(|millis| events.at(begin + TimeDelta::milliseconds(millis))));

    assert_eq!(
        handler.run(&["poll", "--source", "onelogin/default/events"]).await.code,
        Some(0)
    );
    assert_eq!(handler.rows("OneLoginEventsV2_CL").len(), 2);

    backfill_well(&handler, "onelogin/default/events", begin - TimeDelta::hours(1), now()).await;
    assert_eq!(handler.rows("OneLoginEventsV2_CL").len(), 4);
    assert_eq!(vendor.violations(), Vec::<String>::new());
}

fn onelogin(vendor: &OneLoginApi) -> Handler {
    let options = simulator::onelogin_api::AccountOptions::default();
    let mut handler = Handler::new();
    handler
        .set("ONELOGIN__URL", &vendor.origin())
        .set("ONELOGIN__CLIENT_ID", &options.client_id)
        .set("ONELOGIN__CLIENT_SECRET", &options.client_secret)
        // The first window must still be the overlap when it is read again.
        .set("POLL_LOOKBACK", "2m");
    handler
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_filled_and_pushed_before_or_afterwards_arrives_once() {
    let pingone = PingOne::start(options());
    let start = now() - TimeDelta::hours(5);
    let events = spread(508, 60, start, TimeDelta::hours(2));
    pingone.publish(events.clone());
    let mut handler = Handler::with_pingone(&pingone);
    handler.set("PINGONE__PUSH_TOKEN", PUSH_TOKEN);
    handler.poll_well().await;
    push_and_deliver(&handler, &events[20..30]).await;
    assert_eq!(handler.ids(ACTIVITIES).len(), 10);
    backfill_well(&handler, "pingone", start, now()).await;
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));
    push_and_deliver(&handler, &events).await;
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));
}

async fn push_and_deliver(handler: &Handler, events: &[Activity]) {
    let host = handler.host(Mode::Proxy).await;
    let texts: Vec<&str> = events.iter().map(|activity| activity.json.as_str()).collect();
    let headers = [("Authorization".to_owned(), format!("Bearer {PUSH_TOKEN}"))];
    let body = format!("[{}]", texts.join(",")).into_bytes();
    let answer = host.http("POST", "/api/push/pingone", &headers, body).await;
    assert_eq!(answer.unwrap().status, 200);
    host.timer().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poller_gets_its_turn_between_two_slices() {
    let pingone = PingOne::start(options());
    let start = now() - DAYS;
    pingone.publish(spread(509, 300, start, DAYS - TimeDelta::minutes(2)));
    let handler = Handler::with_pingone(&pingone);
    handler.poll_well().await;
    pingone.publish(activities(510, 20, 3));
    pingone.fail_next([Fault::Delay(Duration::from_secs(2))]);
    let (from, to) = (start.to_rfc3339(), now().to_rfc3339());
    let mut child = handler
        .command(&["backfill", "--source", "pingone", "--from", &from, "--to", &to])
        .spawn()
        .unwrap();
    until("the first slice is asked for", || pingone.waiting_faults() == 0).await;
    let output = handler.poll_well().await;
    assert!(!output.contains("skipped"), "{output}");
    assert_eq!(child.wait().await.unwrap().code(), Some(0));
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));
}

#[tokio::test(flavor = "multi_thread")]
async fn told_to_end_it_saves_and_the_same_command_goes_on() {
    let pingone = PingOne::start(options());
    let start = now() - DAYS;
    pingone.publish(spread(511, 900, start, DAYS - TimeDelta::minutes(2)));
    let handler = Handler::with_pingone(&pingone);
    handler.poll_well().await;
    pingone.fail_next([Fault::Delay(Duration::ZERO), Fault::Delay(Duration::from_secs(1))]);
    let (from, to) = (start.to_rfc3339(), now().to_rfc3339());
    let child = handler
        .command(&["backfill", "--source", "pingone", "--from", &from, "--to", &to])
        .spawn()
        .unwrap();
    until("the second slice is asked for", || pingone.waiting_faults() == 0).await;
    let pid = child.id().unwrap().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .await
            .unwrap()
            .success()
    );
    let ended = child.wait_with_output().await.unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(130), "{said}");
    assert!(
        said.contains("are left to read: the same command fills the rest"),
        "{said}"
    );
    let shown = handler.run(&["status", "--json"]).await.output;
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let holes = shown["streams"][0]["tables"][0]["holes"].as_array().unwrap().clone();
    assert_eq!(holes.len(), 1, "{holes:?}");
    backfill_well(&handler, "pingone", start, now()).await;
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_vendor_no_longer_shows_is_said_and_left_out() {
    let pingone = PingOne::start(options());
    pingone.publish(activities(512, 10, 30));
    let handler = Handler::with_pingone(&pingone);
    let output = backfill_well(&handler, "pingone", now() - DAYS * 20, now()).await;
    assert!(output.contains("the vendor shows nothing from before"), "{output}");
    // It was never polled: the first window is the poller's, and begins where it always does.
    handler.poll_well().await;
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_fails_ends_it_with_1_and_what_was_filled_is_not_read_again() {
    let pingone = PingOne::start(options());
    let start = now() - DAYS;
    pingone.publish(spread(513, 90, start, DAYS - TimeDelta::minutes(2)));
    let mut handler = Handler::with_pingone(&pingone);
    handler.poll_well().await;
    handler.set("PINGONE__CLIENT_SECRET", "another-one");
    let ended = backfill(&handler, "pingone", start, now()).await;
    assert_eq!(ended.code, Some(1), "{}", ended.output);
    assert!(ended.output.contains("PINGONE__CLIENT_SECRET"), "{}", ended.output);
    handler.set("PINGONE__CLIENT_SECRET", CLIENT_SECRET);
    backfill_well(&handler, "pingone", start, now()).await;
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_without_windows_and_wrong_times_are_refused_with_a_word() {
    let enterprise_options = simulator::pingone_enterprise::SubscriptionOptions::default();
    let enterprise = PingOneEnterprise::start(enterprise_options.clone());
    let vendor = OneLoginApi::start(simulator::onelogin_api::AccountOptions::default());
    vendor.publish_users([Users::new(514).new_object(now())]);
    let mut handler = onelogin(&vendor);
    handler
        .set("PINGONE_ENTERPRISE__POLL_URL", &enterprise.poll_url())
        .set("PINGONE_ENTERPRISE__TOKEN_URL", &enterprise.token_url())
        .set("PINGONE_ENTERPRISE__CLIENT_ID", &enterprise_options.client_id)
        .set("PINGONE_ENTERPRISE__CLIENT_SECRET", &enterprise_options.client_secret);
    let (from, to) = (now() - DAYS, now());
    for (source, word) in [
        ("pingone-enterprise", "gives every event once"),
        ("onelogin/default/users", "read whole every time"),
        ("sentinelone", "configured are: "),
    ] {
        let ended = backfill(&handler, source, from, to).await;
        assert_eq!(ended.code, Some(64), "{source}: {}", ended.output);
        assert!(ended.output.contains(word), "{source}: {}", ended.output);
    }
    assert!(enterprise.requests().is_empty());
    let output = backfill_well(&handler, "onelogin", from, to).await;
    assert!(
        output.contains("onelogin/default/users: has nothing to fill"),
        "{output}"
    );
    let ended = backfill(&handler, "onelogin", to, from).await;
    assert_eq!(ended.code, Some(64), "{}", ended.output);
    for times in [["yesterday", "2026-11-20"], ["2026-11-20T10:00:00", "2026-11-21"]] {
        let [from, to] = times;
        let ended = handler
            .run(&["backfill", "--source", "onelogin", "--from", from, "--to", to])
            .await;
        assert_eq!(ended.code, Some(64), "{}", ended.output);
    }
}

async fn holes(handler: &Handler) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
    let shown = handler.run(&["status", "--json"]).await.output;
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let holes = shown["streams"][0]["tables"][0]["holes"].as_array().unwrap().clone();
    let time = |hole: &serde_json::Value, end: &str| hole[end].as_str().unwrap().parse().unwrap();
    holes
        .iter()
        .map(|hole| (time(hole, "from"), time(hole, "to")))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_between_a_filled_window_and_the_first_poll_is_a_hole() {
    let pingone = PingOne::start(options());
    pingone.publish(spread(516, 60, now() - DAYS, DAYS - TimeDelta::minutes(2)));
    let handler = Handler::with_pingone(&pingone);
    handler.poll_well().await;
    assert_eq!(holes(&handler).await, []);
    let (from, to) = (now() - TimeDelta::hours(20), now() - TimeDelta::hours(4));

    backfill_well(&handler, "pingone", from, to).await;

    let [(hole_from, hole_to)] = holes(&handler).await[..] else {
        panic!("one hole is left")
    };
    assert!((hole_from - to).abs() < TimeDelta::seconds(1), "{hole_from}");
    let first_window = now() - TimeDelta::hours(1);
    assert!((first_window - hole_to).abs() < TimeDelta::minutes(2), "{hole_to}");
    backfill_well(&handler, "pingone", to, now()).await;
    assert_eq!(holes(&handler).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_was_asked_for_and_never_begun_is_a_hole() {
    let pingone = PingOne::start(options());
    let mut handler = Handler::with_pingone(&pingone);
    handler.poll_well().await;
    let from = now() - TimeDelta::hours(20);
    handler.set("PINGONE__CLIENT_SECRET", "another-one");
    let ended = backfill(&handler, "pingone", from, now()).await;
    assert_eq!(ended.code, Some(1), "{}", ended.output);
    let [(hole_from, _)] = holes(&handler).await[..] else {
        panic!("one hole is left")
    };
    assert!((hole_from - from).abs() < TimeDelta::seconds(1), "{hole_from}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_cannot_be_read_is_not_said_to_be_whole() {
    let pingone = PingOne::start(options());
    pingone.publish(activities(517, 10, 30));
    let handler = Handler::with_pingone(&pingone);
    handler.poll_well().await;
    let is_said_whole = |output: &str| output.contains("100% filled") || output.contains("nothing is missing in this");

    let later = backfill_well(&handler, "pingone", now() + DAYS, now() + DAYS * 2).await;
    assert!(
        later.contains("is left to `handler poll`") && !is_said_whole(&later),
        "{later}"
    );
    assert_eq!(holes(&handler).await, []);

    let from = now() - DAYS * 20;
    let partly = backfill_well(&handler, "pingone", from, now() - DAYS * 13).await;
    assert!(partly.contains("the vendor shows nothing from before"), "{partly}");
    let (hole_from, hole_to) = holes(&handler).await[0];
    assert!((hole_from - from).abs() < TimeDelta::seconds(1), "{hole_from}");
    assert!((hole_to - (now() - DAYS * 14)).abs() < TimeDelta::hours(1), "{hole_to}");
    let again = backfill_well(&handler, "pingone", from, now() - DAYS * 13 - TimeDelta::hours(1)).await;
    assert!(
        again.contains("nothing is missing in what can be read") && !is_said_whole(&again),
        "{again}"
    );

    let from = now() - DAYS * 40;
    let gone = backfill(&handler, "pingone", from, now() - DAYS * 30).await;
    assert_eq!(gone.code, Some(1), "{}", gone.output);
    assert!(
        gone.output.contains("the vendor's archive") && !is_said_whole(&gone.output),
        "{}",
        gone.output
    );
    let (hole_from, _) = holes(&handler).await[0];
    assert!((hole_from - from).abs() < TimeDelta::seconds(1), "{hole_from}");
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_whose_turn_never_came_have_holes_too() {
    let console = SentinelOne::start(console_options());
    let handler = Handler::with_sentinelone(&console, "activities,groups,threats");
    handler.poll_well().await;
    console.fail_next([Fault::Delay(Duration::from_secs(1))]);
    let (from, to) = ((now() - DAYS).to_rfc3339(), now().to_rfc3339());
    let child = handler
        .command(&["backfill", "--source", "sentinelone", "--from", &from, "--to", &to])
        .spawn()
        .unwrap();
    until("the first slice is asked for", || console.waiting_faults() == 0).await;
    let pid = child.id().unwrap().to_string();
    let told = Command::new("kill").args(["-TERM", &pid]).status().await.unwrap();
    assert!(told.success());
    let ended = child.wait_with_output().await.unwrap();
    assert_eq!(ended.status.code(), Some(130), "{ended:?}");
    let shown = handler.run(&["status", "--json"]).await.output;
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let streams = shown["streams"].as_array().unwrap();
    assert_eq!(streams.len(), 3, "{shown}");
    for stream in streams {
        assert_ne!(stream["tables"][0]["holes"].as_array().unwrap().len(), 0, "{stream}");
    }
}
