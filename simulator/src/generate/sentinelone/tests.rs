use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use serde_json::Value;

use super::activity_types::ACTIVITY_TYPES;
use super::common::{microseconds, parsed};
use super::*;
use crate::sentinelone::Stream;

fn start() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 20, 10, 0, 0)
        .single()
        .expect("the time exists")
        + TimeDelta::microseconds(4_321)
}

fn activities(seed: u64, count: usize) -> Vec<Object> {
    let mut generator = ConsoleObjects::new(seed);
    (0..count)
        .map(|step| generator.new_object(Stream::Activities, start() + TimeDelta::microseconds(step as i64 * 700)))
        .collect()
}

fn activity_type(activity: &Object) -> u64 {
    parsed(&activity.json)["activityType"].as_u64().expect("a number")
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    assert_eq!(activities(1, 90), activities(1, 90));
    assert_ne!(activities(1, 1), activities(2, 1));
}

#[test]
fn a_run_as_long_as_the_table_holds_every_type_content_asks_for() {
    let made = activities(2, ACTIVITY_TYPES.len());
    let types: BTreeSet<u64> = made.iter().map(activity_type).collect();

    assert_eq!(types.len(), made.len());
    assert!(types.len() >= 20);
    for wanted in [
        27, 51, 31, 64, 23, 3020, 3600, 3602, 3603, 3608, 92, 90, 71, 19, 2001, 2004, 4003, 4008, 5009, 5126,
    ] {
        assert!(types.contains(&wanted), "{wanted}");
    }
}

#[test]
fn an_id_is_unique_decimal_text_over_2_to_53_and_carries_its_time() {
    let made = activities(3, 20_000);
    let ids: BTreeSet<&str> = made.iter().map(|activity| activity.id.as_str()).collect();

    assert_eq!(ids.len(), made.len());
    for activity in &made {
        let id: u64 = activity.id.parse().expect("decimal text");
        assert!(id > 1 << 53);
        let time = snowflake::epoch() + TimeDelta::milliseconds((id >> 23) as i64);
        assert!((activity.created_at - time).abs() < TimeDelta::milliseconds(1));
    }
}

#[test]
fn an_activity_was_updated_up_to_900_ms_before_it_was_created() {
    for activity in activities(4, 200) {
        let event = parsed(&activity.json);
        assert_eq!(event["id"], activity.id.as_str());
        assert_eq!(event["createdAt"], microseconds(activity.created_at).as_str());
        let updated = DateTime::parse_from_rfc3339(event["updatedAt"].as_str().expect("text")).expect("a time");
        let before = activity.created_at - updated.to_utc();
        assert!(
            before >= TimeDelta::zero() && before < TimeDelta::milliseconds(900),
            "{before}"
        );
    }
}

#[test]
fn the_data_of_an_activity_has_the_keys_of_its_type() {
    let made = activities(5, 300);
    let of_type = |wanted: u64| made.iter().filter(move |activity| activity_type(activity) == wanted);

    assert!(of_type(27).any(|login| parsed(&login.json)["data"]["username"].is_string()));
    assert!(of_type(27).any(|login| parsed(&login.json)["data"]["username"].is_null()));
    assert!(of_type(27).all(|login| login.json.contains("IP Address 1") || login.json.contains("IP Address 2")));
    assert!(of_type(3602).all(|rule| parsed(&rule.json)["data"]["ruleName"].is_string()));
    assert!(of_type(3608).all(|alert| parsed(&alert.json)["data"]["alertId"].as_u64() > Some(1 << 53)));
    assert!(of_type(5126).all(|device| parsed(&device.json)["data"]["ruleName"].is_null()));
    assert!(of_type(23).all(|user| parsed(&user.json)["data"]["newValue"].is_object()));
    assert!(of_type(5232).all(|firewall| parsed(&firewall.json)["data"]["newValue"].is_boolean()));
    assert!(
        made.iter()
            .any(|activity| parsed(&activity.json).get("activityUuid").is_none())
    );
}

#[test]
fn generators_of_one_seed_agree_on_the_account() {
    let activity = parsed(&ConsoleObjects::new(6).new_object(Stream::Activities, start()).json);
    let agent = parsed(&ConsoleObjects::new(6).new_object(Stream::Agents, start()).json);
    let threat = parsed(&ConsoleObjects::new(6).new_object(Stream::Threats, start()).json);

    assert_eq!(activity["accountId"], agent["accountId"]);
    assert_eq!(agent["accountId"], threat["agentRealtimeInfo"]["accountId"]);
}

