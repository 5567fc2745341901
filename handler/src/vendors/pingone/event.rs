use crate::event::Identity;
use crate::json::{Kind, kind, members, unquote};
use crate::sources::EventKey;
use crate::time::VendorTime;

/// Identity is the vendor's `id`; windows are cut by `recordedAt`. An activity without an id is named by its content.
pub fn key_of(event: &str) -> EventKey {
    let (mut id, mut recorded_at) = (None, None);
    for (key, value) in members(event) {
        match key {
            "id" => id = Some(value),
            "recordedAt" => recorded_at = Some(value),
            _ => {}
        }
    }
    let id = id
        .filter(|value| matches!(kind(value), Kind::String | Kind::Number))
        .map(unquote);
    let identity = match id.filter(|id| !id.is_empty()) {
        Some(id) => Identity::of_parts(&["pingone", &id]),
        None => Identity::of_content(event),
    };
    let time = recorded_at.and_then(|value| VendorTime::parse(&unquote(value)).map(|time| time.utc()));
    EventKey { identity, time }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_names_the_activity_whatever_else_it_says() {
        let one = key_of(r#"{"id":"a","recordedAt":"2026-11-20T10:00:00.123Z","x":{"id":"b"}}"#);
        let other = key_of(r#"{"recordedAt":null,"id":"a"}"#);
        assert_eq!(one.identity, other.identity);
        assert_eq!(one.time, "2026-11-20T10:00:00.123Z".parse().ok());
        assert_eq!(other.time, None);
    }

    #[test]
    fn an_activity_without_an_id_is_named_by_its_content() {
        for text in [
            r#"{"id":null,"a":1}"#,
            r#"{"id":"","a":1}"#,
            r#"{"id":{},"a":1}"#,
            r#"{"a":1}"#,
        ] {
            assert_eq!(key_of(text).identity, Identity::of_content(text), "{text}");
        }
    }
}
