//! `POST /web/api/v2.1/unifiedalerts/graphql`: the queries `alerts` and `alertColumnMetadata`.
//!
//! Only selected fields are answered, as GraphQL has it: a field that nobody selects is not there. A query that
//! is refused gets an `errors` array in a 200 answer.

mod alerts;
mod document;
mod schema;

use serde_json::{Map, Value, json};

use super::Fault;
use super::contract::Stream;
use super::list::shows_its_data;
use super::state::State;
use crate::service::{Incoming, Reply};
use document::{Document, Field};
use schema::{METADATA, project, validate};

const STREAM: Stream = Stream::UnifiedAlerts;

/// A request body, read.
struct Request {
    document: Document,
    variables: Map<String, Value>,
}

impl State {
    pub(super) fn graphql(&mut self, incoming: &Incoming, fault: Option<&Fault>) -> Result<Reply, Reply> {
        if !incoming.is_of_type("application/json") {
            return Err(self.refused(STREAM, "the body is not said to be JSON"));
        }
        let request = match request(&incoming.body) {
            Ok(request) => request,
            Err(Problem::Body(problem)) => return Err(self.refused(STREAM, problem)),
            Err(Problem::Query(problem)) => return Ok(self.query_error(&problem)),
        };
        let mut data = Map::new();
        for field in &request.document.selection {
            let value = match field.name.as_str() {
                "alerts" => self.alerts(field, &request, fault),
                "alertColumnMetadata" => self.column_metadata(field),
                other => Err(format!("Query has no field {other}")),
            };
            match value {
                Ok(value) => data.insert(field.key().to_owned(), value),
                Err(problem) => return Ok(self.query_error(&problem)),
            };
        }
        let mut body = match fault {
            Some(Fault::NullData) => json!({"data": null}),
            _ => json!({"data": data}),
        };
        if fault == Some(&Fault::ErrorsBesideData) {
            body["errors"] = json!([{}]);
        }
        Ok(Reply::json(200, body.to_string()))
    }

    /// Names that a filter and a sort may have on this console.
    fn is_offered(&self, name: &str) -> bool {
        let contract = STREAM.contract();
        contract.sort(name).is_some() && !(self.options.without_updated_at && name == "updatedAt")
    }

    fn column_metadata(&mut self, field: &Field) -> Result<Value, String> {
        if !field.arguments.is_empty() {
            return Err("alertColumnMetadata takes no arguments".to_owned());
        }
        validate(&field.selection, METADATA, "alertColumnMetadata")?;
        let contract = STREAM.contract();
        let columns: Vec<Value> = contract
            .sorts
            .iter()
            .filter(|column| self.is_offered(column.name))
            .map(|column| {
                let is_time = contract.times.iter().any(|time| time.name == column.name);
                json!({
                    "fieldId": column.name,
                    "filterTypes": if is_time { json!(["DATE_RANGE"]) } else { json!(["STRING_IN", "STRING_EQUAL"]) },
                    "sortable": true,
                    "groupable": !is_time,
                    "enableNegation": true,
                    "enumValues": null,
                })
            })
            .collect();
        Ok(project(&Value::from(columns), &field.selection))
    }

    fn query_error(&mut self, problem: &str) -> Reply {
        self.violation(STREAM, problem);
        let error = json!({"message": problem, "extensions": {"classification": "ValidationError"}});
        Reply::json(200, json!({"errors": [error], "data": null}).to_string())
    }
}

enum Problem {
    /// 400: no GraphQL request at all.
    Body(&'static str),
    /// 200 with errors.
    Query(String),
}

fn request(body: &[u8]) -> Result<Request, Problem> {
    let body: Value = serde_json::from_slice(body).map_err(|_| Problem::Body("the body is no JSON"))?;
    let query = body["query"].as_str().ok_or(Problem::Body("the body has no query"))?;
    let document = Document::parse(query).map_err(Problem::Query)?;
    let variables = match body.get("variables") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(variables)) => variables.clone(),
        Some(_) => return Err(Problem::Body("the variables are no object")),
    };
    if let Some(name) = variables.keys().find(|name| !document.variables.contains_key(*name)) {
        return Err(Problem::Query(format!("the variable {name} is not declared")));
    }
    Ok(Request { document, variables })
}
