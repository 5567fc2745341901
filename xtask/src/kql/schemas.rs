//! The tables that queries are bound against.

use std::collections::{BTreeMap, BTreeSet};

use crate::vendors::RETIRED_TABLE;

/// Tables of Azure's own that content or the documentation reads, with the columns that are read.
/// Source: learn.microsoft.com/azure/azure-monitor/reference/tables
const PLATFORM_TABLES: [(&str, &[(&str, &str)]); 3] = [
    (
        "AppExceptions",
        &[
            ("TimeGenerated", "datetime"),
            ("InnermostMessage", "string"),
            ("OperationId", "string"),
            ("OperationName", "string"),
        ],
    ),
    (
        "AppTraces",
        &[
            ("TimeGenerated", "datetime"),
            ("Message", "string"),
            ("SeverityLevel", "int"),
        ],
    ),
    (
        "DCRLogErrors",
        &[
            ("TimeGenerated", "datetime"),
            ("ClientRequestId", "string"),
            ("CorrelationId", "string"),
            ("InputStreamId", "string"),
            ("Message", "string"),
            ("OperationName", "string"),
            ("_ResourceId", "string"),
        ],
    ),
];

/// Column -> type, without the columns that Azure Monitor gives every table.
pub type Columns = BTreeMap<String, String>;

/// The tables of a workspace.
#[derive(Debug, Clone, Default)]
pub struct Schemas {
    /// By name.
    pub tables: BTreeMap<String, Columns>,
    /// Tables that are known but not there: a fuzzy union may name them.
    pub absent: BTreeSet<String>,
    /// The same tables with only the columns that each has whoever made it.
    original: BTreeMap<String, Columns>,
}

impl Schemas {
    /// Adds a table with the names and types of its columns, in their order. The first `original` of them are there
    /// whoever made the table.
    pub fn add(&mut self, table: &str, columns: &[(String, String)], original: usize) {
        let first = columns.iter().take(original).cloned();
        self.original.insert(table.to_owned(), first.collect());
        self.tables.insert(table.to_owned(), columns.iter().cloned().collect());
    }

    /// The same workspace with the tables of Azure's own, but for those that are known as absent.
    pub fn with_platform_tables(&self) -> Self {
        let mut more = self.clone();
        let missing = |table: &str| !self.tables.contains_key(table) && !self.absent.contains(table);
        for (table, columns) in PLATFORM_TABLES.into_iter().filter(|(table, _)| missing(table)) {
            let columns: Vec<(String, String)> = columns
                .iter()
                .map(|(name, column_type)| ((*name).to_owned(), (*column_type).to_owned()))
                .collect();
            more.add(table, &columns, columns.len());
        }
        more
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

    /// The same workspace where no table has the columns that this connector added.
    pub fn original(&self) -> Self {
        let mut original = self.clone();
        original.tables.clone_from(&self.original);
        original
    }

    /// The same workspace with the table as the retired function app made it: 30 columns, ids of type guid.
    pub fn with_retired_table(&self) -> Self {
        let mut older = self.clone();
        if let Some(columns) = self.original.get(RETIRED_TABLE) {
            let mut columns = columns.clone();
            to_guids(&mut columns);
            older.tables.insert(RETIRED_TABLE.to_owned(), columns);
        }
        older
    }

    /// The same workspace where the table that the retired function app made got the columns that it lacked.
    pub fn with_guids(&self) -> Self {
        let mut with_guids = self.clone();
        with_guids.tables.get_mut(RETIRED_TABLE).into_iter().for_each(to_guids);
        with_guids
    }

    /// The names in a text that look like custom tables and are none of these.
    pub fn unknown_tables<'a>(&self, text: &'a str) -> Vec<&'a str> {
        let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        words
            .filter(|word| word.len() > 3 && word.ends_with("_CL") && !self.tables.contains_key(*word))
            .collect()
    }
}

/// The ids that the retired HTTP Data Collector API made guids, and named so.
fn to_guids(columns: &mut Columns) {
    let ids = columns.iter_mut().filter(|(name, _)| name.ends_with("_g"));
    ids.for_each(|(_, column_type)| *column_type = "guid".to_owned());
}

#[cfg(test)]
impl Schemas {
    /// Those of `infra/tables`.
    pub fn of_the_project() -> Self {
        let mut schemas = Self::default();
        for table in crate::infra::tables::read(&crate::cargo::root().join("infra/tables")).unwrap() {
            schemas.add(&table.name, &table.columns, table.original);
        }
        schemas
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schemas() -> Schemas {
        Schemas::of_the_project()
    }

    #[test]
    fn every_table_file_is_read() {
        let schemas = schemas();
        assert_eq!(schemas.tables["OneLogin_CL"]["app_id_d"], "real");
        assert_eq!(schemas.tables["SentinelConnectorHealth_CL"]["ErrorCode"], "string");
        assert_eq!(schemas.tables.len(), 13);
    }

    #[test]
    fn the_retired_table_table_has_30_columns_and_guids() {
        let old = schemas().with_retired_table();
        let columns = &old.tables["OneLogin_CL"];
        assert_eq!(columns.len(), 30);
        assert_eq!(columns["uuid_g"], "guid");
        assert!(!columns.contains_key("risk_score_d"));
        let with_guids = schemas().with_guids();
        let columns = &with_guids.tables["OneLogin_CL"];
        assert_eq!(
            (columns["uuid_g"].as_str(), columns["risk_score_d"].as_str()),
            ("guid", "real")
        );
    }

    #[test]
    fn the_original_tables_have_none_of_the_added_columns() {
        let original = schemas().original();
        assert!(!original.tables["OneLogin_CL"].contains_key("AdditionalFields"));
        assert!(original.tables["SentinelOneAgents_CL"].contains_key("RemoteProfilingState"));
        assert!(!original.tables["SentinelOneAgents_CL"].contains_key("FirewallEnabled"));
        assert_eq!(original.tables.len(), 13);
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
