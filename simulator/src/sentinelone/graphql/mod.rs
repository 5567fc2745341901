//! `POST /web/api/v2.1/unifiedalerts/graphql`: the queries `alerts` and `alertColumnMetadata`.
//!
//! Only selected fields are answered, as GraphQL has it: a field that nobody selects is not there. A query that
//! is refused gets an `errors` array in a 200 answer.

mod alerts;
mod document;
mod inputs;
mod metadata;
mod operation;
mod schema;

use serde_json::{Map, Value, json};

use super::contract::Stream;
use super::options::ConsoleFault;
use super::state::Console;
use crate::service::{Fault, Reply, Request};
use operation::{Operation, Problem};

const STREAM: Stream = Stream::UnifiedAlerts;

pub(super) fn reply(
    console: &mut Console,
    request: &Request,
    fault: Option<&Fault<ConsoleFault>>,
) -> Result<Reply, Reply> {
    if !request.has_content_type("application/json") {
        return Err(console.refused(STREAM, "the body is not said to be JSON"));
    }
    let data = match Operation::parse(&request.body) {
        Ok(operation) => data(console, &operation, fault),
        Err(Problem::Body(problem)) => return Err(console.refused(STREAM, problem)),
        Err(Problem::Query(problem)) => Err(problem),
    };
    let data = match data {
        Ok(data) => data,
        Err(problem) => return Ok(query_error(console, &problem)),
    };
    let mut body = match fault {
        Some(Fault::Vendor(ConsoleFault::NullData)) => json!({"data": null}),
        _ => json!({"data": data}),
    };
    if fault == Some(&Fault::Vendor(ConsoleFault::ErrorsBesideData)) {
        body["errors"] = json!([{}]);
    }
    Ok(Reply::json(200, body.to_string()))
}

fn data(
    console: &mut Console,
    operation: &Operation,
    fault: Option<&Fault<ConsoleFault>>,
) -> Result<Map<String, Value>, String> {
    let mut data = Map::new();
    for field in &operation.document.selection {
        let value = match field.name.as_str() {
            "alerts" => alerts::connection(console, field, operation, fault)?,
            "alertColumnMetadata" => metadata::columns(&console.options, field)?,
            other => return Err(format!("Query has no field {other}")),
        };
        data.insert(field.key().to_owned(), value);
    }
    Ok(data)
}

fn query_error(console: &mut Console, problem: &str) -> Reply {
    console.violation(STREAM, problem);
    let error = json!({"message": problem, "extensions": {"classification": "ValidationError"}});
    Reply::json(200, json!({"errors": [error], "data": null}).to_string())
}
