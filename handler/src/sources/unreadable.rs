//! An event that is not JSON must not take its page with it.
//!
//! Vendors copy what users type into events, and now and then an event comes with a raw control character, a bad
//! escape, `NaN` or a quote too many. Its text is set apart as a JSON string, which makes the page readable and is no
//! event: it goes to the dead letters, and the rest of the page is delivered.

use serde_json::value::RawValue;

use crate::json::{Cursor, Kind, key_text, kind, unquote};

/// Ends of an unreadable event that are tried, so that a broken page costs no more than a few readings of it.
const MOST_ENDS_TRIED: usize = 32;

/// How the text of an event begins that came with an error.
const WITH_ERROR: &str = "the vendor gives an error instead of this event whenever it is asked: ";

/// `text` with the unreadable elements of the array at `path` set apart; `kept` says what is kept of each. `None`
/// unless all the rest of it is JSON.
pub fn set_apart(text: &str, path: &[&str], kept: impl Fn(&str) -> String) -> Option<String> {
    let begin = array_at(text, path)?;
    // What comes last wins where two ways find as much.
    let ways: [fn(&Apart<'_>) -> Option<usize>; 3] = [end_by_next_event, end_by_brackets, nearest_end];
    let readable = ways.into_iter().filter_map(|end_of| {
        let apart = Apart::new(text, begin).split(end_of)?;
        let whole = apart.rebuilt(&kept);
        let found = (apart.readable, apart.readable + apart.unreadable.len());
        (!apart.unreadable.is_empty() && is_json(&whole)).then_some((found, whole))
    });
    let best = readable.max_by_key(|(found, _)| *found);
    best.map(|(_, whole)| whole)
}

/// How many events one that was set apart may hold at the least: several that are unreadable side by side cannot always
/// be told from each other.
pub fn may_hold(event: &str) -> usize {
    if why_unreadable(event).is_none() {
        return 1;
    }
    let text = unquote(event);
    let Some(start) = first_key(&text) else {
        return 1;
    };
    let begins = text.match_indices('}').filter(|(end, _)| {
        let next = text[end + 1..].trim_ascii_start().strip_prefix(',');
        next.and_then(|next| first_key(next.trim_ascii_start())) == Some(start)
    });
    1 + begins.count()
}

/// An event that the vendor gave with a lasting error of its own, set apart with what it says of the error.
pub fn event_with_error(error: &str, kept: &str) -> String {
    serde_json::Value::from(format!("{WITH_ERROR}{error}\n{kept}")).to_string()
}

/// What is wrong with an event that was set apart; `None` for any other.
pub fn why_unreadable(event: &str) -> Option<String> {
    let set_apart = (kind(event) == Kind::String).then(|| unquote(event));
    let with_error = set_apart.as_deref().filter(|text| text.starts_with(WITH_ERROR));
    if let Some((reason, _)) = with_error.and_then(|text| text.split_once('\n')) {
        return Some(reason.to_owned());
    }
    let error = set_apart
        .filter(|text| kind(text) == Kind::Object)
        .and_then(|text| serde_json::from_str::<&RawValue>(&text).err());
    error.map(|error| format!("the event is not JSON: {error}"))
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<&RawValue>(text).is_ok()
}

/// Where the array begins. What stands before it must be whole; what comes behind may be anything.
pub(crate) fn array_at(text: &str, path: &[&str]) -> Option<usize> {
    let mut cursor = Cursor::new(text);
    for name in path {
        if !cursor.enter(b'{') {
            return None;
        }
        while key_text(cursor.next_key()?) != *name {
            cursor.value()?;
        }
    }
    (cursor.peek()? == b'[').then(|| cursor.position())
}

/// The elements of an array, readable or not.
struct Apart<'a> {
    text: &'a str,
    /// Of the first element.
    begin: usize,
    at: usize,
    readable: usize,
    unreadable: Vec<(usize, usize)>,
}

impl<'a> Apart<'a> {
    fn new(text: &'a str, begin: usize) -> Self {
        Self {
            text,
            begin: begin + 1,
            at: begin + 1,
            readable: 0,
            unreadable: Vec::new(),
        }
    }

    /// `end_of` finds the end of the unreadable element that begins where we stand.
    fn split(mut self, end_of: impl Fn(&Self) -> Option<usize>) -> Option<Self> {
        loop {
            self.pass_whitespace();
            if self.next_byte()? == b']' {
                return Some(self);
            }
            if let Some(length) = length_of_value(&self.text[self.at..]) {
                self.at += length;
                self.readable += 1;
            } else {
                let end = end_of(&self).filter(|end| *end > self.at)?;
                self.unreadable.push((self.at, end));
                self.at = end;
            }
            self.pass_whitespace();
            match self.next_byte()? {
                b',' => self.at += 1,
                b']' => return Some(self),
                _ => return None,
            }
        }
    }

    fn next_byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn pass_whitespace(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_ascii_start().len();
    }

    fn rebuilt(&self, kept: impl Fn(&str) -> String) -> String {
        let mut whole = String::with_capacity(self.text.len() + 64);
        let mut copied = 0;
        for (from, to) in &self.unreadable {
            whole.push_str(&self.text[copied..*from]);
            whole.push_str(&serde_json::Value::from(kept(&self.text[*from..*to])).to_string());
            copied = *to;
        }
        whole.push_str(&self.text[copied..]);
        whole
    }
}

/// Of the JSON value that `text` begins with, if an element may end there.
pub(crate) fn length_of_value(text: &str) -> Option<usize> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    values.next()?.ok()?;
    let length = values.byte_offset();
    let behind = text[length..].trim_ascii_start();
    behind.starts_with([',', ']']).then_some(length)
}

