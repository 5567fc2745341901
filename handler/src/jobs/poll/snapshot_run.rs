//! A stream that is read whole: a scan begins once in a while, and what changed since the last one is delivered.

use chrono::{DateTime, TimeDelta, Utc};

use super::loading::load_identities;
use super::polled_run::{PolledRun, report_no_time_left};
use crate::delivery::{DELIVERY_RESERVE, IncomingEvent, StreamContext, TableRoute, TableWriteError, TableWriter};
use crate::event::Identity;
use crate::jobs::plan::SnapshotPlan;
use crate::report::{Cause, StreamReport, TableReport};
use crate::sources::{Page, SourceError, StreamError, Window};
use crate::state::{Checkpoints, OpenWalk, StoreError, TablePosition};

/// So many runs in which the vendor gives nothing at the place where a scan is to continue: then it begins anew.
const MOST_FAILED_RUNS: u32 = 2;

/// One run.
pub struct SnapshotRun<'a> {
    /// The stream and its tables.
    pub plan: &'a SnapshotPlan,
    /// The same, with the state.
    pub polled: PolledRun<'a>,
}

impl<'a> SnapshotRun<'a> {
    /// Reads on from where the last run ended, and reports.
    pub async fn run(&self) -> StreamReport {
        let mut report = StreamReport::new(self.context().stream);
        if let Err(error) = self.run_into(&mut report).await {
            report.fail(&error);
        }
        report.concluded()
    }

    async fn run_into(&self, report: &mut StreamReport) -> Result<(), StoreError> {
        let loaded = self.polled.load().await?;
        report.notices.extend(loaded.notices);
        let mut checkpoints = loaded.checkpoints;
        if self.context().deadline.is_within_reserve(DELIVERY_RESERVE) {
            report.absorb(report_no_time_left(self.context().stream, false));
        } else {
            for target in &self.plan.targets {
                let (part, ended) = self.scan_if_due(target, &mut checkpoints).await;
                report.absorb(part);
                ended?;
            }
        }
        report.absorb(self.polled.report_of_positions(&checkpoints));
        Ok(())
    }

    fn context(&self) -> &'a StreamContext<'a> {
        self.polled.context
    }

    /// Reads everything for a table that is due. A scan that was cut off continues with the next run where it ended; what
    /// comes a second time all the same is dropped by identity.
    async fn scan_if_due(
        &self,
        target: &'a TableRoute,
        checkpoints: &mut Checkpoints,
    ) -> (StreamReport, Result<(), StoreError>) {
        let (table, context) = (target.table.name(), self.context());
        let report = StreamReport::new(context.stream);
        let position = checkpoints.current.tables.get(&*table);
        let Some(position) = position.filter(|position| self.is_due(position)) else {
            return (report, Ok(()));
        };
        let open = position.walk.clone().filter(|walk| walk.begun <= context.now);
        let identities = match load_identities(context, checkpoints.identities_of(&table)).await {
            Ok(identities) => identities,
            Err(error) => return (report, Err(error)),
        };
        let mut scan = TableScan {
            begun: open.as_ref().map_or(context.now, |walk| walk.begun),
            failed_runs: open.as_ref().map_or(0, |walk| walk.failed_runs),
            place: open.map(|walk| walk.place),
            has_moved: false,
            failed_at_place: false,
            writer: TableWriter::new(target, identities, context),
            refreshed: Vec::new(),
            report,
        };
        let is_whole = self.scan(&mut scan).await;
        let settled = self.settle(&mut scan, is_whole, checkpoints).await;
        (scan.report, settled)
    }

    fn is_due(&self, position: &TablePosition) -> bool {
        let was_scanned = position.watermark > position.begin;
        let every = TimeDelta::from_std(self.plan.stream.scan_interval()).unwrap_or(TimeDelta::MAX);
        position.walk.is_some()
            || !was_scanned
            || self.context().now - position.watermark >= every
            || position.watermark > self.context().now
    }

