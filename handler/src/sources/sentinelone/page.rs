//! The form of a REST page, and what is taken out of every event.

use std::borrow::Cow;
use std::ops::Range;

use serde::de::IgnoredAny;

use super::cursor::decoded;
use super::failure;
use crate::json::{Cursor, Kind, kind, lossy_text, member, range_in, unquote, value_at, without_member};
use crate::sources::Page;

/// Whoever has it can add machines to a group: it goes no further than this file.
const SECRET_MEMBER: &str = "registrationToken";

/// The page and the cursor of the next one; the error says why it is no page and gives the body back.
pub fn parse(body: Vec<u8>) -> Result<(Page, Option<String>), (String, Vec<u8>)> {
    let (text, replaced_bytes) = lossy_text(body);
    match read(&text) {
        Ok((events, cursor)) => Ok((page_of(text, events, replaced_bytes), cursor)),
        Err(reason) => Err((reason, text.into_bytes())),
    }
}

fn read(text: &str) -> Result<(Vec<Range<usize>>, Option<String>), String> {
    check_json(text)?;
    let (data, pagination) = (member(text, "data"), member(text, "pagination"));
    let events = match data.map(kind) {
        Some(Kind::Array) => elements(text, data.unwrap_or_default()),
        Some(Kind::Null) | None => {
            if let Some(error) = member(text, "errors").and_then(failure::first_error) {
                return Err(format!("it holds no data, only an error: {error}"));
            }
            if data.is_none() && pagination.is_none() {
                return Err("it has neither data nor pagination".to_owned());
            }
            let more = value_at(text, &["pagination", "nextCursor"])
                .is_some_and(|cursor| kind(cursor) == Kind::String && !unquote(cursor).is_empty());
            let total = value_at(text, &["pagination", "totalItems"]).and_then(|total| total.parse::<f64>().ok());
            if more || total.is_some_and(|total| total > 0.0) {
                return Err("it holds no data, although there is some".to_owned());
            }
            Vec::new()
        }
        Some(_) => return Err("its data is no array".to_owned()),
    };
    let cursor = value_at(text, &["pagination", "nextCursor"]).filter(|cursor| kind(cursor) != Kind::Null);
    let cursor = match cursor {
        None => None,
        Some(cursor) if kind(cursor) == Kind::String => Some(decoded(&unquote(cursor))),
        Some(_) => return Err("its nextCursor is no text".to_owned()),
    };
    Ok((events, cursor.filter(|cursor| !cursor.is_empty())))
}

/// What the rest of this room walks is JSON, an object.
pub fn check_json(text: &str) -> Result<(), String> {
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| format!("it is not the JSON of a page: {error}"))?;
    match kind(text) {
        Kind::Object => Ok(()),
        _ => Err("it is no JSON object".to_owned()),
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

/// A page of the events at `ranges` of `text`, without the member that must not leave this room.
pub fn page_of(text: String, ranges: Vec<Range<usize>>, replaced_bytes: u64) -> Page {
    let events: Vec<_> = ranges
        .iter()
        .filter_map(|range| text.get(range.clone()))
        .map(|event| without_member(event, SECRET_MEMBER))
        .collect();
    if events.iter().all(|event| matches!(event, Cow::Borrowed(_))) {
        return Page::new(text, ranges, replaced_bytes);
    }
    let mut clean = String::with_capacity(text.len());
    let mut clean_ranges = Vec::with_capacity(events.len());
    for event in events {
        let start = clean.len();
        clean.push_str(&event);
        clean_ranges.push(start..clean.len());
    }
    Page::new(clean, clean_ranges, replaced_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events_and_cursor(body: &str) -> (Vec<String>, Option<String>) {
        let (page, cursor) = parse(body.into()).unwrap();
        (page.events().map(str::to_owned).collect(), cursor)
    }

    fn reason(body: &str) -> String {
        parse(body.into()).unwrap_err().0
    }

    #[test]
    fn events_and_the_cursor_are_read_and_odd_events_stay_in_the_page() {
        let body = r#"{"pagination":{"totalItems":3,"nextCursor":"YWdlbnQ%3D"},"data":[ {"id":"1"} , 7, null ]}"#;
        let (events, cursor) = events_and_cursor(body);
        assert_eq!(events, [r#"{"id":"1"}"#, "7", "null"]);
        assert_eq!(cursor.as_deref(), Some("YWdlbnQ="));
    }

    #[test]
    fn a_page_without_events_is_empty_whichever_way_it_says_so() {
        for body in [
            r#"{"data":[],"pagination":{"nextCursor":null,"totalItems":0}}"#,
            r#"{"data":null,"pagination":{"nextCursor":""}}"#,
            r#"{"data":null}"#,
            r#"{"pagination":{"totalItems":0}}"#,
            r#"{"errors":[{}],"pagination":{"totalItems":0},"data":[]}"#,
            r#"{"errors":[],"data":null}"#,
            r#"{"errors":null,"data":null,"pagination":null}"#,
        ] {
            assert_eq!(events_and_cursor(body), (Vec::new(), None), "{body}");
        }
    }

    #[test]
    fn errors_beside_data_do_not_spoil_it() {
        let body = r#"{"data":[{"id":"1"}],"errors":[{"code":5000010,"title":"Internal server error"}]}"#;
        assert_eq!(events_and_cursor(body).0, [r#"{"id":"1"}"#]);
    }

    #[test]
    fn errors_without_data_are_an_error_with_its_code_and_title() {
        let error = r#"{"code":5000010,"title":"Internal server error","detail":"free text"}"#;
        for body in [
            format!(r#"{{"errors":[{error}]}}"#),
            format!(r#"{{"data":null,"errors":[{error}]}}"#),
        ] {
            let said = reason(&body);
            assert!(said.ends_with("5000010 Internal server error"), "{said}");
        }
    }

    #[test]
    fn what_is_no_page_says_why() {
        for (body, word) in [
            ("", "JSON"),
            ("<html>", "JSON"),
            ("[]", "object"),
            ("{}", "neither"),
            (r#"{"data":[{"id":"#, "JSON"),
            (r#"{"data":{}}"#, "array"),
            (r#"{"data":[],"pagination":{"nextCursor":7}}"#, "nextCursor"),
        ] {
            let said = reason(body);
            assert!(said.contains(word), "{body}: {said}");
        }
    }

    #[test]
    fn the_registration_token_leaves_no_trace_in_the_page() {
        let body = r#"{"data":[{"id":"1","registrationToken":"s3cret","name":"é"},{"id":"2"},
            {"registration\u0054oken":{"a":"s3cret"},"id":"3"},"x"]}"#;
        let (events, _) = events_and_cursor(body);
        assert_eq!(
            events,
            [r#"{"id":"1","name":"é"}"#, r#"{"id":"2"}"#, r#"{"id":"3"}"#, "\"x\""]
        );
        let (page, _) = parse(body.into()).unwrap();
        assert!(!format!("{page:?}").contains("s3cret"));
    }

    #[test]
    fn bytes_that_are_not_utf8_are_replaced_and_counted() {
        let (page, _) = parse(b"{\"data\":[{\"id\":\"\xff\"}]}".to_vec()).unwrap();
        assert_eq!(page.replaced_bytes, 1);
        assert_eq!(page.events().collect::<Vec<_>>(), ["{\"id\":\"\u{fffd}\"}"]);
    }
}
