//! One slice of a backfill, under one lease: what is missing, the oldest of it read, and what that leaves.
//!
//! What was delivered of a slice that is not read to its end yet is kept in a folder of its own, until the coverage
//! holds its time: an interrupted backfill goes on without doubles, whatever its next slices are. The identities that
//! the poller keeps are asked as well, and are added to where the poller reads again.

use chrono::{DateTime, TimeDelta, Utc};

use super::context::{BackfillContext, BackfillMode, BackfillRequest};
use super::holes::{Piece, missing};
use crate::delivery::{TableRoute, TableWriter};
use crate::jobs::poll::boundary_filter::BoundaryFilter;
use crate::jobs::poll::pairing::Pairing;
use crate::jobs::poll::slice_reader::{SliceEnd, SliceReader};
use crate::jobs::poll::window::{SlicePlan, before};
use crate::jobs::poll::windowed_run::WindowedRun;
use crate::report::StreamReport;
use crate::sources::Window;
use crate::state::{Checkpoints, Identities, Key, Reread, Span, StoreError, TablePosition};

/// What a slice brought.
pub struct FilledSlice {
    /// How reading it ended.
    pub end: SliceEnd,
    /// True if the next one is shorter because this one was cut off.
    pub is_shorter: bool,
    /// How long the next one may be.
    pub length: TimeDelta,
    /// What is missing in the window now.
    pub left: TimeDelta,
    /// Its part of the report.
    pub report: StreamReport,
}

/// See the module.
pub struct SliceFill<'a> {
    run: &'a WindowedRun<'a>,
    request: BackfillRequest,
    readable_from: DateTime<Utc>,
    /// The stream's positions.
    pub checkpoints: Checkpoints,
}

impl<'a> SliceFill<'a> {
    /// Reads nothing yet.
    pub fn new(run: &'a WindowedRun<'a>, backfill: &BackfillContext<'_>, checkpoints: Checkpoints) -> Self {
        Self {
            run,
            request: backfill.request,
            readable_from: backfill.readable_from(run.context.now),
            checkpoints,
        }
    }

    /// Reads at most one slice of a piece. `None` if the piece is empty.
    pub async fn fill(&mut self, piece: &Piece, length: TimeDelta) -> Result<Option<FilledSlice>, StoreError> {
        let mut slices = SlicePlan::new(piece.window.from, self.end_of_kept_apart(piece), length);
        let Some(slice) = slices.next_slice() else {
            return Ok(None);
        };
        let plan = self.run.plan;
        let mut writers = Vec::with_capacity(piece.tables.len());
        for target in piece.tables.iter().filter_map(|table| plan.targets.get(*table)) {
            writers.push(self.writer(target, slice).await?);
        }
        let pairing = Pairing::load(self.run, &self.checkpoints).await?;
        let mut reader = SliceReader::new(self.run, writers, BoundaryFilter::Slice, pairing);
        let end = reader.read(slice).await;
        reader.settle_doubts().await;
        let mut is_shorter = false;
        match &end {
            SliceEnd::Complete(pages) => slices.pass(slice, *pages),
            SliceEnd::TooLong => drop(slices.halve(slice)),
            SliceEnd::Interrupted(_, pages) => is_shorter = *pages > 0 && slices.halve(slice),
            SliceEnd::StateLost(_) => {}
        }
        let is_complete = matches!(end, SliceEnd::Complete(_));
        let report = self.settle(reader, slice, is_complete).await?;
        Ok(Some(FilledSlice {
            end,
            is_shorter,
            length: slices.slice,
            left: missing(&self.holes()),
            report,
        }))
    }

    /// What each table lacks, as far as the vendor still shows it and the poller is past it.
    pub fn holes(&self) -> Vec<Vec<Span>> {
        let plan = self.run.plan;
        let mut holes = Vec::with_capacity(plan.targets.len());
        for target in &plan.targets {
            let Some(position) = self.checkpoints.current.tables.get(&*target.table.name()) else {
                holes.push(Vec::new());
                continue;
            };
            let (from, to) = (self.readable_from, self.request.window.to.min(position.watermark));
            holes.push(match (self.request.mode, &position.reread) {
                (BackfillMode::Anew, Some(reread)) => reread.left(from, to),
                _ => position.coverage.holes(from, to),
            });
        }
        holes
    }

    /// What was asked for is on the disk before anything is read: a window that is not filled shows as a hole, and one
    /// that is read anew goes on where it was broken off. What the vendor does not show any more is a hole too.
    pub async fn note_what_is_wanted(&mut self) -> Result<(), StoreError> {
        let BackfillRequest { window, mode } = self.request;
        let mut is_changed = false;
        for target in &self.run.plan.targets {
            let Some(position) = self.position_of(&target.table.name()) else {
                continue;
            };
            if window.from < position.filled_from.unwrap_or(position.begin) {
                position.filled_from = Some(window.from);
                is_changed = true;
            }
            let reread = position.reread.as_ref();
            let is_under_way = reread.is_some_and(|reread| reread.is_of(window.from, window.to));
            if mode == BackfillMode::Anew && !is_under_way {
                position.reread = Some(Reread::of(window.from, window.to));
                is_changed = true;
            }
        }
        match is_changed {
            true => self.save().await,
            false => Ok(()),
        }
    }

