//! A reply -> its events, also when it was cut off in the middle.

use std::ops::Range;

use serde_json::value::RawValue;

use crate::json::{Kind, kind, member, range_in};
use crate::sources::Page;
use crate::sources::page::is_nothing;
use crate::sources::unreadable::set_apart;

/// What a reply holds.
#[derive(Debug)]
pub struct Parsed {
    /// The whole events.
    pub page: Page,
    /// What is left of a reply that is not a whole array, and why.
    pub rest: Option<(String, String)>,
}

/// Reads a JSON array of events. A reply that breaks off gives up its whole events; what follows them is the rest. One
/// that has nothing to give (`[]`, nothing at all, null, an empty object) leaves no rest.
pub fn parse(text: String) -> Parsed {
    let text = set_apart(&text, &[], str::to_owned).unwrap_or(text);
    let mut ranges = Vec::new();
    if let Ok(events) = serde_json::from_str::<Vec<&RawValue>>(&text) {
        ranges.extend(events.iter().map(|event| range_in(&text, event.get())));
        return Parsed {
            page: Page::new(text, ranges, 0),
            rest: None,
        };
    }
    let is_json = serde_json::from_str::<&RawValue>(&text).is_ok();
    if text.trim().is_empty() || (is_json && is_nothing(&text)) {
        return Parsed {
            page: Page::new(String::new(), ranges, 0),
            rest: None,
        };
    }
    if let Some(ranges) = is_json.then(|| wrapped(&text)).flatten() {
        return Parsed {
            page: Page::new(text, ranges, 0),
            rest: None,
        };
    }
    let start = text
        .find(|character: char| !character.is_ascii_whitespace())
        .unwrap_or(text.len());
    let Some(mut at) = text[start..].starts_with('[').then_some(start + 1) else {
        let reason = "the reply is not a JSON array".to_owned();
        return Parsed {
            page: Page::new(String::new(), ranges, 0),
            rest: Some((reason, text)),
        };
    };
    loop {
        let mut values = serde_json::Deserializer::from_str(&text[at..]).into_iter::<&RawValue>();
        let Some(Ok(event)) = values.next() else { break };
        ranges.push(range_in(&text, event.get()));
        at += values.byte_offset();
        let behind = text[at..].trim_ascii_start();
        let Some(next) = behind.strip_prefix(',') else { break };
        at = text.len() - next.len();
    }
    let rest = text[at..].to_owned();
    let reason = format!("the reply breaks off after {} whole events, at byte {at}", ranges.len());
    Parsed {
        page: Page::new(text, ranges, 0),
        rest: Some((reason, rest)),
    }
}

/// A list inside an object, as push subscriptions write it, or one event without a list around it.
fn wrapped(text: &str) -> Option<Vec<Range<usize>>> {
    let events = member(text, "events").filter(|events| kind(events) == Kind::Array);
    if let Some(list) = events {
        let events: Vec<&RawValue> = serde_json::from_str(list).ok()?;
        return Some(events.iter().map(|event| range_in(text, event.get())).collect());
    }
    let is_event = member(text, "id").is_some() && ["action", "recorded"].iter().any(|key| member(text, key).is_some());
    is_event.then(|| vec![range_in(text, text.trim())])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (Vec<String>, Option<String>) {
        let parsed = parse(text.to_owned());
        (
            parsed.page.events().map(str::to_owned).collect(),
            parsed.rest.map(|(_, rest)| rest),
        )
    }

    #[test]
    fn a_whole_array_leaves_no_rest() {
        assert_eq!(parsed("[]"), (vec![], None));
        assert_eq!(
            parsed(" [{\"a\":1}, 2]\n"),
            (vec!["{\"a\":1}".to_owned(), "2".to_owned()], None)
        );
    }

    #[test]
    fn a_torn_array_gives_up_its_whole_events_and_the_rest_is_kept() {
        let text = r#"[{"id":"a"},{"id":"b]"} , {"id":"c"#;
        assert_eq!(
            parsed(text),
            (
                vec![r#"{"id":"a"}"#.to_owned(), r#"{"id":"b]"}"#.to_owned()],
                Some(r#" {"id":"c"#.to_owned())
            )
        );
        for cut in 0..text.len() {
            let (events, rest) = parsed(&text[..cut]);
            let kept: usize = events.iter().map(String::len).sum::<usize>() + rest.unwrap_or_default().len();
            assert!(kept + 4 >= cut, "{cut}: {kept} of {cut} bytes are left");
        }
    }

    #[test]
    fn what_is_no_array_is_kept_whole() {
        for text in ["<html>", "{\"error\":1}", "7", "true", "\"busy\""] {
            assert_eq!(parsed(text), (vec![], Some(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn what_has_nothing_to_give_leaves_no_rest() {
        for text in ["[]", " [ ]\n", "", " \r\n", "null", "{}", "{ }", "\"\"", "false"] {
            assert_eq!(parsed(text), (vec![], None), "{text}");
        }
    }

    #[test]
    fn events_in_a_wrapper_or_without_a_list_are_read() {
        let event = r#"{"id":"a","action":{"type":"x"}}"#;
        for text in [format!(r#" {{"events":[{event}]}} "#), format!(" {event}\n")] {
            assert_eq!(parsed(&text), (vec![event.to_owned()], None), "{text}");
        }
        assert_eq!(parsed(r#"{"events":[]}"#), (vec![], None));
    }

    #[test]
    fn an_event_that_is_not_json_is_set_apart_and_the_others_are_read() {
        let (events, rest) = parsed("[{\"id\":\"a\"},{\"id\":\"b\tc\"},{\"id\":\"d\"}]");
        assert_eq!(events, [r#"{"id":"a"}"#, r#""{\"id\":\"b\tc\"}""#, r#"{"id":"d"}"#]);
        assert_eq!(rest, None);
    }
}
