//! A stream that is read whole: a scan begins once in a while, and what changed since the last one is delivered.

use chrono::{DateTime, TimeDelta, Utc};

use super::loading::load_identities;
use super::polled_run::{PolledRun, interrupted, reading_deadline, report_no_time_left};
use crate::delivery::{DELIVERY_RESERVE, IncomingEvent, TableRoute, TableWriteError, TableWriter};
use crate::event::Identity;
use crate::jobs::plan::SnapshotPlan;
use crate::report::{Cause, StreamReport};
use crate::sources::{Page, SourceError, StreamError, Window};
use crate::state::{Checkpoints, OpenWalk, StoreError, TablePosition};

/// So many runs in which the vendor gives nothing at the place where a scan is to continue: then it begins anew.
const MOST_FAILED_RUNS: u32 = 2;

pub struct SnapshotRun<'a> {
    plan: &'a SnapshotPlan,
    polled: PolledRun<'a>,
    report: StreamReport,
}

impl<'a> SnapshotRun<'a> {
    pub fn new(plan: &'a SnapshotPlan, polled: PolledRun<'a>) -> Self {
        Self {
            plan,
            report: StreamReport::new(polled.context.stream),
            polled,
        }
    }

    /// Reads on from where the last run ended, and reports.
    pub async fn run(mut self) -> StreamReport {
        if let Err(error) = self.scan_tables().await {
            self.report.fail(&error);
        }
        self.report.concluded()
    }

    async fn scan_tables(&mut self) -> Result<(), StoreError> {
        let loaded = self.polled.load().await?;
        self.report.notices.extend(loaded.notices);
        let (mut checkpoints, context) = (loaded.checkpoints, self.polled.context);
        if context.deadline.is_within_reserve(DELIVERY_RESERVE) {
            self.report.absorb(report_no_time_left(context.stream, false));
        } else {
            for target in &self.plan.targets {
                self.scan_if_due(target, &mut checkpoints).await?;
            }
        }
        self.report.absorb(self.polled.report_of_positions(&checkpoints));
        Ok(())
    }

    /// Reads everything for a table that is due. A scan that was cut off continues with the next run where it ended; what
    /// comes a second time all the same is dropped by identity.
    async fn scan_if_due(&mut self, target: &'a TableRoute, checkpoints: &mut Checkpoints) -> Result<(), StoreError> {
        let (table, context) = (target.table.name(), self.polled.context);
        let position = checkpoints.current.tables.get(&*table);
        let Some(position) = position.filter(|position| self.is_due(position)) else {
            return Ok(());
        };
        let open = position.walk.clone().filter(|walk| walk.begun <= context.now);
        let identities = load_identities(context, checkpoints.identities_of(&table)).await?;
        let mut scan = TableScan {
            begun: open.as_ref().map_or(context.now, |walk| walk.begun),
            failed_runs: open.as_ref().map_or(0, |walk| walk.failed_runs),
            place: open.map(|walk| walk.place),
            has_moved: false,
            failed_at_place: false,
            writer: TableWriter::new(target, identities, context),
            refreshed: Vec::new(),
        };
        let is_whole = self.scan(&mut scan).await;
        self.settle(scan, is_whole, checkpoints).await
    }

    fn is_due(&self, position: &TablePosition) -> bool {
        let now = self.polled.context.now;
        let was_scanned = position.watermark > position.begin;
        let every = TimeDelta::from_std(self.plan.stream.scan_interval()).unwrap_or(TimeDelta::MAX);
        position.walk.is_some() || !was_scanned || now - position.watermark >= every || position.watermark > now
    }

    /// What was met is written down before the place behind it.
    async fn settle(
        &mut self,
        mut scan: TableScan<'_>,
        is_whole: bool,
        checkpoints: &mut Checkpoints,
    ) -> Result<(), StoreError> {
        if scan.has_moved && !is_whole {
            let refreshed = std::mem::take(&mut scan.refreshed);
            scan.writer.identities.append(refreshed).await?;
        }
        let (table, context) = (scan.writer.table(), self.polled.context);
        let Some(position) = checkpoints.current.tables.get_mut(&*table) else {
            return Ok(());
        };
        let counts = scan.writer.final_counts();
        position.counts.add_run(counts);
        if is_whole {
            position.coverage.add(position.watermark, scan.begun);
            position.watermark = scan.begun;
        }
        let had_place = scan.place.is_some();
        position.walk = self.walk_of_next_run(&mut scan, is_whole);
        let failed_now = position.walk.as_ref().map(|walk| walk.failed_runs);
        let remembers = had_place && failed_now != Some(scan.failed_runs);
        self.report.add_table(&table, counts, position.watermark);
        if is_whole || remembers || scan.has_progressed() {
            checkpoints.save(context.lease, context.now).await?;
        }
        if is_whole {
            // What this scan did not meet is as good as never seen: a user who changes back is a change.
            scan.writer.identities.keep_only(scan.begun).await?;
        }
        Ok(())
    }

