//! The GraphQL of unified alerts: what is asked for, and which columns a console offers.

use serde_json::json;

use super::page::check_object;
use super::selection::OmittedFields;
use crate::json::{Kind, kind, lossy_text, member, unquote, value_at};
use crate::sources::cursor_pages::PageRequest;
use crate::sources::page::{NoPage, elements};
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
pub fn alerts_body(query: &str, field: &str, request: PageRequest<'_>) -> String {
    let window = request.window;
    let range = json!({"start": window.from.timestamp_millis(), "end": window.to.timestamp_millis()});
    let mut variables = json!({
        "filters": [{"fieldId": field, "dateTimeRange": range}],
        "sort": {"by": field, "order": "ASC"},
        "first": request.limit,
    });
    if let Some(cursor) = request.cursor {
        variables["after"] = cursor.into();
    }
    json!({"query": query, "variables": variables}).to_string()
}

/// The body that asks which fields there are.
pub fn metadata_body() -> String {
    json!({"query": METADATA}).to_string()
}

/// Reads an answer to [`metadata_body`]. A console that does not know the question leaves the columns unknown.
pub fn parse_metadata(body: Vec<u8>) -> Result<Columns, NoPage> {
    let (text, _) = lossy_text(body);
    if let Err(reason) = check_object(&text) {
        return Err(NoPage::new(reason, text));
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
    use serde_json::Value;

    use super::*;
    use crate::sources::Window;

    fn window() -> Window {
        Window {
            from: "2026-11-20T10:00:00.001Z".parse().unwrap(),
            to: "2026-11-20T11:00:00Z".parse().unwrap(),
        }
    }

    fn alerts_body(field: &str, window: Window, first: usize, after: Option<&str>) -> String {
        let request = PageRequest {
            cursor: after,
            ..PageRequest::first(window, first)
        };
        super::alerts_body(&alerts_query(&OmittedFields::new()), field, request)
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
        let columns = table["columns"].as_array().unwrap().iter();
        let paths = columns.filter_map(|column| column["from"][0].as_str());
        for path in paths.filter(|path| !path.starts_with('$')) {
            for key in path.split('.') {
                assert!(query.split_whitespace().any(|word| word == key), "{key}");
            }
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
