//! What an event has in common with its other form.

use crate::event::Identity;
use crate::time::VendorTime;

use super::fields::fields;

/// The same for an event as the API shows it and as the webhook posts it: its kind, its second, and whom and what it
/// is about. Different events may share it, so it is to be counted, not only matched.
pub fn counterpart_of(event: &str) -> Identity {
    let [created_at, event_timestamp, kind, user, actor, app, address, notes] = fields(
        event,
        &[
            "created_at",
            "event_timestamp",
            "event_type_id",
            "user_id",
            "actor_user_id",
            "app_id",
            "ipaddr",
            "notes",
        ],
    );
    let time = if created_at.is_empty() {
        event_timestamp
    } else {
        created_at
    };
    // The webhook knows no fractions of a second.
    let second = VendorTime::parse(&time).map(|time| time.utc().timestamp().to_string());
    Identity::of_parts(&[
        "onelogin-counterpart",
        second.as_deref().unwrap_or(&time),
        &kind,
        &user,
        &actor,
        &app,
        &address,
        &notes,
    ])
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use chrono::{DateTime, TimeDelta, Utc};
    use simulator::generate::onelogin_api::{ApiEvents, webhook_twin};

    use super::*;

    const API: &str = r#"{"id":1,"created_at":"2026-11-20T10:15:30.999Z","event_type_id":5,"user_id":7,
        "actor_user_id":null,"app_id":"","ipaddr":"192.0.2.1","notes":"a\nb \u00e9","risk_score":1}"#;

    #[test]
    fn both_forms_of_an_event_have_the_same_key_and_other_events_have_others() {
        let mut events = ApiEvents::new(11, 70_412);
        let start: DateTime<Utc> = "2026-11-20T10:15:30Z".parse().unwrap();
        let mut keys = HashSet::new();
        for step in 0..300 {
            let event = events.at(start + TimeDelta::milliseconds(step * 1337));
            let key = counterpart_of(&event.json);
            assert_eq!(key, counterpart_of(&webhook_twin(&event).json), "{}", event.json);
            keys.insert(key);
        }
        assert_eq!(keys.len(), 300);
    }

    #[test]
    fn null_absent_and_empty_are_alike_and_numbers_may_be_text() {
        for webhook in [
            r#"{"uuid":"u","event_timestamp":"2026-11-20 10:15:30 UTC","event_type_id":"5","user_id":"7",
                "ipaddr":"192.0.2.1","notes":"a\u000ab é"}"#,
            r#"{"notes":"a\nb é","ipaddr":"192.0.2.1","app_id":null,"actor_user_id":"","user_id":7,"event_type_id":5,
                "created_at":null,"event_timestamp":"2026-11-20T11:15:30+01:00"}"#,
        ] {
            assert_eq!(counterpart_of(API), counterpart_of(webhook), "{webhook}");
        }
    }

    #[test]
    fn every_part_of_the_key_counts() {
        for (part, other) in [
            (":30.999Z", ":31.000Z"),
            ("\"event_type_id\":5", "\"event_type_id\":6"),
            ("\"user_id\":7", "\"user_id\":8"),
            ("\"actor_user_id\":null", "\"actor_user_id\":7"),
            ("\"app_id\":\"\"", "\"app_id\":9"),
            ("192.0.2.1", "192.0.2.2"),
            ("b \\u00e9", "b"),
        ] {
            let changed = API.replace(part, other);
            assert_ne!(changed, API, "{part}");
            assert_ne!(counterpart_of(API), counterpart_of(&changed), "{part}");
        }
        assert_eq!(
            counterpart_of(API),
            counterpart_of(&API.replace("\"id\":1", "\"id\":2"))
        );
    }

    #[test]
    fn a_time_that_cannot_be_read_counts_as_it_is_written() {
        let at = |time: &str| counterpart_of(&format!(r#"{{"event_timestamp":"{time}"}}"#));
        assert_eq!(at("soon"), at("soon"));
        assert_ne!(at("soon"), at("later"));
    }
}
