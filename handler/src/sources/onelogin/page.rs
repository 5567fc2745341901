//! The form of a page.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::failure::code_of;
use crate::json::{lossy_text, member, range_in};
use crate::sources::Page;

/// `next_link` is not read: the cursor says the same, and a link could lead anywhere.
#[derive(Deserialize)]
struct Body<'a> {
    status: Option<Value>,
    pagination: Option<Pagination>,
    #[serde(borrow)]
    data: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
struct Pagination {
    after_cursor: Option<Value>,
}

/// The page and the cursor of the next one; the error says why it is no page and gives the body back.
pub fn parse(body: Vec<u8>) -> Result<(Page, Option<String>), (String, Vec<u8>)> {
    let (text, replaced_bytes) = lossy_text(body);
    let read = serde_json::from_str::<Body<'_>>(&text)
        .map_err(|error| format!("it is not the JSON of a page: {error}"))
        .and_then(|body| check(body, &text));
    match read {
        Ok((objects, cursor)) => {
            let ranges = objects.iter().map(|object| range_in(&text, object.get())).collect();
            Ok((Page::new(text, ranges, replaced_bytes), cursor))
        }
        Err(reason) => Err((reason, text.into_bytes())),
    }
}

fn check<'a>(body: Body<'a>, text: &str) -> Result<(Vec<&'a RawValue>, Option<String>), String> {
    if body.status.is_some_and(|status| status["error"] == true) {
        // An error that passes for an empty page would be events that nobody reads.
        let code = code_of(text.as_bytes()).map(|code| format!(": {code}"));
        return Err(format!("it says that it is an error{}", code.unwrap_or_default()));
    }
    // Null is a way of saying that there is nothing; no word about it is none.
    if member(text, "data").is_none() {
        return Err("it has no data".to_owned());
    }
    let cursor = match body.pagination.and_then(|pagination| pagination.after_cursor) {
        None | Some(Value::Null) => None,
        Some(Value::String(cursor)) => Some(cursor),
        Some(Value::Number(cursor)) => Some(cursor.to_string()),
        Some(_) => return Err("its after_cursor is no text".to_owned()),
    };
    let cursor = cursor.filter(|cursor| !cursor.is_empty());
    Ok((body.data.unwrap_or_default(), cursor))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects_and_cursor(body: &str) -> (Vec<String>, Option<String>) {
        let (page, cursor) = parse(body.into()).unwrap();
        (page.events().map(str::to_owned).collect(), cursor)
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
            ("7", "JSON"),
            ("{}", "no data"),
            (
                r#"{"status":{"error":false},"pagination":{"after_cursor":null}}"#,
                "no data",
            ),
            (r#"{"data":[{"id":"#, "JSON"),
            (r#"{"data":{}}"#, "JSON"),
            (r#"{"data":[],"pagination":{"after_cursor":{}}}"#, "after_cursor"),
            (
                r#"{"status":{"error":true,"message":"locked"},"data":[]}"#,
                "error: locked",
            ),
        ] {
            let reason = parse(body.into()).unwrap_err().0;
            assert!(reason.contains(word), "{body}: {reason}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf8_are_replaced_and_counted() {
        let (page, _) = parse(b"{\"data\":[{\"id\":\"\xff\"}]}".to_vec()).unwrap();
        assert_eq!(page.replaced_bytes, 1);
        assert_eq!(page.events().collect::<Vec<_>>(), ["{\"id\":\"\u{fffd}\"}"]);
    }
}
