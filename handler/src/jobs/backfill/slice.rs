//! One slice of a backfill, under one lease: what is missing, the oldest of it read, and what that leaves.
//!
//! What was delivered of a slice that is not read to its end yet is kept in a folder of its own, until the coverage
//! holds its time: an interrupted backfill goes on without doubles, whatever its next slices are. The identities that
//! the poller keeps are asked as well, and are added to where the poller reads again.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::holes::{Piece, missing, oldest_piece};
use super::left_out::LeftOut;
use crate::delivery::TableRoute;
use crate::delivery::TableWriter;
use crate::jobs::backfill::{Backfill, Reading};
use crate::jobs::poll::boundary_filter::BoundaryFilter;
use crate::jobs::poll::group_run::{GroupRun, SliceEnd};
use crate::jobs::poll::stream_run::position_of;
use crate::jobs::poll::window::{Walk, before};
use crate::report::Cause;
use crate::report::{StreamReport, TableReport};
use crate::sources::{SourceError, Window};
use crate::state::{Checkpoints, Identities, Lease, Reread, Span, Store, StoreError, TablePosition};
use crate::time::Deadline;

/// What is to be done after a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SliceOutcome {
    /// Nothing was missing.
    Whole,
    /// Look again.
    GoOn,
    /// No more in this run; the report says why.
    Ended,
}

/// See the module.
pub struct SliceFill<'a, 'b> {
    /// The stream's backfill.
    pub backfill: &'a mut Backfill<'b>,
    /// The lease on the account.
    pub lease: &'a Lease,
    /// The state, written only as long as the lease holds.
    pub store: &'a Arc<dyn Store>,
    /// The end of the slice.
    pub deadline: Deadline,
}

impl SliceFill<'_, '_> {
    /// Reads nothing: what is wanted is noted.
    pub async fn note(&self, report: &mut StreamReport) -> Result<(), StoreError> {
        let now = self.backfill.poller.clock.now();
        let run = self.backfill.stream_run(self.store, self.lease, self.deadline);
        let mut checkpoints = run.polled().load(now, report).await?;
        self.note_what_is_wanted(&mut checkpoints, now).await
    }

    /// Reads at most one slice.
    pub async fn run(&mut self, report: &mut StreamReport) -> Result<SliceOutcome, StoreError> {
        let now = self.backfill.poller.clock.now();
        let run = self.backfill.stream_run(self.store, self.lease, self.deadline);
        let mut checkpoints = run.polled().load(now, report).await?;
        if self.backfill.is_at_start() {
            self.note_what_is_wanted(&mut checkpoints, now).await?;
            match self.backfill.leave_out(&checkpoints, now, report) {
                LeftOut::Nothing | LeftOut::APart => {}
                LeftOut::AllToThePoller => {
                    self.end_rereading(&mut checkpoints, now).await?;
                    return Ok(SliceOutcome::Whole);
                }
                LeftOut::AllUnreadable => return Ok(SliceOutcome::Ended),
            }
        }
        let holes = self.holes(&checkpoints, now);
        self.backfill.stands_at(missing(&holes));
        let Some(piece) = oldest_piece(&holes) else {
            self.end_rereading(&mut checkpoints, now).await?;
            return Ok(SliceOutcome::Whole);
        };
        let mut walk = Walk {
            at: piece.window.from,
            end: self.end_of_kept_apart(&piece, &checkpoints),
            slice: self.backfill.length(),
            rereads: false,
            narrow: Vec::new(),
        };
        let Some(slice) = walk.next_slice() else {
            return Ok(SliceOutcome::Whole);
        };
        let targets = piece.tables.iter().filter_map(|table| run.plan.targets.get(*table));
        let mut sinks = Vec::with_capacity(piece.tables.len());
        for target in targets {
            sinks.push(self.sink(target, slice, &checkpoints).await?);
        }
        let mut group = GroupRun::with(&run, &mut checkpoints, sinks, BoundaryFilter::Slice, now).await?;
        let end = group.read(slice).await;
        group.settle_doubts().await;
        let outcome = match end {
            SliceEnd::Complete(pages) => {
                walk.pass(slice, pages);
                Ok(SliceOutcome::GoOn)
            }
            SliceEnd::TooLong => {
                walk.halve(slice);
                Ok(SliceOutcome::GoOn)
            }
            SliceEnd::Interrupted(error, pages) => {
                let is_shorter = pages > 0 && walk.halve(slice);
                Ok(self.interrupted(&error, is_shorter, report))
            }
            SliceEnd::StateLost(error) => Err(error),
        };
        self.backfill.set_length(walk.slice);
        self.settle(group, (slice, walk.at >= slice.to), now, report).await?;
        match report.problems.is_empty() {
            true => outcome,
            false => outcome.map(|_| SliceOutcome::Ended),
        }
    }

