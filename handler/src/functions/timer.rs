//! The timer function: one run over all pull streams, within the budget.

use std::time::Duration;

use crate::app::Runtime;
use crate::host::TimerCall;
use crate::jobs::RunRequest;
use crate::report::RunReport;
use crate::time::Deadline;

/// host.json allows an invocation ten minutes and then kills the process, pushes in flight included.
const LONGEST_RUN: Duration = Duration::from_secs(570);

/// Runs and reports.
pub async fn run(runtime: &Runtime, call: TimerCall) -> RunReport {
    log::debug!(
        invocation_id = call.invocation_id.as_deref().unwrap_or_default(), past_due = call.is_past_due,
        last = call.last.map(|last| last.to_rfc3339()).unwrap_or_default().as_str();
        "the timer fired"
    );
    let deadline = Deadline::after(runtime.budget.min(LONGEST_RUN));
    let request = RunRequest {
        invocation_id: call.invocation_id,
        ..RunRequest::everything(deadline)
    };
    runtime.run(&request).await
}
