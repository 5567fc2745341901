//! The form of a page of activities.

use std::ops::Range;

use crate::json::{Cursor, Kind, kind, member, unquote};
use crate::sources::page;
use crate::sources::page::{NoPage, Page, ParsedPage, elements, is_nothing};
use crate::sources::unreadable::may_hold;

/// What a page says beside its events.
#[derive(Debug)]
pub struct ActivityPageInfo {
    /// The link to the next page.
    pub next: Option<String>,
    /// Why something of the page is missing.
    pub lacks: Option<String>,
    /// True if it says that there is a next page, but not where, and nothing else is wrong with it.
    pub leads_nowhere: bool,
    /// How many activities it says to have. Not documented for this list: some lists repeat the page size here.
    pub size: Option<usize>,
}

impl ActivityPageInfo {
    /// Why `page`, for which `limit` were asked, is not whole, if it is not.
    pub fn lacks_of(&self, page: &Page, limit: usize) -> Option<String> {
        let events: usize = page.events().map(may_hold).sum();
        let short = self.size.filter(|size| *size > events && *size != limit);
        let short = short.map(|size| format!("it says that it has {size} activities, and has {events}"));
        self.lacks.clone().or(short)
    }
}

/// Reads a page; the error says why it is none and gives the body back.
pub fn parse(body: Vec<u8>) -> Result<ParsedPage<ActivityPageInfo>, NoPage> {
    page::parse(body, &["_embedded", "activities"], str::to_owned, read)
}

fn read(text: &str) -> Result<(Vec<Range<usize>>, ActivityPageInfo), String> {
    let (embedded, links) = (member(text, "_embedded"), member(text, "_links"));
    if embedded.is_none() && links.is_none() {
        return Err("it has neither _embedded nor _links".to_owned());
    }
    let activities = embedded.and_then(|embedded| match kind(embedded) {
        Kind::Object => member(embedded, "activities"),
        _ => Some(embedded),
    });
    let events = match activities {
        Some(list) if kind(list) == Kind::Array => elements(text, list),
        Some(nothing) if !is_nothing(nothing) => return Err("its activities are no list".to_owned()),
        _ => Vec::new(),
    };
    let (next, unclear) = match next_link(links) {
        Ok(next) => (next, None),
        Err(reason) => (None, Some(reason)),
    };
    let error = error_in(text);
    let info = ActivityPageInfo {
        next,
        leads_nowhere: unclear.is_some() && error.is_none(),
        lacks: error.or(unclear),
        size: member(text, "size").and_then(|size| unquote(size).trim().parse().ok()),
    };
    Ok((events, info))
}

/// An absent link may be written in many ways; a link may be an object, a list of them (HAL) or a text.
fn next_link(links: Option<&str>) -> Result<Option<String>, String> {
    let next = links.filter(|links| kind(links) == Kind::Object);
    let Some(mut next) = next
        .and_then(|links| member(links, "next"))
        .filter(|next| !is_nothing(next))
    else {
        return Ok(None);
    };
    if kind(next) == Kind::Array {
        let mut list = Cursor::new(next);
        let first = list.enter(b'[') && list.next_element();
        next = list.value().filter(|_| first).unwrap_or("null");
    }
    let href = match kind(next) {
        Kind::Object => member(next, "href").unwrap_or("null"),
        _ => next,
    };
    match kind(href) {
        _ if is_nothing(href) => Ok(None),
        Kind::String => Ok(Some(unquote(href).trim().to_owned())),
        _ => Err("its link to the next page is no text".to_owned()),
    }
}

