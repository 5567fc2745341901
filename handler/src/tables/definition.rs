//! The form of the files in `infra/tables`.

use serde::Deserialize;

/// One file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// The table's name in the workspace, `_CL` included.
    pub table: String,
    /// For people: what the rows are.
    #[serde(rename = "description")]
    pub _description: String,
    /// In the order of the table.
    pub columns: Vec<ColumnDefinition>,
}

/// One column of a table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnDefinition {
    /// The column's name.
    pub name: String,
    /// Its type in Log Analytics.
    #[serde(rename = "type")]
    pub column_type: ColumnType,
    /// Paths into the event, keys joined with dots. The first that holds a value which fits the type wins.
    pub from: Vec<String>,
}

/// The types that the tables use.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    /// Text; objects and arrays become compact JSON text.
    String,
    /// RFC 3339 in UTC.
    Datetime,
    /// A number, digit for digit as the vendor wrote it.
    Real,
    /// `true` or `false`.
    Boolean,
    /// Any JSON.
    Dynamic,
}
