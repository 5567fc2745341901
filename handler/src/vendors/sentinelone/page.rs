//! The form of a REST page, and what is taken out of every event.

use std::borrow::Cow;
use std::ops::Range;

use super::cursor::decoded;
use crate::json::{Kind, kind, member, unquote, value_at};
use crate::sources::page;
use crate::sources::page::{NoPage, Page, ParsedPage, check_json, elements, is_nothing};
use crate::vendors::sentinelone::{failure, secret};

/// What a page says beside its events.
#[derive(Debug)]
pub struct RestPageInfo {
    /// The cursor of the next page.
    pub next: Option<String>,
    /// How many events the whole window has, as this page says.
    pub total: Option<u64>,
    /// Why something of the page is missing.
    pub lacks: Option<String>,
    /// False if it says nothing about a next page.
    pub has_pagination: bool,
    /// True if it has no list of events, not even an empty one.
    pub is_absent: bool,
    /// True if nothing is missing but the events that its cursor lets expect.
    pub lacks_events_only: bool,
}

/// Reads a page; the error says why it is none and gives the body back.
pub fn parse(body: Vec<u8>) -> Result<ParsedPage<RestPageInfo>, NoPage> {
    let parsed = page::parse(body, &["data"], secret::of_unreadable, read)?;
    Ok(ParsedPage {
        page: without_secret(parsed.page),
        ..parsed
    })
}

fn read(text: &str) -> Result<(Vec<Range<usize>>, RestPageInfo), String> {
    check_object(text)?;
    let (data, pagination) = (member(text, "data"), member(text, "pagination"));
    let error = failure::said(member(text, "errors"));
    let (events, mut lacks) = match (data.map(kind), error) {
        (Some(Kind::Array), None) => (elements(text, data.unwrap_or_default()), None),
        (Some(Kind::Array), Some(error)) => (
            elements(text, data.unwrap_or_default()),
            Some(format!("it holds an error beside its data: {error}")),
        ),
        (_, Some(error)) => return Err(format!("it holds no data, only an error: {error}")),
        (Some(Kind::Null) | None, None) if member(text, "errors").is_some_and(|errors| errors.contains('{')) => {
            return Err("it holds no data, only an error that says nothing".to_owned());
        }
        (None, None) if pagination.is_none() => return Err("it has neither data nor pagination".to_owned()),
        (Some(Kind::Null) | None, None) => (Vec::new(), None),
        (Some(_), None) => return Err("its data is no array".to_owned()),
    };
    let next = value_at(text, &["pagination", "nextCursor"]).filter(|cursor| !is_nothing(cursor));
    let next = match next {
        None => None,
        Some(cursor) if kind(cursor) == Kind::String => Some(decoded(&unquote(cursor))),
        Some(_) => {
            lacks.get_or_insert_with(|| "its nextCursor is no text".to_owned());
            None
        }
    };
    let is_absent = data.is_none_or(|data| kind(data) == Kind::Null);
    let lacks_events_only = next.is_some() && is_absent && lacks.is_none();
    if next.is_some() && is_absent {
        lacks.get_or_insert_with(|| "it holds no data, although there is some".to_owned());
    }
    let info = RestPageInfo {
        next,
        total: value_at(text, &["pagination", "totalItems"]).and_then(count_of),
        lacks,
        has_pagination: pagination.is_some_and(|pagination| kind(pagination) == Kind::Object),
        is_absent,
        lacks_events_only,
    };
    Ok((events, info))
}

/// A number of events, which may be written as text. Null, nonsense and negative ones promise nothing.
fn count_of(value: &str) -> Option<u64> {
    let number = unquote(value).trim().parse::<f64>().ok()?;
    // Far below the numbers that a float holds exactly.
    (0.0..1e15).contains(&number).then_some(number as u64)
}

/// What the rest of this module reads is JSON, an object.
pub fn check_object(text: &str) -> Result<(), String> {
    check_json(text)?;
    match kind(text) {
        Kind::Object => Ok(()),
        _ => Err("it is no JSON object".to_owned()),
    }
}

