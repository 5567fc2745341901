//! Everything that works, built from the settings.

use std::sync::Arc;

use super::build_error::BuildError;
use super::disabled::{disabled_reports, disabled_streams};
use super::plans::Assembly;
use super::settings::Settings;
use super::shared::Shared;
use crate::functions::Work;
use crate::jobs::{Housekeeping, JobContext, Plans, PollRules};
use crate::state::{BlobStore, Container, Holder, Leases, LocalStore, StateLocation, StreamHealths, connect};
use crate::status::RunRecorder;

/// Builds the work. `holder` names the process to others that meet its leases.
///
/// # Errors
/// Where the state or a destination cannot be had, or a table is not built in.
pub fn build(settings: &Settings, shared: &Shared, holder: &Holder) -> Result<Work, BuildError> {
    let store = open_store(&settings.state, shared)?;
    let assembly = Assembly::new(settings, shared, store.clone())?;
    let rules = PollRules {
        lookback: settings.poll.lookback,
        overlap: settings.poll.overlap,
        settle: settings.poll.settle,
        concurrency: settings.poll.concurrency,
    };
    let recorder = RunRecorder {
        healths: StreamHealths::new(store.clone()),
        health_route: assembly.health_route()?,
    };
    let plans = Plans {
        streams: assembly.stream_plans(),
        drains: assembly.drain_plans(),
        disabled: disabled_reports(settings),
        disabled_streams: disabled_streams(settings),
        schedule: settings.poll.schedule.clone(),
    };
    let context = JobContext {
        rules,
        store,
        clock: shared.clock.clone(),
        holder: holder.clone(),
        shutdown: shared.stop.clone(),
        housekeeping: Housekeeping::new(assembly.push_ledgers()),
    };
    Ok(Work {
        plans,
        context: Arc::new(context),
        recorder,
        receivers: assembly.receivers(),
        budget: settings.poll.budget,
    })
}

fn open_store(location: &StateLocation, shared: &Shared) -> Result<Arc<dyn Leases>, BuildError> {
    let clock = shared.clock.clone();
    match location {
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
            let tokens = &shared.tokens;
            let objects = connect(&container, &shared.http, tokens.clone()).map_err(|reason| BuildError::Blob {
                container: container.to_string(),
                reason,
            })?;
            let tokens = (!container.is_emulator).then(|| tokens.clone());
            Ok(Arc::new(BlobStore::new(objects, &container.to_string(), clock, tokens)))
        }
    }
}
