//! The JSON envelope in which the host hands an invocation to the handler.
//!
//! `{"Data": {"<binding>": value}, "Metadata": {…, "sys": {…}}}`. Objects stay objects; every other metadata
//! value is JSON text inside a string.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::caller::CallerRequest;
use crate::wall_clock;

/// The envelope of a timer invocation.
pub(super) fn of_timer(binding: &str, function: &str, id: &str, info: &TimerInfo) -> Value {
    json!({
        "Data": {binding: {
            "Schedule": {"AdjustForDST": true},
            "ScheduleStatus": info.schedule_status,
            "IsPastDue": info.is_past_due,
        }},
        "Metadata": {"sys": sys(function, id)},
    })
}

/// What the timer tells the function.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TimerInfo {
    /// `ScheduleStatus`: null for schedules of a minute or less, else an object with `Last`, `Next` and
    /// `LastUpdated`.
    pub schedule_status: Value,
    /// `IsPastDue`: the first run after the host had been away.
    pub is_past_due: bool,
}

/// The envelope of an http invocation.
pub(super) fn of_http(binding: &str, function: &str, id: &str, request: &CallerRequest) -> Value {
    let query: Map<String, Value> = request
        .joined_query()
        .into_iter()
        .map(|(name, value)| (name, Value::from(value)))
        .collect();
    let route = request.path.strip_prefix("/api/").unwrap_or_default();
    let params = if route.is_empty() {
        json!({})
    } else {
        json!({"path": route})
    };
    let mut data = json!({
        "Url": format!("http://localhost:7071{}", request.path_and_query()),
        "Method": request.method,
        "Query": query,
        "Headers": header_lists(request),
        "Params": params,
        "Identities": [identity(query.contains_key("code"))],
    });
    let body = body_text(request);
    if let Some(body) = &body {
        data["Body"] = Value::from(body.as_str());
    }
    let mut metadata = Map::new();
    metadata.insert("Headers".to_owned(), first_headers(request));
    metadata.insert("Query".to_owned(), Value::from(query.clone()));
    metadata.insert("Params".to_owned(), params.clone());
    let in_url = query.into_iter().filter(|(name, _)| name != "code");
    let in_route = params.as_object().cloned().unwrap_or_default();
    let in_body = body.map(|text| top_level_values(&text)).unwrap_or_default();
    for (name, value) in in_url.chain(in_route).chain(in_body) {
        add_metadata(&mut metadata, name, value);
    }
    metadata.insert("sys".to_owned(), sys(function, id));
    json!({"Data": {binding: data}, "Metadata": metadata})
}

fn sys(function: &str, id: &str) -> Value {
    let now = wall_clock::now().format("%Y-%m-%dT%H:%M:%S%.6f");
    // The host writes seven digits of fraction.
    json!({"MethodName": function, "UtcNow": format!("{now}1Z"), "RandGuid": id})
}

/// `Headers` of the data: every value in a list.
fn header_lists(request: &CallerRequest) -> Value {
    let mut lists: Map<String, Value> = Map::new();
    for (name, value) in request.headers_at_the_host() {
        let list = lists.entry(name).or_insert_with(|| json!([]));
        if let Some(list) = list.as_array_mut() {
            list.push(Value::from(value));
        }
    }
    Value::from(lists)
}

/// `Headers` of the metadata: the first value as plain text.
fn first_headers(request: &CallerRequest) -> Value {
    let mut first: Map<String, Value> = Map::new();
    for (name, value) in request.headers_at_the_host() {
        first.entry(name).or_insert_with(|| Value::from(value));
    }
    Value::from(first)
}

/// `Body`: absent without a Content-Length above 0; base64 for binary types; else text, in which bytes that
/// are no UTF-8 are lost.
fn body_text(request: &CallerRequest) -> Option<String> {
    if request.is_chunked() || request.body.is_empty() {
        return None;
    }
    let content_type = request.header("Content-Type").unwrap_or_default();
    let kind = content_type.to_ascii_lowercase();
    if kind.starts_with("application/octet-stream") || kind.starts_with("multipart/") {
        return Some(STANDARD.encode(&request.body));
    }
    let text = String::from_utf8_lossy(&request.body);
    // The host's reader takes a byte order mark away.
    Some(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned())
}

/// The top-level properties of a JSON object, without lists.
fn top_level_values(body: &str) -> Map<String, Value> {
    let Ok(Value::Object(mut values)) = serde_json::from_str(body) else {
        return Map::new();
    };
    values.retain(|_, value| !value.is_array());
    values
}

/// Nulls and names that end in "trigger" are skipped; anything but an object becomes JSON text.
fn add_metadata(metadata: &mut Map<String, Value>, name: String, value: Value) {
    if value.is_null() || name.to_ascii_lowercase().ends_with("trigger") {
        return;
    }
    let written = if value.is_object() {
        value
    } else {
        Value::from(value.to_string())
    };
    metadata.entry(name).or_insert(written);
}

fn identity(has_key: bool) -> Value {
    let level = if has_key { "Function" } else { "Anonymous" };
    json!({
        "AuthenticationType": "WebJobsAuthLevel",
        "IsAuthenticated": true,
        "Actor": null,
        "BootstrapContext": null,
        "Claims": [{
            "Issuer": "LOCAL AUTHORITY",
            "OriginalIssuer": "LOCAL AUTHORITY",
            "Properties": {},
            "Type": "http://schemas.microsoft.com/2017/07/functions/claims/authlevel",
            "Value": level,
            "ValueType": "http://www.w3.org/2001/XMLSchema#string",
        }],
        "Label": null,
        "Name": null,
        "NameClaimType": "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
        "RoleClaimType": "http://schemas.microsoft.com/ws/2008/06/identity/claims/role",
    })
}
