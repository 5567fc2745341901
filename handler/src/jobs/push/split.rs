//! The text of a push -> its events: an array, JSON lines, or one object.

use serde_json::value::RawValue;

use crate::json::elements;

/// More events than this in one body are refused: a vendor sends tens, and each takes memory beside its text until it
/// is stored.
pub const MOST_EVENTS: usize = 50_000;

/// Why a text holds no events; the text names a line or an element.
#[derive(Debug, PartialEq, Eq)]
pub enum SplitError {
    /// Nothing but whitespace.
    Empty,
    /// Not JSON; says where.
    NotJson(String),
    /// More than [`MOST_EVENTS`].
    TooMany,
}

/// The events in `text`. Values stand one after the other with or without whitespace between them, so an object may span
/// lines; the elements of an array are events themselves.
pub fn split(text: &str) -> Result<Vec<&str>, SplitError> {
    let mut events = Vec::new();
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    let mut is_empty = true;
    while let Some(value) = values.next() {
        is_empty = false;
        let value = value.map_err(|error| not_json(text, &error, values.byte_offset()))?;
        if value.get().starts_with('[') {
            // One more than the most tells that there are too many: an array of millions is not held.
            events.extend(elements(value.get()).take(MOST_EVENTS + 1 - events.len()));
        } else {
            events.push(value.get());
        }
        if events.len() > MOST_EVENTS {
            return Err(SplitError::TooMany);
        }
    }
    if is_empty { Err(SplitError::Empty) } else { Ok(events) }
}

fn not_json(text: &str, error: &serde_json::Error, value_start: usize) -> SplitError {
    let lines_before = memchr::memchr_iter(b'\n', &text.as_bytes()[..value_start.min(text.len())]).count();
    // The deserializer counts lines over the whole text; the count before the broken value is there to compare.
    let line = error.line().max(lines_before + 1);
    let place = format!(
        "line {line}, column {} (the value begins at byte {value_start})",
        error.column()
    );
    let what = match error.classify() {
        serde_json::error::Category::Eof => "ends in the middle of a value",
        _ => "is not JSON",
    };
    SplitError::NotJson(format!("the body {what} at {place}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(text: &str) -> Vec<&str> {
        split(text).unwrap()
    }

    #[test]
    fn arrays_lines_and_single_objects_give_the_same_events() {
        let expected = ["{\"a\":1}", "{\"a\":\n2}"];
        for text in [
            "[{\"a\":1}, {\"a\":\n2} ]",
            "{\"a\":1}\r\n\r\n{\"a\":\n2}\r\n",
            "{\"a\":1}{\"a\":\n2}",
            "[{\"a\":1}]\n[{\"a\":\n2}]\n",
        ] {
            assert_eq!(events(text), expected, "{text}");
        }
        assert_eq!(events(" {\"a\":1} "), ["{\"a\":1}"]);
        assert_eq!(events("[]"), Vec::<&str>::new());
        assert_eq!(events("[1,{},[{}],null]"), ["1", "{}", "[{}]", "null"]);
    }

    #[test]
    fn what_is_not_json_is_refused_with_its_place() {
        for (text, place) in [
            ("hello", "line 1, column 1"),
            ("{\"a\":1}\n{\"a\":}\n", "line 2, column 6"),
            ("[{\"a\":1},\n{\"b\"", "line 2, column 4"),
            ("{\"a\":1} x", "line 1, column 9"),
        ] {
            let Err(SplitError::NotJson(reason)) = split(text) else {
                panic!("{text} was taken")
            };
            assert!(reason.contains(place), "{text}: {reason}");
        }
        assert_eq!(split(" \r\n "), Err(SplitError::Empty));
    }

    #[test]
    fn absurd_nesting_is_split_without_overflowing_the_stack() {
        let deep = format!("[{{\"a\":{}{}}}]", "[".repeat(1_000_000), "]".repeat(1_000_000));
        assert_eq!(events(&deep).len(), 1);
    }

    #[test]
    fn one_event_more_than_the_most_is_refused_in_every_form() {
        let elements = vec!["1"; MOST_EVENTS];
        for whole in [elements.join("\n"), format!("[{}]", elements.join(","))] {
            assert_eq!(events(&whole).len(), MOST_EVENTS);
            for more in [format!("{whole}\n2"), format!("[2]{whole}")] {
                assert_eq!(split(&more).err(), Some(SplitError::TooMany));
            }
        }
    }

    #[test]
    fn an_array_of_far_too_many_elements_is_refused() {
        let text = format!("[1{}]", ",1".repeat(4 * MOST_EVENTS));
        assert_eq!(split(&text).err(), Some(SplitError::TooMany));
    }
}
