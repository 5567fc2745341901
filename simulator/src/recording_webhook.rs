//! A webhook for the tests of the senders.

use std::collections::VecDeque;
use std::convert::Infallible;

use chrono::{DateTime, Utc};

use crate::service::{Controls, Reply, Request, Server, Service, Simulation};

/// What a webhook received, and the statuses it answers with before it accepts; 0 cuts the connection.
#[derive(Default)]
pub(crate) struct RecordingWebhook {
    pub(crate) received: Vec<Request>,
    refusals: VecDeque<u16>,
    controls: Controls<Infallible>,
}

impl Service for RecordingWebhook {
    type Fault = Infallible;

    fn controls(&mut self) -> &mut Controls<Infallible> {
        &mut self.controls
    }

    fn reply(&mut self, request: &Request, _: DateTime<Utc>) -> Reply {
        self.received.push(request.clone());
        match self.refusals.pop_front() {
            Some(0) => Reply::cut(),
            status => Reply::json(status.unwrap_or(200), "noted"),
        }
    }
}

/// Starts a webhook that answers so before it accepts.
pub(crate) fn webhook(refusals: &[u16]) -> Server<RecordingWebhook> {
    Server::serve(Simulation::of(RecordingWebhook {
        refusals: refusals.iter().copied().collect(),
        ..RecordingWebhook::default()
    }))
}
