//! The timer function: one run over all pull streams, within the budget.

use std::time::Duration;

use super::Work;
use crate::host::{TimerCall, TimerReply};
use crate::jobs::{RunScope, Selection};
use crate::report::RunReport;
use crate::time::Deadline;

/// host.json allows an invocation ten minutes and then kills the process, pushes in flight included.
const LONGEST_RUN: Duration = Duration::from_secs(570);

/// Runs and reports.
pub async fn run(work: &Work, call: TimerCall) -> RunReport {
    log::debug!(
        invocation_id = call.invocation_id.as_deref().unwrap_or_default(), past_due = call.is_past_due,
        last = call.last.map(|last| last.to_rfc3339()).unwrap_or_default().as_str();
        "the timer fired"
    );
    let deadline = Deadline::after(work.budget.min(LONGEST_RUN));
    let everything = Selection::all();
    let report = work.poller.run(&everything, RunScope::Everything, deadline).await;
    report.log();
    let invocation_id = call.invocation_id.as_deref();
    work.poller.send_health(&report, &everything, invocation_id).await;
    report
}

/// A stream that failed fails the invocation.
pub fn reply(report: &RunReport) -> TimerReply {
    TimerReply {
        succeeded: !report.failed(),
        lines: report.lines(),
    }
}
