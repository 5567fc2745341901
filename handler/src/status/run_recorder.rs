//! Where a run is recorded, and what of it.

use std::sync::Arc;

use crate::delivery::{NewKeys, TableRoute};
use crate::jobs::RunRequest;
use crate::report::RunReport;
use crate::state::StreamHealths;

/// Where what a run did is recorded.
pub struct RunRecorder {
    /// The health record of each stream.
    pub healths: StreamHealths,
    /// Keys that no definition knows.
    pub new_keys: Arc<NewKeys>,
    /// Where health rows go, if they go anywhere.
    pub health_route: Option<TableRoute>,
}

/// What was asked of a run, and what came of it.
#[derive(Clone, Copy)]
pub struct FinishedRun<'a> {
    pub request: &'a RunRequest,
    pub report: &'a RunReport,
}
