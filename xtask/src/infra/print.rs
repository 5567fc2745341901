//! Writes JSON as a person would: what names a thing first, short things on one line.

use std::fmt::Write as _;

use serde_json::{Map, Value};

const WIDTH: usize = 110;
/// What stands first in a resource and in a parameter; everything else follows in the order of the alphabet.
const FIRST: [&str; 16] = [
    "$schema",
    "contentVersion",
    "type",
    "apiVersion",
    "name",
    "condition",
    "scope",
    "location",
    "kind",
    "identity",
    "sku",
    "dependsOn",
    "parameters",
    "variables",
    "resources",
    "outputs",
];

/// The text of a file, line break at the end included.
pub fn pretty(value: &Value) -> String {
    let mut text = String::new();
    write(value, 0, &mut text);
    text.push('\n');
    text
}

fn write(value: &Value, depth: usize, text: &mut String) {
    let short = one_line(value);
    match value {
        Value::Object(members) if !fits(&short, depth, value) => {
            let members = in_order(members);
            let parts = members.into_iter().map(|(key, member)| (Some(key), member));
            write_parts(['{', '}'], parts, depth, text);
        }
        Value::Array(elements) if !fits(&short, depth, value) => {
            write_parts(['[', ']'], elements.iter().map(|element| (None, element)), depth, text);
        }
        _ => text.push_str(&short),
    }
}

fn write_parts<'v>(
    [open, close]: [char; 2],
    parts: impl Iterator<Item = (Option<&'v String>, &'v Value)>,
    depth: usize,
    text: &mut String,
) {
    text.push(open);
    let mut separator = "";
    for (key, part) in parts {
        let _ = write!(text, "{separator}\n{:1$}", "", 2 * (depth + 1));
        if let Some(key) = key {
            let _ = write!(text, "{}: ", Value::from(key.as_str()));
        }
        write(part, depth + 1, text);
        separator = ",";
    }
    let _ = write!(text, "\n{:1$}{close}", "", 2 * depth);
}

/// Whether it stands on one line: short, and nothing nested in it but what is empty.
fn fits(short: &str, depth: usize, value: &Value) -> bool {
    let is_flat = |member: &Value| !(member.is_object() || member.is_array()) || one_line(member).len() == 2;
    let all_flat = match value {
        Value::Object(members) => members.values().all(is_flat),
        Value::Array(elements) => elements.iter().all(is_flat),
        _ => true,
    };
    all_flat && short.len() + 2 * depth <= WIDTH
}

fn one_line(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members = in_order(members).into_iter();
            let members: Vec<String> = members
                .map(|(key, member)| format!("{}: {}", Value::from(key.as_str()), one_line(member)))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
        Value::Array(elements) => {
            let elements: Vec<String> = elements.iter().map(one_line).collect();
            format!("[{}]", elements.join(", "))
        }
        scalar => scalar.to_string(),
    }
}

fn in_order(members: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut members: Vec<_> = members.iter().collect();
    members.sort_by_key(|(key, _)| FIRST.iter().position(|first| first == key).unwrap_or(FIRST.len()));
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_the_same_and_names_come_first() {
        let value = serde_json::json!({
            "properties": {"b": [1, {"c": "\"'["}], "a": {}},
            "name": "x",
            "type": "A/b",
        });
        let text = pretty(&value);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        assert!(
            text.starts_with("{\n  \"type\": \"A/b\",\n  \"name\": \"x\",\n"),
            "{text}"
        );
        assert!(text.contains("    \"a\": {},\n"), "{text}");
    }
}
