//! What everything that is built needs.

use std::sync::Arc;

use super::destinations::Destinations;
use super::lasting::Lasting;
use crate::http::HttpClient;
use crate::settings::Settings;
use crate::sources::Watched;
use crate::state::{SpoolRoom, Store};
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
    pub spool_room: SpoolRoom,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Wiring<'_> {
    /// The stream, watched for rejections of the credential in the settings that start with `setting_prefix`.
    pub fn watched<S: ?Sized>(&self, stream: Arc<S>, setting_prefix: &str) -> Arc<Watched<S>> {
        Arc::new(Watched {
            stream,
            setting_prefix: setting_prefix.to_owned(),
            rejections: self.lasting.rejections.clone(),
        })
    }
}
