//! One member of an object: found, or left out.

use std::borrow::Cow;

use super::cursor::{Cursor, Kind, kind, members};
use super::text::key_text;

/// The value of a member. Keys may be written with escapes; the last of a repeated key counts.
pub fn member<'a>(object: &'a str, key: &str) -> Option<&'a str> {
    let of_that_name = members(object).filter(|(name, _)| key_text(name) == key);
    of_that_name.last().map(|(_, value)| value)
}

/// The value at the end of a path of keys.
pub fn value_at<'a>(value: &'a str, path: &[&str]) -> Option<&'a str> {
    path.iter().try_fold(value, |object, key| member(object, key))
}

/// Values nested deeper than this are given up rather than searched.
const DEEPEST_SEARCHED: usize = 64;

/// A value without the members of that name, at any depth and however their keys are escaped. What is nested too deep
/// to be searched becomes `null`.
pub fn without_member<'a>(value: &'a str, key: &str) -> Cow<'a, str> {
    // A key that is there can be seen, unless it is written with escapes.
    let may_be_there = value.contains(key) || value.contains('\\');
    if !may_be_there || !has_member(value, key, DEEPEST_SEARCHED) {
        return Cow::Borrowed(value);
    }
    let mut kept = String::with_capacity(value.len());
    write_without(value, key, DEEPEST_SEARCHED, &mut kept);
    Cow::Owned(kept)
}

fn has_member(value: &str, key: &str, levels_left: usize) -> bool {
    match kind(value) {
        Kind::Object | Kind::Array if levels_left == 0 => true,
        Kind::Object => {
            members(value).any(|(name, value)| key_text(name) == key || has_member(value, key, levels_left - 1))
        }
        Kind::Array => elements(value).any(|element| has_member(element, key, levels_left - 1)),
        _ => false,
    }
}

fn write_without(value: &str, key: &str, levels_left: usize, out: &mut String) {
    let mut separator = "";
    match kind(value) {
        Kind::Object | Kind::Array if levels_left == 0 => out.push_str("null"),
        Kind::Object => {
            out.push('{');
            for (name, value) in members(value).filter(|(name, _)| key_text(name) != key) {
                out.extend([separator, "\"", name, "\":"]);
                write_without(value, key, levels_left - 1, out);
                separator = ",";
            }
            out.push('}');
        }
        Kind::Array => {
            out.push('[');
            for element in elements(value) {
                out.push_str(separator);
                write_without(element, key, levels_left - 1, out);
                separator = ",";
            }
            out.push(']');
        }
        _ => out.push_str(value),
    }
}

fn elements(array: &str) -> impl Iterator<Item = &str> {
    let mut cursor = Cursor::new(array);
    let entered = cursor.enter(b'[');
    std::iter::from_fn(move || (entered && cursor.next_element()).then(|| cursor.value()).flatten())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    #[test]
    fn a_member_is_found_by_the_text_of_its_key_and_the_last_one_counts() {
        let object = r#"{"a":1,"b":{"a":2},"\u0061":3}"#;
        assert_eq!(member(object, "a"), Some("3"));
        assert_eq!(value_at(object, &["b", "a"]), Some("2"));
        assert_eq!(value_at(object, &["b", "c"]), None);
        assert_eq!(value_at(object, &["a", "b"]), None);
        assert_eq!(value_at(object, &[]), Some(object));
    }

    #[test]
    fn every_member_of_the_name_goes_and_the_others_stay_as_they_are() {
        for (object, expected) in [
            (r#"{"token":"x"}"#, "{}"),
            (r#"{ "token" : "x" , "a" : 1.0 }"#, r#"{"a":1.0}"#),
            (r#"{"a":"\u00e9","token":{"b":[1]}}"#, r#"{"a":"\u00e9"}"#),
            (r#"{"token":1,"b\"c":2,"t\u006fken":3,"token":null}"#, r#"{"b\"c":2}"#),
            (
                r#"{"a":{"token":1,"b":2},"c":[{"t\u006fken":2}, 3]}"#,
                r#"{"a":{"b":2},"c":[{},3]}"#,
            ),
            (r#"[{"token":1}]"#, "[{}]"),
        ] {
            assert_eq!(without_member(object, "token"), expected, "{object}");
        }
    }

    #[test]
    fn other_names_and_other_values_are_left_alone() {
        for value in [r#"{"Token":1,"tokens":2}"#, r#"["token"]"#, r#""token""#, "null", ""] {
            assert!(matches!(without_member(value, "token"), Cow::Borrowed(same) if same == value));
        }
    }

    #[test]
    fn nothing_hides_in_absurd_depth() {
        let deep = format!("{}{{\"token\":1}}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(!without_member(&deep, "token").contains("token"));
    }

    proptest! {
        #[test]
        fn what_is_left_is_the_object_without_the_member(
            keys in proptest::collection::vec("[abt\"\\\\é{]{0,3}", 0..8), taken in "[abt\"\\\\é{]{0,3}"
        ) {
            let mut object: Map<String, Value> = keys.iter().map(|key| (key.clone(), json!([key, null]))).collect();
            let text = serde_json::to_string_pretty(&object).unwrap();
            object.remove(&taken);
            let left: Map<String, Value> = serde_json::from_str(&without_member(&text, &taken)).unwrap();
            prop_assert_eq!(left, object);
        }
    }
}
