//! The definitions that are built into the executable.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use super::layout::TableOptions;
use super::row::Table;
use super::secret_names;

const DEFINITIONS: [&str; 13] = [
    include_str!("../../../infra/tables/OneLoginEventsV2_CL.json"),
    include_str!("../../../infra/tables/OneLoginUsersV2_CL.json"),
    include_str!("../../../infra/tables/OneLogin_CL.json"),
    include_str!("../../../infra/tables/PingOneEnterprise_AuditEvents_CL.json"),
    include_str!("../../../infra/tables/PingOne_AuditActivitiesV2_CL.json"),
    include_str!("../../../infra/tables/PingOne_AuditActivities_CL.json"),
    include_str!("../../../infra/tables/SentinelConnectorHealth_CL.json"),
    include_str!("../../../infra/tables/SentinelOneActivities_CL.json"),
    include_str!("../../../infra/tables/SentinelOneAgents_CL.json"),
    include_str!("../../../infra/tables/SentinelOneAlertsV2_CL.json"),
    include_str!("../../../infra/tables/SentinelOneAlerts_CL.json"),
    include_str!("../../../infra/tables/SentinelOneGroups_CL.json"),
    include_str!("../../../infra/tables/SentinelOneThreats_CL.json"),
];

/// Why there is no table of a name. Either is a defect of this executable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// No definition has the name.
    #[error("the table {0} is not built into this executable; please report it with this line")]
    Unknown(String),
    /// A definition that is built in cannot be used, so no table can be had.
    #[error("a table definition that is built into this executable is damaged ({0}); please report it with this line")]
    Definition(String),
}

type Tables = BTreeMap<Arc<str>, Arc<Table>>;

/// One set for each of the [`TableOptions`], compiled when it is first asked for.
static TABLES: [LazyLock<Result<Tables, TableError>>; 4] = [
    LazyLock::new(|| compiled(&DEFINITIONS, options(0))),
    LazyLock::new(|| compiled(&DEFINITIONS, options(1))),
    LazyLock::new(|| compiled(&DEFINITIONS, options(2))),
    LazyLock::new(|| compiled(&DEFINITIONS, options(3))),
];

const fn options(number: usize) -> TableOptions {
    TableOptions {
        parser_aliases: number & 1 != 0,
        additional_fields: number & 2 != 0,
    }
}

fn compiled(definitions: &[&str], options: TableOptions) -> Result<Tables, TableError> {
    let damaged = |error: serde_json::Error| TableError::Definition(error.to_string());
    secret_names::check().map_err(damaged)?;
    let tables = definitions.iter().map(|definition| {
        let table = Table::compile(definition, options).map_err(damaged)?;
        Ok((table.name(), Arc::new(table)))
    });
    tables.collect()
}

/// The table of that name, filled with nothing but what the vendor sends.
#[cfg(test)]
pub fn table(name: &str) -> Option<Arc<Table>> {
    table_with(name, TableOptions::default()).ok()
}

/// The table of that name, filled as `options` say.
///
/// # Errors
/// Where no definition has the name, or one of the definitions is damaged.
pub fn table_with(name: &str, options: TableOptions) -> Result<Arc<Table>, TableError> {
    let number = usize::from(options.parser_aliases) + 2 * usize::from(options.additional_fields);
    let tables = TABLES[number].as_ref().map_err(TableError::clone)?;
    let table = tables.get(name).cloned();
    table.ok_or_else(|| TableError::Unknown(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_in_infra_tables_is_embedded_and_compiles() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/tables");
        let mut files = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let compiled = Table::compile(&text, TableOptions::default())
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert_eq!(path.file_stem().unwrap().to_str().unwrap(), &*compiled.name());
            assert!(table(&compiled.name()).is_some(), "{} is not embedded", compiled.name());
            files += 1;
        }
        assert_eq!(files, DEFINITIONS.len());
    }

    #[test]
    fn a_name_that_no_definition_has_is_an_error() {
        let error = table_with("Nothing_CL", TableOptions::default()).unwrap_err();
        assert_eq!(error, TableError::Unknown("Nothing_CL".to_owned()));
        assert!(error.to_string().contains("Nothing_CL"), "{error}");
    }

    #[test]
    fn a_definition_that_does_not_compile_is_an_error_and_not_left_out() {
        for damaged in ["", "{}", r#"{"name": "Half_CL"}"#] {
            let found = compiled(&[DEFINITIONS[0], damaged], TableOptions::default());
            assert!(matches!(found, Err(TableError::Definition(_))), "{damaged}");
        }
    }
}
