//! The keyset cursor (decoded by others from real answers): base64 of a JSON object with the sort column, its
//! value and the id of the last object of a page. It needs no memory of the server, and holds no filters.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

/// A value that objects are sorted by.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum SortKey {
    /// Null or absent.
    Nothing,
    /// A number or a truth value.
    Number(i64),
    /// Digits: by length first, as numbers are.
    Digits(usize, String),
    /// Any other text; times of the same form are in their order.
    Text(String),
}

impl SortKey {
    pub(super) fn of(value: Option<&Value>) -> Self {
        match value {
            Some(Value::Number(number)) => SortKey::Number(number.as_i64().unwrap_or_default()),
            Some(Value::Bool(truth)) => SortKey::Number(i64::from(*truth)),
            Some(Value::String(text)) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
                SortKey::Digits(text.len(), text.clone())
            }
            Some(Value::String(text)) => SortKey::Text(text.clone()),
            _ => SortKey::Nothing,
        }
    }

    fn value(&self) -> Value {
        match self {
            SortKey::Nothing => Value::Null,
            SortKey::Number(number) => json!(number),
            SortKey::Digits(_, text) | SortKey::Text(text) => json!(text),
        }
    }
}

/// The place of an object in an order.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Place {
    pub(super) key: SortKey,
    /// Equal keys are in the order of their ids.
    pub(super) id: SortKey,
}

/// A decoded cursor.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Cursor {
    pub(super) sort_by: String,
    pub(super) descending: bool,
    /// The last object of the page before.
    pub(super) after: Place,
}

impl Cursor {
    /// The text of `nextCursor`.
    pub(super) fn encoded(&self) -> String {
        STANDARD.encode(self.json())
    }

    /// The text with padding, and all of it percent-encoded, as some answers have it.
    pub(super) fn url_encoded(&self) -> String {
        let mut json = self.json();
        while json.len().is_multiple_of(3) {
            json.push(' ');
        }
        utf8_percent_encode(&STANDARD.encode(json), NON_ALPHANUMERIC).to_string()
    }

    fn json(&self) -> String {
        let order = if self.descending { "desc" } else { "asc" };
        json!({
            "id_column": "id",
            "id_value": self.after.id.value(),
            "sort_by_column": self.sort_by,
            "sort_by_value": self.after.key.value(),
            "sort_order": order,
        })
        .to_string()
    }

    pub(super) fn decode(text: &str) -> Option<Cursor> {
        let json = STANDARD.decode(text).ok()?;
        let value: Value = serde_json::from_slice(&json).ok()?;
        Some(Cursor {
            sort_by: value["sort_by_column"].as_str()?.to_owned(),
            descending: value["sort_order"].as_str()? == "desc",
            after: Place {
                key: SortKey::of(value.get("sort_by_value")),
                id: SortKey::of(value.get("id_value")),
            },
        })
    }
}

/// A cursor of the older form: base64 of `agent_id:58029381`.
pub(super) fn old_form(number: u64) -> String {
    STANDARD.encode(format!("row_id:{number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_the_way_through_its_text() {
        let cursor = Cursor {
            sort_by: "createdAt".to_owned(),
            descending: true,
            after: Place {
                key: SortKey::Text("2026-11-20T10:00:00.000001Z".to_owned()),
                id: SortKey::Digits(19, "2612345678901234567".to_owned()),
            },
        };

        assert_eq!(Cursor::decode(&cursor.encoded()), Some(cursor.clone()));
        assert!(cursor.url_encoded().ends_with("%3D"));
        assert_eq!(Cursor::decode(&cursor.url_encoded()), None);
        assert_eq!(Cursor::decode(&old_form(7)), None);
    }

    #[test]
    fn ids_are_in_the_order_of_numbers() {
        let id = |text: &str| SortKey::of(Some(&json!(text)));

        assert!(id("99") < id("100"));
        assert!(SortKey::of(None) < id("1"));
        assert!(SortKey::of(Some(&json!(false))) < SortKey::of(Some(&json!(true))));
    }
}
