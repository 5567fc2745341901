//! What is checked of a call, in the order in which the first failure counts.

use std::io::Read;

use flate2::read::MultiGzDecoder;
use serde_json::Value;

use super::contract::{AUDIENCE, IngestionFault, LARGEST_EXPECTED_BYTES, READ_LIMIT_BYTES, StreamPath};
use super::refusal::{no_access, refusal, refused_token, too_large, unknown_rule};
use super::state::Endpoint;
use crate::query::pairs;
use crate::service::{Reply, Request};
use crate::tables::{TableSchema, violations};

const VERSION: &str = "2023-01-01";

/// Everything that is wrong with a call before its body counts.
pub(super) fn call(
    endpoint: &mut Endpoint,
    request: &Request,
    stream: &StreamPath,
    fault: Option<&IngestionFault>,
) -> Result<(), Reply> {
    if request.method != "POST" {
        endpoint
            .controls
            .violation(format!("a stream was called with {}", request.method));
        return Err(refusal(405, "MethodNotAllowed", "Rows are sent with POST."));
    }
    let version = ("api-version".to_owned(), VERSION.to_owned());
    if pairs(&request.query) != [version] {
        endpoint.controls.violation(format!("the query is '{}'", request.query));
        return Err(refusal(
            400,
            "UnsupportedApiVersion",
            "The query must be the api-version 2023-01-01.",
        ));
    }
    let token = request.credentials("Bearer");
    if token.is_none() {
        endpoint.controls.violation("a call without a bearer token");
    }
    match fault {
        Some(IngestionFault::Status {
            status,
            retry_after,
            code,
        }) => {
            let refusal = refusal(*status, code, "The call failed on purpose.");
            return Err(refusal.with_retry_after(*retry_after));
        }
        Some(IngestionFault::RefuseToken) => {
            endpoint.identity.revoke(token.unwrap_or_default());
            return Err(refused_token());
        }
        _ => {}
    }
    if !token.is_some_and(|token| endpoint.identity.is_valid(token, AUDIENCE)) {
        return Err(refused_token());
    }
    rule(endpoint, stream)
}

fn rule(endpoint: &mut Endpoint, stream: &StreamPath) -> Result<(), Reply> {
    let StreamPath { rule_id, table } = stream;
    let Some(rule) = endpoint.rules.iter().find(|rule| &rule.rule_id == rule_id) else {
        return Err(unknown_rule(rule_id));
    };
    if endpoint.denied_rules.contains(rule_id) {
        return Err(no_access(rule_id));
    }
    if !rule.tables.contains(table) {
        endpoint
            .controls
            .violation(format!("the rule {rule_id} has no stream for {table}"));
        return Err(refusal(
            400,
            "InvalidStream",
            "The stream was not configured in the data collection rule.",
        ));
    }
    Ok(())
}

/// The inflated body, where its form and its size are right.
pub(super) fn body(
    endpoint: &mut Endpoint,
    request: &Request,
    inflated: Result<Vec<u8>, String>,
) -> Result<Vec<u8>, Reply> {
    if !request.has_content_type("application/json") {
        endpoint
            .controls
            .violation(format!("the Content-Type is '{}'", request.content_type()));
        return Err(refusal(
            415,
            "UnsupportedMediaType",
            "The body must be application/json.",
        ));
    }
    if content_encoding(request).is_empty() {
        endpoint.controls.violation("a body was sent without gzip");
    }
    let wire_bytes = request.body.len();
    if wire_bytes > endpoint.largest_body {
        return Err(too_large(endpoint.largest_body, wire_bytes));
    }
    let body = match inflated {
        Ok(body) => body,
        Err(problem) => {
            endpoint
                .controls
                .violation(format!("a body could not be inflated: {problem}"));
            return Err(refusal(400, "InvalidContentEncoding", problem));
        }
    };
    if body.len() > LARGEST_EXPECTED_BYTES {
        endpoint.controls.violation(format!(
            "a body has {} bytes without compression, more than {LARGEST_EXPECTED_BYTES}",
            body.len()
        ));
    }
    if body.len() > endpoint.largest_body {
        return Err(too_large(endpoint.largest_body, body.len()));
    }
    Ok(body)
}

/// The rows of the body. A row that does not fit its table is taken all the same, as the service does,
/// and kept as a violation.
pub(super) fn rows(endpoint: &mut Endpoint, table: &str, body: &[u8]) -> Result<Vec<Value>, Reply> {
    let refused = |message: String| refusal(400, "InvalidRequestContent", message);
    let rows: Vec<Value> = match serde_json::from_slice(body) {
        Ok(Value::Array(rows)) => rows,
        Ok(_) => {
            endpoint.controls.violation("a body is no JSON array");
            return Err(refused("The body must be a JSON array.".to_owned()));
        }
        Err(error) => {
            endpoint.controls.violation(format!("a body is no JSON: {error}"));
            return Err(refused(format!("The body is malformed JSON: {error}.")));
        }
    };
    if rows.is_empty() {
        endpoint.controls.violation("a call without rows");
    }
    let may_be_refused = endpoint.is_refused_on_purpose(&String::from_utf8_lossy(body));
    let mut found = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        if !row.is_object() {
            endpoint
                .controls
                .violation(format!("row {number} of a body is no JSON object"));
            return Err(refused(format!("Row {number} is no JSON object.")));
        }
        if may_be_refused && endpoint.is_refused_on_purpose(&row.to_string()) {
            return Err(refused(format!("A row is refused on purpose ({number}).")));
        }
        if let Some(schema) = TableSchema::all().get(table) {
            found.extend(violations(schema, row));
        }
    }
    endpoint.controls.violations.extend(found);
    Ok(rows)
}

/// The rows without what the stream does not declare.
pub(super) fn declared(endpoint: &Endpoint, stream: &StreamPath, mut rows: Vec<Value>) -> Vec<Value> {
    let schema = TableSchema::all().get(&stream.table);
    let is_older = endpoint.rules_of_older_templates.contains(&stream.rule_id);
    if let Some(schema) = schema.filter(|_| is_older) {
        let objects = rows.iter_mut().filter_map(Value::as_object_mut);
        objects.for_each(|row| row.retain(|name, _| !schema.added.contains(name)));
    }
    rows
}

/// The body without its compression, or why it cannot be had.
pub(super) fn inflated(request: &Request) -> Result<Vec<u8>, String> {
    match content_encoding(request) {
        "" => Ok(request.body.clone()),
        "gzip" => {
            let mut body = Vec::new();
            let limit = READ_LIMIT_BYTES as u64;
            MultiGzDecoder::new(request.body.as_slice())
                .take(limit)
                .read_to_end(&mut body)
                .map_err(|error| error.to_string())?;
            Ok(body)
        }
        other => Err(format!("unknown Content-Encoding {other}")),
    }
}

fn content_encoding(request: &Request) -> &str {
    request.header("content-encoding").unwrap_or_default()
}
