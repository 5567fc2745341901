//! What the template needs of `infra/tables`: names and types of columns.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::files;

/// The end of the variables with the columns of a stream.
pub const COLUMNS: &str = "Columns";
/// The end of the variables with the columns that a table may lack.
pub const ADDED_COLUMNS: &str = "AddedColumns";

/// One table.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its name in the workspace.
    pub name: String,
    /// Names and types, in the order of the file.
    pub columns: Vec<(String, String)>,
    /// How many of the columns every table of that name has, whoever made it. Those behind them were added by this
    /// connector.
    pub original: usize,
}

/// Reads every file of the folder, in the order of their names.
pub fn read(folder: &Path) -> Result<Vec<Table>, String> {
    let paths = files::with_ending(folder, "json")?;
    let tables = paths.iter().map(|path| {
        let table = Table::parse(&files::read(path)?);
        table.map_err(|error| format!("{}: {error}", path.display()))
    });
    tables.collect()
}

impl Table {
    /// Reads a file.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let name = file["table"].as_str().ok_or("the name of the table is missing")?;
        let last = file["added_after"].as_str().ok_or("\"added_after\" is missing")?;
        let columns = columns(&file["columns"])?;
        let last = columns.iter().position(|(column, _)| column == last);
        Ok(Self {
            name: name.to_owned(),
            columns,
            original: last.ok_or("\"added_after\" names no column")? + 1,
        })
    }

    /// The stream of a rule that fills the table.
    pub fn stream(&self) -> String {
        format!("Custom-{}", self.name)
    }

    /// The template parameter with the table's transformation.
    pub fn transform_parameter(&self) -> String {
        let plain = self.name.strip_suffix("_CL").unwrap_or(&self.name);
        format!("transform{}", plain.replace('_', ""))
    }

    /// The variable with the columns that the table's stream declares whoever made the table.
    pub fn columns_variable(&self) -> String {
        format!("{}{COLUMNS}", self.name)
    }

    /// The variable with the columns that the stream declares where the table has them.
    pub fn added_columns_variable(&self) -> String {
        format!("{}{ADDED_COLUMNS}", self.name)
    }

    /// Whether a table that was not made by this version may lack some of the columns.
    pub fn has_added_columns(&self) -> bool {
        self.original < self.columns.len()
    }

    /// The columns of every table of that name, as a rule's stream declares them.
    pub fn original_stream_columns(&self) -> Value {
        let original = self.columns.iter().take(self.original);
        original
            .map(|(name, column_type)| declared(name, column_type.clone()))
            .collect()
    }

    /// The columns that were added, each under its name.
    pub fn added_stream_columns(&self) -> Value {
        let added = self.columns.iter().skip(self.original);
        let added: Map<_, _> = added
            .map(|(name, column_type)| (name.clone(), declared(name, column_type.clone())))
            .collect();
        added.into()
    }

    /// The columns as a workspace's table declares them.
    pub fn table_columns(&self) -> Value {
        let spelling = |column_type: &str| match column_type {
            "datetime" => "dateTime".to_owned(),
            other => other.to_owned(),
        };
        let columns = self.columns.iter();
        columns
            .map(|(name, column_type)| declared(name, spelling(column_type)))
            .collect()
    }
}

fn declared(name: &str, column_type: String) -> Value {
    json!({"name": name, "type": column_type})
}

/// Names and types of an array of columns.
fn columns(written: &Value) -> Result<Vec<(String, String)>, &'static str> {
    let written = written.as_array().ok_or("the columns are missing")?;
    let columns = written
        .iter()
        .map(|column| Some((column["name"].as_str()?.to_owned(), column["type"].as_str()?.to_owned())));
    columns.collect::<Option<_>>().ok_or("a column has no name or no type")
}

/// The same of a table or a stream of the template, with types as `infra/tables` spells them.
pub fn columns_of_template(written: &Value) -> Result<Vec<(String, String)>, &'static str> {
    let columns = columns(written)?.into_iter();
    Ok(columns
        .map(|(name, column_type)| (name, column_type.to_lowercase()))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_spelt_as_each_of_the_two_wants_it() {
        let file = r#"{"table":"A_B_CL","added_after":"TimeGenerated","columns":[{"name":"TimeGenerated","type":"datetime"}]}"#;
        let table = Table::parse(file).unwrap();
        assert_eq!(table.original_stream_columns()[0]["type"], "datetime");
        assert_eq!(table.table_columns()[0]["type"], "dateTime");
        assert_eq!(
            (table.stream(), table.transform_parameter()),
            ("Custom-A_B_CL".into(), "transformAB".into())
        );
    }

    #[test]
    fn the_columns_behind_the_last_original_one_are_added() {
        let file =
            r#"{"table":"A_CL","added_after":"A","columns":[{"name":"A","type":"string"},{"name":"B","type":"real"}]}"#;
        let table = Table::parse(file).unwrap();
        assert_eq!(
            table.original_stream_columns(),
            json!([{"name": "A", "type": "string"}])
        );
        assert_eq!(
            table.added_stream_columns(),
            json!({"B": {"name": "B", "type": "real"}})
        );
        assert!(table.has_added_columns());
    }

    /// Microsoft's parsers unite the tables of a vendor. A union renames a column that has two types
    /// (learn.microsoft.com/kusto/query/union-operator), and what reads it by its name then reads nothing.
    #[test]
    fn an_added_column_has_one_type_in_all_tables_of_its_source() {
        /// What the parser `SentinelOne` makes of the retired function app's table, of the names that were added.
        const RETIRED: [(&str, &str); 4] = [
            ("FirewallEnabled", "boolean"),
            ("LocationEnabled", "boolean"),
            ("OperationalState", "string"),
            ("ContainerInfo", "string"),
        ];
        let known = read(&crate::cargo::root().join("infra/tables")).unwrap();
        for source in &crate::vendors::SOURCES {
            let of_source = |table: &&Table| source.tables().any(|name| name == table.name);
            let tables: Vec<&Table> = known.iter().filter(of_source).collect();
            let others = || {
                let columns = tables.iter().flat_map(|table| &table.columns);
                let columns = columns.map(|(name, column_type)| (name.as_str(), column_type.as_str()));
                columns.chain(RETIRED.into_iter().filter(|_| source.name == "sentinelOne"))
            };
            for (name, column_type) in tables
                .iter()
                .flat_map(|table| table.columns.iter().skip(table.original))
            {
                let mut same = others().filter(|(other, _)| other == name);
                assert!(same.all(|(_, other)| other == column_type), "{}: {name}", source.name);
            }
        }
    }

    #[test]
    fn a_file_without_types_or_without_the_last_original_column_is_refused() {
        for (columns, said) in [
            (
                r#""added_after":"A","columns":[{"name":"A"}]"#,
                "a column has no name or no type",
            ),
            (r#""columns":[]"#, "\"added_after\" is missing"),
            (r#""added_after":"A","columns":[]"#, "\"added_after\" names no column"),
        ] {
            let refused = Table::parse(&format!(r#"{{"table":"A_CL",{columns}}}"#)).unwrap_err();
            assert_eq!(refused, said);
        }
    }
}
