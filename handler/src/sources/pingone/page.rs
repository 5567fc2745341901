//! The form of a page of activities.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::{lossy_text, range_in};
use crate::sources::Page;

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(rename = "_links")]
    links: Option<Links>,
    #[serde(rename = "_embedded", borrow)]
    embedded: Option<Embedded<'a>>,
}

#[derive(Deserialize)]
struct Links {
    next: Option<Link>,
}

#[derive(Deserialize)]
struct Link {
    href: Option<String>,
}

#[derive(Deserialize)]
struct Embedded<'a> {
    #[serde(borrow)]
    activities: Option<Vec<&'a RawValue>>,
}

/// The page and the link to the next one; the error says why it is no page.
pub fn parse(body: Vec<u8>) -> Result<(Page, Option<String>), (String, Vec<u8>)> {
    let (text, replaced_bytes) = lossy_text(body);
    let parsed = match serde_json::from_str::<Body<'_>>(&text) {
        Ok(parsed) if parsed.links.is_none() && parsed.embedded.is_none() => {
            return Err(("it has neither _embedded nor _links".to_owned(), text.into_bytes()));
        }
        Ok(parsed) => parsed,
        Err(error) => {
            return Err((format!("it is not the JSON of a page: {error}"), text.into_bytes()));
        }
    };
    let activities = parsed
        .embedded
        .and_then(|embedded| embedded.activities)
        .unwrap_or_default();
    let ranges = activities
        .iter()
        .map(|activity| range_in(&text, activity.get()))
        .collect();
    let next = parsed.links.and_then(|links| links.next).and_then(|next| next.href);
    Ok((Page::new(text, ranges, replaced_bytes), next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_and_the_next_link_are_read_and_odd_events_stay_in_the_page() {
        let body = r#"{"_links":{"self":{"href":"s"},"next":{"href":"n"}},"size":3,"_embedded":{"activities":[ {"id":"a"} , 7, null]}}"#;
        let (page, next) = parse(body.into()).unwrap();
        assert_eq!(page.events().collect::<Vec<_>>(), [r#"{"id":"a"}"#, "7", "null"]);
        assert_eq!(next.as_deref(), Some("n"));
    }

    #[test]
    fn an_environment_without_activities_is_an_empty_page() {
        for body in [
            r#"{"_embedded":{"activities":[]}}"#,
            r#"{"_links":{},"_embedded":{}}"#,
            r#"{"_links":{"self":{}}}"#,
        ] {
            let (page, next) = parse(body.into()).unwrap();
            assert_eq!((page.events().count(), next), (0, None), "{body}");
        }
    }

    #[test]
    fn what_is_no_page_says_why() {
        for body in ["", "<html>", "{}", "[]", r#"{"_embedded":{"activities":[{"id":"#] {
            assert!(parse(body.into()).is_err(), "{body}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf8_are_replaced_and_counted() {
        let (page, _) = parse(b"{\"_embedded\":{\"activities\":[{\"id\":\"\xff\"}]}}".to_vec()).unwrap();
        assert_eq!(page.replaced_bytes, 1);
        assert_eq!(page.events().collect::<Vec<_>>(), ["{\"id\":\"\u{fffd}\"}"]);
    }
}
