//! Tables that stand at the same place, walked on together, slice by slice.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::boundary_filter::BoundaryFilter;
use super::loading::load_identities;
use super::stream_run::{StreamRun, position_of};
use super::window::{MOST_PAGES, Walk};
use crate::delivery::Counterparts;
use crate::delivery::TableRoute;
use crate::delivery::{DELIVERY_RESERVE, GRACE_FOR_A_PAGE};
use crate::delivery::{SinkContext, SinkError, TableWriter};
use crate::event::Identity;
use crate::report::Cause;
use crate::report::{Outcome, StreamReport, TableReport};
use crate::sources::{EventKey, Page, SourceError, Window};
use crate::state::{Checkpoints, Counts, DeadLetters, StoreError, TablePosition};

/// Marks of counterparts are kept for the span in which one side may come long after the other.
const MARKS_KEPT: TimeDelta = TimeDelta::days(2);

/// See the module.
pub struct GroupRun<'a> {
    run: &'a StreamRun<'a>,
    /// The stream's positions.
    pub checkpoints: &'a mut Checkpoints,
    /// Where events may have been pushed under another key.
    counterparts: Option<Counterparts>,
    /// Read in this slice, and covered by no push.
    gaps: Vec<Identity>,
    /// What was delivered of pushes that still wait is remembered from here on.
    oldest_waiting: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    /// Take events.
    pub open: Vec<TableWriter<'a>>,
    /// Failed in this run; their positions stay where they are.
    pub stopped: Vec<(TableWriter<'a>, SinkError)>,
    /// Where tables stood before the first slice of which rows are held, see [`TableWriter::is_in_doubt`].
    before_doubt: BTreeMap<Arc<str>, TablePosition>,
    /// Which events a slice may bring that are none of its own.
    edges: BoundaryFilter,
    /// Delivered or set aside since the last save.
    unsaved: bool,
    /// What of each table's counts of this run its position holds already.
    counted: BTreeMap<Arc<str>, Counts>,
    /// Something is behind us that was not before this run: rows, a slice, or the length of the next one.
    made_progress: bool,
    /// Pages of this run that brought what was delivered before.
    reread_pages: u32,
    /// The latest time of an event that was read.
    newest_event: Option<DateTime<Utc>>,
}

/// How reading a slice ended.
pub enum SliceEnd {
    /// Read to its end, in so many pages.
    Complete(u32),
    /// It has more pages than a slice should.
    TooLong,
    /// After so many pages.
    Interrupted(SourceError, u32),
    /// The state store failed.
    StateLost(StoreError),
}

