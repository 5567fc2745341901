//! Which texts are accepted for the simple kinds of values.

use std::path::PathBuf;
use std::str::FromStr;

use bytesize::ByteSize;

use crate::config::invalid_value::InvalidValue;

/// Any text that can be sent or shown in one line.
pub fn text(text: &str) -> Result<String, InvalidValue> {
    if text.chars().any(char::is_control) {
        return Err(InvalidValue::new("must not contain control characters"));
    }
    Ok(text.to_owned())
}

/// A path of a file or directory.
pub fn path(written: &str) -> Result<PathBuf, InvalidValue> {
    text(written).map(PathBuf::from)
}

/// An id that becomes one segment of a URL path and cannot change the path.
pub fn path_id(text: &str) -> Result<String, InvalidValue> {
    if !is_path_id(text) {
        return Err(InvalidValue::new(
            "must consist of letters, digits and the characters - . _ ~, and not be . or ..",
        ));
    }
    Ok(text.to_owned())
}

/// Whether a text may become one segment of a URL path.
pub fn is_path_id(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    !text.is_empty() && text != "." && text != ".." && text.bytes().all(is_plain)
}

/// `true` or `false`, in any case.
pub fn boolean(text: &str) -> Result<bool, InvalidValue> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(InvalidValue::new("must be true or false")),
    }
}

/// A count of things done at once, 1 to 64.
pub fn concurrency(text: &str) -> Result<usize, InvalidValue> {
    parsed(
        text,
        |count| (1..=64).contains(count),
        "must be a whole number from 1 to 64",
    )
}

/// Requests per second: above 0, at most 1000.
pub fn rate(text: &str) -> Result<f64, InvalidValue> {
    let is_accepted = |rate: &f64| rate.is_finite() && *rate > 0.0 && *rate <= 1000.0;
    parsed(
        text,
        is_accepted,
        "must be a number above 0 and at most 1000, such as 3.5",
    )
}

/// A size in bytes, above 0, with or without a unit.
pub fn size(text: &str) -> Result<u64, InvalidValue> {
    let is_accepted = |size: &ByteSize| size.as_u64() > 0;
    let accepted = "must be a size above 0 such as 1GiB, 512MiB or 1000000";
    parsed(text, is_accepted, accepted).map(|size| size.as_u64())
}

fn parsed<T: FromStr>(
    text: &str,
    is_accepted: impl FnOnce(&T) -> bool,
    accepted: &'static str,
) -> Result<T, InvalidValue> {
    let value = text.parse().ok().filter(is_accepted);
    value.ok_or_else(|| InvalidValue::new(accepted))
}

/// A comma list of some of `choices`, at least one; a repeated entry counts once.
pub fn some_of(choices: &'static [&'static str]) -> impl Fn(&str) -> Result<Vec<&'static str>, InvalidValue> {
    move |text| {
        let mut chosen = Vec::new();
        for entry in text.split(',').map(str::trim_ascii) {
            let Some(choice) = choices.iter().find(|choice| **choice == entry) else {
                return Err(InvalidValue::new(format!(
                    "must be one or more of {}, separated by commas",
                    choices.join(", ")
                )));
            };
            if !chosen.contains(choice) {
                chosen.push(*choice);
            }
        }
        Ok(chosen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_could_change_a_path_are_refused() {
        for accepted in ["a", "3b1f-aa.b_c~d", "...", "A9"] {
            assert_eq!(path_id(accepted).unwrap(), accepted);
        }
        for refused in [
            "", ".", "..", "../x", "a/b", "a%2fb", "a b", "a?b", "a#b", "\u{e9}", "a\\b",
        ] {
            assert!(path_id(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn booleans_are_true_or_false_in_any_case() {
        for (written, meant) in [("true", true), ("TRUE", true), ("False", false)] {
            assert_eq!(boolean(written), Ok(meant));
        }
        for refused in ["1", "yes", "on", "", "truee"] {
            assert!(boolean(refused).is_err());
        }
    }

    #[test]
    fn numbers_stay_in_their_range() {
        for (written, meant) in [("1", Some(1)), ("64", Some(64)), ("0", None), ("65", None)] {
            assert_eq!(concurrency(written).ok(), meant);
        }
        for refused in ["-1", "8.0", "eight", "99999999999999999999"] {
            assert!(concurrency(refused).is_err());
        }
        for (written, meant) in [("3.5", 3.5), ("1000", 1000.0), ("0.01", 0.01)] {
            assert!((rate(written).unwrap() - meant).abs() < f64::EPSILON);
        }
        for refused in ["0", "-1", "1000.1", "NaN", "inf", "1e999", "3,5", ""] {
            assert!(rate(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn sizes_have_units_and_are_above_zero() {
        for (written, meant) in [("1GiB", 1 << 30), ("1 MB", 1_000_000), ("17", 17), ("1.5KiB", 1536)] {
            assert_eq!(size(written), Ok(meant));
        }
        for refused in ["0", "0GiB", "0.1B", "-1GiB", "much", "GiB", "1GiB!"] {
            assert!(size(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn lists_are_non_empty_subsets_without_repeats() {
        let accept = |written: &str| some_of(&["a", "b"])(written);

        assert_eq!(accept("a"), Ok(vec!["a"]));
        assert_eq!(accept(" b ,a,b"), Ok(vec!["b", "a"]));
        for refused in ["", ",", "a,", "c", "a,c", "A", "a;b"] {
            let refusal = accept(refused).unwrap_err().to_string();
            assert!(refusal.contains("a, b"), "{refusal}");
        }
    }
}
