//! A run with everything that is said of it: the log, the health record of each stream, new fields, and the health rows.

use std::sync::Arc;

use super::health_rows::send_health_rows;
use super::record::record_run;
use super::run_recorder::{FinishedRun, RunRecorder};
use crate::jobs::{JobContext, Plans, RunRequest, RunScope, run};
use crate::report::{RunReport, log_run};

/// Reads the selected streams and empties the spool, then logs and records what was done. Only a run that reads has
/// health rows.
pub async fn run_and_record(
    plans: &Plans,
    context: &Arc<JobContext>,
    recorder: &RunRecorder,
    request: &RunRequest,
) -> RunReport {
    let report = run(plans, context, request).await;
    log_run(&report, request.logged_tables);
    let finished = FinishedRun {
        request,
        report: &report,
        at: context.clock.now(),
    };
    record_run(plans, &recorder.healths, finished).await;
    recorder.new_keys.save(&*context.store, context.clock.now()).await;
    if request.scope == RunScope::Everything {
        send_health_rows(plans, context, recorder, finished).await;
    }
    report
}
