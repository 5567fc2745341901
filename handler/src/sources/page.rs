use std::ops::Range;

use crate::json::{Cursor, Kind, kind, range_in, unquote};

/// A page of events: the reply's text, and where in it each event stands.
#[derive(Debug)]
pub struct Page {
    text: String,
    events: Vec<Range<usize>>,
    /// Places where bytes that are not UTF-8 were replaced.
    pub replaced_bytes: u64,
}

impl Page {
    /// `events` are slices of `text`; one that is not is passed over.
    pub fn new(text: String, events: Vec<Range<usize>>, replaced_bytes: u64) -> Self {
        Self {
            text,
            events,
            replaced_bytes,
        }
    }

    /// The events, each a whole JSON value.
    pub fn events(&self) -> impl Iterator<Item = &str> {
        self.events.iter().filter_map(|range| self.text.get(range.clone()))
    }
}

/// A body that is no page.
#[derive(Debug)]
pub struct NoPage {
    /// Why not.
    pub reason: String,
    /// As it came.
    pub body: Vec<u8>,
}

/// Where the elements of `array`, a part of `text`, stand in it.
pub fn elements(text: &str, array: &str) -> Vec<Range<usize>> {
    let mut cursor = Cursor::new(array);
    let mut ranges = Vec::new();
    if cursor.enter(b'[') {
        while cursor.next_element() {
            let Some(element) = cursor.value() else { break };
            ranges.push(range_in(text, element));
        }
    }
    ranges
}

/// True for the ways in which vendors say that there is no next page, no error or no list: null, false, and what is
/// empty.
pub fn is_nothing(value: &str) -> bool {
    match kind(value) {
        Kind::Null => true,
        Kind::Boolean => value.trim() == "false",
        Kind::String => unquote(value.trim()).trim().is_empty(),
        Kind::Object | Kind::Array => value.bytes().all(|byte| b"{}[] \t\r\n".contains(&byte)),
        Kind::Number => value.trim() == "0",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::range_in;

    #[test]
    fn slices_of_the_text_come_back() {
        let text = String::from("[{\"a\":1}, 2]");
        let ranges = vec![range_in(&text, &text[1..8]), range_in(&text, &text[10..11]), 90..99];
        let page = Page::new(text, ranges, 0);
        assert_eq!(page.events().collect::<Vec<_>>(), ["{\"a\":1}", "2"]);
    }

    #[test]
    fn nothing_may_be_said_in_many_ways() {
        for value in [
            "null",
            "false",
            "\"\"",
            " \" \" ",
            "{}",
            "[]",
            "[{}]",
            "[ { } , [] ]",
            "0",
        ] {
            let expected = !value.contains(',');
            assert_eq!(is_nothing(value), expected, "{value}");
        }
        for value in ["true", "\"a\"", "{\"a\":null}", "[1]", "7"] {
            assert!(!is_nothing(value), "{value}");
        }
    }
}
