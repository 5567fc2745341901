//! One value of an event -> one value of a row. The rules are the same for every vendor.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::definition::ColumnType;
use super::shorten::{cut_text, shorten_json};
use crate::json::{Kind, compact_into, depth, kind, quote_into, unquote};
use crate::time::{VendorTime, rfc3339_millis};

/// A dynamic value nested deeper than this goes as its own JSON text in a string: readers give up on deeper trees,
/// and the text loses nothing.
const DEEPEST_DYNAMIC: usize = 64;

/// What became of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Converted {
    /// Written whole.
    Whole,
    /// Written, but shortened to the field limit.
    Cut,
    /// Nothing was written: the value does not fit the column's type.
    Unfit,
}

/// Appends `value` (JSON text, not null) as a value of `column_type`, at most `limit` bytes of text long.
pub fn convert(value: &str, column_type: ColumnType, limit: usize, out: &mut Vec<u8>) -> Converted {
    match column_type {
        ColumnType::String => string(value, limit, out),
        ColumnType::Datetime => write_time(string_text(value).as_deref().and_then(VendorTime::parse), out),
        ColumnType::Real => real(value, out),
        ColumnType::Long => long(value, out),
        ColumnType::Boolean => boolean(value, out),
        ColumnType::Dynamic => dynamic(value, limit, out),
    }
}

/// The instant that a value writes as a datetime column would read it.
pub fn instant(value: &str) -> Option<DateTime<Utc>> {
    VendorTime::parse(&string_text(value)?).map(|time| time.utc())
}

fn string_text(value: &str) -> Option<Cow<'_, str>> {
    (kind(value) == Kind::String).then(|| unquote(value))
}

fn write_time(time: Option<VendorTime<'_>>, out: &mut Vec<u8>) -> Converted {
    let Some(time) = time else {
        return Converted::Unfit;
    };
    out.push(b'"');
    time.write_into(out);
    out.push(b'"');
    Converted::Whole
}

/// Appends the instant that `value` writes, or the one that it writes with day and month swapped, whichever lies
/// nearer to `arrival`.
pub fn convert_by_nearness(value: &str, arrival: DateTime<Utc>, out: &mut Vec<u8>) -> Converted {
    let Some(text) = string_text(value) else {
        return Converted::Unfit;
    };
    let swapped = day_and_month_swapped(&text);
    let readings = [
        Some(VendorTime::parse(&text)),
        swapped.as_deref().map(VendorTime::parse),
    ];
    let readings = readings.into_iter().flatten().flatten();
    write_time(readings.min_by_key(|time| (time.utc() - arrival).abs()), out)
}

/// `2026-20-11T...` for `2026-11-20T...`
fn day_and_month_swapped(text: &str) -> Option<String> {
    let text = text.trim_ascii();
    let (year, second, third) = (text.get(..5)?, text.get(5..7)?, text.get(8..10)?);
    Some(format!("{year}{third}-{second}{}", text.get(10..)?))
}

/// Appends an instant of our own as a datetime.
pub fn write_instant(instant: DateTime<Utc>, out: &mut Vec<u8>) {
    quote_into(&rfc3339_millis(instant), out);
}

fn string(value: &str, limit: usize, out: &mut Vec<u8>) -> Converted {
    match kind(value) {
        // The text between the quotes is never longer than its escaped form.
        Kind::String if value.len() <= limit => out.extend_from_slice(value.as_bytes()),
        Kind::String => {
            let text = unquote(value);
            if text.len() > limit {
                quote_into(&cut_text(&text, limit), out);
                return Converted::Cut;
            }
            out.extend_from_slice(value.as_bytes());
        }
        Kind::Object | Kind::Array => return json_text(value, limit, out),
        Kind::Number | Kind::Boolean | Kind::Null => {
            out.push(b'"');
            out.extend_from_slice(value.as_bytes());
            out.push(b'"');
        }
    }
    Converted::Whole
}

fn json_text(value: &str, limit: usize, out: &mut Vec<u8>) -> Converted {
    let compact = compacted(value);
    if compact.len() <= limit {
        quote_into(&compact, out);
        return Converted::Whole;
    }
    quote_into(&shorten_json(&compact, limit), out);
    Converted::Cut
}

fn dynamic(value: &str, limit: usize, out: &mut Vec<u8>) -> Converted {
    if depth(value) > DEEPEST_DYNAMIC {
        return json_text(value, limit, out);
    }
    let start = out.len();
    compact_into(value, out);
    if out.len() - start <= limit {
        return Converted::Whole;
    }
    let shortened = shorten_json(&String::from_utf8_lossy(&out[start..]), limit);
    out.truncate(start);
    out.extend_from_slice(shortened.as_bytes());
    Converted::Cut
}

/// The text of a number, or of a string that may hold one.
fn number_text(value: &str) -> Option<Cow<'_, str>> {
    match kind(value) {
        Kind::Number => Some(value.into()),
        Kind::String => Some(unquote(value)),
        _ => None,
    }
}

fn real(value: &str, out: &mut Vec<u8>) -> Converted {
    let Some(text) = number_text(value) else {
        return Converted::Unfit;
    };
    let text = text.trim_ascii();
    let starts_like_a_number = text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first));
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    let Some(number) = number.filter(|_| starts_like_a_number) else {
        return Converted::Unfit;
    };
    // Written as JSON writes numbers it is kept digit for digit; `+5` or `007` is no JSON and is written anew.
    if serde_json::from_str::<serde_json::Number>(text).is_ok() {
        out.extend_from_slice(text.as_bytes());
    } else {
        out.extend_from_slice(number.to_string().as_bytes());
    }
    Converted::Whole
}

