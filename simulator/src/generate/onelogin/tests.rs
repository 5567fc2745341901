use std::collections::{BTreeMap, BTreeSet};

use chrono::{TimeDelta, TimeZone};

use super::*;

fn made(seed: u64, count: usize) -> Vec<WebhookEvent> {
    let start = Utc
        .with_ymd_and_hms(2026, 11, 20, 10, 15, 30)
        .single()
        .expect("the time exists");
    let mut events = WebhookEvents::new(seed, 70_412);
    (0..count)
        .map(|step| events.at(start + TimeDelta::milliseconds(step as i64 * 400)))
        .collect()
}

fn parsed(event: &WebhookEvent) -> Value {
    serde_json::from_str(&event.json).expect("an event is JSON")
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    assert_eq!(made(1, 80), made(1, 80));
    assert_ne!(made(1, 1), made(2, 1));
}

#[test]
fn a_run_as_long_as_the_table_holds_every_type() {
    let types: BTreeSet<u32> = made(2, WebhookEvents::event_types().len())
        .iter()
        .map(|event| event.event_type_id)
        .collect();

    assert_eq!(types.len(), WebhookEvents::event_types().len());
    assert!(types.len() >= 25);
}

#[test]
fn the_timestamp_has_seconds_and_names_utc() {
    let event = parsed(&made(3, 1)[0]);

    assert_eq!(event["event_timestamp"], "2026-11-20 10:15:30 UTC");
    assert!(event["create"]["_id"].is_string());
}

#[test]
fn no_event_names_a_key_twice() {
    for event in made(4, 200) {
        let keys: BTreeMap<String, Value> = serde_json::from_str(&event.json).expect("an event is JSON");
        let written: usize = keys
            .keys()
            .map(|key| event.json.matches(&format!("\"{key}\":")).count())
            .sum();
        assert_eq!(written, keys.len(), "{}", event.json);
    }
}

#[test]
fn ids_come_as_numbers_and_as_text_and_keys_are_absent_or_null() {
    let events: Vec<Value> = made(5, 200).iter().map(parsed).collect();
    let some = |matches: &dyn Fn(&Value) -> bool| events.iter().any(matches);

    assert!(some(&|event| event["event_type_id"].is_number()));
    assert!(some(&|event| event["event_type_id"].is_string()));
    assert!(some(&|event| event.get("app_id").is_none()));
    assert!(some(&|event| event.get("app_id").is_some_and(Value::is_null)));
    assert!(some(&|event| event["risk_reasons"].is_array()));
    assert!(some(&|event| event["risk_reasons"].is_string()));
    assert!(some(&|event| event["actor_system"] == ""));
    assert!(some(&|event| event["notes"]
        .as_str()
        .is_some_and(|notes| notes.contains('\n'))));
}

#[test]
fn a_uuid_repeats_across_different_events() {
    let events: Vec<Value> = made(6, 200).iter().map(parsed).collect();
    let uuids: BTreeSet<String> = events.iter().map(|event| event["uuid"].to_string()).collect();

    assert!(uuids.len() < events.len());
    assert!(uuids.len() > events.len() / 2);
}
