//! Everything that runs, built from the settings: plans, jobs and receivers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::access::Access;
use super::build_error::BuildError;
use super::disabled::{disabled_instances, disabled_streams};
use super::plans::Assembly;
use super::settings::Settings;
use super::shared::Shared;
use crate::config::SettingProblem;
use crate::jobs::{Housekeeping, JobContext, Plans, PollRules, PushReceiver, RunRequest};
use crate::report::RunReport;
use crate::state::{
    BlobStore, Holder, Leases, LocalStore, StateLocation, StoreError, StreamHealths, TimerRecords, connect,
};
use crate::status::{RunRecorder, Status, collect_status, run_and_record};

/// Everything that runs, built from the settings.
pub struct Runtime {
    pub plans: Plans,
    /// What the jobs share.
    pub context: Arc<JobContext>,
    /// Where runs are recorded.
    pub recorder: RunRecorder,
    /// The receivers of pushes by the last part of their route: `push/<source>`.
    pub receivers: BTreeMap<&'static str, PushReceiver>,
    /// How long a run of the timer may take.
    pub budget: Duration,
    /// When the timer function was invoked.
    pub timer_records: TimerRecords,
    /// Somebody has switched the timer function off.
    pub timer_is_disabled: bool,
    /// What is wrong with the settings of the whole program, although it runs.
    pub problems: Vec<SettingProblem>,
}

impl Runtime {
    /// Builds it. `holder` names the process to others that meet its leases.
    ///
    /// # Errors
    /// Where the state or a destination cannot be had, or a table is not built in.
    pub fn build(settings: &Settings, shared: &Shared, holder: &Holder) -> Result<Self, BuildError> {
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
            new_keys: shared.destinations.new_keys.clone(),
            health_route: assembly.health_route()?,
            app: settings.health.app.clone(),
        };
        let plans = Plans {
            streams: assembly.stream_plans(),
            drains: assembly.drain_plans(),
            disabled: disabled_instances(settings),
            disabled_streams: disabled_streams(settings),
            schedule: settings.poll.schedule.clone(),
        };
        let timer_records = TimerRecords::new(store.clone());
        let context = JobContext {
            rules,
            store,
            clock: shared.clock.clone(),
            holder: holder.clone(),
            shutdown: shared.stop.clone(),
            housekeeping: Housekeeping::new(assembly.push_ledgers()),
        };
        Ok(Self {
            plans,
            context: Arc::new(context),
            recorder,
            receivers: assembly.receivers(),
            budget: settings.poll.budget,
            timer_records,
            timer_is_disabled: settings.timer_is_disabled,
            problems: settings.schedule_problem.iter().cloned().collect(),
        })
    }

    /// Runs, logs and records.
    pub async fn run(&self, request: &RunRequest) -> RunReport {
        run_and_record(&self.plans, &self.context, &self.recorder, request).await
    }

    /// How every stream stands.
    ///
    /// # Errors
    /// If the state store cannot be read.
    pub async fn status(&self) -> Result<Status, StoreError> {
        let mut status = collect_status(&self.plans, &self.context, &self.recorder.healths).await?;
        status.problems.extend(self.problems.iter().map(ToString::to_string));
        Ok(status)
    }

    /// Saves the keys that no definition knows. A run does that by itself.
    pub async fn save_new_keys(&self) {
        let now = self.context.clock.now();
        self.recorder.new_keys.save(&*self.context.store, now).await;
    }

    /// Saves what was counted of pushes since the last time, and the keys that no definition knows. What cannot be saved
    /// is logged, and saved the next time.
    pub async fn save_ledgers(&self) {
        self.save_new_keys().await;
        for (vendor, receiver) in &self.receivers {
            if let Err(error) = receiver.save_ledgers().await {
                log::warn!(source = *vendor; "push/{vendor}: the counts of this process are not saved: {error}");
            }
        }
    }
}

/// Nothing is sent yet.
pub fn open_store(location: &StateLocation, shared: &Shared) -> Result<Arc<dyn Leases>, BuildError> {
    let clock = shared.clock.clone();
    match location {
        StateLocation::Directory(folder) => Ok(Arc::new(match shared.access() {
            Access::ReadWrite => LocalStore::open(folder.clone(), clock)?,
            Access::ReadOnly => LocalStore::unopened(folder.clone(), clock),
        })),
        StateLocation::Blob(container) => {
            let tokens = &shared.tokens;
            let objects = connect(container, &shared.http, tokens.clone()).map_err(|reason| BuildError::Blob {
                container: container.to_string(),
                reason,
            })?;
            let tokens = (!container.endpoint.is_loopback()).then(|| tokens.clone());
            Ok(Arc::new(BlobStore::new(objects, &container.to_string(), clock, tokens)))
        }
    }
}
