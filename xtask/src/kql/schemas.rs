//! The tables that queries are bound against, from `infra/tables`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use super::{files, read};

/// Column -> type, without the columns that Azure Monitor gives every table.
pub type Columns = BTreeMap<String, String>;

/// The last column of `OneLogin_CL` as the retired function app made it.
const LAST_OF_THE_OLD_ONELOGIN: &str = "notes_s";

/// The health table, as long as `infra/tables` has no file for it.
const HEALTH: &str = include_str!("health_table.json");

/// The tables of a workspace.
#[derive(Debug, Clone, Default)]
pub struct Schemas {
    /// By name.
    pub tables: BTreeMap<String, Columns>,
    /// Tables that are known but not there: a fuzzy union may name them.
    pub absent: BTreeSet<String>,
    /// `OneLogin_CL` of a workspace where the retired function app wrote.
    old_onelogin: Columns,
}

#[derive(Deserialize)]
struct TableFile {
    table: String,
    columns: Vec<Column>,
}

#[derive(Deserialize)]
struct Column {
    name: String,
    #[serde(rename = "type")]
    column_type: String,
}

impl Schemas {
    /// Reads the table files of a folder.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let mut schemas = Self::default();
        schemas.add("the health table", HEALTH)?;
        for path in files(folder, "json")? {
            schemas.add(&path.display().to_string(), &read(&path)?)?;
        }
        Ok(schemas)
    }

    fn add(&mut self, name: &str, text: &str) -> Result<(), String> {
        let file: TableFile = serde_json::from_str(text).map_err(|error| format!("{name}: {error}"))?;
        if file.table == "OneLogin_CL" {
            self.old_onelogin = old_onelogin(&file.columns);
        }
        let columns = file.columns.into_iter().map(|column| (column.name, column.column_type));
        self.tables.insert(file.table, columns.collect());
        Ok(())
    }

    /// The same workspace without some of the tables.
    pub fn without(&self, tables: &[&str]) -> Self {
        let mut fewer = self.clone();
        for table in tables {
            if fewer.tables.remove(*table).is_some() {
                fewer.absent.insert((*table).to_owned());
            }
        }
        fewer
    }

    /// The same workspace where some of the tables have only the columns that every table has.
    pub fn bare(&self, tables: &[&str]) -> Self {
        let mut bare = self.clone();
        bare.tables
            .extend(tables.iter().map(|table| ((*table).to_owned(), Columns::new())));
        bare
    }

    /// The same workspace with the `OneLogin_CL` that the retired function app made: 30 columns, ids of type guid.
    pub fn with_old_onelogin(&self) -> Self {
        let mut older = self.clone();
        older.tables.insert("OneLogin_CL".to_owned(), self.old_onelogin.clone());
        older
    }

    /// The names in a text that look like custom tables and are none of these.
    pub fn unknown_tables<'a>(&self, text: &'a str) -> Vec<&'a str> {
        let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        words
            .filter(|word| word.len() > 3 && word.ends_with("_CL") && !self.tables.contains_key(*word))
            .collect()
    }
}

fn old_onelogin(columns: &[Column]) -> Columns {
    let mut old = Columns::new();
    for column in columns {
        let guid = column.name.ends_with("_g");
        let column_type = if guid { "guid" } else { &column.column_type };
        old.insert(column.name.clone(), column_type.to_owned());
        if column.name == LAST_OF_THE_OLD_ONELOGIN {
            break;
        }
    }
    old
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cargo::root;

    fn schemas() -> Schemas {
        Schemas::read(&root().join("infra/tables")).unwrap()
    }

    #[test]
    fn every_table_file_is_read() {
        let schemas = schemas();
        assert_eq!(schemas.tables["OneLogin_CL"]["app_id_d"], "real");
        assert_eq!(schemas.tables["SentinelConnectorHealth_CL"]["ErrorCode"], "string");
        assert_eq!(schemas.tables.len(), 13);
    }

    #[test]
    fn the_old_onelogin_table_has_30_columns_and_guids() {
        let old = schemas().with_old_onelogin();
        let columns = &old.tables["OneLogin_CL"];
        assert_eq!(columns.len(), 30);
        assert_eq!(columns["uuid_g"], "guid");
        assert!(!columns.contains_key("risk_score_d"));
    }

    #[test]
    fn a_table_that_is_taken_away_is_absent() {
        let fewer = schemas().without(&["OneLogin_CL"]);
        assert!(!fewer.tables.contains_key("OneLogin_CL"));
        assert!(fewer.absent.contains("OneLogin_CL"));
        assert!(schemas().without(&["Nothing_CL"]).absent.is_empty());
    }

    #[test]
    fn a_bare_table_is_there_and_has_no_columns() {
        assert!(schemas().bare(&["OneLogin_CL"]).tables["OneLogin_CL"].is_empty());
    }

    #[test]
    fn a_table_that_does_not_exist_is_found_in_prose() {
        let found = schemas()
            .unknown_tables("rows of `OneLogin_CL`, OneLogon_CL and (Other_CL)")
            .join(" ");
        assert_eq!(found, "OneLogon_CL Other_CL");
    }
}
