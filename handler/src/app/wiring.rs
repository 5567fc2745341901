//! What everything that is built needs.

use std::sync::Arc;

use super::build_error::BuildError;
use super::destinations::Destinations;
use super::lasting::Lasting;
use crate::config::Settings;
use crate::delivery::TableRoute;
use crate::http::HttpClient;
use crate::state::{SpoolQuota, Store};
use crate::time::Clock;

/// See the module. The plans of streams stand in `streams.rs`, those of receivers in `receivers.rs`.
pub struct Wiring<'a> {
    /// As they were read.
    pub settings: &'a Settings,
    /// One per ingestion rule.
    pub destinations: Destinations,
    /// What stays when everything else is built anew.
    pub lasting: &'a Lasting,
    /// The one client.
    pub http: HttpClient,
    /// The state.
    pub store: Arc<dyn Store>,
    /// The limit of the spool.
    pub spool_quota: SpoolQuota,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

const HEALTH_TABLES: [&str; 1] = ["SentinelConnectorHealth_CL"];

impl Wiring<'_> {
    /// Where health rows go, if they are switched on. A folder that cannot be had costs the rows and nothing else.
    pub fn health_target(&mut self) -> Result<Option<TableRoute>, BuildError> {
        let health = &self.settings.health;
        if !health.enabled {
            return Ok(None);
        }
        match self.destinations.targets(&health.destination, &HEALTH_TABLES) {
            Ok(targets) => Ok(targets.into_iter().next()),
            Err(BuildError::Destination(error)) => {
                log::warn!("no health rows are written: {error}");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}
