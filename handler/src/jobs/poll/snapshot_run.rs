//! A stream that is read whole: a scan begins once in a while, and what changed since the last one is delivered.

use chrono::{DateTime, TimeDelta, Utc};

use super::loading::load_identities;
use super::polled_run::{PolledRun, note_no_time_left};
use crate::delivery::{DELIVERY_RESERVE, GRACE_FOR_A_PAGE};
use crate::delivery::{SinkContext, SinkError, TableWriter};
use crate::event::Identity;
use crate::jobs::plan::SnapshotPlan;
use crate::report::Cause;
use crate::report::{Outcome, StreamReport, TableReport};
use crate::sources::{Page, SourceError, Window};
use crate::state::{Checkpoints, DeadLetters, OpenWalk, StoreError, TablePosition};
use crate::time::Shutdown;

/// So many runs in which the vendor gives nothing at the place where a walk is to go on: then it begins anew.
const MOST_FAILED_RUNS: u32 = 2;

/// One run.
pub struct SnapshotRun<'a> {
    /// The stream and its tables.
    pub plan: &'a SnapshotPlan,
    /// The same, with the state.
    pub polled: PolledRun<'a>,
    /// The time of the run.
    pub now: DateTime<Utc>,
    /// Ends the run early.
    pub stop: &'a Shutdown,
}

impl SnapshotRun<'_> {
    /// Reads on from where the last run ended, and reports.
    pub async fn run(&self) -> StreamReport {
        let mut report = StreamReport::new(self.plan.stream.name().to_string());
        if let Err(error) = self.run_into(&mut report).await {
            let message = format!("{}: {error}", report.stream);
            report.problems.push(error.problem_saying(message));
        }
        if !report.problems.is_empty() {
            report.outcome = Outcome::Failed;
        }
        report
    }

    async fn run_into(&self, report: &mut StreamReport) -> Result<(), StoreError> {
        let mut checkpoints = self.polled.load(self.now, report).await?;
        match self.polled.deadline.is_within_reserve(DELIVERY_RESERVE) {
            true => note_no_time_left(report),
            false => self.scan_due_tables(&mut checkpoints, report).await?,
        }
        self.polled.note_positions(&checkpoints, report);
        Ok(())
    }

    /// Reads everything for the tables that are due. A scan that was cut off continues with the next run where it
    /// ended; what comes a second time all the same is dropped by identity.
    async fn scan_due_tables(
        &self,
        checkpoints: &mut Checkpoints,
        report: &mut StreamReport,
    ) -> Result<(), StoreError> {
        for target in &self.plan.targets {
            let table = target.table.name();
            let Some(position) = checkpoints
                .current
                .tables
                .get(&*table)
                .filter(|position| self.is_due(position))
            else {
                continue;
            };
            let open = position.walk.clone().filter(|walk| walk.begun <= self.now);
            let folder = checkpoints.identities_of(&table);
            let identities = load_identities(self.polled.store, folder, self.polled.deadline).await?;
            let mut scan = TableScan {
                begun: open.as_ref().map_or(self.now, |walk| walk.begun),
                failed_runs: open.as_ref().map_or(0, |walk| walk.failed_runs),
                place: open.map(|walk| walk.place),
                has_moved: false,
                failed_at_place: false,
                sink: TableWriter::new(target, identities),
                refreshed: Vec::new(),
            };
            let ended = self.scan(&mut scan, report).await;
            self.settle(scan, ended, &table, checkpoints, report).await?;
        }
        Ok(())
    }

    fn is_due(&self, position: &TablePosition) -> bool {
        let was_scanned = position.watermark > position.begin;
        let every = TimeDelta::from_std(self.plan.stream.scan_interval()).unwrap_or(TimeDelta::MAX);
        position.walk.is_some()
            || !was_scanned
            || self.now - position.watermark >= every
            || position.watermark > self.now
    }

    /// What was met is written down before the place behind it.
    async fn settle(
        &self,
        mut scan: TableScan<'_>,
        ended: bool,
        table: &str,
        checkpoints: &mut Checkpoints,
        report: &mut StreamReport,
    ) -> Result<(), StoreError> {
        if scan.has_moved && !ended {
            scan.sink
                .remember_refreshed(std::mem::take(&mut scan.refreshed))
                .await?;
        }
        let Some(position) = checkpoints.current.tables.get_mut(table) else {
            return Ok(());
        };
        let counts = scan.sink.final_counts();
        position.counts.add_run(counts);
        if ended {
            position.coverage.add(position.watermark, scan.begun);
            position.watermark = scan.begun;
        }
        let begun = scan.begun;
        let (had_place, failed_before) = (scan.place.is_some(), scan.failed_runs);
        let next = scan.place_of_next_run(ended, report);
        position.walk = next.map(|(place, failed_runs)| OpenWalk {
            begun,
            place,
            failed_runs,
        });
        let failed_now = position.walk.as_ref().map(|walk| walk.failed_runs);
        let remembers = had_place && failed_now != Some(failed_before);
        report.tables.push(TableReport {
            table: table.to_owned(),
            counts,
            watermark: position.watermark,
        });
        if ended || remembers || scan.has_moved || counts.delivered + counts.dead_lettered > 0 {
            checkpoints.save(self.polled.lease, self.now).await?;
        }
        if ended {
            // What this walk did not meet is as good as never seen: a user who changes back is a change.
            scan.sink.keep_only(begun).await?;
        }
        Ok(())
    }

    /// True if everything was read and delivered.
    async fn scan(&self, scan: &mut TableScan<'_>, report: &mut StreamReport) -> bool {
        let dead_letters = DeadLetters::new(self.polled.store.clone());
        let context = SinkContext {
            stream: self.plan.stream.name(),
            lease: self.polled.lease,
            dead_letters: &dead_letters,
            arrival: self.now,
            given: &[],
            deadline: self.polled.deadline,
            stop: self.stop,
        };
        let (read, place) = self.read_pages(scan, &context).await;
        let flushed = scan.sink.flush(&context).await;
        report.notices.extend(self.plan.stream.notices());
        let is_delivered = flushed.is_ok() && !matches!(read, Err(Ended::Sink(_)));
        if is_delivered && place.is_some() && place != scan.place {
            (scan.place, scan.has_moved) = (place, true);
        }
        let has_progressed = scan.has_moved || scan.sink.counts.delivered + scan.sink.counts.dead_lettered > 0;
        match (read, flushed) {
            (Ok(()), Ok(())) => return true,
            (Err(Ended::Source(error)), Ok(())) if is_no_failure(&error, has_progressed) => {
                report.outcome = Outcome::BudgetEnded;
                report.notices.push(error.to_string());
            }
            (Err(Ended::Source(error)), Ok(())) => {
                scan.failed_at_place = !scan.has_moved && is_about_place(&error);
                report.problems.push(error.problem());
            }
            (Err(Ended::Sink(error)), _) | (_, Err(error)) => {
                let message = format!("{} -> {}: {error}", report.stream, scan.sink.table());
                report.problems.push(error.problem_saying(message));
            }
        }
        false
    }

    /// Also gives the place of the page that comes next, where reading did not end.
    async fn read_pages(
        &self,
        scan: &mut TableScan<'_>,
        context: &SinkContext<'_>,
    ) -> (Result<(), Ended>, Option<String>) {
        let stream = &self.plan.stream;
        // What is met counts as met when the walk was begun, in whichever run.
        let window = Window {
            from: scan.begun,
            to: scan.begun,
        };
        let mut pages = stream.scan(scan.place.clone());
        let reserve = DELIVERY_RESERVE.min(self.polled.deadline.remaining() / 4);
        let reading_deadline = self.polled.deadline.less(reserve);
        loop {
            let page = tokio::select! {
                biased;
                () = self.stop.grace_elapsed(GRACE_FOR_A_PAGE) => Err(SourceError::Stopped { stream: stream.name().clone() }),
                page = pages.next(reading_deadline) => page,
            };
            let page = match page {
                Ok(Some(page)) => page,
                Ok(None) => return (Ok(()), None),
                Err(error) => return (Err(Ended::Source(error)), pages.place()),
            };
            if let Err(error) = self.take(scan, &page, window, context).await {
                return (Err(Ended::Sink(error)), None);
            }
        }
    }

    async fn take(
        &self,
        scan: &mut TableScan<'_>,
        page: &Page,
        window: Window,
        context: &SinkContext<'_>,
    ) -> Result<(), SinkError> {
        scan.sink.counts.replaced_bytes += page.replaced_bytes;
        let events = page.events().flat_map(|event| self.polled.opened(event, self.now));
        for event in events {
            let key = self.plan.stream.key_of(&event);
            if scan.sink.knows(&key.identity) {
                scan.refreshed.push((key.identity, scan.begun));
            }
            scan.sink.refresh(key.identity, scan.begun);
            scan.sink.offer(&event, key, window, context).await?;
        }
        Ok(())
    }
}

