//! Tables that stand at the same place, read on together, slice by slice.

use chrono::{DateTime, TimeDelta, Utc};

use super::boundary_filter::BoundaryFilter;
use super::loading::load_identities;
use super::pairing::Pairing;
use super::polled_run::interrupted;
use super::slice_reader::{SliceEnd, SliceReader};
use super::window::{SlicePlan, no_later_than};
use super::windowed_run::WindowedRun;
use crate::delivery::{TableRoute, TableWriter};
use crate::report::StreamReport;
use crate::sources::{SourceError, Window};
use crate::state::{Checkpoints, StoreError, TablePosition};

/// Marks of counterparts are kept for the span in which one side may come long after the other.
const MARKS_KEPT: TimeDelta = TimeDelta::days(2);

pub struct GroupRun<'a> {
    run: &'a WindowedRun<'a>,
    checkpoints: &'a mut Checkpoints,
    reader: SliceReader<'a>,
    /// What was delivered of pushes that still wait is remembered from here on.
    oldest_waiting: Option<DateTime<Utc>>,
    /// Something besides rows is to be saved.
    unsaved: bool,
    /// Rows that were delivered or set aside when the positions were saved last.
    settled_at_save: u64,
    /// A slice is behind us that was not before this run, or the length of the next one is another.
    has_moved: bool,
    /// Pages of this run that brought what was delivered before.
    reread_pages: u32,
    pub report: StreamReport,
}

