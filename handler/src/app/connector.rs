//! Everything that works, built from the settings.

use std::sync::Arc;

use super::destinations::Destinations;
use super::lasting::Lasting;
use super::off::off_reports;
use super::wiring::Wiring;
use crate::destination::DeliveryError;
use crate::functions::Work;
use crate::pipeline::{PollRules, Poller};
use crate::settings::{Settings, StateLocation};
use crate::state::{Holder, LocalStore, Store, StoreError};
use crate::time::Clock;

/// What cannot be set up with settings that are right by themselves.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The state directory.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The local destination.
    #[error(transparent)]
    Destination(#[from] DeliveryError),
    /// The HTTPS client.
    #[error("{0}")]
    Http(String),
    /// A setting that only a later version can follow.
    #[error("STATE_URL: names a blob container; this version keeps its state in a directory only: give a path")]
    BlobState,
}

/// Builds the work. `command` names the process to others that meet its leases.
pub fn build(settings: &Settings, lasting: &Lasting, command: &str) -> Result<Work, BuildError> {
    let (clock, http) = (lasting.clock.clone(), lasting.http.clone());
    let store = open_store(settings, clock.clone())?;
    let destinations = Destinations::new(settings, http.clone(), lasting.identity.clone(), clock.clone());
    let mut wiring = Wiring {
        settings,
        lasting,
        destinations,
        http,
        store: store.clone(),
        clock: clock.clone(),
    };
    let plans = wiring.stream_plans()?;
    let receivers = wiring.receivers()?;
    let rules = PollRules {
        lookback: settings.poll.lookback,
        overlap: settings.poll.overlap,
        settle: settings.poll.settle,
        concurrency: settings.poll.concurrency,
    };
    let holder = Holder {
        who: format!("{command} (process {})", std::process::id()),
    };
    let poller = Poller {
        plans,
        off: off_reports(settings),
        rules,
        store,
        clock,
        holder,
    };
    Ok(Work {
        poller: Arc::new(poller),
        receivers,
        budget: settings.poll.budget,
    })
}

fn open_store(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Arc<dyn Store>, BuildError> {
    match &settings.state {
        StateLocation::Directory(folder) => Ok(Arc::new(LocalStore::open(folder.clone(), clock)?)),
        StateLocation::Blob { .. } => Err(BuildError::BlobState),
    }
}
