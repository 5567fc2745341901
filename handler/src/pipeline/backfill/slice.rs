//! One slice of a backfill, under one lease: what is missing, the oldest of it read, and what that leaves.
//!
//! What was delivered of a slice that is not read to its end yet is kept in a folder of its own, until the coverage
//! holds its time: an interrupted backfill goes on without doubles, whatever its next slices are. The identities that
//! the poller keeps are asked as well.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::Backfill;
use super::holes::{missing, oldest_piece};
use crate::health::{Outcome, StreamReport, TableReport};
use crate::pipeline::cause::Cause;
use crate::pipeline::edges::Edges;
use crate::pipeline::group_run::{GroupRun, SliceEnd};
use crate::pipeline::plan::Target;
use crate::pipeline::pushed_run::KEPT_FOR_PUSHES;
use crate::pipeline::stream_run::{StreamRun, position_of};
use crate::pipeline::table_sink::TableSink;
use crate::pipeline::window::{Walk, before};
use crate::sources::{SourceError, Window};
use crate::state::{Checkpoints, Identities, Lease, Span, Store, StoreError};
use crate::time::{Deadline, rfc3339_millis};

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
    /// Reads at most one slice.
    pub async fn run(&mut self, report: &mut StreamReport) -> Result<SliceOutcome, StoreError> {
        let poller = self.backfill.poller;
        let now = poller.clock.now();
        let run = StreamRun {
            plan: self.backfill.plan,
            rules: poller.rules,
            store: self.store,
            clock: &poller.clock,
            lease: self.lease,
            deadline: self.deadline,
            stop: &poller.stop,
            reads: true,
        };
        let mut checkpoints = run.load(now, report).await?;
        let holes = self.holes(&checkpoints, now);
        self.backfill.stands_at(missing(&holes));
        let Some(piece) = oldest_piece(&holes) else {
            return Ok(SliceOutcome::Whole);
        };
        let mut walk = Walk {
            at: piece.window.from,
            end: piece.window.to,
            slice: self.backfill.length(),
            rereads: false,
        };
        let Some(slice) = walk.next_slice() else {
            return Ok(SliceOutcome::Whole);
        };
        let targets = piece.tables.iter().filter_map(|table| run.plan.targets.get(*table));
        let mut sinks = Vec::with_capacity(piece.tables.len());
        for target in targets {
            sinks.push(self.sink(target, &checkpoints).await?);
        }
        let mut group = GroupRun::with(&run, &mut checkpoints, sinks, Edges::Slice, now).await?;
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
                Ok(interrupted(&error, is_shorter, report))
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
        let Backfill {
            plan, wanted, watcher, ..
        } = &self.backfill;
        let stream = &plan.stream;
        let oldest = stream.readable_for().map(|time| before(now, time));
        let from = oldest.map_or(wanted.from, |oldest| oldest.max(wanted.from));
        let is_at_start = self.backfill.is_at_start();
        if from > wanted.from && is_at_start {
            watcher.says(&format!(
                "{}: the vendor shows nothing from before {}; what is older must come from the vendor's archive",
                stream.name(),
                rfc3339_millis(from)
            ));
        }
        let mut holes = Vec::with_capacity(plan.targets.len());
        for target in &plan.targets {
            let table = target.table.name();
            let Some(position) = checkpoints.current.tables.get(&*table) else {
                holes.push(Vec::new());
                continue;
            };
            if position.watermark < wanted.to && is_at_start {
                watcher.says(&format!(
                    "{} -> {table}: what was recorded since {} is left to `handler poll`, which reads it with its next run",
                    stream.name(),
                    rfc3339_millis(position.watermark)
                ));
            }
            holes.push(position.coverage.holes(from, wanted.to.min(position.watermark)));
        }
        holes
    }

    async fn sink<'t>(&self, target: &'t Target, checkpoints: &Checkpoints) -> Result<TableSink<'t>, StoreError> {
        let table = target.table.name();
        let of_poller = Identities::load(self.store.clone(), checkpoints.identities_of(&table)).await?;
        let mut own = Identities::load(self.store.clone(), checkpoints.backfill_identities_of(&table)).await?;
        own.ask_also(&of_poller);
        Ok(TableSink::new(target, own))
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
            position.counts += counts;
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
            sink.forget(|time| position.coverage.contains(time)).await?;
        }
        Ok(())
    }

    /// Where the same events are pushed too, the vendor may yet repeat a push of what was delivered here.
    async fn hand_over(
        &self,
        sink: &TableSink<'_>,
        slice: Window,
        checkpoints: &Checkpoints,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let repeated_from = before(now, KEPT_FOR_PUSHES);
        if self.backfill.plan.pushed.is_none() || slice.to < repeated_from {
            return Ok(());
        }
        let delivered = sink.delivered_where(|time| slice.from <= time && time <= slice.to);
        let folder = checkpoints.identities_of(&sink.table());
        let mut of_poller = Identities::load(self.store.clone(), folder).await?;
        of_poller.append(delivered).await
    }
}

fn interrupted(error: &SourceError, is_shorter: bool, report: &mut StreamReport) -> SliceOutcome {
    match error {
        SourceError::OutOfTime { .. } if is_shorter => SliceOutcome::GoOn,
        SourceError::Stopped { .. } => {
            report.outcome = Outcome::BudgetEnded;
            report.notices.push(format!("{error}; the same command fills the rest"));
            SliceOutcome::Ended
        }
        error => {
            let message = format!("{error}. What was filled is saved; the same command fills the rest");
            report.problems.push(error.problem_saying(message));
            SliceOutcome::Ended
        }
    }
}