impl<'a> GroupRun<'a> {
    /// With what was delivered into the tables before.
    pub async fn begin(
        run: &'a StreamRun<'a>,
        checkpoints: &'a mut Checkpoints,
        targets: &[&'a TableRoute],
        now: DateTime<Utc>,
    ) -> Result<Self, StoreError> {
        let mut open = Vec::with_capacity(targets.len());
        for target in targets {
            let folder = checkpoints.identities_of(&target.table.name());
            let sink = TableWriter::new(target, load_identities(run.store, folder, run.deadline).await?);
            open.push(match run.plan.pushed {
                Some(_) => sink.of_joined_stream(),
                None => sink,
            });
        }
        let first = targets.first().map(|target| target.table.name());
        let position = first.and_then(|table| position_of(checkpoints, &table));
        let begin = position.map_or(now, |position| position.begin);
        Self::with(run, checkpoints, open, BoundaryFilter::Begin(begin), now).await
    }

    /// With sinks that are ready.
    pub async fn with(
        run: &'a StreamRun<'a>,
        checkpoints: &'a mut Checkpoints,
        open: Vec<TableWriter<'a>>,
        edges: BoundaryFilter,
        now: DateTime<Utc>,
    ) -> Result<Self, StoreError> {
        let counterparts = run.counterparts(checkpoints).await?;
        Ok(Self {
            run,
            checkpoints,
            counterparts,
            gaps: Vec::new(),
            oldest_waiting: None,
            now,
            open,
            stopped: Vec::new(),
            before_doubt: BTreeMap::new(),
            edges,
            unsaved: false,
            counted: BTreeMap::new(),
            made_progress: false,
            reread_pages: 0,
            newest_event: None,
        })
    }

    /// Forgets nothing from `oldest_waiting` on.
    pub fn keeping_from(self, oldest_waiting: Option<DateTime<Utc>>) -> Self {
        Self { oldest_waiting, ..self }
    }

    /// Walks until the end, a failure, or the end of the run's time.
    pub async fn run(mut self, report: &mut StreamReport) -> Result<(), StoreError> {
        let ended = self.walk(report).await;
        match ended.is_ok() {
            true => self.settle_doubts().await,
            false => self.go_back(),
        }
        report.notices.extend(self.run.plan.stream.notices());
        self.count();
        for sink in self.open.iter().chain(self.stopped.iter().map(|(sink, _)| sink)) {
            let table = sink.table();
            let Some(position) = position_of(self.checkpoints, &table) else {
                continue;
            };
            let counts = sink.final_counts();
            position.newest_event = position.newest_event.max(self.newest_event);
            self.unsaved |= counts.perhaps_doubled > 0;
            report.tables.push(TableReport {
                table: table.to_string(),
                counts,
                watermark: position.watermark,
            });
        }
        for (sink, error) in &self.stopped {
            let message = format!("{} -> {}: {error}", report.stream, sink.table());
            report.problems.push(error.problem_saying(message));
        }
        ended?;
        if self.must_be_saved() {
            self.save().await?;
        }
        Ok(())
    }

    async fn walk(&mut self, report: &mut StreamReport) -> Result<(), StoreError> {
        let Some(mut walk) = self.first_walk() else {
            return Ok(());
        };
        while let Some(slice) = walk.next_slice() {
            let before = self.counts();
            let end = self.read(slice).await;
            match end {
                _ if self.open.is_empty() => break,
                SliceEnd::Complete(pages) => match self.run.settled_part(slice, &mut walk, self.now) {
                    Some(slice) => self.complete(&mut walk, slice, pages, before).await?,
                    None => break,
                },
                SliceEnd::StateLost(error) => return Err(error),
                SliceEnd::TooLong => {
                    walk.halve(slice);
                }
                SliceEnd::Interrupted(error, pages) => {
                    // Cut off in the middle: the next run takes less at once, and that is a step forward too.
                    self.made_progress |= pages > 0 && shorten(&mut walk, slice, &error);
                    self.interrupted(&walk, &error);
                    self.note(error, report);
                    break;
                }
            }
        }
        Ok(())
    }

    fn first_walk(&mut self) -> Option<Walk> {
        let table = self.open.first()?.table();
        let position = position_of(self.checkpoints, &table)?;
        self.run.rules.walk(
            position,
            self.run.earlier_now(self.now),
            self.run.plan.stream.pages_per_minute(),
        )
    }

    async fn complete(
        &mut self,
        walk: &mut Walk,
        slice: Window,
        pages: u32,
        before: BTreeMap<Arc<str>, Counts>,
    ) -> Result<(), StoreError> {
        walk.pass(slice, pages);
        self.made_progress = true;
        let here = self.open.first().map(|sink| {
            // A table before it in the row may have stopped since.
            let before = before.get(&sink.table()).copied().unwrap_or_default();
            sink.counts.since(before)
        });
        let here = here.unwrap_or_default();
        // Slices are short where much is read, so the cost of reading again is their sum.
        let share = u64::from(pages) * here.seen_before / here.received.max(1);
        self.reread_pages = self
            .reread_pages
            .saturating_add(u32::try_from(share).unwrap_or(u32::MAX));
        let at_end = walk.next_slice().is_none();
        for sink in &self.open {
            let Some(position) = position_of(self.checkpoints, &sink.table()) else {
                continue;
            };
            if walk.rereads && slice.from < position.watermark {
                position.reread_pages = self.reread_pages;
            }
            if at_end && !walk.rereads {
                position.runs_without_reread += 1;
            }
            if sink.is_in_doubt() {
                let before = || position.clone();
                self.before_doubt.entry(sink.table()).or_insert_with(before);
            } else {
                self.before_doubt.remove(&sink.table());
            }
            // What this run left out of the overlap is the next one's: it must know that this run is over.
            self.unsaved |= position.reread_cut_off;
            self.run.rules.advance(position, slice, walk);
        }
        // A position that may have to go back is not saved.
        let is_certain = self.before_doubt.is_empty();
        if !at_end && is_certain && self.must_be_saved() {
            self.save().await?;
        }
        Ok(())
    }

    fn must_be_saved(&self) -> bool {
        self.unsaved || self.checkpoints.has_news || self.run.is_due(self.checkpoints, self.now)
    }

    /// What was delivered counts from the save on that remembers it, however the run ends.
    fn count(&mut self) {
        for sink in self.open.iter().chain(self.stopped.iter().map(|(sink, _)| sink)) {
            let table = sink.table();
            if let Some(position) = position_of(self.checkpoints, &table) {
                let counts = sink.final_counts();
                let before = self.counted.insert(table, counts).unwrap_or_default();
                position.counts.add_run(counts.since(before));
            }
        }
    }

    async fn save(&mut self) -> Result<(), StoreError> {
        self.count();
        self.checkpoints.save_positions(self.run.lease, self.now).await?;
        self.unsaved = false;
        self.compact().await
    }

    /// The end of the run: what is held by now, of a table that took no row, is not settled in this run. The table goes
    /// back to where it stood, and the next run reads it again.
    pub async fn settle_doubts(&mut self) {
        let dead_letters = DeadLetters::new(self.run.store.clone());
        let context = self.context(&dead_letters);
        let mut index = 0;
        while let Some(sink) = self.open.get_mut(index) {
            let before = sink.counts;
            let outcome = if sink.is_in_doubt() {
                sink.flush(&context).await
            } else {
                Ok(())
            };
            match outcome {
                Err(error) if sink.is_in_doubt() => {
                    let sink = self.open.remove(index);
                    self.stopped.push((sink, error));
                }
                outcome => index = self.settle(index, before, outcome),
            }
        }
        self.go_back();
    }

    /// Tables of which rows are held go back to where they stood before them, however the run ends.
    fn go_back(&mut self) {
        for sink in self.open.iter().filter(|sink| !sink.is_in_doubt()) {
            self.before_doubt.remove(&sink.table());
        }
        for (table, before) in std::mem::take(&mut self.before_doubt) {
            if let Some(position) = position_of(self.checkpoints, &table) {
                let (slice_ms, narrow) = (position.slice_ms, std::mem::take(&mut position.narrow));
                *position = TablePosition {
                    slice_ms,
                    narrow,
                    ..before
                };
            }
        }
    }

    fn interrupted(&mut self, walk: &Walk, error: &SourceError) {
        for sink in &self.open {
            let Some(position) = position_of(self.checkpoints, &sink.table()) else {
                continue;
            };
            let slice = walk.slice.num_milliseconds();
            let was_cut_off =
                matches!(error, SourceError::OutOfTime { .. }) && walk.rereads && walk.at < position.watermark;
            self.unsaved |= position.slice_ms != Some(slice) || position.reread_cut_off != was_cut_off;
            self.unsaved |= position.narrow != walk.narrow;
            position.narrow.clone_from(&walk.narrow);
            position.slice_ms = Some(slice);
            position.reread_cut_off = was_cut_off;
        }
    }

    fn note(&self, error: SourceError, report: &mut StreamReport) {
        let is_no_failure = match error {
            SourceError::OutOfTime { kept_failing, .. } => self.made_progress && !kept_failing,
            SourceError::Stopped { .. } => true,
            _ => false,
        };
        if is_no_failure {
            report.outcome = Outcome::BudgetEnded;
            report.notices.push(error.to_string());
        } else {
            report.problems.push(error.problem());
        }
    }

    /// Reads a slice and sends what it brought, also if it was not read to its end.
    pub async fn read(&mut self, slice: Window) -> SliceEnd {
        let dead_letters = DeadLetters::new(self.run.store.clone());
        let context = self.context(&dead_letters);
        let set_aside_before = self.set_aside();
        self.gaps.clear();
        let end = self.read_pages(slice, &context).await;
        self.flush(&context).await;
        match self.note_accepted(&set_aside_before).await {
            Ok(()) => end,
            Err(error) => SliceEnd::StateLost(error),
        }
    }

    /// What fills a gap makes a later push to the same table needless, once it is there. Where a row of the slice was
    /// set aside it is not known which: then a push that comes later is delivered as well.
    async fn note_accepted(&mut self, set_aside_before: &BTreeMap<Arc<str>, u64>) -> Result<(), StoreError> {
        let Some(counterparts) = &mut self.counterparts else {
            return Ok(());
        };
        for sink in &self.open {
            let table = sink.table();
            if sink.is_in_doubt() || set_aside_before.get(&table) != Some(&sink.counts.dead_lettered) {
                continue;
            }
            for read in self.gaps.iter().filter(|read| sink.knows(read)) {
                counterparts.note_accepted(*read, &table);
            }
        }
        counterparts.save().await
    }

    fn set_aside(&self) -> BTreeMap<Arc<str>, u64> {
        let sinks = self.open.iter();
        sinks.map(|sink| (sink.table(), sink.counts.dead_lettered)).collect()
    }

    async fn read_pages(&mut self, slice: Window, context: &SinkContext<'_>) -> SliceEnd {
        let reserve = DELIVERY_RESERVE.min(self.run.deadline.remaining() / 4);
        let reading_deadline = self.run.deadline.less(reserve);
        let stream = &self.run.plan.stream;
        let mut pages = stream.open(slice);
        let mut count = 0;
        let may_be_halved = Walk {
            at: slice.from,
            end: slice.to,
            slice: slice.to - slice.from,
            rereads: false,
            narrow: Vec::new(),
        }
        .halve(slice);
        while !self.open.is_empty() {
            if count > MOST_PAGES && may_be_halved {
                return SliceEnd::TooLong;
            }
            let page = tokio::select! {
                biased;
                () = self.run.stop.grace_elapsed(GRACE_FOR_A_PAGE) => Err(SourceError::Stopped { stream: stream.name().clone() }),
                page = pages.next(reading_deadline) => page,
            };
            match page {
                Ok(Some(page)) => {
                    if let Err(error) = self.take(&page, slice, context).await {
                        return SliceEnd::StateLost(error);
                    }
                }
                Ok(None) => break,
                Err(error) => return SliceEnd::Interrupted(error, count),
            }
            count += 1;
        }
        SliceEnd::Complete(count)
    }

    async fn take(&mut self, page: &Page, slice: Window, context: &SinkContext<'_>) -> Result<(), StoreError> {
        for sink in &mut self.open {
            sink.counts.replaced_bytes += page.replaced_bytes;
        }
        let (run, now) = (self.run, self.now);
        let events: Vec<Cow<'_, str>> = page
            .events()
            .flat_map(|event| run.polled().opened(event, now))
            .collect();
        let covered = self.covered_by_pushes(&events, slice).await?;
        for event in &events {
            self.offer(event, &covered, slice, context).await;
        }
        Ok(())
    }

    async fn offer(&mut self, event: &str, covered: &HashSet<Identity>, slice: Window, context: &SinkContext<'_>) {
        let key = self.run.plan.stream.key_of(event);
        let time = key.time.filter(|time| (slice.from..slice.to).contains(time));
        self.newest_event = self.newest_event.max(time);
        if key.time.is_some_and(|time| self.edges.exclude(time, slice)) {
            return;
        }
        if covered.contains(&key.identity) {
            for sink in &mut self.open {
                sink.pass_over(key.identity, key.time.unwrap_or(slice.to));
            }
            return;
        }
        let mut index = 0;
        while let Some(sink) = self.open.get_mut(index) {
            let before = sink.counts;
            let outcome = sink.offer(event, key, slice, context).await;
            index = self.settle(index, before, outcome);
        }
    }

    /// Which new events of a page were pushed too. What is found is stored before anything of the page is sent or
    /// remembered: after a crash, a push that stood for one of them must not stand for another.
    async fn covered_by_pushes(
        &mut self,
        events: &[Cow<'_, str>],
        slice: Window,
    ) -> Result<HashSet<Identity>, StoreError> {
        let mut covered = HashSet::new();
        let (Some(counterparts), Some(rule)) = (&mut self.counterparts, self.run.plan.counterparts) else {
            return Ok(covered);
        };
        for event in events {
            let EventKey { identity, time } = self.run.plan.stream.key_of(event);
            let is_of_slice = !time.is_some_and(|time| self.edges.exclude(time, slice));
            if !is_of_slice || self.open.iter().any(|sink| sink.knows(&identity)) {
                continue;
            }
            if counterparts.is_covered((rule.key_of)(event), identity, time.unwrap_or(self.now)) {
                covered.insert(identity);
            } else {
                self.gaps.push(identity);
            }
        }
        counterparts.save().await?;
        Ok(covered)
    }

    async fn flush(&mut self, context: &SinkContext<'_>) {
        let mut index = 0;
        while let Some(sink) = self.open.get_mut(index) {
            let before = sink.counts;
            let outcome = sink.flush(context).await;
            index = self.settle(index, before, outcome);
        }
    }

    /// A table that fails stops by itself; the others go on. Gives the number of the next table.
    fn settle(&mut self, index: usize, before: Counts, outcome: Result<(), SinkError>) -> usize {
        let counts = self.open.get(index).map(|sink| sink.counts).unwrap_or_default();
        let delivered = counts.delivered + counts.dead_lettered > before.delivered + before.dead_lettered;
        self.unsaved |= delivered;
        self.made_progress |= delivered;
        match outcome {
            Ok(()) => index + 1,
            // A later row of the table may show that the stream fits.
            Err(error) if error.is_doubt() && self.open.get(index).is_some_and(TableWriter::is_in_doubt) => index + 1,
            Err(error) => {
                let sink = self.open.remove(index);
                self.stopped.push((sink, error));
                index
            }
        }
    }

    /// After the position was saved: the other way round a crash would leave doubles.
    async fn compact(&mut self) -> Result<(), StoreError> {
        if let Some(counterparts) = &mut self.counterparts {
            let positions = self.checkpoints.current.tables.values();
            let read_up_to = positions.map(|position| position.watermark).min();
            let read_up_to = read_up_to.map_or(self.now, |watermark| watermark.min(self.now));
            counterparts.compact(read_up_to - MARKS_KEPT).await?;
        }
        for sink in &mut self.open {
            let Some(position) = position_of(self.checkpoints, &sink.table()) else {
                continue;
            };
            let known_from = self.run.known_from(position);
            sink.compact(self.oldest_waiting.map_or(known_from, |oldest| oldest.min(known_from)))
                .await?;
        }
        Ok(())
    }

    fn context<'c>(&self, dead_letters: &'c DeadLetters) -> SinkContext<'c>
    where
        'a: 'c,
    {
        SinkContext {
            stream: self.run.plan.stream.name(),
            lease: self.run.lease,
            dead_letters,
            arrival: self.now,
            given: &[],
            deadline: self.run.deadline,
            stop: self.run.stop,
        }
    }

    fn counts(&self) -> BTreeMap<Arc<str>, Counts> {
        self.open.iter().map(|sink| (sink.table(), sink.counts)).collect()
    }
}

/// Where the time alone ended, the slice would do as it is.
fn shorten(walk: &mut Walk, slice: Window, error: &SourceError) -> bool {
    match error {
        SourceError::Stopped { .. }
        | SourceError::OutOfTime {
            kept_failing: false, ..
        } => walk.halve(slice),
        _ => walk.narrow_down(slice),
    }
}
