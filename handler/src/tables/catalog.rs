//! The definitions that are built into the executable.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use super::row::{Table, TableOptions};

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

type Tables = BTreeMap<Arc<str>, Arc<Table>>;

static PLAIN: LazyLock<Tables> = LazyLock::new(|| compiled(TableOptions { parser_aliases: false }));
static WITH_ALIASES: LazyLock<Tables> = LazyLock::new(|| compiled(TableOptions { parser_aliases: true }));

fn compiled(options: TableOptions) -> Tables {
    // A test below holds that every embedded definition compiles, so nothing is skipped here.
    let tables = DEFINITIONS
        .iter()
        .filter_map(|definition| Table::compile(definition, options).ok());
    tables.map(|table| (table.name(), Arc::new(table))).collect()
}

/// The table of that name, if it is one of ours, filled with nothing but what the vendor sends.
#[cfg(test)]
pub fn table(name: &str) -> Option<Arc<Table>> {
    table_with(name, TableOptions::default())
}

/// The table of that name, if it is one of ours, filled as `options` say.
pub fn table_with(name: &str, options: TableOptions) -> Option<Arc<Table>> {
    let tables = if options.parser_aliases { &WITH_ALIASES } else { &PLAIN };
    tables.get(name).cloned()
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
}
