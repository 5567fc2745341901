use crate::event::Identity;
use crate::json::{Kind, kind, members, unquote};

/// Identity is the vendor's `id`; an event without one is named by its content.
pub fn identity_of(event: &str) -> Identity {
    let id = members(event)
        .filter(|(key, _)| *key == "id")
        .last()
        .map(|(_, value)| value);
    match id
        .filter(|value| matches!(kind(value), Kind::String | Kind::Number))
        .map(unquote)
    {
        Some(id) if !id.is_empty() => Identity::of_parts(&["pingone-enterprise", &id]),
        _ => Identity::of_content(event),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_names_the_event_and_without_one_the_content_does() {
        assert_eq!(identity_of(r#"{"id":"a","x":1}"#), identity_of(r#"{"x":2,"id":"a"}"#));
        assert_ne!(identity_of(r#"{"x":1}"#), identity_of(r#"{"x":2}"#));
        assert_eq!(identity_of("7"), Identity::of_content("7"));
    }
}
