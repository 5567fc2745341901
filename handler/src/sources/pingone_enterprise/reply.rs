//! A reply -> its events, also when it was cut off in the middle.

use serde_json::value::RawValue;

use crate::json::range_in;
use crate::sources::Page;

/// What a reply holds.
#[derive(Debug)]
pub struct Parsed {
    /// The whole events.
    pub page: Page,
    /// What is left of a reply that is not a whole array, and why.
    pub rest: Option<(String, String)>,
}

/// Reads a JSON array of events. A reply that breaks off gives up its whole events; what follows them is the rest.
pub fn parse(text: String) -> Parsed {
    let mut ranges = Vec::new();
    if let Ok(events) = serde_json::from_str::<Vec<&RawValue>>(&text) {
        ranges.extend(events.iter().map(|event| range_in(&text, event.get())));
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
        for text in ["<html>", "{\"error\":1}", "null", ""] {
            assert_eq!(parsed(text), (vec![], Some(text.to_owned())), "{text}");
        }
    }
}
