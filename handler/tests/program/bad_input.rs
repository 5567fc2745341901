//! Events as no vendor should send them.

use chrono::TimeDelta;
use serde_json::{Value, json};
use simulator::pingone::{Fault, PingOne, PingOneFault};
use simulator::tables::TableSchema;

use crate::harness::*;

fn event(id: &str, recorded_at: &str) -> Value {
    json!({"id": id, "recordedAt": recorded_at, "createdAt": recorded_at, "action": {"type": "USER.UPDATED"}})
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_events_become_rows_or_dead_letters_and_none_stops_the_stream() {
    let pingone = PingOne::start(options());
    pingone.publish(activities(20, 30, 30));
    let recorded_at = now() - TimeDelta::minutes(5);
    let time = recorded_at.to_rfc3339();
    let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
    let odd = [
        "7".to_owned(),
        "null".to_owned(),
        r#"["an array"]"#.to_owned(),
        json!({"recordedAt": time, "note": "no id"}).to_string(),
        event("no-time", "yesterday").to_string(),
        json!({"id": "wrong-types", "recordedAt": 5, "createdAt": {}, "action": "x", "resources": "y", "actors": []}).to_string(),
        format!(r#"{{"id":"deep","recordedAt":"{time}","resources":{deep},"x":{deep}}}"#),
        format!(r#"{{"id":"surrogate","recordedAt":"{time}","action":{{"type":"a\ud800b"}}}}"#),
        json!({"id": "long", "recordedAt": time, "result": {"description": "é".repeat(100_000)}, "resources": [{"name": "x".repeat(90_000)}]}).to_string(),
        json!({"id": 12345678901234567890_u64, "recordedAt": time}).to_string(),
    ];
    for text in &odd {
        pingone.publish_raw(recorded_at, text.clone());
    }
    let handler = Handler::with_pingone(&pingone);
    let output = handler.poll_well().await;
    assert!(output.contains("3 set aside as dead letters"), "{output}");
    let rows = handler.rows(ACTIVITIES);
    assert_eq!(rows.len(), 30 + odd.len() - 3);
    for id in [
        "no-time",
        "wrong-types",
        "deep",
        "surrogate",
        "long",
        "12345678901234567890",
    ] {
        assert_eq!(rows.iter().filter(|row| row["Id"] == id).count(), 1, "{id}");
    }
    let letters = handler.dead_letters();
    assert_eq!(letters.len(), 3);
    assert!(
        letters
            .iter()
            .any(|letter| letter.contains("an array") && letter.contains("not a JSON object"))
    );

    // The overlap shows all of them again.
    handler.poll_well().await;
    assert_eq!(handler.rows(ACTIVITIES).len(), rows.len());
    assert_eq!(handler.dead_letters().len(), 3);
    assert!(TableSchema::load_all().contains_key(ACTIVITIES));
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_not_utf8_are_replaced_and_counted() {
    let pingone = PingOne::start(options());
    pingone.publish(activities(21, 5, 30));
    pingone.fail_next([Fault::Vendor(PingOneFault::InvalidUtf8)]);
    let handler = Handler::with_pingone(&pingone);
    let output = handler.poll_well().await;
    assert!(output.contains("not UTF-8"), "{output}");
    assert_eq!(handler.rows(ACTIVITIES).len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_stays_unreadable_fails_the_stream_with_its_first_bytes_and_loses_nothing() {
    let pingone = PingOne::start(options());
    pingone.publish(activities(22, 5, 30));
    pingone.fail_next(vec![Fault::HtmlPage; 5]);
    let handler = Handler::with_pingone(&pingone);
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.output.contains("it began with: <"), "{}", ended.output);
    handler.poll_well().await;
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));
}
