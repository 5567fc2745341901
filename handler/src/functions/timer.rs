//! The timer function: one run over all pull streams, within the budget.

use std::convert::Infallible;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::app::Runtime;
use crate::host::TimerCall;
use crate::jobs::RunRequest;
use crate::report::{ErrorCode, RunReport};
use crate::time::Deadline;

/// host.json allows an invocation ten minutes and then kills the process, pushes in flight included.
const LONGEST_RUN: Duration = Duration::from_secs(570);
/// A run waits so long until it is noted that the timer was invoked.
const LONGEST_NOTE: Duration = Duration::from_secs(3);

/// Runs and reports.
pub async fn run(runtime: &Runtime, call: TimerCall) -> RunReport {
    log::debug!(
        invocation_id = call.invocation_id.as_deref().unwrap_or_default(), past_due = call.is_past_due,
        last = call.last.map(|last| last.to_rfc3339()).unwrap_or_default().as_str();
        "the timer fired"
    );
    let invoked_at = runtime.context.clock.now();
    let deadline = Deadline::after(runtime.budget.min(LONGEST_RUN));
    let request = RunRequest {
        invocation_id: call.invocation_id,
        ..RunRequest::everything(deadline)
    };
    // Before the run, whose health rows say how the timer stands.
    let noted = tokio::time::timeout(LONGEST_NOTE, runtime.timer_records.note_invocation(invoked_at)).await;
    let report = tokio::select! {
        report = runtime.run(&request) => report,
        never = note_due_times(runtime, invoked_at) => match never {},
    };
    match noted {
        Ok(Ok(())) => {}
        Ok(Err(error)) => say_unless_the_run_did(&report, &error.to_string()),
        Err(_) => say_unless_the_run_did(&report, "the state store did not answer in time"),
    }
    report
}

/// The host does not invoke the timer again before the run has ended: what becomes due meanwhile is not missed.
async fn note_due_times(runtime: &Runtime, invoked_at: DateTime<Utc>) -> Infallible {
    let clock = &runtime.context.clock;
    let mut time = invoked_at;
    while let Some(due) = runtime.plans.schedule.next_after(time) {
        tokio::time::sleep((due - clock.now()).to_std().unwrap_or_default()).await;
        time = clock.now().max(due);
        // One of them may be missing.
        let _ = runtime.timer_records.note_invocation(time).await;
    }
    std::future::pending().await
}

/// That the store cannot be used is said by the run.
fn say_unless_the_run_did(report: &RunReport, reason: &str) {
    let mut problems = report.streams.iter().flat_map(|stream| &stream.problems);
    if !problems.any(|problem| problem.code == ErrorCode::StateUnavailable) {
        log::warn!("it is not remembered that function-timer was invoked, so GET /api/wake may poll too: {reason}");
    }
}
