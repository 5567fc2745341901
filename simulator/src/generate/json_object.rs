//! JSON text with the keys in the order they were given, as the vendors write it.

use serde_json::Value;

/// One JSON object in the making.
pub(crate) struct JsonObject {
    text: String,
}

impl JsonObject {
    /// An object without keys.
    pub(crate) fn new() -> Self {
        JsonObject { text: "{".to_owned() }
    }

    /// Adds a text value.
    pub(crate) fn text(&mut self, key: &str, value: &str) -> &mut Self {
        self.value(key, &Value::from(value))
    }

    /// Adds any value.
    pub(crate) fn value(&mut self, key: &str, value: &Value) -> &mut Self {
        let json = value.to_string();
        self.json(key, &json)
    }

    /// Adds a value that is JSON text already.
    pub(crate) fn json(&mut self, key: &str, json: &str) -> &mut Self {
        if self.text.len() > 1 {
            self.text.push(',');
        }
        let quoted_key = Value::from(key).to_string();
        self.text.push_str(&quoted_key);
        self.text.push(':');
        self.text.push_str(json);
        self
    }

    /// The finished text.
    pub(crate) fn finish(&self) -> String {
        format!("{}}}", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_their_order_and_values_are_escaped() {
        let mut object = JsonObject::new();
        object.text("z", "a\"b").json("a", "[1]").value("m", &Value::Null);

        assert_eq!(object.finish(), r#"{"z":"a\"b","a":[1],"m":null}"#);
        assert_eq!(JsonObject::new().finish(), "{}");
    }
}