/// PingOne's errors are `{"id", "code", "message", "details"}`; the word in `code` may be shown.
fn error_in(text: &str) -> Option<String> {
    let word = |value: &str| {
        let word = unquote(value).into_owned();
        let is_word = kind(value) == Kind::String && !word.is_empty() && word.len() <= 40;
        let is_plain = word.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
        (is_word && is_plain).then_some(word)
    };
    let present = |name: &str| member(text, name).filter(|value| !is_nothing(value));
    let is_error = present("errors").is_some()
        || present("error").is_some()
        || (present("code").is_some() && present("message").is_some());
    let code = present("code").and_then(word);
    is_error.then(|| format!("it holds an error: {}", code.as_deref().unwrap_or("without a code")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events_and_next(body: &str) -> (Vec<String>, Option<String>) {
        let found = parse(body.into()).unwrap();
        assert_eq!(found.info.lacks, None, "{body}");
        (found.page.events().map(str::to_owned).collect(), found.info.next)
    }

    #[test]
    fn events_and_the_next_link_are_read_and_odd_events_stay_in_the_page() {
        let body = r#"{"_links":{"self":{"href":"s"},"next":{"href":"n"}},"size":3,"_embedded":{"activities":[ {"id":"a"} , 7, null]}}"#;
        let (events, next) = events_and_next(body);
        assert_eq!(events, [r#"{"id":"a"}"#, "7", "null"]);
        assert_eq!(next.as_deref(), Some("n"));
    }

    #[test]
    fn a_link_that_leads_nowhere_is_none_in_whatever_form() {
        for links in [
            "{}",
            "[]",
            "null",
            "\"\"",
            r#"{"next":null}"#,
            r#"{"next":""}"#,
            r#"{"next":" "}"#,
            r#"{"next":[]}"#,
            r#"{"next":{}}"#,
            r#"{"next":[{}]}"#,
            r#"{"next":false}"#,
            r#"{"next":{"href":null}}"#,
            r#"{"next":{"href":""}}"#,
            r#"{"next":{"href":{}}}"#,
            r#"{"next":[{"href":""}]}"#,
        ] {
            let body = format!(r#"{{"_links":{links},"_embedded":{{"activities":[{{"id":"a"}}]}}}}"#);
            assert_eq!(
                events_and_next(&body),
                (vec![r#"{"id":"a"}"#.to_owned()], None),
                "{links}"
            );
        }
        for next in [r#""n""#, r#"{"href":"n"}"#, r#"[{"href":"n"}]"#, r#"{"href":" n "}"#] {
            let body = format!(r#"{{"_links":{{"next":{next}}}}}"#);
            assert_eq!(events_and_next(&body).1.as_deref(), Some("n"), "{next}");
        }
    }

    #[test]
    fn a_page_with_an_error_or_less_than_it_says_is_not_whole_and_gives_what_it_has() {
        for more in [
            r#""errors":[{"code":"UNEXPECTED_ERROR"}]"#,
            r#""errors":"late""#,
            r#""id":"x","code":"UNEXPECTED_ERROR","message":"An unexpected error""#,
            r#""size":2"#,
            r#""size":"2""#,
            r#""_links":{"next":7}"#,
            r#""_links":{"next":{"href":7}}"#,
        ] {
            let body = format!(r#"{{"_embedded":{{"activities":[{{"id":"a"}}]}},{more}}}"#);
            let found = parse(body.clone().into()).unwrap();
            assert!(found.info.lacks_of(&found.page, 500).is_some(), "{body}");
            assert_eq!(found.page.events().count(), 1, "{body}");
        }
        for more in [
            r#""errors":[]"#,
            r#""errors":null"#,
            r#""size":1"#,
            r#""size":0"#,
            r#""size":500"#,
            r#""count":9"#,
        ] {
            let body = format!(r#"{{"_embedded":{{"activities":[{{"id":"a"}}]}},{more}}}"#);
            let found = parse(body.into()).unwrap();
            assert_eq!(found.info.lacks_of(&found.page, 500), None, "{more}");
        }
    }

    #[test]
    fn an_event_that_is_not_json_is_set_apart_and_the_page_is_read() {
        let body = "{\"_embedded\":{\"activities\":[{\"id\":\"a\"},{\"id\":NaN},{\"id\":\"b\"}]},\"_links\":{\"next\":{\"href\":\"n\"}}}";
        let (events, next) = events_and_next(body);
        assert_eq!(events, [r#"{"id":"a"}"#, r#""{\"id\":NaN}""#, r#"{"id":"b"}"#]);
        assert_eq!(next.as_deref(), Some("n"));
    }

    #[test]
    fn an_environment_without_activities_is_an_empty_page() {
        for body in [
            r#"{"_embedded":{"activities":[]}}"#,
            r#"{"_links":{},"_embedded":{}}"#,
            r#"{"_links":{"self":{}}}"#,
            r#"{"_embedded":{"activities":null}}"#,
            r#"{"_embedded":[],"_links":{}}"#,
            r#"{"_embedded":null}"#,
        ] {
            assert_eq!(events_and_next(body), (Vec::new(), None), "{body}");
        }
    }

    #[test]
    fn what_is_no_page_says_why() {
        for body in [
            "",
            "<html>",
            "{}",
            "[]",
            r#"{"_embedded":{"activities":7}}"#,
            r#"{"_embedded":{"activities":[{"id":"#,
        ] {
            assert!(parse(body.into()).is_err(), "{body}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf8_are_replaced_and_counted() {
        let page = parse(b"{\"_embedded\":{\"activities\":[{\"id\":\"\xff\"}]}}".to_vec())
            .unwrap()
            .page;
        assert_eq!(page.replaced_bytes, 1);
        assert_eq!(page.events().collect::<Vec<_>>(), ["{\"id\":\"\u{fffd}\"}"]);
    }
}
