//! The JSON envelope in which the host invokes a function and expects its answer.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::Datelike;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::functions::{HttpCall, HttpReply, TimerCall, TimerReply};
use crate::json::{Kind, kind, unquote};
use crate::time::VendorTime;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Envelope {
    /// By binding name, which only function.json knows.
    data: Option<BTreeMap<String, Box<RawValue>>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TimerInfo {
    is_past_due: Option<bool>,
    schedule_status: Option<ScheduleStatus>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ScheduleStatus {
    last: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HttpTrigger {
    url: String,
    method: Option<String>,
    headers: Option<Box<RawValue>>,
    body: Option<Box<RawValue>>,
}

/// Reads a timer's envelope. One that cannot be read is a tick all the same: nothing in it is needed to poll.
pub fn timer_call(body: &[u8], invocation_id: Option<String>) -> TimerCall {
    let info = bindings(body).and_then(|data| data.values().find_map(|value| decode::<TimerInfo>(value)));
    let info = info.unwrap_or_default();
    let last = info.schedule_status.and_then(|status| status.last);
    let last = last.and_then(|text| VendorTime::parse(&text).map(|time| time.utc()));
    TimerCall {
        is_past_due: info.is_past_due.unwrap_or_default(),
        // The host writes the year 1 for "never".
        last: last.filter(|time| time.year() > 1),
        invocation_id,
    }
}

/// Reads the envelope of an HTTP request. The error is for the caller of the function.
pub fn http_call(body: &[u8], body_limit: usize) -> Result<HttpCall, String> {
    let data = bindings(body).ok_or("the invocation is not the JSON envelope of the Functions host")?;
    let trigger = data.values().find_map(|value| decode::<HttpTrigger>(value));
    let trigger = trigger.ok_or("the invocation holds no HTTP request (Data.<binding>.Url)")?;
    let headers = trigger.headers.map(|headers| header_list(&headers)).unwrap_or_default();
    let content_type = headers
        .iter()
        .find(|(name, _)| name == "content-type")
        .map(|(_, value)| value.as_slice());
    let body = match trigger.body {
        Some(body) => content(&body, content_type.unwrap_or_default()),
        None => Vec::new(),
    };
    Ok(HttpCall {
        // A body without a method was posted.
        method: trigger
            .method
            .unwrap_or_else(|| if body.is_empty() { "GET" } else { "POST" }.to_owned())
            .to_ascii_uppercase(),
        path: api_path(&trigger.url).to_owned(),
        query: query(&trigger.url).to_owned(),
        headers,
        body: (body.len() <= body_limit).then_some(body),
        invocation_id: None,
    })
}

/// What stands behind `/api/` in an address or a path, without query and fragment.
pub fn api_path(url: &str) -> &str {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let path = url
        .split_once("://")
        .map_or(url, |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
    let path = path.trim_start_matches('/');
    let has_prefix = path.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("api/"));
    if has_prefix {
        path[4..].trim_end_matches('/')
    } else {
        path.trim_end_matches('/')
    }
}

/// What stands behind the `?` of an address, without the fragment.
fn query(url: &str) -> &str {
    let url = url.split('#').next().unwrap_or_default();
    url.split_once('?').map_or("", |(_, query)| query)
}

/// All three keys are always there, and `ReturnValue` is null: some hosts stumble over less.
pub fn timer_reply(reply: &TimerReply) -> String {
    json!({"Outputs": {}, "Logs": reply.lines, "ReturnValue": null}).to_string()
}

/// The reply of an HTTP function: its output binding is called `res`, whatever the input is called.
pub fn http_reply(reply: &HttpReply) -> String {
    let headers: BTreeMap<&str, &str> = reply
        .headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let res = json!({"statusCode": reply.status, "headers": headers, "body": reply.body});
    json!({"Outputs": {"res": res}, "Logs": [], "ReturnValue": null}).to_string()
}

fn bindings(body: &[u8]) -> Option<BTreeMap<String, Box<RawValue>>> {
    serde_json::from_slice::<Envelope>(body).ok()?.data
}

/// A value that may be JSON inside a string, once or twice.
fn decode<T: DeserializeOwned>(value: &RawValue) -> Option<T> {
    let mut text = value.get().to_owned();
    for _ in 0..3 {
        if let Ok(decoded) = serde_json::from_str::<T>(&text) {
            return Some(decoded);
        }
        text = serde_json::from_str::<String>(&text).ok()?;
    }
    None
}

fn header_list(headers: &RawValue) -> Vec<(String, Vec<u8>)> {
    let headers: BTreeMap<String, Value> = decode(headers).unwrap_or_default();
    let mut list = Vec::new();
    for (name, value) in headers {
        let values = match value {
            Value::Array(values) => values,
            other => vec![other],
        };
        let texts = values.into_iter().filter_map(|value| value.as_str().map(str::to_owned));
        list.extend(texts.map(|text| (name.to_ascii_lowercase(), text.into_bytes())));
    }
    list
}

/// The host encodes `application/octet-stream` and `multipart/*` as base64 and passes everything else on as text; some
/// hosts encode text as JSON twice.
fn content(body: &RawValue, content_type: &[u8]) -> Vec<u8> {
    let raw = body.get();
    match kind(raw) {
        Kind::Null => return Vec::new(),
        Kind::String => {}
        // A body that is no string is taken as it stands.
        _ => return raw.as_bytes().to_vec(),
    }
    let mut text = unquote(raw).into_owned();
    if text.starts_with('"') && serde_json::from_str::<&RawValue>(&text).is_ok() {
        text = unquote(&text).into_owned();
    }
    let content_type = content_type.to_ascii_lowercase();
    let is_binary = content_type.starts_with(b"application/octet-stream") || content_type.starts_with(b"multipart/");
    if !is_binary {
        return text.into_bytes();
    }
    // What is no base64 was not encoded: the type alone never refuses a body.
    BASE64_STANDARD.decode(&text).unwrap_or_else(|_| text.into_bytes())
}

#[cfg(test)]
mod tests;
