//! The form of a page.

use std::ops::Range;

use serde_json::Value;

use super::failure::code_of;
use crate::json::{Kind, kind, member, unquote, value_at};
use crate::sources::page;
use crate::sources::page::{NoPage, ParsedPage, elements, is_nothing};

/// What a page says beside its objects. `next_link` is not read: the cursor says the same, and a link could lead anywhere.
#[derive(Debug)]
pub struct ListPageInfo {
    /// The cursor of the next page.
    pub next: Option<String>,
    /// Why something of the page is missing.
    pub lacks: Option<String>,
    /// False if it says nothing about a next page.
    pub has_pagination: bool,
}

/// Reads a page; the error says why it is none and gives the body back.
pub fn parse(body: Vec<u8>) -> Result<ParsedPage<ListPageInfo>, NoPage> {
    page::parse(body, &["data"], str::to_owned, read)
}

fn read(text: &str) -> Result<(Vec<Range<usize>>, ListPageInfo), String> {
    // An error that passes for an empty page would be events that nobody reads.
    let error = is_error(text).then(|| {
        let code = code_of(text.as_bytes()).map(|code| format!(": {code}"));
        format!("it says that it is an error{}", code.unwrap_or_default())
    });
    let data = member(text, "data");
    let objects = match (data.map(kind), &error) {
        (Some(Kind::Array), _) => elements(text, data.unwrap_or_default()),
        (_, Some(error)) => return Err(error.clone()),
        // Null is a way of saying that there is nothing; no word about it is none.
        (Some(Kind::Null), None) => Vec::new(),
        (Some(_), None) => return Err("its data is no list of the JSON of a page".to_owned()),
        (None, None) => return Err("it has no data".to_owned()),
    };
    let cursor = value_at(text, &["pagination", "after_cursor"]).filter(|cursor| !is_nothing(cursor));
    let (next, unclear) = match cursor.map(|cursor| (kind(cursor), unquote(cursor))) {
        None => (None, None),
        Some((Kind::String | Kind::Number, cursor)) => (Some(cursor.into_owned()), None),
        Some(_) => (None, Some("its after_cursor is no text".to_owned())),
    };
    let absent = (next.is_some() && data.is_some_and(|data| kind(data) == Kind::Null))
        .then(|| "it holds no data, although there is some".to_owned());
    let info = ListPageInfo {
        next,
        lacks: error.or(unclear).or(absent),
        has_pagination: member(text, "pagination").is_some_and(|pagination| kind(pagination) == Kind::Object),
    };
    Ok((objects, info))
}

/// `status.error` is true, or `errors` or `error` says something.
fn is_error(text: &str) -> bool {
    let status = value_at(text, &["status", "error"]).map(|error| unquote(error).into_owned());
    let code = value_at(text, &["status", "code"]).and_then(|code| unquote(code).parse::<u16>().ok());
    status.as_deref() == Some("true")
        || code.is_some_and(|code| code >= 400)
        || ["errors", "error"]
            .iter()
            .any(|name| member(text, name).is_some_and(says_something))
}

