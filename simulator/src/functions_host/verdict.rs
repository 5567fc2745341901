//! How the host reads the handler's reply to an envelope.

use serde_json::{Map, Value};

use super::contract::{HttpAnswer, Invocation};
use super::error::HostError;
use super::exchange::RawAnswer;

/// The reply as an invocation, or what the host would do instead.
pub(super) fn invocation(answer: &RawAnswer) -> Result<Invocation, HostError> {
    if !(200..300).contains(&answer.status) {
        return Err(HostError::InvocationFailed {
            status: answer.status,
            reason: answer.reason.clone(),
            body: String::from_utf8_lossy(&answer.body).into_owned(),
        });
    }
    let text = String::from_utf8_lossy(&answer.body);
    if text.is_empty() {
        return Err(would_hang(answer));
    }
    let content_type = answer.header("Content-Type").unwrap_or_default();
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    if !["application/json", "text/json"].contains(&kind.to_ascii_lowercase().as_str()) {
        return Err(HostError::UnsupportedMediaType(content_type.to_owned()));
    }
    let reply = match serde_json::from_str(&text) {
        Ok(Value::Null) => return Err(would_hang(answer)),
        Ok(Value::Object(reply)) => reply,
        Ok(_) => return Err(HostError::InvalidReply("it is no JSON object".to_owned())),
        Err(error) => return Err(HostError::InvalidReply(format!("{error} in: {text}"))),
    };
    if !answer.request_sent {
        return Err(HostError::BodyNotRead);
    }
    Ok(Invocation {
        logs: logs(&reply)?,
        outputs: outputs(&reply)?,
        return_value: value_of(&reply, "ReturnValue"),
        reply: Value::from(reply),
    })
}

fn would_hang(answer: &RawAnswer) -> HostError {
    HostError::WouldHang { status: answer.status }
}

/// The host reads the keys in any case; a missing one is null.
fn value_of(object: &Map<String, Value>, key: &str) -> Value {
    let mut entries = object.iter();
    let found = entries.find(|(given, _)| given.eq_ignore_ascii_case(key));
    found.map_or(Value::Null, |(_, value)| value.clone())
}

fn logs(reply: &Map<String, Value>) -> Result<Vec<String>, HostError> {
    match value_of(reply, "Logs") {
        Value::Null => Ok(Vec::new()),
        Value::Array(entries) => entries.into_iter().map(log_entry).collect(),
        _ => Err(HostError::InvalidReply("Logs is no array".to_owned())),
    }
}

fn log_entry(entry: Value) -> Result<String, HostError> {
    match entry {
        Value::String(text) => Ok(text),
        Value::Object(_) | Value::Array(_) => Err(HostError::InvalidReply("an entry of Logs is no text".to_owned())),
        scalar => Ok(scalar.to_string()),
    }
}

fn outputs(reply: &Map<String, Value>) -> Result<Map<String, Value>, HostError> {
    match value_of(reply, "Outputs") {
        Value::Null => Ok(Map::new()),
        Value::Object(outputs) => Ok(outputs),
        _ => Err(HostError::InvalidReply("Outputs is no object".to_owned())),
    }
}

/// What the caller gets for the http output `binding` of an invocation.
pub(super) fn http_answer(invocation: &Invocation, binding: &str) -> Result<HttpAnswer, HostError> {
    let Some(output) = invocation.outputs.get(binding) else {
        return Ok(HttpAnswer {
            status: 200,
            headers: Vec::new(),
            body: Vec::new(),
        });
    };
    let Some(output) = output.as_object() else {
        return Err(HostError::InvalidReply(format!("the output {binding} is no object")));
    };
    let mut headers = output_headers(output)?;
    if headers
        .iter()
        .all(|(name, _)| !name.eq_ignore_ascii_case("Content-Type"))
    {
        let usual = "text/plain; charset=utf-8".to_owned();
        headers.push(("Content-Type".to_owned(), usual));
    }
    Ok(HttpAnswer {
        status: status_code(output)?,
        headers,
        body: output_body(value_of(output, "body")),
    })
}

/// `statusCode` as a number or as text; `status` is not looked at.
fn status_code(output: &Map<String, Value>) -> Result<u16, HostError> {
    let text = match value_of(output, "statusCode") {
        Value::Null => return Ok(200),
        Value::String(text) => text,
        other => other.to_string(),
    };
    text.parse()
        .map_err(|_| HostError::InvalidReply(format!("the statusCode is '{text}'")))
}

fn output_headers(output: &Map<String, Value>) -> Result<Vec<(String, String)>, HostError> {
    let headers = match value_of(output, "headers") {
        Value::Null => return Ok(Vec::new()),
        Value::Object(headers) => headers,
        _ => return Err(HostError::InvalidReply("headers is no object".to_owned())),
    };
    Ok(headers
        .into_iter()
        .map(|(name, value)| (name, plain_text(value)))
        .collect())
}

/// Text stays as it is, other JSON is indented, nothing is nothing.
fn output_body(body: Value) -> Vec<u8> {
    match body {
        Value::Null => Vec::new(),
        Value::Object(_) | Value::Array(_) => serde_json::to_vec_pretty(&body).expect("a value can be written"),
        scalar => plain_text(scalar).into_bytes(),
    }
}

fn plain_text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
