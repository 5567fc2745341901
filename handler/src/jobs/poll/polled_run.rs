//! What a run over any polled stream begins and ends with, whether it is read by windows or whole.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::lost_checkpoint::Lost;
use super::window::PollRules;
use crate::delivery::{Standing, TableRoute, is_named, opened, why_no_row};
use crate::report::{ErrorCode, Outcome, Problem, StreamReport};
use crate::sources::PolledStream;
use crate::state::{Checkpoints, Lease, Store, StoreError};
use crate::tables::Reading;
use crate::time::Deadline;

/// Events in one wrapper; one that holds more is set aside whole.
const MOST_WRAPPED: usize = 50_000;

/// A polled stream with its tables and their positions.
pub struct PolledRun<'a> {
    /// The stream.
    pub stream: &'a dyn PolledStream,
    /// Its tables.
    pub targets: &'a [TableRoute],
    /// Where a stream begins that was never read.
    pub rules: PollRules,
    /// The state, written only as long as the lease holds.
    pub store: &'a Arc<dyn Store>,
    /// The lease on the account.
    pub lease: &'a Lease,
    /// The end of the run.
    pub deadline: Deadline,
}

impl PolledRun<'_> {
    /// The positions, with one for every table. A new one is on the disk before the first page is asked for, so that
    /// a first run that fails does not slide its begin.
    pub async fn load(&self, now: DateTime<Utc>, report: &mut StreamReport) -> Result<Checkpoints, StoreError> {
        let stream = self.stream;
        let mut checkpoints = Checkpoints::load(self.store.clone(), stream.name(), stream.account(), now).await?;
        if let Some(other) = &checkpoints.moved_from {
            let from = if checkpoints.is_new {
                "POLL_LOOKBACK"
            } else {
                "where it was left"
            };
            report.notices.push(format!(
                "{}: the checkpoint belonged to another account ({other}); it is set aside and this account is read from {from}",
                report.stream
            ));
        }
        let mut changed = checkpoints.is_new || checkpoints.moved_from.is_some();
        let is_gone = checkpoints.is_new && checkpoints.moved_from.is_none();
        let lost = if is_gone {
            Lost::find(self, &checkpoints, now).await?
        } else {
            None
        };
        report
            .notices
            .extend(lost.as_ref().map(|lost| lost.notice(&report.stream)));
        for target in self.targets {
            let name = target.table.name();
            if !checkpoints.current.tables.contains_key(&*name) {
                let known = lost.as_ref().and_then(|lost| lost.position(&name, self.rules.overlap));
                let position = known.unwrap_or_else(|| self.rules.first_position(now));
                checkpoints.current.tables.insert(name.to_string(), position);
                changed = true;
            }
        }
        if changed {
            checkpoints.save(self.lease, now).await?;
        }
        Ok(checkpoints)
    }

    /// For whoever asks how the stream stands before its checkpoint is saved again.
    pub fn note_positions(&self, checkpoints: &Checkpoints, report: &mut StreamReport) {
        for target in self.targets {
            let table = target.table.name();
            if let Some(position) = checkpoints.current.tables.get(&*table) {
                report.read_to.insert(table.to_string(), position.watermark);
            }
        }
        report.unsaved = checkpoints.unsaved_counts();
    }

    /// An event that was read, or what it wraps: its key, its time and its counterpart are those of the bare event.
    pub fn opened<'e>(&self, event: &'e str, arrival: DateTime<Utc>) -> Vec<Cow<'e, str>> {
        let standing = |event: &str| {
            let mut reading = Reading::default();
            for target in self.targets {
                reading |= target.table.read(event, arrival);
            }
            let is_named = || is_named(event, &self.stream.key_of(event));
            Standing::of(reading, why_no_row(event, reading, is_named))
        };
        opened(event, &standing, MOST_WRAPPED)
    }
}

/// Nothing was read because the run's time was over before.
pub fn note_no_time_left(report: &mut StreamReport) {
    let message = format!(
        "{}: nothing was read, because the time of the run (POLL_BUDGET) was over before its turn came; the next run \
         reads on. If this lasts, raise POLL_BUDGET or POLL_CONCURRENCY",
        report.stream
    );
    // What was pushed and could be delivered is progress; a run without any could not even begin.
    if report.tables.iter().any(|table| table.counts.delivered > 0) {
        report.outcome = Outcome::BudgetEnded;
        report.notices.push(message);
    } else {
        report.problems.push(Problem::new(ErrorCode::BudgetEnded, message));
    }
}
