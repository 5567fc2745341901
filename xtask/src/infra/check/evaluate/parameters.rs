//! What a template allows the value of a parameter to be.

use serde_json::Value;

/// What is wrong with the value of a parameter.
pub fn problem(declared: &Value, value: &Value) -> Option<String> {
    let wanted = declared["type"].as_str().unwrap_or_default().to_lowercase();
    let has_type = match wanted.as_str() {
        "string" | "securestring" => value.is_string(),
        "int" => value.is_i64(),
        "bool" => value.is_boolean(),
        "array" => value.is_array(),
        _ => value.is_object(),
    };
    if !has_type {
        return Some(format!("is no {wanted}"));
    }
    if let Some(allowed) = declared["allowedValues"].as_array() {
        let all_allowed = match value {
            Value::Array(elements) => elements.iter().all(|element| allowed.contains(element)),
            scalar => allowed.contains(scalar),
        };
        if !all_allowed {
            return Some(format!("must be one of {}", declared["allowedValues"]));
        }
    }
    let size = match value {
        Value::String(text) => i64::try_from(text.chars().count()).ok(),
        Value::Array(elements) => i64::try_from(elements.len()).ok(),
        other => other.as_i64(),
    }?;
    let least = declared["minLength"].as_i64().or(declared["minValue"].as_i64());
    let most = declared["maxLength"].as_i64().or(declared["maxValue"].as_i64());
    let outside = least.is_some_and(|least| size < least) || most.is_some_and(|most| size > most);
    outside.then(|| format!("has the length or value {size}, which is outside its limits"))
}
