use std::collections::BTreeSet;

use chrono::TimeZone;
use serde_json::Value;

use super::*;

const ENVIRONMENT: &str = "5a2cf1de-7f04-4c1e-9c3e-6a5a0d1b7e55";

/// So many activities, one every 7 ms.
fn made(seed: u64, count: i64) -> Vec<Activity> {
    let start = Utc
        .with_ymd_and_hms(2026, 11, 20, 10, 15, 30)
        .single()
        .expect("the time exists");
    let mut activities = Activities::new(seed, ENVIRONMENT);
    (0..count)
        .map(|step| activities.at(start + TimeDelta::milliseconds(step * 7)))
        .collect()
}

fn parsed(activity: &Activity) -> Value {
    serde_json::from_str(&activity.json).expect("an activity is JSON")
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    assert_eq!(made(1, 80), made(1, 80));
    assert_ne!(made(1, 1)[0].id, made(2, 1)[0].id);
}

#[test]
fn a_run_as_long_as_the_table_holds_every_type() {
    let types: BTreeSet<String> = made(3, Activities::action_types().len() as i64)
        .into_iter()
        .map(|activity| activity.action_type)
        .collect();

    assert_eq!(types.len(), Activities::action_types().len());
    assert!(types.len() >= 40);
}

#[test]
fn the_json_says_what_the_fields_beside_it_say() {
    for activity in made(4, 100) {
        let event = parsed(&activity);

        assert_eq!(event["id"], activity.id.as_str());
        assert_eq!(event["action"]["type"], activity.action_type.as_str());
        assert_eq!(event["recordedAt"], milliseconds(activity.recorded_at).as_str());
        assert_eq!(event["createdAt"], milliseconds(activity.created_at).as_str());
        let delay = activity.created_at - activity.recorded_at;
        assert!((13..=480).contains(&delay.num_milliseconds()));
    }
}

#[test]
fn optional_parts_are_present_in_some_events_and_absent_in_others() {
    let events: Vec<Value> = made(5, 200).iter().map(parsed).collect();

    for path in [
        "/actors",
        "/actors/user",
        "/actors/client/environment",
        "/actors/user/population/id",
        "/source",
        "/internalCorrelation",
        "/internalCorrelation/transactionId",
        "/tags",
        "/resources/0/population",
    ] {
        let with_it = events.iter().filter(|event| event.pointer(path).is_some()).count();
        assert!(with_it > 0 && with_it < events.len(), "{path}: {with_it}");
    }
}

#[test]
fn a_time_is_cut_to_milliseconds() {
    let time = Utc.timestamp_nanos(1_795_000_000_123_456_789);

    let activity = Activities::new(6, ENVIRONMENT).at(time);

    assert_eq!(activity.recorded_at.timestamp_subsec_nanos(), 123_000_000);
}