    /// What each table lacks, as far as the vendor still shows it and the poller is past it.
    fn holes(&self, checkpoints: &Checkpoints, now: DateTime<Utc>) -> Vec<Vec<Span>> {
        let Backfill { plan, wanted, .. } = &self.backfill;
        let from = self.backfill.readable_from(now);
        let mut holes = Vec::with_capacity(plan.targets.len());
        for target in &plan.targets {
            let Some(position) = checkpoints.current.tables.get(&*target.table.name()) else {
                holes.push(Vec::new());
                continue;
            };
            let to = wanted.to.min(position.watermark);
            holes.push(match (self.backfill.reading, &position.reread) {
                (Reading::Anew, Some(reread)) => reread.left(from, to),
                _ => position.coverage.holes(from, to),
            });
        }
        holes
    }

    /// What was asked for is on the disk before anything is read: a window that is not filled shows as a hole, and one
    /// that is read anew goes on where it was broken off. What the vendor does not show any more is a hole too.
    async fn note_what_is_wanted(&self, checkpoints: &mut Checkpoints, now: DateTime<Utc>) -> Result<(), StoreError> {
        let wanted = self.backfill.wanted;
        let mut is_changed = false;
        for target in &self.backfill.plan.targets {
            let Some(position) = position_of(checkpoints, &target.table.name()) else {
                continue;
            };
            if wanted.from < position.filled_from.unwrap_or(position.begin) {
                position.filled_from = Some(wanted.from);
                is_changed = true;
            }
            let is_under_way = position
                .reread
                .as_ref()
                .is_some_and(|reread| reread.is_of(wanted.from, wanted.to));
            if self.backfill.reading == Reading::Anew && !is_under_way {
                position.reread = Some(Reread::of(wanted.from, wanted.to));
                is_changed = true;
            }
        }
        if is_changed {
            checkpoints.save(self.lease, now).await?;
        }
        Ok(())
    }

    /// Nothing is left of a window that was read anew: the next time it is read anew from its start.
    async fn end_rereading(&self, checkpoints: &mut Checkpoints, now: DateTime<Utc>) -> Result<(), StoreError> {
        if self.backfill.reading == Reading::Missing {
            return Ok(());
        }
        for target in &self.backfill.plan.targets {
            if let Some(position) = position_of(checkpoints, &target.table.name()) {
                position.reread = None;
            }
        }
        checkpoints.save(self.lease, now).await?;
        for target in &self.backfill.plan.targets {
            let table = target.table.name();
            let folder = checkpoints.backfill_identities_of(&table);
            let mut own = Identities::load(self.store.clone(), folder).await?;
            if let Some(position) = position_of(checkpoints, &table) {
                own.forget(|time| is_needless(position, time)).await?;
            }
        }
        Ok(())
    }

    /// From here on the poller reads again with its next run: what is delivered there is remembered with the poller's
    /// identities.
    fn poller_reads_from(&self, position: &TablePosition) -> DateTime<Utc> {
        self.backfill.poller.rules.identities_needed_from(position)
    }

    /// Where a slice of the piece must end, so that it lies on one side of where the poller reads again.
    fn end_of_kept_apart(&self, piece: &Piece, checkpoints: &Checkpoints) -> DateTime<Utc> {
        let tables = piece.tables.iter();
        let positions = tables.filter_map(|table| {
            let table = self.backfill.plan.targets.get(*table)?.table.name();
            checkpoints.current.tables.get(&*table)
        });
        let borders = positions.map(|position| self.poller_reads_from(position));
        let Window { from, to } = piece.window;
        borders.filter(|border| *border > from).fold(to, DateTime::min)
    }

