//! Before a window is read anew: how many rows may arrive twice. Nothing is sent, and no position moves.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::context::{BackfillContext, FIRST_SLICE};
use super::walk::{Next, SliceVisitor, visit_slices};
use crate::jobs::poll::boundary_filter::BoundaryFilter;
use crate::jobs::poll::window::{MOST_PAGES, SlicePlan};
use crate::jobs::poll::windowed_run::WindowedRun;
use crate::report::{Cause, StreamReport};
use crate::sources::{EventKey, SourceError, Window};
use crate::state::{Checkpoints, Identities, StoreError, TablePosition};

/// What a window holds for one table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerhapsTwice {
    /// What the vendor shows.
    pub events: u64,
    /// Delivered for certain: they are not sent again.
    pub known: u64,
    /// Read before, and too old to be known: they may arrive twice.
    pub perhaps_twice: u64,
}

/// What counting brought.
#[derive(Debug)]
pub struct WindowCount {
    /// The problems, if it did not come to its end.
    pub report: StreamReport,
    /// By table.
    pub tables: BTreeMap<String, PerhapsTwice>,
}

/// What is known of a table while a slice is counted.
struct KnownTable {
    name: Arc<str>,
    position: TablePosition,
    identities: Identities,
    count: PerhapsTwice,
}

impl KnownTable {
    fn note(&mut self, key: EventKey, slice: Window, wanted: Window) {
        let time = key.time.unwrap_or(slice.from);
        let reread = self.position.reread.as_ref();
        let is_read_anew =
            reread.is_some_and(|reread| reread.is_of(wanted.from, wanted.to) && reread.read.contains(time));
        if time >= self.position.watermark || is_read_anew {
            return;
        }
        self.count.events += 1;
        if self.identities.contains(&key.identity) {
            self.count.known += 1;
        } else if self.position.coverage.contains(time) {
            self.count.perhaps_twice += 1;
        }
    }
}

/// Reads the window, slice by slice.
pub struct WindowCounter<'a> {
    context: BackfillContext<'a>,
    /// The start of the next slice.
    at: DateTime<Utc>,
    /// How long it may be.
    length: TimeDelta,
    report: StreamReport,
    tables: BTreeMap<String, PerhapsTwice>,
}

impl<'a> WindowCounter<'a> {
    /// Nothing is read yet.
    pub fn new(context: BackfillContext<'a>) -> Self {
        Self {
            at: context.request.window.from,
            length: FIRST_SLICE,
            report: StreamReport::new(context.plan.stream.name()),
            tables: BTreeMap::new(),
            context,
        }
    }

    /// Counts all of it.
    pub async fn run(mut self) -> WindowCount {
        let context = self.context;
        if let Err(error) = visit_slices(&context, &mut self).await {
            self.report.fail(&error);
        }
        WindowCount {
            report: self.report.concluded(),
            tables: self.tables,
        }
    }

    fn add(&mut self, known: &[KnownTable]) {
        for table in known {
            let sum = self.tables.entry(table.name.to_string()).or_default();
            sum.events += table.count.events;
            sum.known += table.count.known;
            sum.perhaps_twice += table.count.perhaps_twice;
        }
    }
}

impl SliceVisitor for WindowCounter<'_> {
    async fn visit(&mut self, run: &WindowedRun<'_>, checkpoints: Checkpoints) -> Result<Next, StoreError> {
        let mut known = known_tables(run, &checkpoints).await?;
        let wanted = self.context.request.window;
        let last = known.iter().map(|table| table.position.watermark).max();
        let end = last.map_or(wanted.from, |last| last.min(wanted.to));
        let begin = self.at.max(self.context.readable_from(run.context.now));
        let mut slices = SlicePlan::new(begin, end, self.length);
        let Some(slice) = slices.next_slice() else {
            return Ok(Next::End);
        };
        match count_pages(run, slice, wanted, &mut known).await {
            Ok(pages) if pages > MOST_PAGES && slices.halve(slice) => {}
            Ok(pages) => {
                slices.pass(slice, pages);
                self.add(&known);
            }
            Err(SourceError::OutOfTime { .. }) if slices.halve(slice) => {}
            Err(error) => {
                match error {
                    SourceError::Stopped => self.note_told_to_end(),
                    error => self.report.problems.push(error.of(run.plan.stream.name()).problem()),
                }
                return Ok(Next::End);
            }
        }
        self.at = slices.at;
        self.length = slices.slice;
        Ok(Next::GoOn)
    }

    fn left(&self) -> String {
        "nothing was read yet".to_owned()
    }

    fn report(&mut self) -> &mut StreamReport {
        &mut self.report
    }
}

async fn known_tables(run: &WindowedRun<'_>, checkpoints: &Checkpoints) -> Result<Vec<KnownTable>, StoreError> {
    let store = &run.context.store;
    let mut known = Vec::with_capacity(run.plan.targets.len());
    for target in &run.plan.targets {
        let name = target.table.name();
        let Some(position) = checkpoints.current.tables.get(&*name) else {
            continue;
        };
        let of_poller = Identities::load(store.clone(), checkpoints.identities_of(&name)).await?;
        let folder = checkpoints.backfill_identities_of(&name);
        let mut identities = Identities::load(store.clone(), folder).await?;
        identities.ask_also(&of_poller);
        known.push(KnownTable {
            position: position.clone(),
            name,
            identities,
            count: PerhapsTwice::default(),
        });
    }
    Ok(known)
}

/// How many pages a slice has; no more are read than a slice may have.
async fn count_pages(
    run: &WindowedRun<'_>,
    slice: Window,
    wanted: Window,
    known: &mut [KnownTable],
) -> Result<u32, SourceError> {
    let stream = &run.plan.stream;
    let mut pages = stream.open(slice);
    // A page may be given again.
    let mut met = HashSet::new();
    let mut count = 0;
    loop {
        let page = run.context.next_page(&mut *pages, run.context.deadline).await?;
        let Some(page) = page else { return Ok(count) };
        count += 1;
        for event in page.events() {
            let key = stream.key_of(event);
            let is_elsewhere = key.time.is_some_and(|time| BoundaryFilter::Slice.exclude(time, slice));
            if is_elsewhere || !met.insert(key.identity) {
                continue;
            }
            known.iter_mut().for_each(|table| table.note(key, slice, wanted));
        }
        if count > MOST_PAGES && !slice.is_shortest() {
            return Ok(count);
        }
    }
}
