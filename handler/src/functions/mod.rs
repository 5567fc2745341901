//! What the two functions do, behind the host's trait.

mod http;
mod refused_pushes;
mod status;
mod timer;
mod wake;

use async_trait::async_trait;

use self::refused_pushes::RefusedPushes;
use crate::app::RuntimeProvider;
use crate::host::{Functions, HttpCall, HttpReply, TimerCall, TimerReply};
use crate::jobs::MAX_ANSWER_TIME;
use crate::report::{failure_reason, run_lines};
use crate::time::Deadline;

/// The functions of this app.
pub struct ConnectorFunctions {
    /// Asked at every invocation, so that what could not be set up at the start (a full disk, a missing folder, a Key
    /// Vault without an answer) is tried again.
    provider: RuntimeProvider,
    refused_pushes: RefusedPushes,
}

impl ConnectorFunctions {
    /// Over that runtime.
    pub fn new(provider: RuntimeProvider) -> Self {
        Self {
            provider,
            refused_pushes: RefusedPushes::default(),
        }
    }

    /// Logs what was counted and not logged yet: the process ends.
    pub fn log_rest(&self) {
        self.refused_pushes.log_rest();
    }
}

#[async_trait]
impl Functions for ConnectorFunctions {
    async fn timer(&self, call: TimerCall) -> TimerReply {
        match self.provider.for_run().await {
            Ok(runtime) => {
                let report = timer::run(&runtime, call).await;
                self.provider.run_ended(&report);
                TimerReply {
                    // A stream that failed fails the invocation.
                    failure: failure_reason(&report.streams),
                    lines: run_lines(&report),
                }
            }
            Err(reason) => {
                log::error!("nothing is polled: {reason}");
                TimerReply {
                    failure: Some(reason.to_string()),
                    lines: vec![reason.to_string()],
                }
            }
        }
    }

    async fn http(&self, call: HttpCall) -> HttpReply {
        // The host's routes do not tell capitals apart.
        if call.path.eq_ignore_ascii_case("wake") {
            return wake::answer(&self.provider, call).await;
        }
        // What it takes to have the runtime is the sender's time too.
        let deadline = Deadline::after(MAX_ANSWER_TIME);
        let runtime = self.provider.for_push().await;
        http::answer(runtime, call, deadline, &self.refused_pushes).await
    }
}