    /// What was met is written down before the place behind it.
    async fn settle(
        &self,
        scan: &mut TableScan<'_>,
        is_whole: bool,
        checkpoints: &mut Checkpoints,
    ) -> Result<(), StoreError> {
        if scan.has_moved && !is_whole {
            let refreshed = std::mem::take(&mut scan.refreshed);
            scan.writer.identities.append(refreshed).await?;
        }
        let table = scan.writer.table();
        let Some(position) = checkpoints.current.tables.get_mut(&*table) else {
            return Ok(());
        };
        let (counts, begun) = (scan.writer.final_counts(), scan.begun);
        position.counts.add_run(counts);
        if is_whole {
            position.coverage.add(position.watermark, begun);
            position.watermark = begun;
        }
        let (had_place, failed_before) = (scan.place.is_some(), scan.failed_runs);
        position.walk = scan.walk_of_next_run(is_whole);
        let failed_now = position.walk.as_ref().map(|walk| walk.failed_runs);
        let remembers = had_place && failed_now != Some(failed_before);
        scan.report.tables.push(TableReport {
            table: table.to_string(),
            counts,
            watermark: position.watermark,
        });
        if is_whole || remembers || scan.has_moved || counts.delivered + counts.dead_lettered > 0 {
            checkpoints.save(self.context().lease, self.context().now).await?;
        }
        if is_whole {
            // What this scan did not meet is as good as never seen: a user who changes back is a change.
            scan.writer.identities.keep_only(begun).await?;
        }
        Ok(())
    }

    /// True if everything was read and delivered.
    async fn scan(&self, scan: &mut TableScan<'_>) -> bool {
        let (read, place) = self.read_pages(scan).await;
        let flushed = scan.writer.flush().await;
        scan.report.notices.extend(self.plan.stream.named_notices());
        let is_delivered = flushed.is_ok() && !matches!(read, Err(Ended::Sink(_)));
        if is_delivered && place.is_some() && place != scan.place {
            (scan.place, scan.has_moved) = (place, true);
        }
        let counts = scan.writer.counts;
        let has_progressed = scan.has_moved || counts.delivered + counts.dead_lettered > 0;
        let stream = self.plan.stream.name();
        match (read, flushed) {
            (Ok(()), Ok(())) => return true,
            (Err(Ended::Source(error)), Ok(())) if is_no_failure(&error, has_progressed) => {
                scan.report.end_early(error.of(stream).to_string());
            }
            (Err(Ended::Source(error)), Ok(())) => {
                scan.failed_at_place = !scan.has_moved && is_about_place(&error.of(stream));
                scan.report.problems.push(error.of(stream).problem());
            }
            (Err(Ended::Sink(error)), _) | (_, Err(error)) => {
                scan.report.fail_table(&scan.writer.table(), &error);
            }
        }
        false
    }

    /// Also gives the place of the page that comes next, where reading did not end.
    async fn read_pages(&self, scan: &mut TableScan<'_>) -> (Result<(), Ended>, Option<String>) {
        let context = self.context();
        let mut pages = self.plan.stream.scan(scan.place.clone());
        let reserve = DELIVERY_RESERVE.min(context.deadline.remaining() / 4);
        let reading_deadline = context.deadline.less(reserve);
        loop {
            let page = match context.next_page(&mut *pages, reading_deadline).await {
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
        for text in page.events().flat_map(|event| self.polled.opened(event)) {
            let key = self.plan.stream.key_of(&text);
            if scan.writer.knows(&key.identity) {
                scan.refreshed.push((key.identity, scan.begun));
            }
            scan.writer.identities.refresh(key.identity, scan.begun);
            let event = IncomingEvent {
                text: &text,
                key,
                // What is met counts as met when the scan was begun, in whichever run.
                window: Window {
                    from: scan.begun,
                    to: scan.begun,
                },
                arrival: self.context().now,
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
    /// Its part of the report.
    report: StreamReport,
}

impl TableScan<'_> {
    /// Where the next run goes on, and how many runs got nothing from there. A saved cursor may be dead in ways that
    /// look like a passing failure.
    fn walk_of_next_run(&mut self, is_whole: bool) -> Option<OpenWalk> {
        let place = self.place.take().filter(|_| !is_whole)?;
        let failed_runs = match (self.has_moved, self.failed_at_place) {
            (true, _) => 0,
            (false, failed) => self.failed_runs + u32::from(failed),
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
            begun: self.begun,
            place,
            failed_runs,
        })
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
        SourceError::Unavailable { .. } | SourceError::BadPage { .. } => true,
        SourceError::Refused { .. } => !error.code().is_about_credential(),
        SourceError::OutOfTime { kept_failing, .. } => *kept_failing,
        _ => false,
    }
}

/// The next run goes on, and ends some day.
fn is_no_failure(error: &SourceError, has_progressed: bool) -> bool {
    match error {
        SourceError::Stopped | SourceError::ShareUsed => true,
        SourceError::OutOfTime { kept_failing, .. } => has_progressed && !kept_failing,
        _ => false,
    }
}
