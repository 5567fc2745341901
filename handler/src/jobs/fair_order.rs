//! The order in which streams are read where they are not all read at once.

use std::collections::BTreeSet;
use std::time::Duration;

use super::account::lease_name;
use super::job_context::JobContext;
use super::plan::StreamPlan;
use crate::report::{Outcome, StreamReport};
use crate::state::LastRead;

/// The streams do not wait longer for their order.
const LONGEST_LOOK: Duration = Duration::from_secs(2);

/// The least recently read first, so that over several runs every stream is read, even if no run has time for all.
pub async fn least_recently_read_first(mut streams: Vec<StreamPlan>, jobs: &JobContext) -> Vec<StreamPlan> {
    let leases: BTreeSet<String> = streams
        .iter()
        .map(|plan| lease_name(plan.name(), plan.account()))
        .collect();
    let mut last_read = LastRead::new();
    let read_all = async {
        for lease in leases {
            last_read.extend(jobs.store.last_read(&lease).await.unwrap_or_default());
        }
    };
    // Only the order depends on it; a store that fails, or is slow, is reported by the streams.
    let _ = tokio::time::timeout(LONGEST_LOOK, read_all).await;
    streams.sort_by_cached_key(|plan| last_read.get(&plan.name().to_string()).copied());
    streams
}

/// True for a stream that was read to its end or had most of the run's time, whatever came of it. One that began later
/// and did not come to its end is among the first in the next run.
pub fn counts_as_read(report: &StreamReport, had_most_of_the_time: bool) -> bool {
    report.outcome == Outcome::Done || had_most_of_the_time
}
