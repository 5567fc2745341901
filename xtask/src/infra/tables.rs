//! What the template needs of `infra/tables`: names and types of columns.

use std::path::Path;

use serde_json::{Value, json};

use crate::files;

/// One table.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its name in the workspace.
    pub name: String,
    /// Names and types, in the order of the file.
    pub columns: Vec<(String, String)>,
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
        Ok(Self {
            name: name.to_owned(),
            columns: columns(&file["columns"])?,
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

    /// The columns as a rule's stream declares them.
    pub fn stream_columns(&self) -> Value {
        self.columns_as(str::to_owned)
    }

    /// The columns as a workspace's table declares them.
    pub fn table_columns(&self) -> Value {
        self.columns_as(|column_type| match column_type {
            "datetime" => "dateTime".to_owned(),
            other => other.to_owned(),
        })
    }

    fn columns_as(&self, spelling: impl Fn(&str) -> String) -> Value {
        let columns = self.columns.iter();
        columns
            .map(|(name, column_type)| json!({"name": name, "type": spelling(column_type)}))
            .collect()
    }
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
        let file = r#"{"table":"A_B_CL","columns":[{"name":"TimeGenerated","type":"datetime"}]}"#;
        let table = Table::parse(file).unwrap();
        assert_eq!(table.stream_columns()[0]["type"], "datetime");
        assert_eq!(table.table_columns()[0]["type"], "dateTime");
        assert_eq!(
            (table.stream(), table.transform_parameter()),
            ("Custom-A_B_CL".into(), "transformAB".into())
        );
    }

    #[test]
    fn a_file_without_types_is_refused() {
        let file = r#"{"table":"A_CL","columns":[{"name":"TimeGenerated"}]}"#;
        assert_eq!(Table::parse(file).unwrap_err(), "a column has no name or no type");
    }
}
