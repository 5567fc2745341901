//! What is checked of a call, in the order in which the first failure counts.

use std::io::Read;

use flate2::read::MultiGzDecoder;
use serde_json::Value;

use super::state::{Incoming, State};
use super::{AUDIENCE, Fault, LARGEST_EXPECTED_BYTES, READ_LIMIT_BYTES, Refusal};
use crate::query::pairs;

const VERSION: &str = "2023-01-01";

impl State {
    /// Everything that is wrong with a call before its body counts.
    pub(super) fn check_call(
        &mut self,
        incoming: &Incoming,
        rule_id: &str,
        table: &str,
        fault: Option<&Fault>,
    ) -> Result<(), Refusal> {
        if incoming.method != "POST" {
            self.violation(format!("a stream was called with {}", incoming.method));
            return Err(Refusal::new(405, "MethodNotAllowed", "Rows are sent with POST."));
        }
        let version = ("api-version".to_owned(), VERSION.to_owned());
        if pairs(&incoming.query) != [version] {
            self.violation(format!("the query is '{}'", incoming.query));
            return Err(Refusal::new(
                400,
                "UnsupportedApiVersion",
                "The query must be the api-version 2023-01-01.",
            ));
        }
        let token = incoming.authorization.strip_prefix("Bearer ");
        if token.is_none() {
            self.violation("a call without a bearer token");
        }
        match fault {
            Some(Fault::Status {
                status,
                retry_after,
                code,
            }) => {
                return Err(Refusal {
                    retry_after: *retry_after,
                    ..Refusal::new(*status, code, "The call failed on purpose.")
                });
            }
            Some(Fault::RefuseToken) => {
                self.identity.revoke(token.unwrap_or_default());
                return Err(Refusal::token());
            }
            _ => {}
        }
        if !token.is_some_and(|token| self.identity.is_valid(token, AUDIENCE)) {
            return Err(Refusal::token());
        }
        let Some(rule) = self.rules.iter().find(|rule| rule.rule_id == rule_id) else {
            return Err(Refusal::unknown_rule(rule_id));
        };
        if self.denied_rules.contains(rule_id) {
            return Err(Refusal::no_access(rule_id));
        }
        if !rule.tables.iter().any(|of_rule| of_rule == table) {
            self.violation(format!("the rule {rule_id} has no stream for {table}"));
            return Err(Refusal::new(
                400,
                "InvalidStream",
                "The stream was not configured in the data collection rule.",
            ));
        }
        Ok(())
    }

    /// The inflated body, where its form and its size are right.
    pub(super) fn check_body(
        &mut self,
        incoming: &Incoming,
        inflated: Result<Vec<u8>, String>,
    ) -> Result<Vec<u8>, Refusal> {
        let kind = incoming.content_type.split(';').next().unwrap_or_default();
        if !kind.trim().eq_ignore_ascii_case("application/json") {
            self.violation(format!("the Content-Type is '{}'", incoming.content_type));
            return Err(Refusal::new(
                415,
                "UnsupportedMediaType",
                "The body must be application/json.",
            ));
        }
        if incoming.content_encoding.is_empty() {
            self.violation("a body was sent without gzip");
        }
        let wire_bytes = incoming.body.len();
        if wire_bytes > self.largest_body {
            return Err(Refusal::too_large(self.largest_body, wire_bytes));
        }
        let body = match inflated {
            Ok(body) => body,
            Err(problem) => {
                self.violation(format!("a body could not be inflated: {problem}"));
                return Err(Refusal::new(400, "InvalidContentEncoding", problem));
            }
        };
        if body.len() > LARGEST_EXPECTED_BYTES {
            self.violation(format!(
                "a body has {} bytes without compression, more than {LARGEST_EXPECTED_BYTES}",
                body.len()
            ));
        }
        if body.len() > self.largest_body {
            return Err(Refusal::too_large(self.largest_body, body.len()));
        }
        Ok(body)
    }

    fn is_refused_on_purpose(&self, row: &Value) -> bool {
        if self.refused_texts.is_empty() {
            return false;
        }
        let text = row.to_string();
        let mut refused = self.refused_texts.iter();
        refused.any(|refused| text.contains(refused))
    }

    /// The rows of the body. A row that does not fit its table is taken all the same, as the service does,
    /// and kept as a violation.
    pub(super) fn check_rows(&mut self, table: &str, body: &[u8]) -> Result<Vec<Value>, Refusal> {
        let refused = |message: String| Refusal::new(400, "InvalidRequestContent", message);
        let rows: Vec<Value> = match serde_json::from_slice(body) {
            Ok(Value::Array(rows)) => rows,
            Ok(_) => {
                self.violation("a body is no JSON array");
                return Err(refused("The body must be a JSON array.".to_owned()));
            }
            Err(error) => {
                self.violation(format!("a body is no JSON: {error}"));
                return Err(refused(format!("The body is malformed JSON: {error}.")));
            }
        };
        if rows.is_empty() {
            self.violation("a call without rows");
        }
        let mut found = Vec::new();
        for (number, row) in rows.iter().enumerate() {
            if !row.is_object() {
                self.violation(format!("row {number} of a body is no JSON object"));
                return Err(refused(format!("Row {number} is no JSON object.")));
            }
            if self.is_refused_on_purpose(row) {
                return Err(refused(format!("A row is refused on purpose ({number}).")));
            }
            if let Some(schema) = self.tables.get(table) {
                found.extend(schema.violations(row));
            }
        }
        self.violations.extend(found);
        Ok(rows)
    }
}

/// The body without its compression, or why it cannot be had.
pub(super) fn inflated(incoming: &Incoming) -> Result<Vec<u8>, String> {
    match incoming.content_encoding.as_str() {
        "" => Ok(incoming.body.clone()),
        "gzip" => {
            let mut body = Vec::new();
            let limit = READ_LIMIT_BYTES as u64;
            MultiGzDecoder::new(incoming.body.as_slice())
                .take(limit)
                .read_to_end(&mut body)
                .map_err(|error| error.to_string())?;
            Ok(body)
        }
        other => Err(format!("unknown Content-Encoding {other}")),
    }
}
