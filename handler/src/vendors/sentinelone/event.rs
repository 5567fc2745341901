//! What names an event.

use std::borrow::Cow;

use crate::event::Identity;
use crate::json::{Kind, kind, unquote, value_at};
use crate::sources::EventKey;
use crate::time::VendorTime;

/// Where the parts of an event's name stand, as paths of keys.
#[derive(Debug)]
pub struct IdentityFields {
    /// A part of the name, so that no two streams share one.
    pub stream: &'static str,
    /// The vendor's id.
    pub id: &'static [&'static str],
    /// What changes when the thing changes, for things that do.
    pub version: Option<&'static [&'static str]>,
    /// The time that windows are cut by.
    pub time: &'static [&'static str],
}

impl IdentityFields {
    /// Identity is id and version; an event that lacks one of them is named by its content.
    pub fn key_of(&self, event: &str) -> EventKey {
        let time = text_at(event, self.time);
        EventKey {
            identity: self.own_name(event).unwrap_or_else(|| Identity::of_content(event)),
            time: time.and_then(|text| VendorTime::parse(&text).map(|time| time.utc())),
        }
    }

    fn own_name(&self, event: &str) -> Option<Identity> {
        let id = text_at(event, self.id)?;
        let Some(version) = self.version else {
            return Some(Identity::of_parts(&["sentinelone", self.stream, &id]));
        };
        let version = text_at(event, version)?;
        Some(Identity::of_parts(&["sentinelone", self.stream, &id, &version]))
    }
}

fn text_at<'a>(event: &'a str, path: &[&str]) -> Option<Cow<'a, str>> {
    let value = value_at(event, path)?;
    let text = matches!(kind(value), Kind::String | Kind::Number).then(|| unquote(value))?;
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::super::endpoint_spec::{ACTIVITIES, AGENTS, ALERTS, GROUPS, THREATS};
    use super::*;

    #[test]
    fn an_activity_is_named_by_its_id_whatever_else_it_says() {
        let one = ACTIVITIES
            .identity_fields
            .key_of(r#"{"id":"7","createdAt":"2026-11-20T10:00:00.123456Z","updatedAt":"a"}"#);
        let other = ACTIVITIES.identity_fields.key_of(r#"{"updatedAt":"b","id":"7"}"#);
        assert_eq!(one.identity, other.identity);
        assert_eq!(one.time, "2026-11-20T10:00:00.123456Z".parse().ok());
        assert_eq!(other.time, None);
    }

    #[test]
    fn every_version_of_a_snapshot_has_its_own_name() {
        for (identity_fields, first, second) in [
            (
                &AGENTS.identity_fields,
                r#"{"id":"1","updatedAt":"2026-11-20T10:00:00Z"}"#,
                r#"{"id":"1","updatedAt":"2026-11-20T10:00:01Z"}"#,
            ),
            (
                &GROUPS.identity_fields,
                r#"{"id":"1","updatedAt":"2026-11-20T10:00:00Z"}"#,
                r#"{"id":"1","updatedAt":"2026-11-20T10:00:01Z"}"#,
            ),
            (
                &THREATS.identity_fields,
                r#"{"id":"1","updatedAt":"no","threatInfo":{"updatedAt":"2026-11-20T10:00:00Z"}}"#,
                r#"{"id":"1","updatedAt":"no","threatInfo":{"updatedAt":"2026-11-20T10:00:01Z"}}"#,
            ),
        ] {
            let key = identity_fields.key_of(first);
            assert_eq!(key.time, "2026-11-20T10:00:00Z".parse().ok());
            assert_eq!(
                key.identity,
                identity_fields.key_of(&first.replace("\":", "\" : ")).identity
            );
            assert_ne!(key.identity, identity_fields.key_of(second).identity);
        }
    }

    #[test]
    fn an_alert_is_cut_by_the_time_it_was_reported_and_named_by_its_version() {
        let alert = |updated: &str| {
            format!(
                r#"{{"alertInfo":{{"alertId":"9","createdAt":"2026-11-20T09:00:00Z","reportedAt":"2026-11-20T10:00:00Z","updatedAt":"{updated}"}}}}"#
            )
        };
        let key = ALERTS.identity_fields.key_of(&alert("2026-11-20T10:00:00Z"));
        assert_eq!(key.time, "2026-11-20T10:00:00Z".parse().ok());
        assert_ne!(
            key.identity,
            ALERTS.identity_fields.key_of(&alert("2026-11-20T11:00:00Z")).identity
        );
    }

    #[test]
    fn without_its_id_or_version_an_event_is_named_by_its_content() {
        for event in [
            r#"{"id":null,"updatedAt":"2026-11-20T10:00:00Z"}"#,
            r#"{"id":"","updatedAt":"2026-11-20T10:00:00Z"}"#,
            r#"{"id":"1"}"#,
            r#"{"id":"1","updatedAt":null}"#,
            r#"{"id":{},"updatedAt":[]}"#,
            "7",
        ] {
            assert_eq!(
                AGENTS.identity_fields.key_of(event).identity,
                Identity::of_content(event),
                "{event}"
            );
        }
    }

    #[test]
    fn the_same_id_in_two_streams_is_two_names() {
        let event = r#"{"id":"1","updatedAt":"2026-11-20T10:00:00Z"}"#;
        assert_ne!(
            AGENTS.identity_fields.key_of(event).identity,
            GROUPS.identity_fields.key_of(event).identity
        );
    }
}
