//! One destination per ingestion rule, for as long as the process runs: everybody who sends to a rule shares its pauses,
//! and everybody who sends to a table takes turns.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::access::Access;
use super::build_error::BuildError;
use crate::azure::TokenSource;
use crate::delivery::{NewKeys, TableRecord, TableRoute};
use crate::destination::{
    BODY_LIMIT, DeliveryError, Destination, DestinationChoice, DirectoryDestination, IngestionRule, LogsIngestion,
    RuleClient,
};
use crate::http::HttpClient;
use crate::tables::{Table, TableOptions, table_with};
use crate::time::Clock;
use parking_lot::Mutex;

pub struct Destinations {
    http: HttpClient,
    tokens: Arc<dyn TokenSource>,
    clock: Arc<dyn Clock>,
    access: Access,
    /// The largest body of a call.
    body_limit: usize,
    /// Keys that no definition knows.
    pub new_keys: Arc<NewKeys>,
    opened: Mutex<HashMap<Location, Arc<OpenDestination>>>,
}

#[derive(PartialEq, Eq, Hash)]
enum Location {
    Directory(PathBuf),
    Rule {
        endpoint: String,
        rule_id: String,
        audience: String,
    },
}

struct OpenDestination {
    destination: Arc<dyn Destination>,
    tables: Mutex<HashMap<Arc<str>, TableLock>>,
}

/// What everybody shares who sends to a table.
#[derive(Clone, Default)]
struct TableLock {
    send_lock: Arc<tokio::sync::Mutex<()>>,
    record: TableRecord,
}

/// Which tables rows go to, and where.
pub struct RouteRequest<'a> {
    pub choice: &'a DestinationChoice,
    /// The directory, where it is the destination.
    pub directory: &'a PathBuf,
    pub tables: &'a [&'static str],
    /// How rows are filled.
    pub options: TableOptions,
    /// The instance whose rows they are.
    pub instance: &'a str,
}

impl Destinations {
    /// Nothing is opened yet.
    pub fn new(http: HttpClient, tokens: Arc<dyn TokenSource>, clock: Arc<dyn Clock>) -> Self {
        Self {
            http,
            tokens,
            clock,
            access: Access::ReadWrite,
            body_limit: BODY_LIMIT,
            new_keys: Arc::default(),
            opened: Mutex::default(),
        }
    }

    /// With a directory that is not looked at where nothing is written.
    pub fn set_access(&mut self, access: Access) {
        self.access = access;
    }

    /// Smaller calls, for tests that need many.
    #[cfg(test)]
    pub fn set_body_limit(&mut self, body_limit: usize) {
        self.body_limit = body_limit;
    }

    /// The tables with their destination.
    ///
    /// # Errors
    /// Where the destination cannot be opened, or a table is not built in.
    pub fn routes(&self, request: &RouteRequest<'_>) -> Result<Vec<TableRoute>, BuildError> {
        let opened = self.open(request)?;
        let tables = request.tables.iter();
        let routes = tables.map(|name| {
            let table = table_with(name, request.options)?.of_instance(request.instance);
            Ok(opened.route(table.into(), self.new_keys.clone()))
        });
        routes.collect()
    }

    fn open(&self, request: &RouteRequest<'_>) -> Result<Arc<OpenDestination>, DeliveryError> {
        let location = match request.choice {
            DestinationChoice::Directory => Location::Directory(request.directory.clone()),
            DestinationChoice::Rule(rule) => Location::Rule {
                endpoint: rule.endpoint.as_str().to_owned(),
                rule_id: rule.rule_id.clone(),
                audience: rule.audience.clone(),
            },
        };
        let mut opened = self.opened.lock();
        if let Some(known) = opened.get(&location) {
            return Ok(known.clone());
        }
        let destination: Arc<dyn Destination> = match request.choice {
            DestinationChoice::Directory => {
                let folder = request.directory.clone();
                Arc::new(match self.access {
                    Access::ReadWrite => DirectoryDestination::open(folder)?,
                    Access::ReadOnly => DirectoryDestination::unopened(folder),
                })
            }
            DestinationChoice::Rule(rule) => self.rule(rule),
        };
        let new = Arc::new(OpenDestination {
            destination,
            tables: Mutex::default(),
        });
        opened.insert(location, new.clone());
        Ok(new)
    }

    fn rule(&self, rule: &IngestionRule) -> Arc<dyn Destination> {
        let (http, tokens, clock) = (self.http.clone(), self.tokens.clone(), self.clock.clone());
        Arc::new(LogsIngestion {
            client: RuleClient::new(rule.clone(), http, tokens, clock),
            body_limit: self.body_limit,
        })
    }
}

impl OpenDestination {
    fn route(&self, table: Arc<Table>, new_keys: Arc<NewKeys>) -> TableRoute {
        let TableLock { send_lock, record } = self.tables.lock().entry(table.name()).or_default().clone();
        TableRoute {
            table,
            destination: self.destination.clone(),
            send_lock,
            record,
            new_keys,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::settings::Settings;
    use crate::app::shared::Shared;
    use crate::config::Environment;
    use crate::tables::TableError;
    use crate::time::Shutdown;

    fn shared() -> Shared {
        Shared::new(&Environment::default(), Shutdown::default()).unwrap()
    }

    #[test]
    fn a_table_that_is_not_built_in_is_an_error_and_leaves_no_stream_without_a_table() {
        let folder = tempfile::tempdir().unwrap();

        let built = shared().destinations.routes(&RouteRequest {
            choice: &DestinationChoice::Directory,
            directory: &folder.path().to_owned(),
            tables: &["OneLogin_CL", "OneLogin_C"],
            options: TableOptions::default(),
            instance: "default",
        });

        assert!(matches!(built, Err(BuildError::Table(TableError::Unknown(name))) if name == "OneLogin_C"));
    }

    #[test]
    fn what_is_built_anew_shares_the_pauses_of_a_rule_and_the_lock_of_a_table() {
        let settings = Settings::load(&Environment::from([
            ("PINGONE__PUSH_TOKEN", "a-token-of-20-letter"),
            ("ONELOGIN__BEARER_TOKEN", "a-token-of-20-letter"),
            ("LOGS_INGESTION__ENDPOINT", "https://x.ingest.monitor.azure.com"),
            ("LOGS_INGESTION__RULE_ID", "dcr-1"),
            ("ONELOGIN__INGESTION_ENDPOINT", "https://x.ingest.monitor.azure.com"),
            ("ONELOGIN__RULE_ID", "dcr-2"),
        ]))
        .unwrap();
        let shared = shared();
        let route = |instance: usize| {
            let request = RouteRequest {
                choice: &settings.instances[instance].destination,
                directory: &settings.destination_dir,
                tables: &["OneLogin_CL"],
                options: TableOptions::default(),
                instance: "default",
            };
            shared.destinations.routes(&request).unwrap().remove(0)
        };

        let (first, again, of_another_rule) = (route(0), route(0), route(1));
        assert!(Arc::ptr_eq(&first.destination, &again.destination));
        assert!(Arc::ptr_eq(&first.send_lock, &again.send_lock));
        assert!(!Arc::ptr_eq(&first.destination, &of_another_rule.destination));
        assert!(!Arc::ptr_eq(&first.send_lock, &of_another_rule.send_lock));
    }
}
