//! The GraphQL of unified alerts: what is asked, and the form of the answers.

use serde_json::json;

use super::cursor::decoded;
use super::failure;
use super::page::{check_json, elements, page_of};
use crate::json::{Kind, kind, lossy_text, member, range_in, unquote, value_at};
use crate::sources::{Page, Window};

const ALERTS: &str = "query Alerts($filters: [FilterInput!], $sort: SortInput, $first: Int, $after: String) { \
    alerts(filters: $filters, sort: $sort, first: $first, after: $after) { \
    edges { cursor node { id name description detectedAt createdAt updatedAt status severity analystVerdict \
    externalId storylineId attackSurfaces confidenceLevel classification detectionSource { product vendor } \
    assignee { fullName email } assets { id name agentUuid osType osVersion } dataSources } } \
    pageInfo { hasNextPage endCursor } } }";
const METADATA: &str = "query { alertColumnMetadata { fieldId filterTypes } }";

/// What a console offers to filter and sort alerts by; nothing is known if the answer does not say.
pub type Columns = Option<Vec<String>>;

/// The body that asks for a page. The range takes milliseconds since 1970; its bounds may both be inclusive, and what
/// an inclusive upper one brings too early is known when it comes again.
pub fn alerts_body(field: &str, window: Window, first: usize, after: Option<&str>) -> String {
    let range = json!({"start": window.from.timestamp_millis(), "end": window.to.timestamp_millis()});
    let mut variables = json!({
        "filters": [{"fieldId": field, "dateTimeRange": range}],
        "sort": {"by": field, "order": "ASC"},
        "first": first,
    });
    if let Some(after) = after {
        variables["after"] = after.into();
    }
    json!({"query": ALERTS, "variables": variables}).to_string()
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
    /// No data, only an error: its code and title.
    Error(String),
}

/// Reads an answer to [`alerts_body`]; the error says why it is none and gives the body back.
pub fn parse_alerts(body: Vec<u8>) -> Result<AlertsReply, (String, Vec<u8>)> {
    let (text, replaced_bytes) = lossy_text(body);
    if let Err(reason) = check_json(&text) {
        return Err((reason, text.into_bytes()));
    }
    let alerts = value_at(&text, &["data", "alerts"]).filter(|alerts| kind(alerts) == Kind::Object);
    let Some(alerts) = alerts else {
        return match member(&text, "errors").and_then(failure::first_error) {
            Some(error) => Ok(AlertsReply::Error(error)),
            None => Err(("it has no data.alerts".to_owned(), text.into_bytes())),
        };
    };
    let cursor = match next_cursor(alerts) {
        Ok(cursor) => cursor,
        Err(reason) => return Err((reason, text.into_bytes())),
    };
    let edges = member(alerts, "edges").unwrap_or("[]");
    let nodes = elements(&text, edges).into_iter().filter_map(|range| {
        // An edge without a node stays as it is: what is no event is set aside where somebody sees it.
        let edge = text.get(range)?;
        Some(range_in(&text, member(edge, "node").unwrap_or(edge)))
    });
    let nodes = nodes.collect();
    Ok(AlertsReply::Page(page_of(text, nodes, replaced_bytes), cursor))
}

fn next_cursor(alerts: &str) -> Result<Option<String>, String> {
    if value_at(alerts, &["pageInfo", "hasNextPage"]) != Some("true") {
        return Ok(None);
    }
    let cursor = value_at(alerts, &["pageInfo", "endCursor"]).filter(|cursor| kind(cursor) == Kind::String);
    match cursor.map(|cursor| decoded(&unquote(cursor))) {
        Some(cursor) if !cursor.is_empty() => Ok(Some(cursor)),
        _ => Err("it says that there is a next page, but not where".to_owned()),
    }
}

/// Reads an answer to [`metadata_body`]. A console that does not know the question leaves the columns unknown.
pub fn parse_metadata(body: Vec<u8>) -> Result<Columns, (String, Vec<u8>)> {
    let (text, _) = lossy_text(body);
    if let Err(reason) = check_json(&text) {
        return Err((reason, text.into_bytes()));
    }
    let columns = value_at(&text, &["data", "alertColumnMetadata"]).filter(|columns| kind(columns) == Kind::Array);
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
        match parse_alerts(body.into()).unwrap() {
            AlertsReply::Page(page, cursor) => (page.events().map(str::to_owned).collect(), cursor),
            AlertsReply::Error(error) => panic!("{error}"),
        }
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
        for column in table["columns"].as_array().unwrap() {
            for key in column["from"][0].as_str().unwrap().split('.') {
                assert!(ALERTS.split_whitespace().any(|word| word == key), "{key}");
            }
        }
    }

    #[test]
    fn nodes_and_the_cursor_are_read() {
        let body = r#"{"data":{"alerts":{"edges":[{"cursor":"a","node":{"id":"1"}},{"node":{"id":"2","registrationToken":"s"}},
            {"node":null}],"pageInfo":{"hasNextPage":true,"endCursor":"c%3D"}}},"errors":[{"message":"one part is late"}]}"#;
        let (events, cursor) = page(body);
        assert_eq!(events, [r#"{"id":"1"}"#, r#"{"id":"2"}"#, "null"]);
        assert_eq!(cursor.as_deref(), Some("c="));
    }

    #[test]
    fn the_last_page_has_no_next_one_whatever_its_cursor() {
        for body in [
            r#"{"data":{"alerts":{"edges":[],"pageInfo":{"hasNextPage":false,"endCursor":"c"}}}}"#,
            r#"{"data":{"alerts":{"edges":null,"pageInfo":{"hasNextPage":null,"endCursor":null}}}}"#,
            r#"{"data":{"alerts":{}}}"#,
        ] {
            assert_eq!(page(body), (Vec::new(), None), "{body}");
        }
    }

    #[test]
    fn errors_alone_are_an_error_with_their_class() {
        let body = r#"{"data":{"alerts":null},"errors":[{"message":"\"secret\" in {x}","extensions":{"classification":"DataFetchingException"}}]}"#;
        match parse_alerts(body.into()).unwrap() {
            AlertsReply::Error(error) => assert_eq!(error, "DataFetchingException"),
            AlertsReply::Page(page, _) => panic!("{page:?}"),
        }
    }

    #[test]
    fn what_is_no_answer_says_why() {
        for body in [
            "",
            "<html>",
            "{}",
            r#"{"data":null}"#,
            r#"{"data":{"alerts":{"edges":[],"pageInfo":{"hasNextPage":true,"endCursor":null}}}}"#,
        ] {
            assert!(parse_alerts(body.into()).is_err(), "{body}");
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
            r#"{"data":null}"#,
        ] {
            assert_eq!(parse_metadata(body.into()).unwrap(), None, "{body}");
        }
        assert!(parse_metadata(b"<html>".to_vec()).is_err());
    }
}
