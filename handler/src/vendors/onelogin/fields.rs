//! Members of an event or a user, as text.

use std::borrow::Cow;

use crate::event::Identity;
use crate::json::{Kind, key_text, kind, members, unquote};

/// What the members of those names say, in one pass over the object; the last of a repeated key counts. Absent, null
/// and empty are alike, and so are a number and its text: OneLogin writes the same value in all these ways.
pub fn fields<'a, const N: usize>(object: &'a str, names: &[&str; N]) -> [Cow<'a, str>; N] {
    let mut found = [const { Cow::Borrowed("") }; N];
    for (key, value) in members(object) {
        let key = key_text(key);
        if let Some(place) = names.iter().position(|name| *name == key) {
            found[place] = text_of(value);
        }
    }
    found
}

fn text_of(value: &str) -> Cow<'_, str> {
    match kind(value) {
        Kind::Null => Cow::Borrowed(""),
        Kind::String | Kind::Number | Kind::Boolean => unquote(value),
        // Not expected here; what it says counts, not how it is written.
        Kind::Object | Kind::Array => Cow::Owned(Identity::of_content(value).hex()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_null_and_empty_are_alike_and_so_are_a_number_and_its_text() {
        for object in [
            r#"{"a":7}"#,
            r#"{ "b" : null , "a" : "7" }"#,
            r#"{"a":1,"b":"","\u0061":7}"#,
        ] {
            assert_eq!(fields(object, &["a", "b"]), ["7", ""], "{object}");
        }
        assert_eq!(fields("null", &["a"]), [""]);
    }

    #[test]
    fn a_nested_value_counts_by_what_it_says() {
        let of = |object| fields(object, &["a"]).map(Cow::into_owned);
        assert_eq!(of(r#"{"a":{"b":1,"c":2}}"#), of(r#"{"a":{ "c":2, "b":1 }}"#));
        assert_ne!(of(r#"{"a":[1]}"#), of(r#"{"a":[2]}"#));
    }
}
