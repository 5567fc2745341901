//! A list that is not whole JSON: its events one by one, over what cannot be read between them.

use serde_json::value::RawValue;

use super::event::says_it_is_an_event;
use crate::json::Cursor;
use crate::sources::unreadable::length_of_value;

/// Places at which the next event may begin that are tried.
const MOST_BEGINNINGS_TRIED: usize = 64;

/// What was found in a text.
#[derive(Debug, Default)]
pub struct Torn<'t> {
    /// Whole values, in their order.
    pub whole: Vec<&'t str>,
    /// Elements that are not JSON, each alone.
    pub unreadable: Vec<&'t str>,
    /// What is left. `None` where the list ended as it should.
    pub rest: Option<&'t str>,
}

/// The elements of a list that begins at `begin`, behind its bracket. `closing` is what ends the text behind the list.
pub fn elements<'t>(text: &'t str, begin: usize, closing: &str) -> Torn<'t> {
    let by_brackets = elements_by(text, begin, closing, end_by_brackets);
    let by_next_event = elements_by(text, begin, closing, end_by_next_event);
    match by_next_event.whole.len() > by_brackets.whole.len() {
        true => by_next_event,
        false => by_brackets,
    }
}

fn elements_by<'t>(text: &'t str, begin: usize, closing: &str, end_of: fn(&str) -> Option<usize>) -> Torn<'t> {
    let mut torn = Torn::default();
    let mut at = begin;
    loop {
        let from = text.len() - text[at..].trim_ascii_start().len();
        match text.as_bytes().get(from) {
            Some(b',') => at = from + 1,
            Some(b']') => {
                let behind: String = text[from + 1..].split_ascii_whitespace().collect();
                torn.rest = (behind != closing).then_some(&text[from..]);
                return torn;
            }
            Some(_) => {
                let Some((element, is_whole)) = element_at(&text[from..], end_of) else {
                    torn.rest = Some(&text[at..]);
                    return torn;
                };
                match is_whole {
                    true => torn.whole.push(element),
                    false => torn.unreadable.push(element),
                }
                at = from + element.len();
            }
            None => {
                torn.rest = Some(&text[at..]);
                return torn;
            }
        }
    }
}

/// The element that `text` begins with, and whether it is JSON. The last one of a text that breaks off may be whole.
fn element_at(text: &str, end_of: fn(&str) -> Option<usize>) -> Option<(&str, bool)> {
    let whole = length_of_value(text).or_else(|| length_of_last(text));
    match whole {
        Some(length) => Some((&text[..length], true)),
        None => end_of(text)
            .filter(|end| *end > 0)
            .map(|end| (text[..end].trim_ascii_end(), false)),
    }
}

/// A number or word at the very end may have lost its end.
fn length_of_last(text: &str) -> Option<usize> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    let value = values.next()?.ok()?.get();
    let is_closed = value.ends_with(['}', ']', '"']);
    let length = values.byte_offset();
    (is_closed && text[length..].trim_ascii().is_empty()).then_some(length)
}

fn end_by_brackets(text: &str) -> Option<usize> {
    let end = Cursor::new(text).value()?.len();
    text[end..].trim_ascii_start().starts_with([',', ']']).then_some(end)
}

/// What begins there must say itself that it is an event: an object inside the unreadable one is none.
fn end_by_next_event(text: &str) -> Option<usize> {
    let commas = text.match_indices(',').map(|(comma, _)| comma);
    let mut beginnings = commas.filter(|comma| text[comma + 1..].trim_ascii_start().starts_with('{'));
    beginnings.by_ref().take(MOST_BEGINNINGS_TRIED).find(|comma| {
        let next = text[comma + 1..].trim_ascii_start();
        let length = length_of_value(next).or_else(|| length_of_last(next));
        length.is_some_and(|length| says_it_is_an_event(&next[..length]))
    })
}

/// Values one after the other, on lines or not; a line that cannot be read is passed over.
pub fn values(text: &str) -> Torn<'_> {
    let mut torn = Torn::default();
    let mut at = 0;
    while !text[at..].trim_ascii().is_empty() {
        let mut values = serde_json::Deserializer::from_str(&text[at..]).into_iter::<&RawValue>();
        if let Some(Ok(value)) = values.next() {
            torn.whole.push(value.get());
            at += values.byte_offset();
            continue;
        }
        let Some(end) = text[at..].trim_ascii_start().find('\n') else {
            torn.rest = Some(&text[at..]);
            break;
        };
        let from = text.len() - text[at..].trim_ascii_start().len();
        torn.unreadable.push(text[from..from + end].trim_ascii_end());
        at = from + end;
    }
    torn
}
