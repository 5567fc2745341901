//! What everything that is built needs.

use std::sync::Arc;

use super::destinations::Destinations;
use crate::http::HttpClient;
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
