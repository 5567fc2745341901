//! Values that are known only when resources are there, such as what `reference` gives. They stay expressions, with the
//! rest evaluated, as in the snapshots of Bicep.

use serde_json::{Map, Value};

/// Tells an expression that stayed one from a text that begins with a bracket: of the private use area, in no template.
const MARK: char = '\u{E000}';

/// The value of an expression that cannot be evaluated yet.
pub fn of(expression: String) -> Value {
    format!("{MARK}{expression}").into()
}

/// A call that cannot be evaluated yet.
pub fn call(name: &str, arguments: &[Value]) -> Value {
    let arguments: Vec<String> = arguments.iter().map(written).collect();
    of(format!("{name}({})", arguments.join(", ")))
}

/// The expression, if the value is one.
pub fn text(value: &Value) -> Option<&str> {
    value.as_str()?.strip_prefix(MARK)
}

/// Whether something in the value is not known.
pub fn is_in(value: &Value) -> bool {
    match value {
        Value::Array(elements) => elements.iter().any(is_in),
        Value::Object(members) => members.values().any(is_in),
        scalar => text(scalar).is_some(),
    }
}

/// A value as part of an expression.
pub fn written(value: &Value) -> String {
    let arguments = |parts: Vec<String>| parts.join(", ");
    match value {
        Value::Null => "null()".to_owned(),
        Value::Bool(flag) => format!("{flag}()"),
        Value::Number(number) => number.to_string(),
        Value::String(string) => match text(value) {
            Some(expression) => expression.to_owned(),
            None => format!("'{}'", string.replace('\'', "''")),
        },
        Value::Array(elements) => format!("createArray({})", arguments(elements.iter().map(written).collect())),
        Value::Object(members) => {
            let members = members
                .iter()
                .flat_map(|(name, member)| [format!("'{name}'"), written(member)]);
            format!("createObject({})", arguments(members.collect()))
        }
    }
}

/// A value as text for a person: what a text says, any other as part of an expression.
pub fn plain(value: &Value) -> String {
    match (text(value), value.as_str()) {
        (None, Some(string)) => string.to_owned(),
        _ => written(value),
    }
}

/// The value as it stands in a snapshot: an expression in brackets.
pub fn shown(value: &Value) -> Value {
    match value {
        Value::String(string) => match text(value) {
            Some(expression) => format!("[{expression}]").into(),
            None if string.contains(MARK) => string.replace(MARK, "").into(),
            None => value.clone(),
        },
        Value::Array(elements) => elements.iter().map(shown).collect(),
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(name, member)| (name.replace(MARK, ""), shown(member)));
            members.collect::<Map<_, _>>().into()
        }
        scalar => scalar.clone(),
    }
}
