//! Before a window is read anew: how many rows may arrive twice. Nothing is sent, and no position moves.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::slice::SliceOutcome;
use crate::delivery::GRACE_FOR_A_PAGE;
use crate::jobs::backfill::{Backfill, LONGEST_WAIT, ROOM_FOR_OTHERS, TIME_FOR_A_SLICE};
use crate::jobs::poll::boundary_filter::BoundaryFilter;
use crate::jobs::poll::stream_run::StreamRun;
use crate::jobs::poll::window::{MOST_PAGES, Walk};
use crate::report::Cause;
use crate::report::{Outcome, StreamReport};
use crate::sources::{EventKey, SourceError, Window};
use crate::state::{Checkpoints, Identities, Lease, StoreError, TablePosition};
use crate::time::Deadline;

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

impl Backfill<'_> {
    /// Reads the window, slice by slice.
    pub async fn count(mut self) -> WindowCount {
        let mut report = StreamReport::new(self.plan.stream.name().to_string());
        let mut tables = BTreeMap::new();
        if let Err(error) = self.count_slices(&mut tables, &mut report).await {
            let message = format!("{}: {error}", report.stream);
            report.problems.push(error.problem_saying(message));
        }
        if !report.problems.is_empty() {
            report.outcome = Outcome::Failed;
        }
        WindowCount { report, tables }
    }

    async fn count_slices(
        &mut self,
        tables: &mut BTreeMap<String, PerhapsTwice>,
        report: &mut StreamReport,
    ) -> Result<(), StoreError> {
        let mut at = self.wanted.from;
        loop {
            let Some(lease) = self.lease(LONGEST_WAIT, report).await? else {
                return Ok(());
            };
            let outcome = self.count_slice(&lease, &mut at, tables, report).await;
            lease.give_back().await;
            if outcome? != SliceOutcome::GoOn {
                return Ok(());
            }
            tokio::select! {
                () = self.poller.stop.requested() => {}
                () = tokio::time::sleep(ROOM_FOR_OTHERS) => {}
            }
        }
    }

    async fn count_slice(
        &mut self,
        lease: &Lease,
        at: &mut DateTime<Utc>,
        tables: &mut BTreeMap<String, PerhapsTwice>,
        report: &mut StreamReport,
    ) -> Result<SliceOutcome, StoreError> {
        let store = lease.guard(self.poller.store.clone());
        let run = self.stream_run(&store, lease, Deadline::after(TIME_FOR_A_SLICE));
        let now = self.poller.clock.now();
        let checkpoints = run.polled().load(now, report).await?;
        let mut known = self.known_tables(&run, &checkpoints).await?;
        let last = known.iter().map(|table| table.position.watermark).max();
        let end = last.map_or(self.wanted.from, |last| last.min(self.wanted.to));
        let mut walk = Walk {
            at: (*at).max(self.readable_from(now)),
            end,
            slice: self.length,
            rereads: false,
            narrow: Vec::new(),
        };
        let Some(slice) = walk.next_slice() else {
            return Ok(SliceOutcome::Whole);
        };
        let counted = count_pages(&run, slice, self.wanted, &mut known).await;
        match counted {
            Ok(pages) if pages > MOST_PAGES && walk.halve(slice) => {}
            Ok(pages) => {
                walk.pass(slice, pages);
                for table in &known {
                    let sum = tables.entry(table.name.to_string()).or_default();
                    sum.events += table.count.events;
                    sum.known += table.count.known;
                    sum.perhaps_twice += table.count.perhaps_twice;
                }
            }
            Err(SourceError::OutOfTime { .. }) if walk.halve(slice) => {}
            Err(SourceError::Stopped { .. }) => {
                self.was_told_to_end(report);
                return Ok(SliceOutcome::Ended);
            }
            Err(error) => {
                report.problems.push(error.problem());
                return Ok(SliceOutcome::Ended);
            }
        }
        *at = walk.at;
        self.length = walk.slice;
        Ok(SliceOutcome::GoOn)
    }

    async fn known_tables(
        &self,
        run: &StreamRun<'_>,
        checkpoints: &Checkpoints,
    ) -> Result<Vec<KnownTable>, StoreError> {
        let mut known = Vec::with_capacity(self.plan.targets.len());
        for target in &self.plan.targets {
            let name = target.table.name();
            let Some(position) = checkpoints.current.tables.get(&*name) else {
                continue;
            };
            let of_poller = Identities::load(run.store.clone(), checkpoints.identities_of(&name)).await?;
            let folder = checkpoints.backfill_identities_of(&name);
            let mut identities = Identities::load(run.store.clone(), folder).await?;
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
}

/// How many pages a slice has; no more are read than a slice may have.
async fn count_pages(
    run: &StreamRun<'_>,
    slice: Window,
    wanted: Window,
    known: &mut [KnownTable],
) -> Result<u32, SourceError> {
    let stream = &run.plan.stream;
    let mut pages = stream.open(slice);
    // A page may be given again.
    let mut met = HashSet::new();
    let may_be_halved = Walk {
        at: slice.from,
        end: slice.to,
        slice: slice.to - slice.from,
        rereads: false,
        narrow: Vec::new(),
    }
    .halve(slice);
    let mut count = 0;
    loop {
        let page = tokio::select! {
            biased;
            () = run.stop.grace_elapsed(GRACE_FOR_A_PAGE) => Err(SourceError::Stopped { stream: stream.name().clone() }),
            page = pages.next(run.deadline) => page,
        };
        let Some(page) = page? else { return Ok(count) };
        count += 1;
        for event in page.events() {
            let key = stream.key_of(event);
            let is_elsewhere = key.time.is_some_and(|time| BoundaryFilter::Slice.exclude(time, slice));
            if is_elsewhere || !met.insert(key.identity) {
                continue;
            }
            known.iter_mut().for_each(|table| table.note(key, slice, wanted));
        }
        if count > MOST_PAGES && may_be_halved {
            return Ok(count);
        }
    }
}
