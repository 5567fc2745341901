use crate::event::Identity;
use crate::json::{Kind, kind, member, members, unquote};

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

/// True if an object has what the vendor's events have. An answer of another kind has none of it.
pub fn says_it_is_an_event(object: &str) -> bool {
    member(object, "id").is_some() && ["action", "recorded"].iter().any(|key| member(object, key).is_some())
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
