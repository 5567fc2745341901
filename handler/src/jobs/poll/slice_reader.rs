//! One slice after the other, read into several tables at once. A table that fails stops by itself; the others go on.

use std::borrow::Cow;
use std::collections::HashSet;

use chrono::{DateTime, Utc};

use super::boundary_filter::BoundaryFilter;
use super::pairing::Pairing;
use super::polled_run::reading_deadline;
use super::window::MOST_PAGES;
use super::windowed_run::WindowedRun;
use crate::delivery::{IncomingEvent, TableWriteError, TableWriter};
use crate::event::Identity;
use crate::sources::{EventKey, Page, SourceError, Window};
use crate::state::{Counts, StoreError, TablePosition};

pub struct SliceReader<'a> {
    run: &'a WindowedRun<'a>,
    pub tables: Vec<GroupTable<'a>>,
    /// Which events a slice may bring that are none of its own.
    filter: BoundaryFilter,
    /// Where events may have been pushed under another key.
    pub pairing: Option<Pairing>,
    /// The latest time of an event that was read.
    pub newest_event: Option<DateTime<Utc>>,
}

/// One of the tables that are read into together.
pub struct GroupTable<'a> {
    pub writer: TableWriter<'a>,
    /// Why it takes none any more in this run; its position stays where it is.
    pub stopped: Option<TableWriteError>,
    /// What was counted before the present slice.
    before_slice: Counts,
    /// Where the table stood before the first slice of which rows are held, see [`TableWriter::is_in_doubt`]. While
    /// there is one its position is not saved.
    pub before_held: Option<TablePosition>,
    /// What of the counts of this run its position holds already.
    pub counted: Counts,
}

/// How reading a slice ended.
pub enum SliceEnd {
    /// Read to its end, in so many pages.
    Complete(u32),
    /// It has more pages than a slice should.
    TooLong,
    /// After so many pages.
    Interrupted(SourceError, u32),
    StateLost(StoreError),
}

impl<'a> GroupTable<'a> {
    fn new(writer: TableWriter<'a>) -> Self {
        Self {
            writer,
            stopped: None,
            before_slice: Counts::default(),
            before_held: None,
            counted: Counts::default(),
        }
    }

    pub fn is_open(&self) -> bool {
        self.stopped.is_none()
    }

    /// What the present slice brought.
    pub fn counts_of_slice(&self) -> Counts {
        self.writer.counts.since(self.before_slice)
    }

    fn note(&mut self, outcome: Result<(), TableWriteError>) {
        match outcome {
            // A later row of the table may show that the stream fits.
            Err(error) if error.is_doubt() && self.writer.is_in_doubt() => {}
            outcome => self.stopped = outcome.err(),
        }
    }
}

impl<'a> SliceReader<'a> {
    pub fn new(
        run: &'a WindowedRun<'a>,
        writers: Vec<TableWriter<'a>>,
        filter: BoundaryFilter,
        pairing: Option<Pairing>,
    ) -> Self {
        Self {
            run,
            tables: writers.into_iter().map(GroupTable::new).collect(),
            filter,
            pairing,
            newest_event: None,
        }
    }

    /// The tables that take events.
    pub fn open(&self) -> impl Iterator<Item = &GroupTable<'a>> {
        self.tables.iter().filter(|table| table.is_open())
    }

    pub fn open_mut(&mut self) -> impl Iterator<Item = &mut GroupTable<'a>> {
        self.tables.iter_mut().filter(|table| table.is_open())
    }

    pub fn is_closed(&self) -> bool {
        self.open().next().is_none()
    }

    /// Reads a slice and sends what it brought, also if it was not read to its end.
    pub async fn read(&mut self, slice: Window) -> SliceEnd {
        for table in self.open_mut() {
            table.before_slice = table.writer.counts;
        }
        if let Some(pairing) = &mut self.pairing {
            pairing.begin_slice();
        }
        let end = self.read_pages(slice).await;
        for table in self.open_mut() {
            let flushed = table.writer.flush().await;
            table.note(flushed);
        }
        match self.note_accepted().await {
            Ok(()) => end,
            Err(error) => SliceEnd::StateLost(error),
        }
    }

    /// The end of the run: what is held by now, of a table that took no row, is not settled in this run.
    pub async fn settle_doubts(&mut self) {
        for table in self.open_mut().filter(|table| table.writer.is_in_doubt()) {
            table.stopped = table.writer.flush().await.err();
        }
    }

    /// Where a row of the slice was set aside it is not known which: then a push that comes later is delivered as well.
    async fn note_accepted(&mut self) -> Result<(), StoreError> {
        let Some(pairing) = &mut self.pairing else {
            return Ok(());
        };
        for table in self.tables.iter().filter(|table| table.is_open()) {
            if !table.writer.is_in_doubt() && table.counts_of_slice().dead_lettered == 0 {
                pairing.note_accepted(&table.writer);
            }
        }
        pairing.counterparts.save().await
    }

    async fn read_pages(&mut self, slice: Window) -> SliceEnd {
        let context = self.run.context;
        let deadline = reading_deadline(context);
        let mut pages = self.run.plan.stream.open(slice);
        let mut count = 0;
        while !self.is_closed() {
            if count > MOST_PAGES && !slice.is_shortest() {
                return SliceEnd::TooLong;
            }
            match context.next_page(&mut *pages, deadline).await {
                Ok(Some(page)) => {
                    if let Err(error) = self.take(&page, slice).await {
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

    async fn take(&mut self, page: &Page, slice: Window) -> Result<(), StoreError> {
        self.open_mut()
            .for_each(|table| table.writer.counts.replaced_bytes += page.replaced_bytes);
        let events = self.events_of(page, slice);
        let covered = self.covered_by_pushes(&events).await?;
        let arrival = self.run.context.now;
        for (text, key) in &events {
            for table in self.tables.iter_mut().filter(|table| table.is_open()) {
                if covered.contains(&key.identity) {
                    table.writer.pass_over(key.identity, key.time.unwrap_or(slice.to));
                    continue;
                }
                let event = IncomingEvent {
                    text,
                    key: *key,
                    window: slice,
                    arrival,
                };
                let offered = table.writer.offer(event).await;
                table.note(offered);
            }
        }
        Ok(())
    }

    /// The events of a page that belong to the slice, each with its key.
    fn events_of<'p>(&mut self, page: &'p Page, slice: Window) -> Vec<(Cow<'p, str>, EventKey)> {
        let polled = self.run.polled();
        let mut events = Vec::new();
        for text in page.events().flat_map(|event| polled.opened(event)) {
            let key = polled.stream.key_of(&text);
            let time = key.time.filter(|time| (slice.from..slice.to).contains(time));
            self.newest_event = self.newest_event.max(time);
            if !key.time.is_some_and(|time| self.filter.exclude(time, slice)) {
                events.push((text, key));
            }
        }
        events
    }

    async fn covered_by_pushes(
        &mut self,
        events: &[(Cow<'_, str>, EventKey)],
    ) -> Result<HashSet<Identity>, StoreError> {
        let Some(pairing) = &mut self.pairing else {
            return Ok(HashSet::new());
        };
        let is_known = |key: &EventKey| {
            let mut open = self.tables.iter().filter(|table| table.is_open());
            open.any(|table| table.writer.knows(&key.identity))
        };
        let new = events.iter().filter(|(_, key)| !is_known(key));
        let new = new.map(|(text, key)| (&**text, *key));
        pairing.covered_by_pushes(new, self.run.context.now).await
    }
}