fn long(value: &str, out: &mut Vec<u8>) -> Converted {
    let number = number_text(value).and_then(|text| text.trim_ascii().parse::<i64>().ok());
    let Some(number) = number else {
        return Converted::Unfit;
    };
    out.extend_from_slice(number.to_string().as_bytes());
    Converted::Whole
}

fn boolean(value: &str, out: &mut Vec<u8>) -> Converted {
    let text = unquote(value);
    let text = text.trim_ascii();
    for word in ["true", "false"] {
        if text.eq_ignore_ascii_case(word) {
            out.extend_from_slice(word.as_bytes());
            return Converted::Whole;
        }
    }
    Converted::Unfit
}

fn compacted(value: &str) -> String {
    let mut compact = Vec::with_capacity(value.len());
    compact_into(value, &mut compact);
    String::from_utf8(compact).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn converted(value: &str, column_type: ColumnType) -> Option<String> {
        let mut out = Vec::new();
        let outcome = convert(value, column_type, 1000, &mut out);
        (outcome == Converted::Whole).then(|| String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_string_column_takes_any_value_as_text() {
        for (value, expected) in [
            (r#""a\"\u00e9""#, r#""a\"\u00e9""#),
            ("\"\"", "\"\""),
            ("12345678901234567890.10", "\"12345678901234567890.10\""),
            ("true", "\"true\""),
            (r#"{ "a" : [1.0, "b c"] }"#, r#""{\"a\":[1.0,\"b c\"]}""#),
        ] {
            assert_eq!(
                converted(value, ColumnType::String).as_deref(),
                Some(expected),
                "{value}"
            );
        }
    }

    #[test]
    fn a_number_column_takes_numbers_digit_for_digit_and_numbers_written_as_text() {
        for (value, expected) in [
            ("1.50", "1.50"),
            ("-7E+2", "-7E+2"),
            ("\"42\"", "42"),
            ("\" 1e3 \"", "1e3"),
            ("\"007\"", "7"),
            ("\"+5.5\"", "5.5"),
        ] {
            assert_eq!(converted(value, ColumnType::Real).as_deref(), Some(expected), "{value}");
        }
        for value in [
            "\"\"", "\"abc\"", "\"inf\"", "\"NaN\"", "true", "[1]", "1e999", "\"0x10\"", "\"1 2\"",
        ] {
            assert_eq!(converted(value, ColumnType::Real), None, "{value}");
        }
    }

    #[test]
    fn a_whole_number_column_takes_what_64_bits_hold_and_no_fractions() {
        for (value, expected) in [
            ("-7", Some("-7")),
            ("\"42\"", Some("42")),
            ("9223372036854775807", Some("9223372036854775807")),
            ("9223372036854775808", None),
            ("1.5", None),
            ("1e3", None),
            ("true", None),
            ("\"\"", None),
        ] {
            assert_eq!(converted(value, ColumnType::Long).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn a_boolean_column_takes_only_true_and_false() {
        for (value, expected) in [
            ("true", Some("true")),
            ("\"False\"", Some("false")),
            ("1", None),
            ("\"yes\"", None),
        ] {
            assert_eq!(converted(value, ColumnType::Boolean).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn a_datetime_column_takes_only_readable_times() {
        let expected = Some("\"2026-11-20T10:15:30Z\"");
        assert_eq!(
            converted("\"2026-11-20 10:15:30 UTC\"", ColumnType::Datetime).as_deref(),
            expected
        );
        let beyond = [
            "\"9999-12-31T23:59:59-14:00\"",
            "\"0001-01-01T00:00:00+05:00\"",
            "\"0000-01-01T00:00:00Z\"",
            "\"0000-01-01\"",
        ];
        for value in ["\"\"", "1700000000", "\"yesterday\"", "{}"].into_iter().chain(beyond) {
            assert_eq!(converted(value, ColumnType::Datetime), None, "{value}");
        }
    }

    #[test]
    fn a_time_with_day_and_month_swapped_is_read_by_what_lies_nearer_to_its_arrival() {
        let arrival = "2026-11-10T12:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("2026-11-09T08:00:00.849Z", Some("2026-11-09T08:00:00.849Z")),
            ("2026-09-11T08:00:00.849Z", Some("2026-11-09T08:00:00.849Z")),
            ("2026-28-10T16:44:44Z", Some("2026-10-28T16:44:44Z")),
            ("2026-10-28T16:44:44Z", Some("2026-10-28T16:44:44Z")),
            ("2026-31-31T00:00:00Z", None),
            ("soon", None),
        ] {
            let mut out = Vec::new();
            let converted = convert_by_nearness(&format!("\"{text}\""), arrival, &mut out);
            let expected = expected.map(|expected| format!("\"{expected}\""));
            assert_eq!(
                expected.as_deref().unwrap_or_default(),
                String::from_utf8(out).unwrap(),
                "{text}"
            );
            assert_eq!(converted == Converted::Whole, expected.is_some());
        }
    }

    #[test]
    fn absurdly_deep_dynamic_values_go_as_text_and_lose_nothing() {
        let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
        let written = converted(&deep, ColumnType::Dynamic).unwrap();
        assert_eq!(serde_json::from_str::<String>(&written).unwrap(), deep);
    }
}
