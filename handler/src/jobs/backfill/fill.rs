//! The backfill of one stream, from its first slice to its last.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::TimeDelta;

use super::context::{BackfillContext, FIRST_SLICE};
use super::holes::{missing, oldest_piece};
use super::skipped_part::{SkippedPart, skip_part};
use super::slice::{FilledSlice, SliceFill};
use super::walk::{Next, SliceVisitor, visit_slice, visit_slices};
use crate::jobs::poll::slice_reader::SliceEnd;
use crate::jobs::poll::windowed_run::WindowedRun;
use crate::report::{Cause, StreamReport, TableReport};
use crate::sources::SourceError;
use crate::state::{Checkpoints, StoreError};
use crate::time::span_text;

/// To note what is wanted of a stream that is read later, its lease is waited for only so long.
const WAIT_TO_NOTE: Duration = Duration::from_secs(30);

/// See the module.
pub struct BackfillRun<'a> {
    context: BackfillContext<'a>,
    /// How long the next slice may be.
    length: TimeDelta,
    /// What was missing at the start.
    missing: Option<TimeDelta>,
    /// What is missing now.
    left: TimeDelta,
    /// True if a part of the window is not read, because it cannot be or because the poller will.
    is_cut: bool,
    /// True if nothing is read: what is wanted is noted, and that is all.
    only_notes: bool,
    tables: BTreeMap<String, TableReport>,
    report: StreamReport,
}

impl<'a> BackfillRun<'a> {
    /// Nothing is read yet.
    pub fn new(context: BackfillContext<'a>) -> Self {
        Self {
            length: FIRST_SLICE,
            missing: None,
            left: TimeDelta::zero(),
            is_cut: false,
            only_notes: false,
            tables: BTreeMap::new(),
            report: StreamReport::new(context.plan.stream.name()),
            context,
        }
    }

    /// Reads until nothing is missing, something fails, or the process is to end.
    pub async fn run(mut self) -> StreamReport {
        let context = self.context;
        if let Err(error) = visit_slices(&context, &mut self).await {
            self.report.fail(&error);
        }
        self.report.notices.extend(self.context.plan.stream.named_notices());
        self.report.tables = self.tables.into_values().collect();
        self.report.concluded()
    }

    /// Notes what is wanted, and reads nothing yet. What stands in the way is met again when the stream is filled.
    pub async fn note(mut self) {
        if self.context.jobs.shutdown.is_requested() {
            return;
        }
        self.only_notes = true;
        let context = self.context;
        if let Err(error) = visit_slice(&context, &mut self, WAIT_TO_NOTE).await {
            log::debug!("{}: not noted in advance: {error}", self.report.stream);
        }
        for notice in &self.report.notices {
            self.context.watcher.says(notice);
        }
    }

    fn note_filled(&mut self, filled: FilledSlice) -> Result<Next, StoreError> {
        self.length = filled.length;
        self.left = filled.left;
        self.report.problems.extend(filled.report.problems);
        for table in filled.report.tables {
            self.add(table);
        }
        let next = match filled.end {
            SliceEnd::Complete(_) | SliceEnd::TooLong => Next::GoOn,
            SliceEnd::StateLost(error) => return Err(error),
            SliceEnd::Interrupted(SourceError::OutOfTime { .. }, _) if filled.is_shorter => Next::GoOn,
            SliceEnd::Interrupted(SourceError::Stopped, _) => {
                self.note_told_to_end();
                Next::End
            }
            SliceEnd::Interrupted(error, _) => {
                let error = error.of(self.context.plan.stream.name());
                let message = format!("{error}. What was filled is saved; the same command fills the rest");
                self.report.problems.push(error.problem_saying(message));
                Next::End
            }
        };
        match self.report.problems.is_empty() {
            true => Ok(next),
            false => Ok(Next::End),
        }
    }

    /// So much is missing now.
    fn stands_at(&mut self, left: TimeDelta) {
        let BackfillContext { plan, watcher, .. } = self.context;
        let stream = plan.stream.name();
        let missing = *self.missing.get_or_insert(left);
        self.left = left;
        if missing.max(left).is_zero() && self.is_cut {
            watcher.says(&format!(
                "{stream}: nothing is missing in what can be read of this window"
            ));
        } else {
            watcher.stands_at(stream, missing.max(left), left);
        }
    }

    /// What a slice did for a table.
    fn add(&mut self, done: TableReport) {
        match self.tables.get_mut(&done.table) {
            Some(table) => {
                table.counts += done.counts;
                table.watermark = done.watermark;
            }
            None => drop(self.tables.insert(done.table.clone(), done)),
        }
    }
}

impl SliceVisitor for BackfillRun<'_> {
    async fn visit(&mut self, run: &WindowedRun<'_>, checkpoints: Checkpoints) -> Result<Next, StoreError> {
        let mut slice = SliceFill::new(run, &self.context, checkpoints);
        if self.missing.is_none() {
            slice.note_what_is_wanted().await?;
            if self.only_notes {
                return Ok(Next::End);
            }
            match skip_part(&self.context, &slice.checkpoints, run.context.now) {
                SkippedPart::Nothing => {}
                SkippedPart::APart => self.is_cut = true,
                SkippedPart::AllToThePoller => {
                    slice.end_rereading().await?;
                    return Ok(Next::End);
                }
                SkippedPart::AllUnreadable(problem) => {
                    self.report.problems.push(problem);
                    return Ok(Next::End);
                }
            }
        }
        let holes = slice.holes();
        self.stands_at(missing(&holes));
        let Some(piece) = oldest_piece(&holes) else {
            slice.end_rereading().await?;
            return Ok(Next::End);
        };
        match slice.fill(&piece, self.length).await? {
            Some(filled) => self.note_filled(filled),
            None => Ok(Next::End),
        }
    }

    fn left(&self) -> String {
        match self.missing {
            Some(missing) => format!("{} of {} are left to read", span_text(self.left), span_text(missing)),
            None => "nothing was read yet".to_owned(),
        }
    }

    fn report(&mut self) -> &mut StreamReport {
        &mut self.report
    }
}