    /// Where the next run goes on, and how many runs got nothing from there. A saved cursor may be dead in ways that
    /// look like a passing failure.
    fn walk_of_next_run(&mut self, scan: &mut TableScan<'_>, is_whole: bool) -> Option<OpenWalk> {
        let place = scan.place.take().filter(|_| !is_whole)?;
        let failed_runs = match scan.has_moved {
            true => 0,
            false => scan.failed_runs + u32::from(scan.failed_at_place),
        };
        if failed_runs >= MOST_FAILED_RUNS {
            self.report.notices.push(format!(
                "{}: nothing came in {failed_runs} runs from the place at which an earlier run ended; the next run reads \
                 everything from the beginning, and what came before is not delivered again",
                self.report.stream
            ));
            return None;
        }
        Some(OpenWalk {
            begun: scan.begun,
            place,
            failed_runs,
        })
    }

    /// True if everything was read and delivered.
    async fn scan(&mut self, scan: &mut TableScan<'_>) -> bool {
        let (read, place) = self.read_pages(scan).await;
        let flushed = scan.writer.flush().await;
        self.report.notices.extend(self.plan.stream.named_notices());
        let is_delivered = flushed.is_ok() && !matches!(read, Err(Ended::Sink(_)));
        if is_delivered && place.is_some() && place != scan.place {
            (scan.place, scan.has_moved) = (place, true);
        }
        let stream = self.polled.context.stream;
        match (read, flushed) {
            (Ok(()), Ok(())) => return true,
            (Err(Ended::Source(error)), Ok(())) => {
                scan.failed_at_place = !scan.has_moved && is_about_place(&error.of(stream));
                self.report.absorb(interrupted(stream, &error, scan.has_progressed()));
            }
            (Err(Ended::Sink(error)), _) | (_, Err(error)) => self.report.fail_table(&scan.writer.table(), &error),
        }
        false
    }

    /// Also gives the place of the page that comes next, where reading did not end.
    async fn read_pages(&self, scan: &mut TableScan<'_>) -> (Result<(), Ended>, Option<String>) {
        let context = self.polled.context;
        let mut pages = self.plan.stream.scan(scan.place.clone());
        let deadline = reading_deadline(context);
        loop {
            let page = match context.next_page(&mut *pages, deadline).await {
                Ok(Some(page)) => page,
                Ok(None) => return (Ok(()), None),
                Err(error) => return (Err(Ended::Source(error)), pages.place()),
            };
            if let Err(error) = self.take(scan, &page).await {
                return (Err(Ended::Sink(error)), None);
            }
        }
    }

    async fn take(&self, scan: &mut TableScan<'_>, page: &Page) -> Result<(), TableWriteError> {
        scan.writer.counts.replaced_bytes += page.replaced_bytes;
        // What is met counts as met when the scan was begun, in whichever run.
        let (from, to) = (scan.begun, scan.begun);
        for text in page.events().flat_map(|event| self.polled.opened(event)) {
            let key = self.plan.stream.key_of(&text);
            if scan.writer.knows(&key.identity) {
                scan.refreshed.push((key.identity, scan.begun));
            }
            scan.writer.identities.refresh(key.identity, scan.begun);
            let event = IncomingEvent {
                text: &text,
                key,
                window: Window { from, to },
                arrival: self.polled.context.now,
            };
            scan.writer.offer(event).await?;
        }
        Ok(())
    }
}

/// A scan on its way into one table.
struct TableScan<'a> {
    writer: TableWriter<'a>,
    /// When its first page was asked for, perhaps by an earlier run.
    begun: DateTime<Utc>,
    /// Where it goes on.
    place: Option<String>,
    /// Runs before this one that got nothing from there.
    failed_runs: u32,
    /// True if this run got further.
    has_moved: bool,
    /// True if the vendor failed where this run was to go on.
    failed_at_place: bool,
    /// Known before this run and met in it.
    refreshed: Vec<(Identity, DateTime<Utc>)>,
}

impl TableScan<'_> {
    fn has_progressed(&self) -> bool {
        self.has_moved || self.writer.counts.delivered + self.writer.counts.dead_lettered > 0
    }
}

/// Why a scan was not read to its end.
enum Ended {
    Source(SourceError),
    Sink(TableWriteError),
}

/// The vendor may have failed because of the place it was asked for, and not because of the credential, its limits or
/// our time.
fn is_about_place(error: &StreamError<'_>) -> bool {
    match error.error {
        SourceError::Unavailable { .. } | SourceError::BadPage { .. } | SourceError::WebPage { .. } => true,
        SourceError::Refused { .. } => !error.code().is_about_credential(),
        SourceError::OutOfTime { kept_failing, .. } => *kept_failing,
        _ => false,
    }
}