    /// Nothing is left of a window that was read anew: the next time it is read anew from its start.
    pub async fn end_rereading(&mut self) -> Result<(), StoreError> {
        if self.request.mode == BackfillMode::Missing {
            return Ok(());
        }
        for target in &self.run.plan.targets {
            if let Some(position) = self.position_of(&target.table.name()) {
                position.reread = None;
            }
        }
        self.save().await?;
        for target in &self.run.plan.targets {
            let table = target.table.name();
            let folder = self.checkpoints.backfill_identities_of(&table);
            let mut own = Identities::load(self.run.context.store.clone(), folder).await?;
            if let Some(position) = self.position_of(&table) {
                own.forget(|time| is_settled(position, time)).await?;
            }
        }
        Ok(())
    }

    async fn save(&mut self) -> Result<(), StoreError> {
        self.checkpoints
            .save(self.run.context.lease, self.run.context.now)
            .await
    }

    fn position_of(&mut self, table: &str) -> Option<&mut TablePosition> {
        self.checkpoints.current.tables.get_mut(table)
    }

    /// From here on the poller reads again with its next run: what is delivered there is remembered with the poller's
    /// identities.
    fn poller_reads_from(&self, position: &TablePosition) -> DateTime<Utc> {
        self.run.rules.identities_needed_from(position)
    }

    /// Where a slice of the piece must end, so that it lies on one side of where the poller reads again.
    fn end_of_kept_apart(&self, piece: &Piece) -> DateTime<Utc> {
        let tables = piece.tables.iter();
        let positions = tables.filter_map(|table| {
            let table = self.run.plan.targets.get(*table)?.table.name();
            self.checkpoints.current.tables.get(&*table)
        });
        let borders = positions.map(|position| self.poller_reads_from(position));
        let Window { from, to } = piece.window;
        borders.filter(|border| *border > from).fold(to, DateTime::min)
    }

    async fn writer(&self, target: &'a TableRoute, slice: Window) -> Result<TableWriter<'a>, StoreError> {
        let table = target.table.name();
        let of_poller = self.load(self.checkpoints.identities_of(&table)).await?;
        let own = self.load(self.checkpoints.backfill_identities_of(&table)).await?;
        let position = self.checkpoints.current.tables.get(&*table);
        let is_pollers = position.is_some_and(|position| self.poller_reads_from(position) <= slice.from);
        let (mut writes, asks) = match is_pollers {
            true => (of_poller, own),
            false => (own, of_poller),
        };
        writes.ask_also(&asks);
        let mut writer = TableWriter::new(target, writes, self.run.context);
        writer.is_joined = self.run.plan.pushed.is_some();
        Ok(writer)
    }

    async fn load(&self, folder: Key) -> Result<Identities, StoreError> {
        Identities::load(self.run.context.store.clone(), folder).await
    }

    /// Saves what the slice brought: first the coverage, then it forgets what that covers.
    async fn settle(
        &mut self,
        mut reader: SliceReader<'_>,
        slice: Window,
        is_complete: bool,
    ) -> Result<StreamReport, StoreError> {
        let mut report = StreamReport::new(self.run.context.stream);
        let mut is_changed = is_complete;
        for table in &reader.tables {
            let (name, counts) = (table.writer.table(), table.writer.final_counts());
            if let Some(error) = &table.stopped {
                report.fail_table(&name, error);
            }
            let Some(position) = self.position_of(&name) else {
                continue;
            };
            is_changed |= counts.received > 0;
            position.counts.add_run(counts);
            report.add_table(&name, counts, position.watermark);
        }
        for table in reader.open().filter(|_| is_complete) {
            self.hand_over(&table.writer, slice).await?;
            if let Some(position) = self.position_of(&table.writer.table()) {
                position.coverage.add(slice.from, slice.to);
                if let Some(reread) = &mut position.reread {
                    reread.read.add(slice.from, slice.to);
                }
            }
        }
        if is_changed {
            self.save().await?;
        }
        for table in reader.open_mut() {
            let Some(position) = self.checkpoints.current.tables.get(&*table.writer.table()) else {
                continue;
            };
            if slice.from < self.poller_reads_from(position) {
                table
                    .writer
                    .identities
                    .forget(|time| is_settled(position, time))
                    .await?;
            }
        }
        Ok(report)
    }

    /// Where the same events are pushed too, the vendor may yet repeat a push of what was delivered here.
    async fn hand_over(&self, writer: &TableWriter<'_>, slice: Window) -> Result<(), StoreError> {
        let Some(pushed) = &self.run.plan.pushed else {
            return Ok(());
        };
        if slice.to < before(self.run.context.now, pushed.form.repeats_for) {
            return Ok(());
        }
        let delivered = writer
            .identities
            .own_where(|time| slice.from <= time && time <= slice.to);
        let mut of_poller = self.load(self.checkpoints.identities_of(&writer.table())).await?;
        of_poller.append(delivered).await
    }
}

/// True for an event of a time that is read to its end: it will not be met again.
fn is_settled(position: &TablePosition, time: DateTime<Utc>) -> bool {
    let awaited = position.reread.as_ref().is_some_and(|reread| reread.awaits(time));
    position.coverage.contains(time) && !awaited
}
