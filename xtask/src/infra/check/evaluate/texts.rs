//! Functions of texts.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::call::Call;
use super::error::{Evaluated, invalid};
use super::late;

/// None: the function is not one of these, or is called for an array or object.
pub fn call(call: &Call<'_>) -> Option<Evaluated> {
    Some(match call.lower {
        "tolower" => call.text(0).map(|text| text.to_lowercase().into()),
        "toupper" => call.text(0).map(|text| text.to_uppercase().into()),
        "trim" => call.text(0).map(|text| text.trim().into()),
        "format" => format(call),
        "guid" => guid(call),
        "uniquestring" => unique_string(call),
        "join" => join(call),
        "json" => json(call),
        "padleft" => pad_left(call),
        "replace" => replace(call),
        "split" => split(call),
        "startswith" => ends(call, |text, end| text.starts_with(end)),
        "endswith" => ends(call, |text, end| text.ends_with(end)),
        "string" => call.argument(0).map(|value| written(value).into()),
        "substring" => substring(call),
        "uri" => uri(call),
        "uricomponent" => call.text(0).map(|text| uri_component(text).into()),
        _ => return None,
    })
}

/// A value as `string` gives it: JSON, but for texts.
fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        other => other.to_string(),
    }
}

/// `{0}`, `{1}` ... with what follows; `{{` and `}}` are braces.
fn format(call: &Call<'_>) -> Evaluated {
    let (open, close) = ("\u{1}", "\u{2}");
    let mut formatted = call.text(0)?.replace("{{", open).replace("}}", close);
    for (place, value) in call.arguments.iter().skip(1).enumerate() {
        formatted = formatted.replace(&format!("{{{place}}}"), &written(value));
    }
    Ok(formatted.replace(open, "{").replace(close, "}").into())
}

/// Not the value that Azure makes, but one of the same form that depends on the same arguments.
fn guid(call: &Call<'_>) -> Evaluated {
    let digits: String = hash(call).iter().map(|byte| format!("{byte:02x}")).collect();
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| digits.get(part).unwrap_or_default());
    Ok(parts.join("-").into())
}

/// As [`guid`], of 13 characters.
fn unique_string(call: &Call<'_>) -> Evaluated {
    let letters: Vec<char> = "abcdefghijklmnopqrstuvwxyz234567".chars().collect();
    let hash = hash(call);
    let characters = hash.iter().take(13);
    Ok(characters
        .filter_map(|byte| letters.get(usize::from(byte % 32)))
        .collect::<String>()
        .into())
}

fn hash(call: &Call<'_>) -> Vec<u8> {
    let arguments: Vec<String> = call.arguments.iter().map(written).collect();
    Sha256::digest(arguments.join("-").as_bytes()).to_vec()
}

fn join(call: &Call<'_>) -> Evaluated {
    let parts: Vec<String> = call.array(0)?.iter().map(written).collect();
    Ok(parts.join(call.text(1)?).into())
}

fn json(call: &Call<'_>) -> Evaluated {
    let text = call.text(0)?;
    serde_json::from_str(text).or_else(|error| invalid(format!("json('{text}'): {error}")))
}

fn pad_left(call: &Call<'_>) -> Evaluated {
    let (text, width) = (written(call.argument(0)?), call.count(1)?);
    let filler = match call.arguments.get(2) {
        Some(_) => call.text(2)?,
        None => " ",
    };
    let missing = width.saturating_sub(text.chars().count());
    Ok(format!("{}{text}", filler.repeat(missing)).into())
}

fn replace(call: &Call<'_>) -> Evaluated {
    Ok(call.text(0)?.replace(call.text(1)?, call.text(2)?).into())
}

/// By one delimiter, or by each of an array.
fn split(call: &Call<'_>) -> Evaluated {
    let delimiters: Vec<&str> = match call.argument(1)? {
        Value::Array(delimiters) => delimiters.iter().filter_map(Value::as_str).collect(),
        _ => vec![call.text(1)?],
    };
    let mut parts = vec![call.text(0)?];
    for delimiter in delimiters {
        parts = parts.into_iter().flat_map(|part| part.split(delimiter)).collect();
    }
    Ok(parts.into_iter().map(Value::from).collect())
}

/// Without regard to case, as documented.
fn ends(call: &Call<'_>, holds: fn(&str, &str) -> bool) -> Evaluated {
    Ok(holds(&call.text(0)?.to_lowercase(), &call.text(1)?.to_lowercase()).into())
}

fn substring(call: &Call<'_>) -> Evaluated {
    let (text, start) = (call.text(0)?, call.count(1)?);
    let rest = text.chars().count().checked_sub(start);
    let length = match call.arguments.get(2) {
        Some(_) => call.count(2)?,
        None => rest.unwrap_or_default(),
    };
    if rest.is_none_or(|rest| length > rest) {
        return invalid(format!("substring('{text}', {start}, {length}) is beyond its end"));
    }
    Ok(text.chars().skip(start).take(length).collect::<String>().into())
}

fn uri(call: &Call<'_>) -> Evaluated {
    let (base, path) = (call.text(0)?, call.text(1)?);
    Ok(format!("{}/{}", base.trim_end_matches('/'), path.trim_start_matches('/')).into())
}

fn uri_component(text: &str) -> String {
    let bytes = text.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    });
    bytes.collect()
}

/// The texts of a `concat`.
pub fn concatenated(call: &Call<'_>) -> Evaluated {
    if let Some(bad) = call.arguments.iter().find(|part| part.is_array() || part.is_object()) {
        return invalid(format!("concat() joins texts or arrays, not {}", late::written(bad)));
    }
    Ok(call.arguments.iter().map(written).collect::<String>().into())
}
