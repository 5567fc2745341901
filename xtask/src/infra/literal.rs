//! Texts that look like expressions and are none: `[x]` is written `[[x]`.

use serde_json::Value;

/// The value, written so that every text in it stays a text.
pub fn written(value: &Value) -> Value {
    with_texts(value, &written_text)
}

/// A text, written so that it stays one.
pub fn written_text(text: &str) -> String {
    if text.starts_with('[') && text.ends_with(']') {
        return format!("[{text}");
    }
    text.to_owned()
}

/// The value that was written so.
pub fn read(value: &Value) -> Value {
    with_texts(value, &|text| read_text(text).to_owned())
}

/// The text that was written so.
pub fn read_text(text: &str) -> &str {
    match text.strip_prefix('[') {
        Some(rest) if rest.starts_with('[') && rest.ends_with(']') => rest,
        _ => text,
    }
}

fn with_texts(value: &Value, change: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => change(text).into(),
        Value::Array(elements) => elements.iter().map(|element| with_texts(element, change)).collect(),
        Value::Object(members) => {
            let members = members.iter();
            members
                .map(|(key, member)| (key.clone(), with_texts(member, change)))
                .collect()
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_looks_like_an_expression_stays_a_text_and_reads_back() {
        let texts = json!({"a": ["[x]", "[x](y)", "[[x", "[[x]", 1]});
        let in_a_template = written(&texts);
        assert_eq!(in_a_template, json!({"a": ["[[x]", "[x](y)", "[[x", "[[[x]", 1]}));
        assert_eq!(read(&in_a_template), texts);
    }
}
