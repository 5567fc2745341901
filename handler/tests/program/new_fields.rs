//! Fields of a vendor's events that no table's definition knows.

use serde_json::Value;
use simulator::functions_host::{FunctionsHost, Mode};
use simulator::generate::sentinelone::ConsoleObjects;
use simulator::pingone::PingOne;
use simulator::sentinelone::{SentinelOne, Stream};

use crate::harness::*;

const FIELD: &str = "brandNew";
const HEALTH: &str = "SentinelConnectorHealth_CL";

/// The event with a member that nobody documents.
fn with_news(event: &str) -> String {
    format!("{},\"{FIELD}\":{{\"a\":[1]}}}}", event.strip_suffix('}').unwrap())
}

fn publish_news(pingone: &PingOne, seed: u64) {
    for activity in activities(seed, 3, 5) {
        pingone.publish_raw(activity.recorded_at, with_news(&activity.json));
    }
}

fn named<'l>(lines: impl IntoIterator<Item = &'l str>, table: &str) -> usize {
    let said = format!("new field: {FIELD} in {table}, which this version has no column for; its values ");
    lines.into_iter().filter(|line| line.contains(&said)).count()
}

fn named_by(host: &FunctionsHost, table: &str) -> usize {
    let lines = [host.stdout_lines(), host.stderr_lines()].concat();
    named(lines.iter().map(String::as_str), table)
}

/// What the status says of the field in a table.
async fn status_of(handler: &Handler, table: &str) -> Value {
    let ended = handler.run(&["status", "--json"]).await;
    let status: Value = serde_json::from_str(&ended.output).unwrap_or_else(|_| panic!("{}", ended.output));
    let fields = status["new_fields"].as_array().unwrap();
    assert!(fields.iter().all(|field| field["field"] == FIELD), "{fields:?}");
    let found = fields.iter().find(|field| field["table"] == table);
    found.unwrap_or_else(|| panic!("{table}: {fields:?}")).clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_run_that_meets_a_new_field_names_it_in_log_health_rows_and_status_and_no_other_run_logs_it() {
    let pingone = PingOne::start(options());
    let mut handler = Handler::with_pingone(&pingone);
    handler.set("HEALTH__ENABLED", "true");
    let host = handler.host(Mode::Proxy).await;
    publish_news(&pingone, 950);
    host.timer().await.unwrap();
    until("the line arrives", || named_by(&host, ACTIVITIES) == 1).await;
    let health = handler.rows(HEALTH);
    assert_eq!(
        health.last().unwrap()["NewFields"],
        serde_json::json!([format!("{ACTIVITIES}: {FIELD}")])
    );
    let field = status_of(&handler, ACTIVITIES).await;
    assert!(field["count"] == 3 && field["first_seen"].is_string(), "{field}");
    for row in handler.rows(ACTIVITIES) {
        assert_eq!(row["AdditionalFields"][FIELD].to_string(), r#"{"a":[1]}"#);
    }

    publish_news(&pingone, 951);
    host.timer().await.unwrap();
    assert_eq!((handler.rows(ACTIVITIES).len(), named_by(&host, ACTIVITIES)), (6, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_names_nothing_again_and_counts_on() {
    const TABLE: &str = "SentinelOneGroups_CL";
    let console = SentinelOne::start(console_options());
    let handler = Handler::with_sentinelone(&console, "groups");
    let mut objects = ConsoleObjects::new(952);
    for (runs, says) in [(1, 1), (2, 0)] {
        let group = objects.new_object(Stream::Groups, now() - chrono::TimeDelta::minutes(3 - runs));
        console.publish_raw(Stream::Groups, with_news(&group.json));
        let output = handler.poll_well().await;
        assert_eq!(named(output.lines(), TABLE), says, "{output}");
        assert_eq!(status_of(&handler, TABLE).await["count"], runs);
    }
    let text = handler.run(&["status"]).await.output;
    assert!(
        text.contains(&format!("{TABLE}: {FIELD} (2 events, first seen ")),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_field_of_a_push_is_named_without_a_run_of_the_timer() {
    let handler = Handler::with_onelogin();
    let host = handler.host(Mode::Proxy).await;
    let headers = [("Authorization".to_owned(), format!("Bearer {PUSH_TOKEN}"))];
    let event = with_news(r#"{"event_timestamp":"2026-11-20 10:15:30 UTC","event_type_id":5}"#);
    let answer = host
        .http("POST", "/api/push/onelogin", &headers, event.into_bytes())
        .await;
    assert_eq!(answer.unwrap().status, 200);
    until("the field is named", || named_by(&host, ONELOGIN) == 1).await;
    assert_eq!(status_of(&handler, ONELOGIN).await["count"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_switched_off_is_left_out_and_named_all_the_same() {
    let pingone = PingOne::start(options());
    publish_news(&pingone, 953);
    let mut handler = Handler::with_pingone(&pingone);
    handler.set("PINGONE__ADDITIONAL_FIELDS", "false");
    let output = handler.poll_well().await;
    assert_eq!(named(output.lines(), ACTIVITIES), 1, "{output}");
    assert!(output.contains("its values are left out"), "{output}");
    let rows = handler.rows(ACTIVITIES);
    assert!(rows.len() == 3 && rows.iter().all(|row| row.get("AdditionalFields").is_none()));
}
