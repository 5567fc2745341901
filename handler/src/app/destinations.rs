//! One destination per ingestion rule, so that everybody who sends to a rule shares its pauses.

use std::collections::HashMap;
use std::sync::Arc;

use super::build_error::BuildError;
use super::lasting::Lasting;
use super::turns::Turns;
use crate::azure::TokenSource;
use crate::config::{DestinationChoice, IngestionRule, Settings};
use crate::delivery::TableRoute;
use crate::destination::{BODY_LIMIT, DeliveryError, Destination, DirectoryDestination, LogsIngestion};
use crate::http::HttpClient;
use crate::tables::{TableOptions, table_with};
use crate::time::Clock;

/// See the module.
pub struct Destinations {
    http: HttpClient,
    tokens: Arc<dyn TokenSource>,
    clock: Arc<dyn Clock>,
    folder: std::path::PathBuf,
    directory: Option<Arc<DirectoryDestination>>,
    rules: HashMap<(String, String), Arc<LogsIngestion>>,
    turns: Turns,
    /// The largest body of a call.
    body_limit: usize,
}

impl Destinations {
    /// Nothing is opened yet.
    pub fn new(settings: &Settings, lasting: &Lasting) -> Self {
        Self {
            http: lasting.http.clone(),
            tokens: lasting.tokens.clone(),
            clock: lasting.clock.clone(),
            folder: settings.destination_dir.clone(),
            directory: None,
            rules: HashMap::new(),
            turns: lasting.turns.clone(),
            body_limit: BODY_LIMIT,
        }
    }

    /// Smaller calls, for tests that need many.
    #[cfg(test)]
    pub fn with_body_limit(mut self, body_limit: usize) -> Self {
        self.body_limit = body_limit;
        self
    }

    /// The named tables with their destination.
    pub fn targets<S: AsRef<str>>(
        &mut self,
        choice: &DestinationChoice,
        tables: &[S],
    ) -> Result<Vec<TableRoute>, BuildError> {
        self.targets_with(choice, tables, TableOptions::default())
    }

    /// The named tables, with something added to the vendor's values.
    pub fn targets_with<S: AsRef<str>>(
        &mut self,
        choice: &DestinationChoice,
        tables: &[S],
        options: TableOptions,
    ) -> Result<Vec<TableRoute>, BuildError> {
        let destination = self.destination(choice)?;
        let place = match choice {
            DestinationChoice::Rule(rule) => format!("{} {}", rule.endpoint.as_str(), rule.rule_id),
            DestinationChoice::Directory => String::new(),
        };
        let mut targets = Vec::new();
        for name in tables {
            let table = table_with(name.as_ref(), options)?;
            let key = (place.clone(), table.name());
            let (send_lock, record) = self.turns.of(key);
            targets.push(TableRoute {
                table,
                destination: destination.clone(),
                send_lock,
                record,
            });
        }
        Ok(targets)
    }

    fn destination(&mut self, choice: &DestinationChoice) -> Result<Arc<dyn Destination>, DeliveryError> {
        match choice {
            DestinationChoice::Rule(rule) => Ok(self.rule(rule)),
            DestinationChoice::Directory => {
                if let Some(directory) = &self.directory {
                    return Ok(directory.clone());
                }
                let opened = Arc::new(DirectoryDestination::open(self.folder.clone())?);
                self.directory = Some(opened.clone());
                Ok(opened)
            }
        }
    }

    fn rule(&mut self, rule: &IngestionRule) -> Arc<LogsIngestion> {
        let key = (rule.endpoint.as_str().to_owned(), rule.rule_id.clone());
        let (http, tokens, clock) = (&self.http, &self.tokens, &self.clock);
        let known = self.rules.entry(key).or_insert_with(|| {
            Arc::new(LogsIngestion::new(
                rule.clone(),
                http.clone(),
                tokens.clone(),
                clock.clone(),
                self.body_limit,
            ))
        });
        known.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::MapEnvironment;
    use crate::tables::TableError;
    use crate::time::Shutdown;

    #[test]
    fn a_table_that_is_not_built_in_is_an_error_and_leaves_no_stream_without_a_table() {
        let folder = tempfile::tempdir().unwrap();
        let environment = MapEnvironment::from([("DESTINATION_DIR", folder.path().to_str().unwrap())]);
        let settings = Settings::load(&environment).unwrap();
        let lasting = Lasting::new(&environment, Shutdown::default()).unwrap();
        let mut destinations = Destinations::new(&settings, &lasting);

        let tables = ["OneLogin_CL", "OneLogin_C"];
        let built = destinations.targets(&DestinationChoice::Directory, &tables);

        assert!(matches!(built, Err(BuildError::Table(TableError::Unknown(name))) if name == "OneLogin_C"));
    }
}
