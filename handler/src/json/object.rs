//! One member of an object: found, or left out.

use std::borrow::Cow;

use super::cursor::members;
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

/// An object without the members of that name at its top level, however their keys are escaped. Inside its values
/// nothing is looked for. Anything that is no object stays as it is.
pub fn without_member<'a>(object: &'a str, key: &str) -> Cow<'a, str> {
    let is_meant = |name: &str| key_text(name) == key;
    if !members(object).any(|(name, _)| is_meant(name)) {
        return Cow::Borrowed(object);
    }
    let mut kept = String::with_capacity(object.len());
    kept.push('{');
    for (name, value) in members(object).filter(|(name, _)| !is_meant(name)) {
        if kept.len() > 1 {
            kept.push(',');
        }
        kept.extend(["\"", name, "\":", value]);
    }
    kept.push('}');
    Cow::Owned(kept)
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
        ] {
            assert_eq!(without_member(object, "token"), expected, "{object}");
        }
    }

    #[test]
    fn nested_members_other_names_and_other_values_are_left_alone() {
        for value in [
            r#"{"a":{"token":1},"b":[{"token":2}]}"#,
            r#"{"Token":1,"tokens":2}"#,
            r#"["token"]"#,
            r#""token""#,
            "null",
            "",
        ] {
            assert!(matches!(without_member(value, "token"), Cow::Borrowed(same) if same == value));
        }
    }

    proptest! {
        #[test]
        fn what_is_left_is_the_object_without_the_member(
            keys in proptest::collection::vec("[abt\"\\\\é{]{0,3}", 0..8), taken in "[abt\"\\\\é{]{0,3}"
        ) {
            let mut object: Map<String, Value> = keys.iter().map(|key| (key.clone(), json!({key: [key, null]}))).collect();
            let text = serde_json::to_string_pretty(&object).unwrap();
            object.remove(&taken);
            let left: Map<String, Value> = serde_json::from_str(&without_member(&text, &taken)).unwrap();
            prop_assert_eq!(left, object);
        }
    }
}
