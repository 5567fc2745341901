//! The destination tables: their columns, and everything that can be wrong with a row.

mod checks;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use serde::Deserialize;

pub use checks::violations;

/// The largest value of one field in bytes; Azure Monitor cuts a longer one without a word (service limits).
pub const LARGEST_FIELD_BYTES: usize = 64 * 1024;

/// Column names that a custom table cannot have (Azure Monitor, standard columns). Case matters: `Id` is fine.
pub const RESERVED_COLUMNS: [&str; 7] = [
    "_ResourceId",
    "id",
    "_SubscriptionId",
    "TenantId",
    "Type",
    "UniqueId",
    "Title",
];

/// The type of a column, in the words of the Log Analytics tables API.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    /// Text.
    String,
    /// RFC 3339 text with `T` and `Z`.
    Datetime,
    /// Any JSON number.
    Real,
    /// A whole number of 64 bits.
    Long,
    /// `true` or `false`.
    Boolean,
    /// Any JSON value but null.
    Dynamic,
    /// Text in the form of a uuid.
    Guid,
}

/// One destination table.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TableSchema {
    /// The full name, `_CL` included.
    pub name: String,
    /// Column name to column type.
    pub columns: BTreeMap<String, ColumnType>,
    /// The columns that a table may lack which another connector or an older template made.
    pub added: BTreeSet<String>,
}

/// The part of a table file that is read here; further keys are the handler's business.
#[derive(Deserialize)]
struct TableFile {
    table: String,
    /// The last column that is no addition.
    #[serde(default)]
    added_after: Option<String>,
    columns: Vec<ColumnOfFile>,
}

#[derive(Deserialize)]
struct ColumnOfFile {
    name: String,
    #[serde(rename = "type")]
    column_type: ColumnType,
}

impl TableSchema {
    /// Every table of `infra/tables`, by name. Stops the test when a file cannot be read.
    pub fn load_all() -> BTreeMap<String, TableSchema> {
        Self::load_folder(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/tables")))
    }

    /// The same, read once.
    pub(crate) fn all() -> &'static BTreeMap<String, TableSchema> {
        static TABLES: LazyLock<BTreeMap<String, TableSchema>> = LazyLock::new(TableSchema::load_all);
        &TABLES
    }

    /// Every `*.json` table file of `folder`, by table name.
    fn load_folder(folder: &Path) -> BTreeMap<String, TableSchema> {
        let entries = std::fs::read_dir(folder).expect("the folder of the table files can be read");
        let paths = entries.map(|entry| entry.expect("a folder entry can be read").path());
        let table_files = paths.filter(|path| path.extension().is_some_and(|end| end == "json"));

        table_files
            .map(|path| {
                let text = std::fs::read_to_string(&path).expect("a table file can be read");
                let table = Self::from_json(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                (table.name.clone(), table)
            })
            .collect()
    }

    /// The table of one table file. A column that is named twice is an error.
    fn from_json(text: &str) -> Result<TableSchema, String> {
        let file: TableFile = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let mut columns = BTreeMap::new();
        let mut added = BTreeSet::new();
        let mut is_added = false;
        for column in file.columns {
            if is_added {
                added.insert(column.name.clone());
            }
            is_added |= file.added_after.as_ref() == Some(&column.name);
            let repeated = columns.insert(column.name.clone(), column.column_type);
            if repeated.is_some() {
                return Err(format!("column {} is named twice", column.name));
            }
        }
        Ok(TableSchema {
            name: file.table,
            columns,
            added,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_of_the_project_has_a_time_column() {
        let tables = TableSchema::load_all();

        assert!(tables.contains_key("OneLogin_CL"));
        assert!(tables.contains_key("PingOne_AuditActivitiesV2_CL"));
        for table in tables.values() {
            assert_eq!(
                table.columns.get("TimeGenerated"),
                Some(&ColumnType::Datetime),
                "{}",
                table.name
            );
        }
    }

    #[test]
    fn unknown_keys_of_a_table_file_are_ignored() {
        let text = r#"{"table":"A_CL","description":"d","more":1,
            "columns":[{"name":"TimeGenerated","type":"datetime","from":["at"],"take":"latest"}]}"#;

        let table = TableSchema::from_json(text).expect("the file is a table");

        assert_eq!(table.name, "A_CL");
        assert_eq!(table.columns.len(), 1);
    }

    #[test]
    fn the_columns_behind_the_last_original_one_are_added() {
        let text = r#"{"table":"A_CL","added_after":"X","columns":[
            {"name":"X","type":"real"},{"name":"Y","type":"string"},{"name":"Z","type":"string"}]}"#;

        let table = TableSchema::from_json(text).expect("the file is a table");

        assert_eq!(table.added.into_iter().collect::<Vec<_>>(), ["Y", "Z"]);
    }

    #[test]
    fn a_column_that_is_named_twice_is_refused() {
        let text = r#"{"table":"A_CL","columns":[
            {"name":"X","type":"real"},{"name":"X","type":"string"}]}"#;

        assert!(TableSchema::from_json(text).is_err());
    }
}
