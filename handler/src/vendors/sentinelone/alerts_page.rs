//! The answers to a query for unified alerts.

use std::ops::Range;

use super::cursor::decoded;
use super::page::{check_object, without_secret};
use super::selection::Unknown;
use crate::json::{Kind, kind, member, range_in, unquote, value_at};
use crate::sources::page::{NoPage, elements, readable};
use crate::sources::unreadable::event_with_error;
use crate::sources::{Page, Window};
use crate::vendors::sentinelone::{failure, secret, selection};

const EDGES: [&str; 3] = ["data", "alerts", "edges"];

/// An answer that is JSON.
#[derive(Debug)]
pub enum AlertsReply {
    /// A page, and the cursor of the next one.
    Page(Page, Option<String>),
    /// A page that something is missing of, and why.
    Incomplete(Page, String),
    /// The console does not know these fields.
    Unknown(Vec<Unknown>),
    /// No data, only an error: its code and title.
    Error(String),
}

/// Reads an answer to `query`; the error says why it is none and gives the body back.
pub fn parse_alerts(body: Vec<u8>, query: &str) -> Result<AlertsReply, NoPage> {
    let (text, replaced_bytes) = readable(body, &EDGES, secret::of_unreadable);
    if let Err(reason) = check_object(&text) {
        return Err(NoPage::new(reason, text));
    }
    let errors = member(&text, "errors");
    let said = failure::said(errors).map(|said| match selection::named_field(errors, query) {
        Some(field) => format!("{said}, about the field {field}"),
        None => said,
    });
    let alerts = value_at(&text, &["data", "alerts"]).filter(|alerts| kind(alerts) == Kind::Object);
    let Some(alerts) = alerts else {
        let unknown = selection::unknown_fields(errors, query);
        return match said {
            Some(_) if !unknown.is_empty() => Ok(AlertsReply::Unknown(unknown)),
            Some(error) => Ok(AlertsReply::Error(error)),
            None => Err(NoPage::new("it has no data.alerts", text)),
        };
    };
    let unknown = selection::unknown_beside_data(errors, query);
    if !unknown.is_empty() {
        return Ok(AlertsReply::Unknown(unknown));
    }
    let (next, edges) = (next_cursor(alerts), member(alerts, "edges"));
    let is_end = matches!(next, Ok(None));
    let lacks = match (said, edges.map(kind)) {
        (Some(error), _) => Some(format!("it holds an error beside its data: {error}")),
        (None, Some(Kind::Array)) => None,
        (None, Some(Kind::Null)) if is_end => None,
        (None, _) => Some("it has no list of edges".to_owned()),
    };
    let lacks = lacks.or_else(|| next.as_ref().err().cloned());
    let nodes = nodes_in(&text, edges.unwrap_or_default(), errors.filter(|_| lacks.is_some()));
    let page = without_secret(Page::new(text, nodes, replaced_bytes));
    Ok(match lacks {
        Some(reason) => AlertsReply::Incomplete(page, reason),
        None => AlertsReply::Page(page, next.unwrap_or_default()),
    })
}

/// The alerts of a page; beside errors only those that are whole by what the errors say.
fn nodes_in(text: &str, edges: &str, errors: Option<&str>) -> Vec<Range<usize>> {
    let errors = failure::errors_in(errors.unwrap_or_default());
    let paths: Vec<_> = errors.iter().map(|error| error["path"].as_array()).collect();
    if paths.iter().any(Option::is_none) {
        // It may be about any field of any alert.
        return Vec::new();
    }
    let is_meant = |index: usize| {
        let mut steps = paths.iter().flatten().filter_map(|path| path.get(2)?.as_u64());
        steps.any(|step| step == index as u64)
    };
    let edges = elements(text, edges).into_iter().enumerate();
    let nodes = edges.filter_map(|(index, range)| {
        // An edge without a node stays as it is: what is no event is set aside where somebody sees it.
        let edge = text.get(range)?;
        let node = member(edge, "node").unwrap_or(edge);
        let is_whole = errors.is_empty() || !(is_meant(index) || kind(node) == Kind::Null);
        is_whole.then(|| range_in(text, node))
    });
    nodes.collect()
}

