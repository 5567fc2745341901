//! The events of an account.

use super::fields::fields;
use super::list_spec::ListSpec;
use crate::event::Identity;
use crate::sources::EventKey;
use crate::time::VendorTime;

/// The stream `onelogin/<instance>/events`.
pub const EVENTS: ListSpec = ListSpec {
    path: "events",
    asked: "the events endpoint",
    has_windows: true,
    key_of,
};

/// Identity is the vendor's `id`; windows are cut by `created_at`. An event without an id is named by its content.
fn key_of(event: &str) -> EventKey {
    let [id, created_at] = fields(event, &["id", "created_at"]);
    let identity = match id.is_empty() {
        true => Identity::of_content(event),
        false => Identity::of_parts(&["onelogin-api", &id]),
    };
    EventKey {
        identity,
        time: VendorTime::parse(&created_at).map(|time| time.utc()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_names_the_event_whatever_else_it_says() {
        let one = key_of(r#"{"id":41,"created_at":"2026-11-20T10:00:00.123Z","user_id":1}"#);
        let other = key_of(r#"{"created_at":null,"id":"41"}"#);
        assert_eq!(one.identity, other.identity);
        assert_eq!(one.time, "2026-11-20T10:00:00.123Z".parse().ok());
        assert_eq!(other.time, None);
        assert_ne!(one.identity, key_of(r#"{"id":42}"#).identity);
    }

    #[test]
    fn an_event_without_an_id_is_named_by_its_content() {
        for text in [r#"{"id":null,"a":1}"#, r#"{"id":"","a":1}"#, r#"{"a":1}"#, "7", "null"] {
            assert_eq!(key_of(text).identity, Identity::of_content(text), "{text}");
        }
    }
}
