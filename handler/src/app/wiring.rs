//! What everything that is built needs.

use std::sync::Arc;

use super::destinations::Destinations;
use crate::http::HttpClient;
use crate::pipeline::Target;
use crate::settings::Settings;
use crate::state::{SpoolRoom, Store};
use crate::time::{Clock, Stop};

/// See the module. The plans of streams stand in `streams.rs`, those of receivers in `receivers.rs`.
pub struct Wiring<'a> {
    /// As they were read.
    pub settings: &'a Settings,
    /// One per ingestion rule.
    pub destinations: Destinations,
    /// The one client.
    pub http: HttpClient,
    /// The state.
    pub store: Arc<dyn Store>,
    /// The limit of the spool.
    pub spool_room: SpoolRoom,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The word that the process is to end.
    pub stop: Stop,
}

const HEALTH_TABLES: [&str; 1] = ["SentinelConnectorHealth_CL"];

impl Wiring<'_> {
    /// Where health rows go, if they are switched on. A folder that cannot be had costs the rows and nothing else.
    pub fn health_target(&mut self) -> Option<Target> {
        let health = &self.settings.health;
        if !health.enabled {
            return None;
        }
        match self.destinations.targets(&health.destination, &HEALTH_TABLES) {
            Ok(targets) => targets.into_iter().next(),
            Err(error) => {
                log::warn!("no health rows are written: {error}");
                None
            }
        }
    }
}
