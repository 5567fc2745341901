//! A page of events in a vendor's reply.

use std::ops::Range;

use serde::de::IgnoredAny;

use super::unreadable::set_apart;
use crate::json::{Cursor, Kind, kind, lossy_text, range_in, unquote};

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

impl NoPage {
    /// Of the text of a body.
    pub fn new(reason: impl Into<String>, text: String) -> Self {
        Self {
            reason: reason.into(),
            body: text.into_bytes(),
        }
    }
}

/// A page, and what else its body says.
#[derive(Debug)]
pub struct ParsedPage<T> {
    /// The events.
    pub page: Page,
    /// What stands beside them.
    pub info: T,
}

/// Reads a body whose events are the array at `path`; of events that are not JSON `kept` is kept. `read` gives where the
/// events stand and what else the text says, or why it is no page.
pub fn parse<T>(
    body: Vec<u8>,
    path: &[&str],
    kept: impl Fn(&str) -> String,
    read: impl FnOnce(&str) -> Result<(Vec<Range<usize>>, T), String>,
) -> Result<ParsedPage<T>, NoPage> {
    let (text, replaced_bytes) = readable(body, path, kept);
    match check_json(&text).and_then(|()| read(&text)) {
        Ok((events, info)) => Ok(ParsedPage {
            page: Page::new(text, events, replaced_bytes),
            info,
        }),
        Err(reason) => Err(NoPage::new(reason, text)),
    }
}

/// The text of a body with the events at `path` set apart that are not JSON, and how many bytes of it were replaced.
pub fn readable(body: Vec<u8>, path: &[&str], kept: impl Fn(&str) -> String) -> (String, u64) {
    let (text, replaced_bytes) = lossy_text(body);
    let text = match check_json(&text) {
        Ok(()) => text,
        Err(_) => set_apart(&text, path, kept).unwrap_or(text),
    };
    (text, replaced_bytes)
}

/// Why a text is no JSON, if it is none.
pub fn check_json(text: &str) -> Result<(), String> {
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("it is not the JSON of a page: {error}")),
    }
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