/// A page without the secret that must not leave this module.
pub fn without_secret(page: Page) -> Page {
    let events: Vec<_> = page.events().map(secret::removed).collect();
    if events.iter().all(|event| matches!(event, Cow::Borrowed(_))) {
        return page;
    }
    let mut clean = String::new();
    let mut clean_ranges = Vec::with_capacity(events.len());
    for event in events {
        let start = clean.len();
        clean.push_str(&event);
        clean_ranges.push(start..clean.len());
    }
    Page::new(clean, clean_ranges, page.replaced_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events_and_cursor(body: &str) -> (Vec<String>, Option<String>) {
        let found = parse(body.into()).unwrap();
        assert_eq!(found.info.lacks, None, "{body}");
        (found.page.events().map(str::to_owned).collect(), found.info.next)
    }

    fn reason(body: &str) -> String {
        parse(body.into()).unwrap_err().reason
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
    fn errors_that_say_nothing_are_none() {
        for errors in ["[]", "null", "{}", "\"\"", "[{}]", "[null, {}]", "false"] {
            let body = format!(r#"{{"data":[{{"id":"1"}}],"errors":{errors},"pagination":{{"nextCursor":"c"}}}}"#);
            assert_eq!(events_and_cursor(&body).0, [r#"{"id":"1"}"#], "{body}");
        }
    }

    #[test]
    fn a_page_with_errors_beside_its_data_is_not_whole() {
        for errors in [
            r#"[{"code":5000010,"title":"Internal server error"}]"#,
            r#"{"code":5000010,"title":"Internal server error"}"#,
            r#"["Internal server error"]"#,
            r#""Internal server error""#,
            r#"[{"detail":null},{"title":"Internal server error"}]"#,
        ] {
            for data in ["[]", r#"[{"id":"1"}]"#] {
                let body = format!(r#"{{"data":{data},"errors":{errors},"pagination":{{"nextCursor":null}}}}"#);
                let lacks = parse(body.clone().into()).unwrap().info.lacks.unwrap_or_default();
                assert!(lacks.ends_with("Internal server error"), "{body}: {lacks}");
            }
        }
        let body = r#"{"data":[{"id":"1"}],"errors":[{"detail":"free text <b>"}],"pagination":{}}"#;
        assert!(parse(body.into()).unwrap().info.lacks.is_some());
    }

    #[test]
    fn a_total_may_be_a_number_or_its_text_and_nonsense_promises_nothing() {
        for (total, expected) in [
            ("6", Some(6)),
            ("\"6\"", Some(6)),
            ("6.0", Some(6)),
            ("0", Some(0)),
            ("null", None),
            ("-1", None),
            ("\"many\"", None),
            ("\"\"", None),
            ("1e400", None),
            ("{}", None),
        ] {
            let body = format!(r#"{{"data":[],"pagination":{{"totalItems":{total}}}}}"#);
            assert_eq!(parse(body.into()).unwrap().info.total, expected, "{total}");
        }
    }

    #[test]
    fn a_cursor_that_is_nothing_is_none() {
        for cursor in ["null", "\"\"", "\" \"", "{}", "[]", "false"] {
            let body = format!(r#"{{"data":[{{"id":"1"}}],"pagination":{{"nextCursor":{cursor}}}}}"#);
            assert_eq!(events_and_cursor(&body).1, None, "{cursor}");
        }
        for pagination in ["null", "[]", "\"\"", "{}"] {
            let body = format!(r#"{{"data":[{{"id":"1"}}],"pagination":{pagination}}}"#);
            assert_eq!(events_and_cursor(&body).1, None, "{pagination}");
        }
    }

    #[test]
    fn an_event_that_is_not_json_is_set_apart_and_the_page_is_read() {
        let body = "{\"data\":[{\"id\":\"1\"},{\"id\":\"2\",\"note\":\"a\tb\"},{\"id\":\"3\"}],\"pagination\":{\"nextCursor\":\"c\"}}";
        let (events, cursor) = events_and_cursor(body);
        assert_eq!(events[1], r#""{\"id\":\"2\",\"note\":\"a\tb\"}""#);
        assert_eq!((events.len(), cursor.as_deref()), (3, Some("c")));
    }

    #[test]
    fn the_registration_token_of_an_event_that_is_not_json_leaves_no_trace() {
        for event in [
            r#"{"id":NaN,"registrationToken":"s3cret"}"#,
            r#"{"id":NaN,"registration\u0054oken":"s3cret"}"#,
            r#"{"id":"a" b","registrationToken":"s3cret"}"#,
            r#"{"id":"a" b","registration\u0054oken":"s3cret"}"#,
        ] {
            let body = format!(r#"{{"data":[{event},{{"id":"1"}}],"pagination":{{}}}}"#);
            let found = parse(body.into()).unwrap();
            assert_eq!(found.page.events().count(), 2, "{event}");
            assert!(!format!("{found:?}").contains("s3cret"), "{found:?}");
        }
    }

    #[test]
    fn errors_without_data_are_an_error_with_its_code_and_title() {
        let error = r#"{"code":5000010,"title":"Internal server error","detail":"free text"}"#;
        for body in [
            format!(r#"{{"errors":[{error}]}}"#),
            format!(r#"{{"data":null,"errors":[{error}]}}"#),
            format!(r#"{{"data":{{}},"errors":[{error}],"pagination":{{"nextCursor":null}}}}"#),
            format!(r#"{{"data":"","errors":{error}}}"#),
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
            (r#"{"data":null,"errors":[{}],"pagination":{}}"#, "nothing"),
        ] {
            let said = reason(body);
            assert!(said.contains(word), "{body}: {said}");
        }
        for (body, word) in [
            (r#"{"data":[{"id":"1"}],"pagination":{"nextCursor":7}}"#, "nextCursor"),
            (r#"{"data":null,"pagination":{"nextCursor":"c"}}"#, "although"),
            (r#"{"pagination":{"nextCursor":"c"}}"#, "although"),
        ] {
            let lacks = parse(body.into()).unwrap().info.lacks.unwrap_or_default();
            assert!(lacks.contains(word), "{body}: {lacks}");
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
        let page = parse(body.into()).unwrap().page;
        assert!(!format!("{page:?}").contains("s3cret"));
    }

    #[test]
    fn bytes_that_are_not_utf8_are_replaced_and_counted() {
        let page = parse(b"{\"data\":[{\"id\":\"\xff\"}]}".to_vec()).unwrap().page;
        assert_eq!(page.replaced_bytes, 1);
        assert_eq!(page.events().collect::<Vec<_>>(), ["{\"id\":\"\u{fffd}\"}"]);
    }
}
