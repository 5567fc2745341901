use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use serde_json::Value;

use super::*;

fn start() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 20, 10, 15, 30)
        .single()
        .expect("the time exists")
}

fn made(seed: u64, count: i64) -> Vec<ApiEvent> {
    let mut events = ApiEvents::new(seed, 70_412);
    (0..count)
        .map(|step| events.at(start() + TimeDelta::milliseconds(step * 300)))
        .collect()
}

fn parsed(json: &str) -> Value {
    serde_json::from_str(json).expect("an object is JSON")
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_ids_grow() {
    assert_eq!(made(1, 80), made(1, 80));
    assert_ne!(made(1, 1), made(2, 1));
    assert!(made(3, 200).windows(2).all(|pair| pair[0].id < pair[1].id));
}

#[test]
fn every_event_has_the_same_keys_with_integers_for_ids() {
    let keys: BTreeSet<Vec<String>> = made(4, 100)
        .iter()
        .map(|event| {
            parsed(&event.json)
                .as_object()
                .expect("an object")
                .keys()
                .cloned()
                .collect()
        })
        .collect();
    assert_eq!(keys.len(), 1);

    for event in made(4, 100) {
        let value = parsed(&event.json);
        assert_eq!(value["id"], event.id);
        for id in [
            "user_id",
            "app_id",
            "actor_user_id",
            "role_id",
            "event_type_id",
            "browser_fingerprint",
        ] {
            assert!(value[id].is_u64() || value[id].is_null(), "{id}: {}", value[id]);
        }
    }
    assert_eq!(parsed(&made(5, 2)[1].json)["created_at"], "2026-11-20T10:15:30.300Z");
}

#[test]
fn a_twin_has_another_key_and_the_same_content_in_the_same_second() {
    for event in made(6, 100) {
        let (api, twin) = (parsed(&event.json), webhook_twin(&event));
        let webhook = parsed(&twin.json);

        assert_eq!(twin, webhook_twin(&event));
        assert!(webhook["uuid"].is_string() && webhook.get("id").is_none());
        let second = api["created_at"].as_str().expect("a time")[..19].replace('T', " ");
        assert_eq!(webhook["event_timestamp"], format!("{second} UTC"));
        for key in ["event_type_id", "user_id", "actor_user_id", "app_id", "ipaddr", "notes"] {
            assert_eq!(webhook.get(key).unwrap_or(&Value::Null), &api[key], "{key}");
        }
    }
}

#[test]
fn a_sign_in_changes_nothing_that_describes_the_user_and_an_update_does() {
    let mut users = Users::new(7);
    let user = users.new_object(start());
    let later = start() + TimeDelta::hours(1);
    let described = |user: &User| {
        let value = parsed(&user.json);
        [
            "id",
            "username",
            "email",
            "firstname",
            "lastname",
            "department",
            "title",
        ]
        .map(|key| value[key].clone())
    };

    let signed_in = users.sign_in(&user, later);
    let updated = users.update(&signed_in, later);

    assert_eq!(described(&user), described(&signed_in));
    assert_ne!(described(&user), described(&updated));
    assert_ne!(user.json, signed_in.json);
    assert_eq!(updated.id, user.id);
    assert_eq!(updated.updated_at, later);
    assert_eq!(parsed(&updated.json)["created_at"], parsed(&user.json)["created_at"]);
}
