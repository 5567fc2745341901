//! What a run over any polled stream begins and ends with, whether it is read by windows or whole.

use std::borrow::Cow;

use super::lost_checkpoint::Lost;
use super::window::PollRules;
use crate::delivery::{DELIVERY_RESERVE, ElementClass, StreamContext, TableRoute, opened};
use crate::event::StreamName;
use crate::report::{Cause, ErrorCode, Problem, StreamReport};
use crate::sources::{PolledStream, SourceError};
use crate::state::{Checkpoints, StoreError};
use crate::time::Deadline;

pub struct PolledRun<'a> {
    pub stream: &'a dyn PolledStream,
    pub targets: &'a [TableRoute],
    pub rules: PollRules,
    pub context: &'a StreamContext<'a>,
}

/// Where a stream stands, and what is to be said of that.
pub struct Loaded {
    /// With a position for every table.
    pub checkpoints: Checkpoints,
    pub notices: Vec<String>,
}

impl PolledRun<'_> {
    /// A new position is on the disk before the first page is asked for, so that a first run that fails does not slide
    /// its begin.
    pub async fn load(&self) -> Result<Loaded, StoreError> {
        let (stream, now) = (self.stream, self.context.now);
        let store = self.context.store.clone();
        let mut checkpoints = Checkpoints::load(store, stream.name(), stream.account(), now).await?;
        let mut notices = Vec::new();
        if let Some(other) = &checkpoints.moved_from {
            let from = if checkpoints.is_new {
                "POLL_LOOKBACK"
            } else {
                "where it was left"
            };
            notices.push(format!(
                "{}: the checkpoint belonged to another account ({other}); it is set aside and this account is read from {from}",
                stream.name()
            ));
        }
        let mut changed = checkpoints.is_new || checkpoints.moved_from.is_some();
        let lost = match checkpoints.is_new && checkpoints.moved_from.is_none() {
            true => Lost::find(stream, self.context, &checkpoints).await?,
            false => None,
        };
        notices.extend(lost.as_ref().map(|lost| lost.notice(stream.name())));
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
            checkpoints.save(self.context.lease, now).await?;
        }
        Ok(Loaded { checkpoints, notices })
    }

    /// For whoever asks how the stream stands before its checkpoint is saved again.
    pub fn report_of_positions(&self, checkpoints: &Checkpoints) -> StreamReport {
        let mut report = StreamReport::new(self.context.stream);
        for target in self.targets {
            let table = target.table.name();
            if let Some(position) = checkpoints.current.tables.get(&*table) {
                report.read_to.insert(table.to_string(), position.watermark);
            }
        }
        report.unsaved = checkpoints.unsaved_counts();
        report
    }

    /// An event that was read, or what it wraps: its key, its time and its counterpart are those of the bare event.
    pub fn opened<'e>(&self, event: &'e str) -> Vec<Cow<'e, str>> {
        let (now, key_of) = (self.context.now, |event: &str| self.stream.key_of(event));
        opened(event, &|event| {
            ElementClass::in_tables(event, self.targets, now, key_of)
        })
    }
}

/// Nothing was read because the run's time was over before. What was pushed and could be delivered is progress; a run
/// without any could not even begin.
pub fn report_no_time_left(stream: &StreamName, has_progressed: bool) -> StreamReport {
    let message = format!(
        "{stream}: nothing was read, because the time of the run (POLL_BUDGET) was over before its turn came; the next run \
         reads on. If this lasts, raise POLL_BUDGET or POLL_CONCURRENCY"
    );
    let mut report = StreamReport::new(stream);
    match has_progressed {
        true => report.end_early(message),
        false => report.problems.push(Problem::new(ErrorCode::BudgetEnded, message)),
    }
    report
}

/// Reading ended before its end. No failure if the next run goes on and ends some day.
pub fn interrupted(stream: &StreamName, error: &SourceError, has_progressed: bool) -> StreamReport {
    let is_no_failure = match error {
        SourceError::Stopped | SourceError::ShareUsed => true,
        SourceError::OutOfTime { kept_failing, .. } => has_progressed && !kept_failing,
        _ => false,
    };
    let error = error.of(stream);
    let mut report = StreamReport::new(stream);
    match is_no_failure {
        true => report.end_early(error.to_string()),
        false => report.problems.push(error.problem()),
    }
    report
}

/// Until when pages are read: what they bring must still be delivered.
pub fn reading_deadline(context: &StreamContext<'_>) -> Deadline {
    let deadline = context.deadline;
    deadline.less(DELIVERY_RESERVE.min(deadline.remaining() / 4))
}
