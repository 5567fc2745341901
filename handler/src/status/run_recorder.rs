//! Where a run is recorded, and what of it.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::delivery::{NewKeys, TableRoute};
use crate::jobs::{Plans, RunRequest};
use crate::report::{ErrorCode, Outcome, ReportSubject, RunReport, StreamReport};
use crate::state::StreamHealths;

/// Where what a run did is recorded.
pub struct RunRecorder {
    /// The health record of each stream.
    pub healths: StreamHealths,
    /// Keys that no definition knows.
    pub new_keys: Arc<NewKeys>,
    /// Where health rows go, if they go anywhere.
    pub health_route: Option<TableRoute>,
    /// The function app that the rows name as theirs. Two that write to one table are told apart by it.
    pub app: Option<String>,
}

/// What was asked of a run, and what came of it.
#[derive(Clone, Copy)]
pub struct FinishedRun<'a> {
    pub request: &'a RunRequest,
    pub report: &'a RunReport,
    /// Its end.
    pub at: DateTime<Utc>,
}

impl FinishedRun<'_> {
    /// The streams of pushes that were asked for. One whose spool is empty has no report.
    pub fn push_subjects(&self, plans: &Plans) -> Vec<ReportSubject> {
        let names = plans.push_streams().into_iter();
        let selected = names.filter(|name| self.request.selection.takes(*name));
        selected.map(ReportSubject::from).collect()
    }

    /// True if the state store failed everything that ran.
    pub fn has_lost_its_store(&self) -> bool {
        let ran = self
            .report
            .streams
            .iter()
            .filter(|report| report.outcome != Outcome::Off);
        let is_lost = |report: &StreamReport| {
            let mut codes = report.problems.iter().map(|problem| problem.code);
            codes.any(|code| code == ErrorCode::StateUnavailable)
        };
        ran.clone().count() > 0 && ran.clone().all(is_lost)
    }
}