/// Where its brackets and quotes are even.
fn end_by_brackets(apart: &Apart<'_>) -> Option<usize> {
    Cursor::new(&apart.text[apart.at..])
        .value()
        .map(|value| apart.at + value.len())
}

/// The nearer one of both ends, element by element: brackets may end far behind an event whose quotes are odd, and the
/// next event that can be read may stand behind others that cannot.
fn nearest_end(apart: &Apart<'_>) -> Option<usize> {
    let may_end = |end: &usize| apart.text[*end..].trim_ascii_start().starts_with([',', ']']);
    let by_brackets = end_by_brackets(apart).filter(may_end);
    let by_next_event = end_by_next_event(apart);
    by_brackets.into_iter().chain(by_next_event).min()
}

/// For events whose quotes are odd: where the next event begins, or the array ends. The end behind which everything is
/// JSON is the right one; where more events are unreadable, the first one before an event that starts as this one does.
fn end_by_next_event(apart: &Apart<'_>) -> Option<usize> {
    let (text, at) = (apart.text, apart.at);
    let start = first_key(&text[at..])?;
    let ends = text[at..].match_indices('}').map(|(found, _)| at + found + 1);
    let next_event = |end: usize| {
        text[end..]
            .trim_ascii_start()
            .strip_prefix(',')
            .map(str::trim_ascii_start)
    };
    let may_end = |end: &usize| match next_event(*end) {
        Some(next) => next.starts_with('{'),
        None => text[*end..].trim_ascii_start().starts_with(']'),
    };
    let ends: Vec<usize> = ends.filter(may_end).take(MOST_ENDS_TRIED).collect();
    let leaves_json = |end: &&usize| is_json(&format!("{}\"\"{}", &text[..apart.begin], &text[**end..]));
    let is_before_event = |end: &&usize| {
        let next = next_event(**end).filter(|next| first_key(next) == Some(start));
        next.is_some_and(|next| length_of_value(next).is_some())
    };
    let end = ends
        .iter()
        .find(leaves_json)
        .or_else(|| ends.iter().find(is_before_event));
    end.copied()
}