/// The page of an answer whose errors are all about alerts that it names: these are set aside, and the others are
/// whole. What is said of one without content is where it stood.
pub fn failed_set_aside(body: &[u8], window: Window) -> Option<(Page, Option<String>)> {
    let (text, replaced_bytes) = readable(body.to_vec(), &EDGES, secret::of_unreadable);
    check_object(&text).ok()?;
    let errors = failure::errors_in(member(&text, "errors")?);
    let alerts = value_at(&text, &["data", "alerts"])?;
    let next = next_cursor(alerts).ok()?;
    let edges = elements(
        &text,
        member(alerts, "edges").filter(|edges| kind(edges) == Kind::Array)?,
    );
    let meant: Option<Vec<usize>> = errors.iter().map(|error| edge_of(error, edges.len())).collect();
    let meant = meant.filter(|meant| !meant.is_empty())?;
    let (mut events, mut ranges) = (String::new(), Vec::with_capacity(edges.len()));
    for (index, range) in edges.into_iter().enumerate() {
        let edge = text.get(range)?;
        let node = member(edge, "node").unwrap_or(edge);
        let begin = events.len();
        match meant.iter().position(|meant| *meant == index) {
            None => events.push_str(node),
            Some(error) => {
                let class = failure::said_by(&errors[error]);
                let kept = match kind(node) {
                    Kind::Object => secret::removed(node).into_owned(),
                    _ => format!(
                        "no content came; it was number {} in the window from {} to {}",
                        index + 1,
                        window.from.to_rfc3339(),
                        window.to.to_rfc3339()
                    ),
                };
                events.push_str(&event_with_error(&class, &kept));
            }
        }
        ranges.push(begin..events.len());
    }
    Some((without_secret(Page::new(events, ranges, replaced_bytes)), next))
}

/// The number of the alert that an error is about: `"path": ["alerts", "edges", 1, "node", "assignee"]`.
fn edge_of(error: &serde_json::Value, edges: usize) -> Option<usize> {
    let path = error["path"].as_array()?;
    let is_edge = path.first()?.as_str() == Some("alerts") && path.get(1)?.as_str() == Some("edges");
    let index = usize::try_from(path.get(2).filter(|_| is_edge)?.as_u64()?).ok()?;
    (index < edges).then_some(index)
}