fn says_something(errors: &str) -> bool {
    match serde_json::from_str::<Value>(errors) {
        Ok(Value::Array(list)) => list.iter().any(|error| !is_nothing(&error.to_string())),
        _ => !is_nothing(errors),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects_and_cursor(body: &str) -> (Vec<String>, Option<String>) {
        let found = parse(body.into()).unwrap();
        assert_eq!(found.info.lacks, None, "{body}");
        (found.page.events().map(str::to_owned).collect(), found.info.next)
    }

    #[test]
    fn objects_and_the_cursor_are_read_and_odd_ones_stay_in_the_page() {
        let body = r#"{"status":{"error":false,"code":200},"pagination":{"before_cursor":null,"after_cursor":"YQ==",
            "next_link":"https://elsewhere.example/"},"data":[ {"id":1} , 7, null ]}"#;
        let (objects, cursor) = objects_and_cursor(body);
        assert_eq!(objects, [r#"{"id":1}"#, "7", "null"]);
        assert_eq!(cursor.as_deref(), Some("YQ=="));
    }

    #[test]
    fn a_page_without_objects_is_empty_whichever_way_it_says_so() {
        for body in [
            r#"{"status":{"error":false},"pagination":{"after_cursor":null,"next_link":null},"data":[]}"#,
            r#"{"pagination":{"after_cursor":""},"data":null}"#,
            r#"{"status":{"error":false},"data":null}"#,
            r#"{"status":null,"pagination":null,"data":[]}"#,
        ] {
            assert_eq!(objects_and_cursor(body), (Vec::new(), None), "{body}");
        }
    }

    #[test]
    fn an_empty_page_may_have_a_next_one() {
        let body = r#"{"pagination":{"after_cursor":17},"data":[]}"#;
        assert_eq!(objects_and_cursor(body), (Vec::new(), Some("17".to_owned())));
    }

    #[test]
    fn what_is_no_page_says_why() {
        for (body, word) in [
            ("", "JSON"),
            ("<html>", "JSON"),
            ("7", "no data"),
            ("{}", "no data"),
            (
                r#"{"status":{"error":false},"pagination":{"after_cursor":null}}"#,
                "no data",
            ),
            (r#"{"data":[{"id":"#, "JSON"),
            (r#"{"data":{}}"#, "JSON"),
            (
                r#"{"status":{"error":true,"message":"locked"},"data":null}"#,
                "error: locked",
            ),
            (r#"{"errors":["late"],"data":null}"#, "error"),
        ] {
            let reason = parse(body.into()).unwrap_err().reason;
            assert!(reason.contains(word), "{body}: {reason}");
        }
    }

    #[test]
    fn a_page_with_an_error_or_less_than_it_says_is_not_whole_and_gives_what_it_has() {
        for (more, events) in [
            (r#""status":{"error":true,"message":"locked"},"data":[{"id":1}]"#, 1),
            (r#""status":{"error":"true"},"data":[{"id":1}]"#, 1),
            (r#""status":{"error":false,"code":503},"data":[]"#, 0),
            (r#""errors":[{"message":"late"}],"data":[{"id":1}]"#, 1),
            (r#""error":"late","data":[]"#, 0),
            (r#""pagination":{"after_cursor":true},"data":[{"id":1}]"#, 1),
            (r#""pagination":{"after_cursor":"a"},"data":null"#, 0),
        ] {
            let found = parse(format!("{{{more}}}").into()).unwrap();
            assert!(found.info.lacks.is_some(), "{more}");
            assert_eq!(found.page.events().count(), events, "{more}");
        }
        for errors in ["[]", "null", "{}", "\"\"", "false", "[{}]"] {
            let body = format!(r#"{{"errors":{errors},"error":{errors},"data":[{{"id":1}}]}}"#);
            assert_eq!(objects_and_cursor(&body).0.len(), 1, "{errors}");
        }
    }

    #[test]
    fn a_cursor_that_leads_nowhere_is_none_in_whatever_form() {
        for pagination in [
            "null",
            "[]",
            "{}",
            "\"\"",
            r#"{"after_cursor":{}}"#,
            r#"{"after_cursor":[]}"#,
            r#"{"after_cursor":" "}"#,
            r#"{"after_cursor":false}"#,
        ] {
            let body = format!(r#"{{"pagination":{pagination},"data":[{{"id":1}}]}}"#);
            assert_eq!(
                objects_and_cursor(&body),
                (vec![r#"{"id":1}"#.to_owned()], None),
                "{body}"
            );
        }
    }

    #[test]
    fn an_event_that_is_not_json_is_set_apart_and_the_page_is_read() {
        let body = "{\"data\":[{\"id\":1},{\"id\":2,\"notes\":\"a\tb\"}],\"pagination\":{\"after_cursor\":\"c\"}}";
        let (objects, cursor) = objects_and_cursor(body);
        assert_eq!(objects, [r#"{"id":1}"#, r#""{\"id\":2,\"notes\":\"a\tb\"}""#]);
        assert_eq!(cursor.as_deref(), Some("c"));
    }

    #[test]
    fn bytes_that_are_not_utf8_are_replaced_and_counted() {
        let page = parse(b"{\"data\":[{\"id\":\"\xff\"}]}".to_vec()).unwrap().page;
        assert_eq!(page.replaced_bytes, 1);
        assert_eq!(page.events().collect::<Vec<_>>(), ["{\"id\":\"\u{fffd}\"}"]);
    }
}
