//! Where the rows of a pass go, and how they are read back.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use simulator::logs_ingestion::{LogsIngestion, Rule};
use simulator::managed_identity::ManagedIdentity;

use super::vendors::RULES;

/// See the module.
pub enum Destination {
    /// `<Table>.ndjson` files.
    Directory { tables: PathBuf },
    /// The simulated Azure.
    LogsIngestion {
        identity: Arc<ManagedIdentity>,
        ingestion: Box<LogsIngestion>,
        /// What the settings of a vendor start with, and the vendor's own rule.
        rules: Vec<(&'static str, String)>,
    },
}

impl Destination {
    /// With a rule for each vendor: one alone holds no more than ten tables.
    pub fn logs_ingestion() -> Self {
        let identity = Arc::new(ManagedIdentity::start());
        let numbered = (1..).zip(RULES);
        let rules: Vec<(&str, Rule)> = numbered
            .map(|(number, (prefix, tables))| (prefix, Rule::numbered(number, tables)))
            .collect();
        let ids = rules.iter().map(|(prefix, rule)| (*prefix, rule.rule_id.clone()));
        Self::LogsIngestion {
            rules: ids.collect(),
            ingestion: Box::new(LogsIngestion::start(
                identity.clone(),
                rules.into_iter().map(|(_, rule)| rule).collect(),
            )),
            identity,
        }
    }

    /// The settings of the handler for it.
    pub fn settings(&self) -> Vec<(String, String)> {
        match self {
            Self::Directory { tables } => vec![("DESTINATION_DIR".to_owned(), tables.display().to_string())],
            Self::LogsIngestion {
                identity,
                ingestion,
                rules,
            } => {
                let mut settings = vec![
                    ("IDENTITY_ENDPOINT".to_owned(), identity.endpoint()),
                    ("IDENTITY_HEADER".to_owned(), identity.header()),
                ];
                for (prefix, rule_id) in rules {
                    settings.push((format!("{prefix}INGESTION_ENDPOINT"), ingestion.origin()));
                    settings.push((format!("{prefix}RULE_ID"), rule_id.clone()));
                }
                settings
            }
        }
    }

    /// Every table that has taken rows.
    pub fn tables(&self) -> Result<BTreeMap<String, Vec<Value>>, String> {
        match self {
            Self::Directory { tables } => read_folder(tables),
            Self::LogsIngestion { ingestion, .. } => {
                if let Some(violation) = ingestion.violations().first() {
                    return Err(format!("the Logs Ingestion API would not have taken it: {violation}"));
                }
                let names: BTreeSet<String> = ingestion.calls().into_iter().map(|call| call.table).collect();
                let tables = names.into_iter().map(|name| {
                    let rows = ingestion.rows(&name);
                    (name, rows)
                });
                Ok(tables.collect())
            }
        }
    }

    /// Calls of the Logs Ingestion API, and the rules they went to.
    pub fn calls(&self) -> (usize, usize) {
        match self {
            Self::Directory { .. } => (0, 0),
            Self::LogsIngestion { ingestion, .. } => {
                let calls = ingestion.calls();
                let rules: BTreeSet<&str> = calls.iter().map(|call| call.rule_id.as_str()).collect();
                (calls.len(), rules.len())
            }
        }
    }
}

fn read_folder(folder: &Path) -> Result<BTreeMap<String, Vec<Value>>, String> {
    let readable = |error| format!("{}: {error}", folder.display());
    let mut tables = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(readable)? {
        let path = entry.map_err(readable)?.path();
        let Some(name) = table_of(&path) else { continue };
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let rows: Result<Vec<Value>, _> = text.lines().map(serde_json::from_str).collect();
        let rows = rows.map_err(|error| format!("{}: {error}", path.display()))?;
        tables.insert(name, rows);
    }
    Ok(tables)
}

fn table_of(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    name.strip_suffix(".ndjson").map(str::to_owned)
}
