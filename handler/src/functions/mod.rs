//! What the two functions do, behind the host's trait.

mod http;
mod status;
mod timer;

use std::sync::Arc;

use async_trait::async_trait;

use crate::host::{Functions, HttpCall, HttpReply, TimerCall, TimerReply};
use crate::jobs::{MAX_ANSWER_TIME, Poller, PushReceiver};
use crate::report::RunReport;
use crate::time::Deadline;
use std::collections::BTreeMap;
use std::time::Duration;

/// What the functions work with.
pub struct Work {
    /// The pull streams.
    pub poller: Arc<Poller>,
    /// The receivers of pushes by the last part of their route: `push/onelogin`.
    pub receivers: BTreeMap<&'static str, PushReceiver>,
    /// How long a run of the timer may take.
    pub budget: Duration,
}

impl Work {
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
