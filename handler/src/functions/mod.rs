//! What the two functions do, behind the host's trait.

mod http;
mod status;
mod timer;

use std::sync::Arc;

use async_trait::async_trait;

use crate::host::{Functions, HttpCall, HttpReply, TimerCall, TimerReply};
use crate::jobs::{JobContext, MAX_ANSWER_TIME, Plans, PushReceiver, RunRequest};
use crate::report::RunReport;
use crate::state::StoreError;
use crate::status::{RunRecorder, Status, collect_status, run_and_record};
use crate::time::Deadline;
use std::collections::BTreeMap;
use std::time::Duration;

/// What the functions work with.
pub struct Work {
    /// What is configured.
    pub plans: Plans,
    /// What the jobs share.
    pub context: Arc<JobContext>,
    /// Where runs are recorded.
    pub recorder: RunRecorder,
    /// The receivers of pushes by the last part of their route: `push/<source>`.
    pub receivers: BTreeMap<&'static str, PushReceiver>,
    /// How long a run of the timer may take.
    pub budget: Duration,
}

impl Work {
    /// Runs, logs and records.
    pub async fn run(&self, request: &RunRequest) -> RunReport {
        run_and_record(&self.plans, &self.context, &self.recorder, request).await
    }

    /// How every stream stands.
    ///
    /// # Errors
    /// If the state store cannot be read.
    pub async fn status(&self) -> Result<Status, StoreError> {
        collect_status(&self.plans, &self.context, &self.recorder.healths).await
    }

    /// Saves what was counted of pushes since the last time. What cannot be saved is logged, and saved the next time.
    pub async fn save_ledgers(&self) {
        for (vendor, receiver) in &self.receivers {
            if let Err(error) = receiver.save_ledgers().await {
                log::warn!(source = *vendor; "push/{vendor}: the counts of this process are not saved: {error}");
            }
        }
    }
}

/// Gives the functions their work. Asked at every invocation, so that what could not be set up at the start (a full
/// disk, a missing folder, a Key Vault without an answer) is tried again.
#[async_trait]
pub trait Workplace: Send + Sync {
    /// The work for a run over all streams, which can wait some seconds for secrets; or in one line why there is none.
    async fn for_run(&self) -> Result<Arc<Work>, String>;

    /// Told what a run brought: secrets that a vendor rejected are asked for anew before the next one.
    fn run_ended(&self, report: &RunReport);

    /// The work for a push, whose sender waits.
    async fn for_push(&self) -> Result<Arc<Work>, String>;
}

/// The functions of this app.
pub struct ConnectorFunctions {
    /// Where the work comes from.
    pub workplace: Arc<dyn Workplace>,
}

#[async_trait]
impl Functions for ConnectorFunctions {
    async fn timer(&self, call: TimerCall) -> TimerReply {
        match self.workplace.for_run().await {
            Ok(work) => {
                let report = timer::run(&work, call).await;
                self.workplace.run_ended(&report);
                timer::reply(&report)
            }
            Err(reason) => {
                log::error!("nothing is polled: {reason}");
                TimerReply {
                    succeeded: false,
                    lines: vec![reason],
                }
            }
        }
    }

    async fn http(&self, call: HttpCall) -> HttpReply {
        // What it takes to have the work is the sender's time too.
        let deadline = Deadline::after(MAX_ANSWER_TIME);
        http::answer(self.workplace.for_push().await, call, deadline).await
    }
}
