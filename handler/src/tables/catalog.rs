//! The definitions that are built into the executable.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use super::row::Table;

const DEFINITIONS: [&str; 4] = [
    include_str!("../../../infra/tables/OneLoginEventsV2_CL.json"),
    include_str!("../../../infra/tables/OneLogin_CL.json"),
    include_str!("../../../infra/tables/PingOne_AuditActivitiesV2_CL.json"),
    include_str!("../../../infra/tables/PingOne_AuditActivities_CL.json"),
];

static TABLES: LazyLock<BTreeMap<Arc<str>, Arc<Table>>> = LazyLock::new(|| {
    // A test below holds that every embedded definition compiles, so nothing is skipped here.
    let compiled = DEFINITIONS
        .iter()
        .filter_map(|definition| Table::compile(definition).ok());
    compiled.map(|table| (table.name(), Arc::new(table))).collect()
});

/// The table of that name, if it is one of ours.
pub fn table(name: &str) -> Option<Arc<Table>> {
    TABLES.get(name).cloned()
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
            let compiled = Table::compile(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert_eq!(path.file_stem().unwrap().to_str().unwrap(), &*compiled.name());
            assert!(table(&compiled.name()).is_some(), "{} is not embedded", compiled.name());
            files += 1;
        }
        assert_eq!(files, DEFINITIONS.len());
    }
}
