//! The GraphQL of unified alerts: what is asked, and the form of the answers.

use std::ops::Range;

use serde_json::json;

use super::cursor::decoded;
use super::page::{check_json, page_of, readable};
use super::secret::removed as without_secret;
use super::selection::{OmittedFields, Unknown};
use crate::json::{Kind, kind, lossy_text, member, range_in, unquote, value_at};
use crate::sources::page::{NoPage, elements};
use crate::sources::unreadable::event_with_error;
use crate::sources::{Page, Window};
use crate::vendors::sentinelone::failure;
use crate::vendors::sentinelone::selection;

const METADATA: &str = "query { alertColumnMetadata { fieldId filterTypes } }";

/// What a console offers to filter and sort alerts by; nothing is known if the answer does not say.
pub type Columns = Option<Vec<String>>;

/// What is asked for a page. On one line: errors name the column.
pub fn alerts_query(left_out: &OmittedFields) -> String {
    format!(
        "query Alerts($filters: [FilterInput!], $sort: SortInput, $first: Int, $after: String) {{ \
         alerts(filters: $filters, sort: $sort, first: $first, after: $after) {{ \
         edges {{ node {{ {} }} }} pageInfo {{ hasNextPage endCursor }} }} }}",
        selection::fields(left_out)
    )
}

/// The body that asks for a page. The range takes milliseconds since 1970; its bounds may both be inclusive, and what
/// an inclusive upper one brings too early is known when it comes again.
pub fn alerts_body(query: &str, field: &str, window: Window, first: usize, after: Option<&str>) -> String {
    let range = json!({"start": window.from.timestamp_millis(), "end": window.to.timestamp_millis()});
    let mut variables = json!({
        "filters": [{"fieldId": field, "dateTimeRange": range}],
        "sort": {"by": field, "order": "ASC"},
        "first": first,
    });
    if let Some(after) = after {
        variables["after"] = after.into();
    }
    json!({"query": query, "variables": variables}).to_string()
}

/// The body that asks which fields there are.
pub fn metadata_body() -> String {
    json!({"query": METADATA}).to_string()
}

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
    let (text, replaced_bytes) = lossy_text(body);
    let text = readable(text, &["data", "alerts", "edges"]);
    if let Err(reason) = check_json(&text) {
        return Err(NoPage {
            reason,
            body: text.into_bytes(),
        });
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
            None => Err(NoPage {
                reason: "it has no data.alerts".to_owned(),
                body: text.into_bytes(),
            }),
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
    let page = page_of(text, nodes, replaced_bytes);
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
    let (text, replaced_bytes) = lossy_text(body.to_vec());
    let text = readable(text, &["data", "alerts", "edges"]);
    check_json(&text).ok()?;
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
                    Kind::Object => without_secret(node).into_owned(),
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
    Some((page_of(events, ranges, replaced_bytes), next))
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

/// Reads an answer to [`metadata_body`]. A console that does not know the question leaves the columns unknown.
pub fn parse_metadata(body: Vec<u8>) -> Result<Columns, NoPage> {
    let (text, _) = lossy_text(body);
    if let Err(reason) = check_json(&text) {
        return Err(NoPage {
            reason,
            body: text.into_bytes(),
        });
    }
    // Beside an error the list may be cut short, and a column that is missing would count as one that is not offered.
    let is_whole = failure::said(member(&text, "errors")).is_none();
    let columns =
        value_at(&text, &["data", "alertColumnMetadata"]).filter(|columns| is_whole && kind(columns) == Kind::Array);
    let Some(columns) = columns else {
        return Ok(None);
    };
    let offered = elements(&text, columns).into_iter().filter_map(|range| {
        let column = text.get(range)?;
        let has_no_filter = member(column, "filterTypes").is_some_and(|types| types.split_whitespace().eq(["[]"]));
        let field = member(column, "fieldId").filter(|_| !has_no_filter)?;
        Some(unquote(field).into_owned())
    });
    let offered: Vec<String> = offered.collect();
    Ok((!offered.is_empty()).then_some(offered))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

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

    fn alerts_body(field: &str, window: Window, first: usize, after: Option<&str>) -> String {
        super::alerts_body(&alerts_query(&OmittedFields::new()), field, window, first, after)
    }

    #[test]
    fn a_page_is_asked_for_by_the_field_in_its_ascending_order() {
        let body: Value = serde_json::from_str(&alerts_body("updatedAt", window(), 1000, None)).unwrap();
        let expected = json!({
            "filters": [{"fieldId": "updatedAt", "dateTimeRange": {"start": 1_795_168_800_001_i64, "end": 1_795_172_400_000_i64}}],
            "sort": {"by": "updatedAt", "order": "ASC"},
            "first": 1000,
        });
        assert_eq!(body["variables"], expected);
        let query = body["query"].as_str().unwrap();
        assert_eq!(query.matches('{').count(), query.matches('}').count());
        assert_eq!(query.matches('(').count(), query.matches(')').count());
    }

    #[test]
    fn a_further_page_differs_only_in_its_cursor() {
        let first: Value = serde_json::from_str(&alerts_body("createdAt", window(), 500, None)).unwrap();
        let mut further: Value = serde_json::from_str(&alerts_body("createdAt", window(), 500, Some("a+b=="))).unwrap();
        assert_eq!(further["variables"]["after"], "a+b==");
        further["variables"].as_object_mut().unwrap().remove("after");
        assert_eq!(further, first);
    }

    #[test]
    fn every_column_of_the_table_is_asked_for() {
        let table = include_str!("../../../../infra/tables/SentinelOneAlertsV2_CL.json");
        let table: Value = serde_json::from_str(table).unwrap();
        let query = alerts_query(&OmittedFields::new());
        for column in table["columns"].as_array().unwrap() {
            for key in column["from"][0].as_str().unwrap().split('.') {
                assert!(query.split_whitespace().any(|word| word == key), "{key}");
            }
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

    #[test]
    fn the_columns_are_those_that_can_be_filtered_by() {
        let body = r#"{"data":{"alertColumnMetadata":[{"fieldId":"createdAt","filterTypes":["DATE_RANGE"]},
            {"fieldId":"updatedAt","filterTypes":[]},{"fieldId":"status","filterTypes":null}]}}"#;
        let columns = parse_metadata(body.into()).unwrap();
        assert_eq!(columns, Some(vec!["createdAt".to_owned(), "status".to_owned()]));
        for body in [
            r#"{"errors":[{"message":"no such field"}]}"#,
            r#"{"data":{"alertColumnMetadata":[]}}"#,
            r#"{"data":{"alertColumnMetadata":[{"fieldId":"createdAt"}]},"errors":[{"message":"cut short"}]}"#,
            r#"{"data":null}"#,
        ] {
            assert_eq!(parse_metadata(body.into()).unwrap(), None, "{body}");
        }
        assert!(parse_metadata(b"<html>".to_vec()).is_err());
    }
}