fn first_key(object: &str) -> Option<&str> {
    let quoted = object.strip_prefix('{')?.trim_ascii_start().strip_prefix('"')?;
    quoted.split_once('"').map(|(key, _)| key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [&str; 12] = [
        "{\"id\":\"bad\",\"note\":\"a\tb\"}",
        "{\"id\":\"bad\",\"note\":\"a\u{0}b\"}",
        "{\"id\":\"bad\",\"note\":\"a\nb\"}",
        r#"{"id":"bad","score":NaN}"#,
        r#"{"id":"bad","score":-Infinity,"list":[1,2]}"#,
        r#"{"id":"bad","note":"\x41 \q"}"#,
        r#"{"id":"bad","note":"\u12"}"#,
        r#"{"id":"bad","note":}"#,
        r#"{"id":"bad","list":[1,2,],}"#,
        r#"{"id":"bad","note":"she said "no" and left"}"#,
        r#"{"id":"bad","path":"C:\temp\"}"#,
        r#"{"id":"bad","note":"5" wide","list":[{"id":"x"},{"id":"y"}]}"#,
    ];

    fn elements(text: &str) -> Vec<serde_json::Value> {
        let whole = set_apart(text, &["_embedded", "activities"], str::to_owned)
            .unwrap_or_else(|| panic!("{text} was not made readable"));
        let whole: serde_json::Value = serde_json::from_str(&whole).unwrap();
        assert_eq!(whole["size"], 3, "{text}");
        whole["_embedded"]["activities"].as_array().unwrap().clone()
    }

    #[test]
    fn every_kind_of_unreadable_event_is_set_apart_alone_wherever_it_stands() {
        for bad in KINDS {
            for place in 0..3 {
                let mut events = vec![r#"{"at":1,"id":"a","resources":[{"id":"r"}]}"#, r#"{"at":2,"id":"b"}"#];
                events.insert(place, bad);
                let text = format!(r#"{{"_embedded":{{"activities":[{}]}},"size":3}}"#, events.join(" ,\n"));
                let found = elements(&text);
                assert_eq!(found.len(), 3, "{text}");
                assert_eq!(found[place], bad, "{text}");
                assert_eq!(found.iter().filter(|event| event.is_object()).count(), 2, "{text}");
            }
        }
    }

    #[test]
    fn several_unreadable_events_are_set_apart_one_by_one() {
        let text = format!(
            r#"{{"_embedded":{{"activities":[{},{{"id":"a"}},{}]}},"size":3}}"#,
            KINDS[0], KINDS[3]
        );
        let found = elements(&text);
        assert_eq!((&found[0], &found[2]), (&KINDS[0].into(), &KINDS[3].into()));
    }

    #[test]
    fn unreadable_events_next_to_each_other_are_set_apart_one_by_one() {
        for (first, second) in [(0, 0), (0, 2), (2, 3), (3, 3)] {
            let (first, second) = (KINDS[first], KINDS[second]);
            let text =
                format!(r#"{{"_embedded":{{"activities":[{{"id":"a"}},{first}, {second},{{"id":"b"}}]}},"size":3}}"#);
            let found = elements(&text);
            assert_eq!(found.len(), 4, "{text}");
            assert_eq!((&found[1], &found[2]), (&first.into(), &second.into()), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_told_apart_counts_as_what_it_may_hold() {
        let set_apart = |text: &str| serde_json::Value::from(text).to_string();
        let lump = r#"{"id":"a","n":"x"y"}, {"id":"b","n":"x"y"},{"n":1}"#;
        assert_eq!(may_hold(&set_apart(lump)), 2);
        assert_eq!(may_hold(&set_apart(KINDS[0])), 1);
        assert_eq!(may_hold(r#"{"id":"a"}"#), 1);
    }

    #[test]
    fn what_is_whole_or_broken_elsewhere_is_left_alone() {
        for text in [
            r#"{"a":[{"id":1},7,"x"]}"#,
            r#"{"a":[{"id":NaN}"#,
            r#"{"a":[{"id":NaN},{"id":"#,
            r#"{"a":[{"id":NaN}],"b":NaN}"#,
            r#"{"a":[{"id":NaN}]} x"#,
            r#"{"a":{"id":NaN}}"#,
            r#"{"b":[{"id":NaN}]}"#,
            "<html>",
            "",
        ] {
            assert_eq!(set_apart(text, &["a"], str::to_owned), None, "{text}");
        }
    }

    #[test]
    fn the_reason_says_what_is_wrong_with_the_event() {
        let set_apart = serde_json::Value::from(KINDS[0]).to_string();
        let reason = why_unreadable(&set_apart).unwrap_or_default();
        assert!(reason.contains("control character"), "{reason}");
        for event in ["7", "null", "[1]", "\"text\"", "{\"a\":1}"] {
            assert_eq!(why_unreadable(event), None, "{event}");
        }
    }
}
