//! Everything that works, built from the settings.

use std::sync::Arc;

use super::build_error::BuildError;
use super::destinations::Destinations;
use super::lasting::Lasting;
use super::off::{off_reports, off_streams};
use super::wiring::Wiring;
use crate::azure::TokenSource;
use crate::config::{Settings, StateLocation};
use crate::functions::Work;
use crate::http::HttpClient;
use crate::jobs::{Housekeeping, JobContext, Plans, PollRules};
use crate::state::connect;
use crate::state::{BlobStore, Container, Holder, LocalStore, SpoolQuota, Store, StreamHealths};
use crate::status::RunRecorder;
use crate::time::Clock;

/// Builds the work. `command` names the process to others that meet its leases.
pub fn build(settings: &Settings, lasting: &Lasting, command: &str) -> Result<Work, BuildError> {
    let (clock, http) = (lasting.clock.clone(), lasting.http.clone());
    let store = open_store(settings, &http, &lasting.tokens, clock.clone())?;
    let mut wiring = Wiring {
        settings,
        lasting,
        destinations: Destinations::new(settings, lasting),
        http,
        store: store.clone(),
        spool_quota: SpoolQuota::new(store.clone(), settings.spool_max_bytes),
        clock: clock.clone(),
    };
    let streams = wiring.stream_plans()?;
    let drains = wiring.drain_plans()?;
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
    let recorder = RunRecorder {
        healths: StreamHealths::new(store.clone()),
        health_route: wiring.health_target()?,
    };
    let plans = Plans {
        streams,
        drains,
        disabled: off_reports(settings),
        disabled_streams: off_streams(settings),
        schedule: settings.poll.schedule.clone(),
    };
    let context = JobContext {
        rules,
        store,
        clock,
        holder,
        shutdown: lasting.stop.clone(),
        housekeeping: Housekeeping::new(wiring.push_ledgers()),
    };
    Ok(Work {
        plans,
        context: Arc::new(context),
        recorder,
        receivers,
        budget: settings.poll.budget,
    })
}

fn open_store(
    settings: &Settings,
    http: &HttpClient,
    tokens: &Arc<dyn TokenSource>,
    clock: Arc<dyn Clock>,
) -> Result<Arc<dyn Store>, BuildError> {
    match &settings.state {
        StateLocation::Directory(folder) => Ok(Arc::new(LocalStore::open(folder.clone(), clock)?)),
        StateLocation::Blob {
            endpoint,
            account,
            container,
        } => {
            let container = Container {
                endpoint: endpoint.as_str(),
                account,
                name: container,
                is_emulator: endpoint.is_loopback(),
            };
            let objects = connect(&container, http, tokens.clone()).map_err(|reason| BuildError::Blob {
                container: container.to_string(),
                reason,
            })?;
            let tokens = (!container.is_emulator).then(|| tokens.clone());
            Ok(Arc::new(BlobStore::new(objects, &container.to_string(), clock, tokens)))
        }
    }
}
