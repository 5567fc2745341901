//! What outlives a rebuild with other settings.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::access::Access;
use super::destinations::Destinations;
use crate::azure::{AzureIdentity, TokenSource};
use crate::config::Environment;
use crate::event::StreamName;
use crate::http::HttpClient;
use crate::jobs::{Dedupe, InflightBudget, PushLedger};
use crate::state::{ProcessLedger, Store};
use crate::time::{Clock, Shutdown, SystemClock};

pub struct Shared {
    pub clock: Arc<dyn Clock>,
    pub http: HttpClient,
    pub identity: Arc<AzureIdentity>,
    pub tokens: Arc<dyn TokenSource>,
    access: Access,
    pub stop: Shutdown,
    /// Memory for the bodies of pushes on their way, of all receivers together.
    pub inflight_budget: InflightBudget,
    /// Where rows go, with the locks of those who send to a table.
    pub destinations: Destinations,
    /// Tells this process from all others.
    pub process: String,
    dedupes: Mutex<HashMap<&'static str, Arc<Dedupe>>>,
    ledgers: Mutex<HashMap<StreamName, Arc<PushLedger>>>,
    /// Told when a ledger of pushes is to be saved.
    pub ledgers_changed: Arc<Notify>,
}

/// What the process reaches out to.
pub struct Outside {
    pub clock: Arc<dyn Clock>,
    pub http: HttpClient,
    pub identity: Arc<AzureIdentity>,
    pub tokens: Arc<dyn TokenSource>,
}

impl Shared {
    /// Fails where the machine has no usable certificate store.
    pub fn new(environment: &Environment, stop: Shutdown) -> Result<Self, String> {
        let identity = Arc::new(AzureIdentity::from_environment(environment));
        let process = format!("{}-{:016x}", std::process::id(), rand::random::<u64>());
        let outside = Outside {
            clock: Arc::new(SystemClock),
            http: HttpClient::new(environment)?,
            tokens: identity.clone(),
            identity,
        };
        Ok(Self::with(outside, stop, process))
    }

    /// With an outside of the caller's choice.
    pub fn with(outside: Outside, stop: Shutdown, process: String) -> Self {
        let (http, tokens, clock) = (outside.http, outside.tokens, outside.clock);
        Self {
            destinations: Destinations::new(http.clone(), tokens.clone(), clock.clone()),
            clock,
            http,
            identity: outside.identity,
            tokens,
            access: Access::ReadWrite,
            stop,
            inflight_budget: InflightBudget::default(),
            process,
            dedupes: Mutex::default(),
            ledgers: Mutex::default(),
            ledgers_changed: Arc::default(),
        }
    }

    /// Before anything is opened.
    pub fn set_access(&mut self, access: Access) {
        self.access = access;
        self.destinations.set_access(access);
    }

    /// Whether the process writes.
    pub fn access(&self) -> Access {
        self.access
    }

    /// What a vendor has pushed and was stored.
    pub fn push_dedupe(&self, vendor: &'static str) -> Arc<Dedupe> {
        self.dedupes.lock().entry(vendor).or_default().clone()
    }

    /// What became of the events that a stream pushed to this process.
    pub fn push_ledger(&self, store: &Arc<dyn Store>, stream: &StreamName) -> Arc<PushLedger> {
        let mut ledgers = self.ledgers.lock();
        let ledger = ledgers.entry(stream.clone()).or_insert_with(|| {
            let file = ProcessLedger::new(store.clone(), self.clock.clone(), stream, &self.process);
            Arc::new(PushLedger::new(stream, file, self.ledgers_changed.clone()))
        });
        ledger.clone()
    }
}