    async fn sink<'t>(
        &self,
        target: &'t TableRoute,
        slice: Window,
        checkpoints: &Checkpoints,
    ) -> Result<TableWriter<'t>, StoreError> {
        let table = target.table.name();
        let of_poller = Identities::load(self.store.clone(), checkpoints.identities_of(&table)).await?;
        let own = Identities::load(self.store.clone(), checkpoints.backfill_identities_of(&table)).await?;
        let is_pollers = checkpoints
            .current
            .tables
            .get(&*table)
            .is_some_and(|position| self.poller_reads_from(position) <= slice.from);
        let (mut writes, asks) = match is_pollers {
            true => (of_poller, own),
            false => (own, of_poller),
        };
        writes.ask_also(&asks);
        let sink = TableWriter::new(target, writes);
        Ok(match self.backfill.plan.pushed {
            Some(_) => sink.of_joined_stream(),
            None => sink,
        })
    }

    /// Saves what the slice brought: first the coverage, then what it makes needless.
    async fn settle(
        &mut self,
        group: GroupRun<'_>,
        (slice, is_complete): (Window, bool),
        now: DateTime<Utc>,
        report: &mut StreamReport,
    ) -> Result<(), StoreError> {
        let GroupRun {
            checkpoints,
            mut open,
            stopped,
            ..
        } = group;
        for (sink, error) in &stopped {
            let message = format!("{} -> {}: {error}", report.stream, sink.table());
            report.problems.push(error.problem_saying(message));
        }
        let mut is_changed = is_complete;
        for sink in open.iter().chain(stopped.iter().map(|(sink, _)| sink)) {
            let counts = sink.final_counts();
            let table = sink.table();
            let Some(position) = position_of(checkpoints, &table) else {
                continue;
            };
            is_changed |= counts.received > 0;
            position.counts.add_run(counts);
            self.backfill.add(TableReport {
                table: table.to_string(),
                counts,
                watermark: position.watermark,
            });
        }
        if is_complete {
            for sink in &open {
                self.hand_over(sink, slice, checkpoints, now).await?;
                if let Some(position) = position_of(checkpoints, &sink.table()) {
                    position.coverage.add(slice.from, slice.to);
                    if let Some(reread) = &mut position.reread {
                        reread.read.add(slice.from, slice.to);
                    }
                }
            }
        }
        if is_changed {
            checkpoints.save(self.lease, now).await?;
        }
        for sink in &mut open {
            let Some(position) = position_of(checkpoints, &sink.table()) else {
                continue;
            };
            if slice.from < self.poller_reads_from(position) {
                sink.forget(|time| is_needless(position, time)).await?;
            }
        }
        let left = missing(&self.holes(checkpoints, now));
        self.backfill.left = left;
        Ok(())
    }

    fn interrupted(&self, error: &SourceError, is_shorter: bool, report: &mut StreamReport) -> SliceOutcome {
        match error {
            SourceError::OutOfTime { .. } if is_shorter => SliceOutcome::GoOn,
            SourceError::Stopped { .. } => {
                self.backfill.was_told_to_end(report);
                SliceOutcome::Ended
            }
            error => {
                let message = format!("{error}. What was filled is saved; the same command fills the rest");
                report.problems.push(error.problem_saying(message));
                SliceOutcome::Ended
            }
        }
    }

    /// Where the same events are pushed too, the vendor may yet repeat a push of what was delivered here.
    async fn hand_over(
        &self,
        sink: &TableWriter<'_>,
        slice: Window,
        checkpoints: &Checkpoints,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let Some(pushed) = &self.backfill.plan.pushed else {
            return Ok(());
        };
        if slice.to < before(now, pushed.form.repeats_for()) {
            return Ok(());
        }
        let delivered = sink.delivered_where(|time| slice.from <= time && time <= slice.to);
        let folder = checkpoints.identities_of(&sink.table());
        let mut of_poller = Identities::load(self.store.clone(), folder).await?;
        of_poller.append(delivered).await
    }
}

/// True for an event of a time that is read to its end: it will not be met again.
fn is_needless(position: &TablePosition, time: DateTime<Utc>) -> bool {
    let awaited = position.reread.as_ref().is_some_and(|reread| reread.awaits(time));
    position.coverage.contains(time) && !awaited
}