#[test]
fn an_update_is_the_same_object_with_a_newer_time_and_other_fields() {
    let later = start() + TimeDelta::seconds(9);
    let same = |before: &str, after: &str, id: &str, updated: &str| {
        let (before, after) = (parsed(before), parsed(after));
        assert_eq!(before.pointer(id), after.pointer(id));
        assert!(before.pointer(id).is_some_and(Value::is_string));
        assert_eq!(after.pointer(updated), Some(&Value::from(microseconds(later))));
        assert_ne!(before.pointer(updated), after.pointer(updated));
        let mut masked = after.clone();
        *masked.pointer_mut(updated).expect("it was there") = before.pointer(updated).cloned().unwrap_or_default();
        assert_ne!(masked, before, "another field changed too");
    };
    let mut agents = ConsoleObjects::new(7);
    let agent = agents.new_object(Stream::Agents, start());
    same(&agent.json, &agents.update(&agent, later).json, "/id", "/updatedAt");
    same(
        &agent.json,
        &agents.decommission(&agent, later).json,
        "/id",
        "/updatedAt",
    );
    let mut groups = ConsoleObjects::new(7);
    let group = groups.new_object(Stream::Groups, start());
    same(&group.json, &groups.update(&group, later).json, "/id", "/updatedAt");
    let mut threats = ConsoleObjects::new(7);
    let threat = threats.new_object(Stream::Threats, start());
    same(
        &threat.json,
        &threats.update(&threat, later).json,
        "/id",
        "/threatInfo/updatedAt",
    );
    let mut alerts = ConsoleObjects::new(7);
    let alert = alerts.new_object(Stream::Alerts, start());
    same(
        &alert.json,
        &alerts.update(&alert, later).json,
        "/alertInfo/alertId",
        "/alertInfo/updatedAt",
    );
    let mut unified = ConsoleObjects::new(7);
    let node = unified.new_object(Stream::UnifiedAlerts, start());
    same(&node.json, &unified.update(&node, later).json, "/id", "/updatedAt");
}

#[test]
fn every_group_has_a_recognisable_secret() {
    let mut groups = ConsoleObjects::new(8);
    for _ in 0..9 {
        let group = groups.new_object(Stream::Groups, start());
        let token = parsed(&group.json)["registrationToken"].to_string();
        assert!(token.contains(REGISTRATION_TOKEN_MARK));
    }
}

#[test]
fn an_alert_appears_100_to_400_ms_after_its_event_and_has_no_top_level_id() {
    let mut alerts = ConsoleObjects::new(9);
    for _ in 0..50 {
        let alert = alerts.new_object(Stream::Alerts, start());
        let reported_at = parsed(&alert.json)["alertInfo"]["reportedAt"].clone();
        let reported_at: DateTime<Utc> = reported_at.as_str().expect("text").parse().expect("a time");
        let late = reported_at - alert.created_at;
        assert!(late >= TimeDelta::milliseconds(100) && late < TimeDelta::milliseconds(400));
        let event = parsed(&alert.json);
        assert!(event.get("id").is_none() && event.get("createdAt").is_none());
        assert_eq!(event["alertInfo"]["createdAt"], "2026-11-20T10:00:00.004000Z");
        let id: u64 = alert.id.parse().expect("decimal text");
        let time = snowflake::epoch() + TimeDelta::milliseconds((id >> 23) as i64);
        assert!((reported_at - time).abs() < TimeDelta::milliseconds(1));
    }
}

#[test]
fn a_threat_has_no_top_level_times_and_is_identified_before_it_is_created() {
    let mut threats = ConsoleObjects::new(10);
    let threat = threats.new_object(Stream::Threats, start());
    let event = parsed(&threat.json);

    assert!(event.get("createdAt").is_none() && event.get("updatedAt").is_none());
    assert_eq!(event["threatInfo"]["threatId"], threat.id.as_str());
    assert!(threat.updated_at < threat.created_at);
    assert!(event["threatInfo"]["identifiedAt"].as_str() < event["threatInfo"]["createdAt"].as_str());
}
