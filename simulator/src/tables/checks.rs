//! Why a row is not a row of its table.
//!
//! The Logs Ingestion API drops unknown columns, blanks values of the wrong type and cuts long fields, all
//! with a 204. So the check is made here, where a test can see it.

use chrono::DateTime;
use serde_json::Value;

use super::{ColumnType, LARGEST_FIELD_BYTES, RESERVED_COLUMNS, TableSchema};

/// Every way in which `row` is not a row of the table, one sentence each; empty for a good row.
pub fn violations(table: &TableSchema, row: &Value) -> Vec<String> {
    let Some(fields) = row.as_object() else {
        return vec![format!("{}: a row is not a JSON object", table.name)];
    };
    let mut found = Vec::new();
    if !fields.contains_key("TimeGenerated") {
        found.push(format!("{}: TimeGenerated is missing", table.name));
    }
    for (name, value) in fields {
        if let Some(problem) = problem_of_field(table, name, value) {
            found.push(format!("{}: column {name} {problem}", table.name));
        }
    }
    found
}

/// Why a value is none of a column, if it is not.
fn problem_of_field(table: &TableSchema, name: &str, value: &Value) -> Option<String> {
    if RESERVED_COLUMNS.contains(&name) {
        return Some("has a reserved name".to_owned());
    }
    let Some(column_type) = table.columns.get(name) else {
        return Some("is not in the table".to_owned());
    };
    if value.is_null() {
        return Some("is null, and should be left out".to_owned());
    }
    if !fits(*column_type, value) {
        return Some(format!("is no {}: {}", word_of(*column_type), beginning(value)));
    }
    let bytes = bytes_of(value);
    (bytes > LARGEST_FIELD_BYTES).then(|| format!("has {bytes} bytes, more than 64 KiB"))
}

fn fits(column_type: ColumnType, value: &Value) -> bool {
    match column_type {
        ColumnType::String => value.is_string(),
        ColumnType::Datetime => value.as_str().is_some_and(is_utc_time),
        ColumnType::Real => value.is_number(),
        ColumnType::Long => value.is_i64(),
        ColumnType::Boolean => value.is_boolean(),
        ColumnType::Dynamic => true,
        ColumnType::Guid => value.as_str().is_some_and(is_uuid),
    }
}

fn word_of(column_type: ColumnType) -> &'static str {
    match column_type {
        ColumnType::String => "string",
        ColumnType::Datetime => "RFC 3339 time with T and Z",
        ColumnType::Real => "number",
        ColumnType::Long => "whole number",
        ColumnType::Boolean => "boolean",
        ColumnType::Dynamic => "dynamic value",
        ColumnType::Guid => "uuid",
    }
}

/// RFC 3339 with a capital `T` and a capital `Z`, no offset.
fn is_utc_time(text: &str) -> bool {
    text.as_bytes().get(10) == Some(&b'T') && text.ends_with('Z') && DateTime::parse_from_rfc3339(text).is_ok()
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    lengths == [8, 4, 4, 4, 12]
        && groups
            .iter()
            .all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// The size of a field as stored: a text without its quotes, anything else as compact JSON.
fn bytes_of(value: &Value) -> usize {
    value.as_str().map_or_else(|| value.to_string().len(), str::len)
}

fn beginning(value: &Value) -> String {
    value.to_string().chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use serde_json::json;

    fn table() -> TableSchema {
        let columns = [
            ("TimeGenerated", ColumnType::Datetime),
            ("Name", ColumnType::String),
            ("Amount", ColumnType::Real),
            ("Count", ColumnType::Long),
            ("Flag", ColumnType::Boolean),
            ("Parts", ColumnType::Dynamic),
            ("Key", ColumnType::Guid),
            ("Title", ColumnType::String),
        ];
        TableSchema {
            name: "A_CL".to_owned(),
            columns: columns
                .into_iter()
                .map(|(name, column_type)| (name.to_owned(), column_type))
                .collect(),
            added: BTreeSet::new(),
        }
    }

    /// The violations of a row with a good time and one more field.
    fn violations_of(name: &str, value: Value) -> Vec<String> {
        let mut row = json!({"TimeGenerated": "2026-11-20T10:15:30.5Z"});
        row[name] = value;
        violations(&table(), &row)
    }

    #[test]
    fn a_good_row_has_no_violations() {
        let row = json!({
            "TimeGenerated": "2026-11-20T10:15:30Z", "Name": "", "Amount": 1.5, "Count": -3,
            "Flag": false, "Parts": {"a": [1]}, "Key": "0b2f9b8e-6d57-4b5c-9a3e-0d9f3a1c5e11",
        });

        assert_eq!(violations(&table(), &row), Vec::<String>::new());
    }

    #[test]
    fn a_value_of_the_wrong_type_is_seen() {
        for (name, value) in [
            ("Name", json!(1)),
            ("Amount", json!("1")),
            ("Count", json!(1.5)),
            ("Flag", json!("true")),
            ("Key", json!("0b2f9b8e")),
            ("TimeGenerated", json!(1_795_000_000)),
        ] {
            assert_eq!(violations_of(name, value).len(), 1, "{name}");
        }
    }

    #[test]
    fn null_and_unknown_and_reserved_columns_are_seen() {
        assert!(violations_of("Name", Value::Null)[0].contains("null"));
        assert!(violations_of("Other", json!("x"))[0].contains("not in the table"));
        assert!(violations_of("Title", json!("x"))[0].contains("reserved"));
        assert!(violations_of("id", json!("x"))[0].contains("reserved"));
    }

    #[test]
    fn a_time_without_t_or_z_is_seen() {
        for time in [
            "2026-11-20 10:15:30Z",
            "2026-11-20T10:15:30+00:00",
            "2026-11-20T10:15:30",
            "2026-13-20T10:15:30Z",
            "",
        ] {
            assert_eq!(violations_of("TimeGenerated", json!(time)).len(), 1, "{time}");
        }
    }

    #[test]
    fn a_field_of_64_kib_passes_and_one_byte_more_is_seen() {
        assert!(violations_of("Name", json!("n".repeat(LARGEST_FIELD_BYTES))).is_empty());
        assert!(violations_of("Name", json!("n".repeat(LARGEST_FIELD_BYTES + 1)))[0].contains("64 KiB"));
        assert!(violations_of("Parts", json!(["n".repeat(LARGEST_FIELD_BYTES)]))[0].contains("64 KiB"));
    }

    #[test]
    fn a_row_without_its_time_and_a_row_that_is_no_object_are_seen() {
        assert!(violations(&table(), &json!({"Name": "x"}))[0].contains("TimeGenerated is missing"));
        assert!(violations(&table(), &json!([1]))[0].contains("not a JSON object"));
    }
}
