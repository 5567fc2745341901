//! A stream without windows: everything is read once in a while, and what changed since is delivered.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::loading::load_identities;
use super::stream_run::StreamRun;
use crate::delivery::{DELIVERY_RESERVE, GRACE_FOR_A_PAGE};
use crate::delivery::{SinkContext, SinkError, TableWriter};
use crate::event::Identity;
use crate::report::Cause;
use crate::report::{Outcome, StreamReport, TableReport};
use crate::sources::{Page, SourceError, Window};
use crate::state::{Checkpoints, DeadLetters, OpenWalk, StoreError, TablePosition};

/// So many runs in which the vendor gives nothing at the place where a walk is to go on: then it begins anew.
const MOST_FAILED_RUNS: u32 = 2;

/// One run.
pub struct WalkRun<'a> {
    /// The stream's run.
    pub run: &'a StreamRun<'a>,
    /// How often everything is read.
    pub every: Duration,
    /// The time of the run.
    pub now: DateTime<Utc>,
}

impl WalkRun<'_> {
    /// Reads everything for the tables whose turn it is. A walk that was cut off goes on with the next run where it
    /// ended; what comes a second time all the same is dropped by identity.
    pub async fn run(&self, checkpoints: &mut Checkpoints, report: &mut StreamReport) -> Result<(), StoreError> {
        for target in &self.run.plan.targets {
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
            let identities =
                load_identities(self.run.store, checkpoints.identities_of(&table), self.run.deadline).await?;
            let mut walk = Walk {
                begun: open.as_ref().map_or(self.now, |walk| walk.begun),
                failed_runs: open.as_ref().map_or(0, |walk| walk.failed_runs),
                place: open.map(|walk| walk.place),
                has_moved: false,
                failed_at_place: false,
                sink: TableWriter::new(target, identities),
                refreshed: Vec::new(),
            };
            let ended = self.walk(&mut walk, report).await;
            self.settle(walk, ended, &table, checkpoints, report).await?;
        }
        Ok(())
    }

    fn is_due(&self, position: &TablePosition) -> bool {
        let was_walked = position.watermark > position.begin;
        let every = TimeDelta::from_std(self.every).unwrap_or(TimeDelta::MAX);
        position.walk.is_some()
            || !was_walked
            || self.now - position.watermark >= every
            || position.watermark > self.now
    }

    /// What was met is written down before the place behind it.
    async fn settle(
        &self,
        mut walk: Walk<'_>,
        ended: bool,
        table: &str,
        checkpoints: &mut Checkpoints,
        report: &mut StreamReport,
    ) -> Result<(), StoreError> {
        if walk.has_moved && !ended {
            walk.sink
                .remember_refreshed(std::mem::take(&mut walk.refreshed))
                .await?;
        }
        let Some(position) = checkpoints.current.tables.get_mut(table) else {
            return Ok(());
        };
        let counts = walk.sink.final_counts();
        position.counts.add_run(counts);
        if ended {
            position.coverage.add(position.watermark, walk.begun);
            position.watermark = walk.begun;
        }
        let begun = walk.begun;
        let (had_place, failed_before) = (walk.place.is_some(), walk.failed_runs);
        let next = walk.place_of_next_run(ended, report);
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
        if ended || remembers || walk.has_moved || counts.delivered + counts.dead_lettered > 0 {
            checkpoints.save(self.run.lease, self.now).await?;
        }
        if ended {
            // What this walk did not meet is as good as never seen: a user who changes back is a change.
            walk.sink.keep_only(begun).await?;
        }
        Ok(())
    }

    /// True if everything was read and delivered.
    async fn walk(&self, walk: &mut Walk<'_>, report: &mut StreamReport) -> bool {
        let dead_letters = DeadLetters::new(self.run.store.clone());
        let context = SinkContext {
            stream: self.run.plan.stream.name(),
            lease: self.run.lease,
            dead_letters: &dead_letters,
            arrival: self.now,
            given: &[],
            deadline: self.run.deadline,
            stop: self.run.stop,
        };
        let (read, place) = self.read_pages(walk, &context).await;
        let flushed = walk.sink.flush(&context).await;
        report.notices.extend(self.run.plan.stream.notices());
        let is_delivered = flushed.is_ok() && !matches!(read, Err(Ended::Sink(_)));
        if is_delivered && place.is_some() && place != walk.place {
            (walk.place, walk.has_moved) = (place, true);
        }
        let has_progressed = walk.has_moved || walk.sink.counts.delivered + walk.sink.counts.dead_lettered > 0;
        match (read, flushed) {
            (Ok(()), Ok(())) => return true,
            (Err(Ended::Source(error)), Ok(())) if is_no_failure(&error, has_progressed) => {
                report.outcome = Outcome::BudgetEnded;
                report.notices.push(error.to_string());
            }
            (Err(Ended::Source(error)), Ok(())) => {
                walk.failed_at_place = !walk.has_moved && is_about_place(&error);
                report.problems.push(error.problem());
            }
            (Err(Ended::Sink(error)), _) | (_, Err(error)) => {
                let message = format!("{} -> {}: {error}", report.stream, walk.sink.table());
                report.problems.push(error.problem_saying(message));
            }
        }
        false
    }

    /// Also gives the place of the page that comes next, where reading did not end.
    async fn read_pages(&self, walk: &mut Walk<'_>, context: &SinkContext<'_>) -> (Result<(), Ended>, Option<String>) {
        let stream = &self.run.plan.stream;
        // What is met counts as met when the walk was begun, in whichever run.
        let window = Window {
            from: walk.begun,
            to: walk.begun,
        };
        let mut pages = match walk.place.clone() {
            Some(place) => stream.resume(window, place),
            None => stream.open(window),
        };
        let reserve = DELIVERY_RESERVE.min(self.run.deadline.remaining() / 4);
        let reading_deadline = self.run.deadline.less(reserve);
        loop {
            let page = tokio::select! {
                biased;
                () = self.run.stop.grace_elapsed(GRACE_FOR_A_PAGE) => Err(SourceError::Stopped { stream: stream.name().clone() }),
                page = pages.next(reading_deadline) => page,
            };
            let page = match page {
                Ok(Some(page)) => page,
                Ok(None) => return (Ok(()), None),
                Err(error) => return (Err(Ended::Source(error)), pages.place()),
            };
            if let Err(error) = self.take(walk, &page, window, context).await {
                return (Err(Ended::Sink(error)), None);
            }
        }
    }

    async fn take(
        &self,
        walk: &mut Walk<'_>,
        page: &Page,
        window: Window,
        context: &SinkContext<'_>,
    ) -> Result<(), SinkError> {
        walk.sink.counts.replaced_bytes += page.replaced_bytes;
        let events = page.events().flat_map(|event| self.run.opened(event, self.now));
        for event in events {
            let key = self.run.plan.stream.key_of(&event);
            if walk.sink.knows(&key.identity) {
                walk.refreshed.push((key.identity, walk.begun));
            }
            walk.sink.refresh(key.identity, walk.begun);
            walk.sink.offer(&event, key, window, context).await?;
        }
        Ok(())
    }
}

/// A walk on its way into one table.
struct Walk<'a> {
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

impl Walk<'_> {
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
        SourceError::Refused { .. } => !error.is_rejected_credential(),
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