impl<'a> GroupRun<'a> {
    /// With what was delivered into the tables before. Nothing is forgotten from `oldest_waiting` on.
    pub async fn begin(
        run: &'a WindowedRun<'a>,
        checkpoints: &'a mut Checkpoints,
        targets: &[&'a TableRoute],
        oldest_waiting: Option<DateTime<Utc>>,
    ) -> Result<Self, StoreError> {
        let mut writers = Vec::with_capacity(targets.len());
        for target in targets {
            let folder = checkpoints.identities_of(&target.table.name());
            let mut writer = TableWriter::new(target, load_identities(run.context, folder).await?, run.context);
            writer.is_joined = run.plan.pushed.is_some();
            writers.push(writer);
        }
        let first = targets.first().map(|target| target.table.name());
        let position = first.and_then(|table| checkpoints.current.tables.get(&*table));
        let begin = position.map_or(run.context.now, |position| position.begin);
        let pairing = Pairing::load(run, checkpoints).await?;
        Ok(Self {
            run,
            checkpoints,
            reader: SliceReader::new(run, writers, BoundaryFilter::Begin(begin), pairing),
            oldest_waiting,
            unsaved: false,
            settled_at_save: 0,
            has_moved: false,
            reread_pages: 0,
            report: StreamReport::new(run.context.stream),
        })
    }

    /// Reads until the end, a failure, or the end of the run's time. Fails if the state store does.
    pub async fn run(&mut self) -> Result<(), StoreError> {
        let mut ended = self.read_slices().await;
        if ended.is_ok() {
            self.reader.settle_doubts().await;
        }
        self.go_back();
        self.report.notices.extend(self.run.plan.stream.named_notices());
        self.count();
        self.report_tables();
        if ended.is_ok() && self.must_be_saved() {
            ended = self.save().await;
        }
        ended
    }

    async fn read_slices(&mut self) -> Result<(), StoreError> {
        let Some(mut slices) = self.plan_slices() else {
            return Ok(());
        };
        while let Some(slice) = slices.next_slice() {
            let end = self.reader.read(slice).await;
            if self.reader.is_closed() {
                break;
            }
            match end {
                SliceEnd::Complete(pages) => match self.run.clock().settled_part(slice, &mut slices) {
                    Some(slice) => self.complete(&mut slices, slice, pages).await?,
                    None => break,
                },
                SliceEnd::StateLost(error) => return Err(error),
                SliceEnd::TooLong => {
                    slices.halve(slice);
                }
                SliceEnd::Interrupted(error, pages) => {
                    // Cut off in the middle: the next run takes less at once, and that is a step forward too.
                    self.has_moved |= pages > 0 && shorten(&mut slices, slice, &error);
                    self.note_interrupted(&slices, &error);
                    let has_progressed = self.has_moved || self.settled() > 0;
                    self.report
                        .absorb(interrupted(self.run.context.stream, &error, has_progressed));
                    break;
                }
            }
        }
        Ok(())
    }

    fn plan_slices(&self) -> Option<SlicePlan> {
        let table = self.reader.open().next()?.writer.table();
        let position = self.checkpoints.current.tables.get(&*table)?;
        let pages_per_minute = self.run.plan.stream.pages_per_minute();
        let now = self.run.clock().earlier_now();
        self.run.rules.plan_slices(position, now, pages_per_minute)
    }

    async fn complete(&mut self, slices: &mut SlicePlan, slice: Window, pages: u32) -> Result<(), StoreError> {
        slices.pass(slice, pages);
        self.has_moved = true;
        let here = self.reader.open().next().map(|table| table.counts_of_slice());
        let here = here.unwrap_or_default();
        // Slices are short where much is read, so the cost of reading again is their sum.
        let share = u64::from(pages) * here.seen_before / here.received.max(1);
        self.reread_pages = self
            .reread_pages
            .saturating_add(u32::try_from(share).unwrap_or(u32::MAX));
        let at_end = slices.next_slice().is_none();
        for table in self.reader.open_mut() {
            let Some(position) = position_of(self.checkpoints, &table.writer.table()) else {
                continue;
            };
            if slices.rereads && slice.from < position.watermark {
                position.reread_pages = self.reread_pages;
            }
            if at_end && !slices.rereads {
                position.runs_without_reread += 1;
            }
            match table.writer.is_in_doubt() {
                true => drop(table.before_held.get_or_insert_with(|| position.clone())),
                false => table.before_held = None,
            }
            // What this run left out of the overlap is the next one's: it must know that this run is over.
            self.unsaved |= position.reread_cut_off;
            self.run.rules.advance(position, slice, slices);
        }
        let is_certain = self.reader.tables.iter().all(|table| table.before_held.is_none());
        if !at_end && is_certain && self.must_be_saved() {
            self.save().await?;
        }
        Ok(())
    }

    fn must_be_saved(&self) -> bool {
        let has_settled = self.settled() > self.settled_at_save;
        self.unsaved || has_settled || self.checkpoints.has_news || self.run.is_save_due(self.checkpoints)
    }

    /// Rows of this run that were delivered or set aside.
    fn settled(&self) -> u64 {
        let counts = self.reader.tables.iter().map(|table| table.writer.counts);
        counts.map(|counts| counts.delivered + counts.dead_lettered).sum()
    }

    /// What was delivered counts from the save on that remembers it, however the run ends.
    fn count(&mut self) {
        for table in &mut self.reader.tables {
            if let Some(position) = position_of(self.checkpoints, &table.writer.table()) {
                let counts = table.writer.final_counts();
                position.counts.add_run(counts.since(table.counted));
                table.counted = counts;
            }
        }
    }

    async fn save(&mut self) -> Result<(), StoreError> {
        self.count();
        let now = self.run.context.now;
        self.checkpoints.save_positions(self.run.context.lease, now).await?;
        self.unsaved = false;
        self.settled_at_save = self.settled();
        self.compact().await
    }

    /// Tables of which rows are held go back to where they stood before them, however the run ends: the next run reads
    /// them again. What was learned of the lengths of slices stays.
    fn go_back(&mut self) {
        for table in &mut self.reader.tables {
            let is_settled = table.is_open() && !table.writer.is_in_doubt();
            let before = table.before_held.take().filter(|_| !is_settled);
            let position = position_of(self.checkpoints, &table.writer.table());
            if let (Some(before), Some(position)) = (before, position) {
                *position = TablePosition {
                    slice_ms: position.slice_ms,
                    narrow: std::mem::take(&mut position.narrow),
                    ..before
                };
            }
        }
    }

    /// After the position was saved: the other way round a crash would leave doubles.
    async fn compact(&mut self) -> Result<(), StoreError> {
        if let Some(pairing) = &mut self.reader.pairing {
            let now = self.run.context.now;
            let positions = self.checkpoints.current.tables.values();
            let read_up_to = positions.map(|position| position.watermark).min();
            let from = no_later_than(now, read_up_to) - MARKS_KEPT;
            pairing.counterparts.compact(from).await?;
        }
        for table in self.reader.open_mut() {
            let Some(position) = self.checkpoints.current.tables.get(&*table.writer.table()) else {
                continue;
            };
            let known_from = self.run.known_from(position);
            let known_from = no_later_than(known_from, self.oldest_waiting);
            table.writer.identities.compact(known_from).await?;
        }
        Ok(())
    }

    fn note_interrupted(&mut self, slices: &SlicePlan, error: &SourceError) {
        for table in self.reader.open() {
            let Some(position) = position_of(self.checkpoints, &table.writer.table()) else {
                continue;
            };
            let slice = slices.slice.num_milliseconds();
            let was_cut_off =
                matches!(error, SourceError::OutOfTime { .. }) && slices.rereads && slices.at < position.watermark;
            self.unsaved |= position.slice_ms != Some(slice) || position.reread_cut_off != was_cut_off;
            self.unsaved |= position.narrow != slices.narrow;
            position.narrow.clone_from(&slices.narrow);
            position.slice_ms = Some(slice);
            position.reread_cut_off = was_cut_off;
        }
    }

    fn report_tables(&mut self) {
        let newest_event = self.reader.newest_event;
        for table in &self.reader.tables {
            let name = table.writer.table();
            if let Some(error) = &table.stopped {
                self.report.fail_table(&name, error);
            }
            let Some(position) = position_of(self.checkpoints, &name) else {
                continue;
            };
            let counts = table.writer.final_counts();
            position.newest_event = position.newest_event.max(newest_event);
            self.unsaved |= counts.perhaps_doubled > 0;
            self.report.add_table(&name, counts, position.watermark);
        }
    }
}

/// The position of a table; one is made for every table before anything is read.
fn position_of<'c>(checkpoints: &'c mut Checkpoints, table: &str) -> Option<&'c mut TablePosition> {
    checkpoints.current.tables.get_mut(table)
}

/// Where the time alone ended, the slice would do as it is.
fn shorten(slices: &mut SlicePlan, slice: Window, error: &SourceError) -> bool {
    match error {
        SourceError::Stopped
        | SourceError::OutOfTime {
            kept_failing: false, ..
        } => slices.halve(slice),
        _ => slices.narrow_down(slice),
    }
}