/// A walk on its way into one table.
struct TableScan<'a> {
    sink: TableWriter<'a>,
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
    /// Where the next run goes on, and how many runs got nothing from there. A saved cursor may be dead in ways that
    /// look like a passing failure.
    fn place_of_next_run(&mut self, ended: bool, report: &mut StreamReport) -> Option<(String, u32)> {
        let place = self.place.take().filter(|_| !ended)?;
        let failed_runs = match (self.has_moved, self.failed_at_place) {
            (true, _) => 0,
            (false, failed) => self.failed_runs + u32::from(failed),
        };
        if failed_runs >= MOST_FAILED_RUNS {
            report.notices.push(format!(
                "{}: nothing came in {failed_runs} runs from the place at which an earlier run ended; the next run reads \
                 everything from the beginning, and what came before is not delivered again",
                report.stream
            ));
            return None;
        }
        Some((place, failed_runs))
    }
}

/// Why a walk was not read to its end.
enum Ended {
    Source(SourceError),
    Sink(SinkError),
}

/// The vendor may have failed because of the place it was asked for, and not because of the credential, its limits or
/// our time.
fn is_about_place(error: &SourceError) -> bool {
    match error {
        SourceError::Unavailable { .. } | SourceError::BadPage { .. } => true,
        SourceError::Refused { .. } => !error.code().is_about_credential(),
        SourceError::OutOfTime { kept_failing, .. } => *kept_failing,
        _ => false,
    }
}

/// The next run goes on, and ends some day.
fn is_no_failure(error: &SourceError, has_progressed: bool) -> bool {
    match error {
        SourceError::Stopped { .. } | SourceError::ShareUsed { .. } => true,
        SourceError::OutOfTime { kept_failing, .. } => has_progressed && !kept_failing,
        _ => false,
    }
}
