//! What the two functions do, behind the host's trait.

mod http;
mod status;
mod timer;

use async_trait::async_trait;

use crate::app::RuntimeProvider;
use crate::host::{Functions, HttpCall, HttpReply, TimerCall, TimerReply};
use crate::jobs::MAX_ANSWER_TIME;
use crate::report::{failure_reason, run_lines};
use crate::time::Deadline;

/// The functions of this app.
pub struct ConnectorFunctions {
    /// Asked at every invocation, so that what could not be set up at the start (a full disk, a missing folder, a Key
    /// Vault without an answer) is tried again.
    pub provider: RuntimeProvider,
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
        // What it takes to have the runtime is the sender's time too.
        let deadline = Deadline::after(MAX_ANSWER_TIME);
        http::answer(self.provider.for_push().await, call, deadline).await
    }
}