fn next_cursor(alerts: &str) -> Result<Option<String>, String> {
    match value_at(alerts, &["pageInfo", "hasNextPage"]) {
        Some("false") => return Ok(None),
        Some("true") => {}
        _ => return Err("it does not say whether there is a next page".to_owned()),
    }
    let cursor = value_at(alerts, &["pageInfo", "endCursor"]).filter(|cursor| kind(cursor) == Kind::String);
    match cursor.map(|cursor| decoded(&unquote(cursor))) {
        Some(cursor) if !cursor.is_empty() => Ok(Some(cursor)),
        _ => Err("it says that there is a next page, but not where".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window() -> Window {
        Window {
            from: "2026-11-20T10:00:00.001Z".parse().unwrap(),
            to: "2026-11-20T11:00:00Z".parse().unwrap(),
        }
    }

    fn page(body: &str) -> (Vec<String>, Option<String>) {
        match parse_alerts(body.into(), "").unwrap() {
            AlertsReply::Page(page, cursor) => (page.events().map(str::to_owned).collect(), cursor),
            other => panic!("{body}: {other:?}"),
        }
    }

    fn incomplete(body: &str) -> (Vec<String>, String) {
        match parse_alerts(body.into(), "").unwrap() {
            AlertsReply::Incomplete(page, reason) => (page.events().map(str::to_owned).collect(), reason),
            other => panic!("{body}: {other:?}"),
        }
    }

    #[test]
    fn nodes_and_the_cursor_are_read() {
        let body = r#"{"data":{"alerts":{"edges":[{"cursor":"a","node":{"id":"1"}},{"node":{"id":"2","registrationToken":"s"}},
            {"node":null}],"pageInfo":{"hasNextPage":true,"endCursor":"c%3D"}}},"errors":[{}]}"#;
        let (events, cursor) = page(body);
        assert_eq!(events, [r#"{"id":"1"}"#, r#"{"id":"2"}"#, "null"]);
        assert_eq!(cursor.as_deref(), Some("c="));
    }

    #[test]
    fn the_last_page_has_no_next_one_whatever_its_cursor() {
        for body in [
            r#"{"data":{"alerts":{"edges":[],"pageInfo":{"hasNextPage":false,"endCursor":"c"}}}}"#,
            r#"{"data":{"alerts":{"edges":null,"pageInfo":{"hasNextPage":false,"endCursor":null}}}}"#,
            r#"{"data":{"alerts":{"edges":[],"pageInfo":{"hasNextPage":false}}},"errors":null}"#,
        ] {
            assert_eq!(page(body), (Vec::new(), None), "{body}");
        }
    }

    #[test]
    fn a_page_that_does_not_say_all_is_not_whole() {
        for alerts in [
            "{}",
            r#"{"edges":[]}"#,
            r#"{"edges":[],"pageInfo":null}"#,
            r#"{"edges":[],"pageInfo":{}}"#,
            r#"{"edges":[],"pageInfo":{"hasNextPage":null,"endCursor":"c"}}"#,
            r#"{"edges":null,"pageInfo":{"hasNextPage":true,"endCursor":"c"}}"#,
            r#"{"edges":null,"pageInfo":null}"#,
            r#"{"edges":{},"pageInfo":{"hasNextPage":false}}"#,
            r#"{"pageInfo":{"hasNextPage":false}}"#,
            r#"{"edges":[],"pageInfo":{"hasNextPage":true,"endCursor":null}}"#,
            r#"{"edges":[],"pageInfo":{"hasNextPage":true,"endCursor":""}}"#,
        ] {
            let (events, reason) = incomplete(&format!(r#"{{"data":{{"alerts":{alerts}}}}}"#));
            assert!(events.is_empty() && !reason.is_empty(), "{alerts}");
        }
        let (events, _) = incomplete(r#"{"data":{"alerts":{"edges":[{"node":{"id":"1"}}]}}}"#);
        assert_eq!(events, [r#"{"id":"1"}"#]);
    }

    #[test]
    fn beside_errors_the_alerts_come_that_the_errors_are_not_about() {
        let body = |path: &str| {
            format!(
                r#"{{"data":{{"alerts":{{"edges":[{{"node":{{"id":"1"}}}},{{"node":{{"id":"2","assignee":null}}}},null],
                "pageInfo":{{"hasNextPage":false}}}}}},"errors":[{{"message":"x <y>",{path}"extensions":{{"classification":"DataFetchingException"}}}}]}}"#
            )
        };
        for (path, expected) in [
            (
                r#""path":["alerts","edges"],"#,
                vec![r#"{"id":"1"}"#, r#"{"id":"2","assignee":null}"#],
            ),
            (
                r#""path":["alerts","edges",1,"node","assignee"],"#,
                vec![r#"{"id":"1"}"#],
            ),
            ("", Vec::new()),
        ] {
            let (events, reason) = incomplete(&body(path));
            assert_eq!(events, expected, "{path}");
            assert!(reason.ends_with("DataFetchingException"), "{reason}");
        }
    }

    #[test]
    fn an_alert_with_an_error_of_its_own_is_set_aside_alone() {
        let body = r#"{"data":{"alerts":{"edges":[{"node":{"id":"1"}},{"node":{"id":"2","assignee":null}},{"node":null}],
            "pageInfo":{"hasNextPage":true,"endCursor":"c"}}},"errors":[
            {"path":["alerts","edges",1,"node","assignee"],"extensions":{"classification":"DataFetchingException"}},
            {"path":["alerts","edges",2],"extensions":{"classification":"DataFetchingException"}}]}"#;
        let (page, next) = failed_set_aside(body.as_bytes(), window()).unwrap();
        let events: Vec<_> = page.events().collect();
        assert_eq!(
            (events.len(), events[0], next.as_deref()),
            (3, r#"{"id":"1"}"#, Some("c"))
        );
        for event in &events[1..] {
            let reason = crate::sources::why_unreadable(event).unwrap();
            assert!(reason.contains("DataFetchingException"), "{reason}");
        }
        assert!(
            events[1].contains("assignee") && events[2].contains("number 3"),
            "{events:?}"
        );
        for other in [
            body.replace(r#""alerts","edges",2"#, r#""alerts","edges",7"#),
            body.replace(r#""path":["alerts","edges",2],"#, ""),
            body.replace(r#""hasNextPage":true"#, r#""hasNextPage":null"#),
            r#"{"data":{"alerts":{"edges":[],"pageInfo":{"hasNextPage":false}}}}"#.to_owned(),
        ] {
            assert!(failed_set_aside(other.as_bytes(), window()).is_none(), "{other}");
        }
    }

    #[test]
    fn errors_alone_are_an_error_with_their_class() {
        let body = r#"{"data":{"alerts":null},"errors":[{"message":"\"secret\" in {x}","extensions":{"classification":"DataFetchingException"}}]}"#;
        match parse_alerts(body.into(), "").unwrap() {
            AlertsReply::Error(error) => assert_eq!(error, "DataFetchingException"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_no_answer_says_why() {
        for body in ["", "<html>", "{}", r#"{"data":null}"#] {
            assert!(parse_alerts(body.into(), "").is_err(), "{body}");
        }
    }
}
