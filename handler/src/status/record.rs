//! The health record of each stream, for whoever asks later how things stand.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::{StreamExt, stream};

use super::run_recorder::FinishedRun;
use super::warning::{remembered, warning_of};
use crate::event::StreamName;
use crate::jobs::{Plans, ReplayedRows, RunScope};
use crate::report::{ErrorCode, Outcome, StreamReport, by_subject, counts_by_table, run_outcome_of};
use crate::state::{LastPositions, LastRun, Persist, StreamHealth, StreamHealths, account_digest};

/// A run is not held up by this longer.
const LONGEST: Duration = Duration::from_secs(5);
const AT_ONCE: usize = 8;
/// A clock that differs by so much more or less than before has moved.
const CLOCK_MOVED_SECONDS: f64 = 5.0;

/// What a run did for one stream.
struct StreamRecord<'a> {
    name: &'a StreamName,
    reports: Vec<&'a StreamReport>,
    /// True if the stream is pushed: its runs only empty the spool.
    is_push: bool,
    /// The digest of the account of a stream that is read.
    account: Option<String>,
}

/// Writes what a run did to the health records. What cannot be written is logged, and is no failure of the run.
pub async fn record_run(plans: &Plans, healths: &StreamHealths, run: FinishedRun<'_>) {
    let (now, scope) = (run.at, run.request.scope);
    let pushed = run.push_subjects(plans);
    let mut by_subject = by_subject(&run.report.streams);
    if scope == RunScope::Everything && !run.has_lost_its_store() {
        for subject in &pushed {
            by_subject.entry(subject).or_default();
        }
    }
    let of_streams = by_subject.into_iter();
    let of_streams = of_streams.filter_map(|(subject, reports)| Some((subject.stream()?, reports)));
    let records = of_streams
        .filter_map(|(name, reports)| StreamRecord::new(plans, name, reports))
        .filter(|record| record.is_kept(scope));
    let writes = stream::iter(records).for_each_concurrent(AT_ONCE, async |record| {
        let change = |health: &mut StreamHealth| {
            // A run that only emptied the spool says nothing about reading.
            if !record.is_push && scope == RunScope::SpoolOnly && !failed_to_deliver(health) {
                return Persist::Lazily;
            }
            // Nor does one that found nothing to send say that what failed before can be sent now.
            if record.reports.is_empty() && health.consecutive_failures > 0 {
                return Persist::Lazily;
            }
            record.note(health, now)
        };
        let name = record.name.to_string();
        // That the store cannot be used was said by the run.
        if let Err(error) = healths.update(&name, now, change).await
            && !record.failed_on_the_store()
        {
            log::warn!(stream = name.as_str(); "{name}: what this run did is not remembered: {error}");
        }
    });
    if tokio::time::timeout(LONGEST, writes).await.is_err() {
        log::warn!("what this run did is not remembered: the state store did not answer in time");
    }
}

/// What was set aside and is delivered now counts as delivered.
pub async fn record_replayed(healths: &StreamHealths, rows: &ReplayedRows, now: DateTime<Utc>) {
    for (stream, tables) in rows {
        let change = |health: &mut StreamHealth| {
            for (table, count) in tables {
                *health.replayed.entry(table.clone()).or_default() += count;
            }
            Persist::Now
        };
        if let Err(error) = healths.update(stream, now, change).await {
            log::warn!(stream = stream.as_str(); "{stream}: that its dead letters were delivered is not remembered: {error}");
        }
    }
}

/// The health record of a stream of which nothing but this run is known.
pub fn health_of_run(plans: &Plans, name: &StreamName, reports: &[&StreamReport], at: DateTime<Utc>) -> StreamHealth {
    let mut health = StreamHealth::default();
    if let Some(record) = StreamRecord::new(plans, name, reports.to_vec()) {
        record.note(&mut health, at);
    }
    health
}

/// True if the stream fails only for want of a destination: it is well once that took what waits.
pub fn failed_to_deliver(health: &StreamHealth) -> bool {
    let of_destination = [
        ErrorCode::DestinationRefused,
        ErrorCode::DestinationUnavailable,
        ErrorCode::IdentityUnavailable,
        ErrorCode::SpoolFull,
    ];
    health.consecutive_failures > 0
        && health
            .last_error
            .as_ref()
            .is_some_and(|error| of_destination.iter().any(|code| code.word() == error.code))
}

impl<'a> StreamRecord<'a> {
    /// `None` of a stream that is not configured.
    fn new(plans: &Plans, name: &'a StreamName, reports: Vec<&'a StreamReport>) -> Option<Self> {
        let plan = plans.stream(name);
        let is_push = plans.push_streams().contains(name);
        (is_push || plan.is_some()).then(|| Self {
            name,
            reports,
            is_push,
            account: plan.map(|plan| account_digest(plan.account())),
        })
    }

    fn is_kept(&self, scope: RunScope) -> bool {
        let was_run = self.is_push || scope == RunScope::Everything || self.delivered_all();
        was_run && !self.is_somebody_elses()
    }

    /// True if another process works on the stream: it writes.
    fn is_somebody_elses(&self) -> bool {
        let mut problems = self.reports.iter().flat_map(|report| &report.problems);
        (!self.reports.is_empty() && self.reports.iter().all(|report| report.outcome == Outcome::Held))
            || problems.any(|problem| problem.code == ErrorCode::LeaseLost)
    }

    fn failed_on_the_store(&self) -> bool {
        let mut problems = self.reports.iter().flat_map(|report| &report.problems);
        problems.any(|problem| problem.code == ErrorCode::StateUnavailable)
    }

    /// True if something was taken out of the spool, and nothing is left.
    fn delivered_all(&self) -> bool {
        let tables = counts_by_table(&self.reports);
        let has_problems = self.reports.iter().any(|report| !report.problems.is_empty());
        let delivered: u64 = tables
            .values()
            .map(|counts| counts.delivered + counts.dead_lettered)
            .sum();
        !has_problems && delivered > 0 && tables.values().all(|counts| counts.spooled == 0)
    }

    fn note(&self, health: &mut StreamHealth, now: DateTime<Utc>) -> Persist {
        self.note_positions(health);
        let tables = counts_by_table(&self.reports);
        let brought_something = tables
            .values()
            .any(|counts| counts.received + counts.taken_up > counts.seen_before || counts.perhaps_doubled > 0);
        if self.is_push {
            for (table, counts) in &tables {
                health.drained.entry(table.clone()).or_default().add_run(*counts);
            }
        }
        let outcome = run_outcome_of(&self.reports);
        let clock_moved = self.note_clock(health);
        let dead_lettered = tables.values().map(|counts| counts.dead_lettered).sum();
        let warning = warning_of(&self.reports, dead_lettered);
        let warning = warning.map(|problem| remembered(&problem, Some(now)));
        let is_like = |run: &LastRun| run.outcome == outcome && run.warning.is_none() && warning.is_none();
        let is_change = !health.last_run.as_ref().is_some_and(is_like) || clock_moved;
        let took: Duration = self.reports.iter().map(|report| report.took).sum();
        health.last_run = Some(LastRun {
            at: now,
            seconds: took.as_secs_f64(),
            outcome,
            tables,
            warning,
        });
        let Some(problem) = self.reports.iter().flat_map(|report| &report.problems).next() else {
            health.last_success = Some(now);
            health.consecutive_failures = 0;
            return if is_change || brought_something {
                Persist::Now
            } else {
                Persist::Lazily
            };
        };
        health.last_failure = Some(now);
        health.consecutive_failures = health.consecutive_failures.saturating_add(1);
        health.last_error = Some(remembered(problem, Some(now)));
        Persist::Now
    }

    fn note_positions(&self, health: &mut StreamHealth) {
        let read_to = self.reports.iter().flat_map(|report| report.read_to.clone()).collect();
        let has_positions = self.reports.iter().any(|report| !report.read_to.is_empty());
        if let Some(account) = self.account.as_ref().filter(|_| has_positions) {
            health.stood = Some(LastPositions {
                account: account.clone(),
                read_to,
            });
        }
    }

    /// True if how the vendor's clock stands has changed since it was noted.
    fn note_clock(&self, health: &mut StreamHealth) -> bool {
        let mut offsets = self.reports.iter().filter_map(|report| report.clock_offset);
        let Some(offset) = offsets.next() else { return false };
        let before = std::mem::replace(&mut health.clock_offset_seconds, offset.difference_seconds());
        match (before, health.clock_offset_seconds) {
            (Some(before), Some(after)) => (before - after).abs() > CLOCK_MOVED_SECONDS,
            (before, after) => before.is_some() != after.is_some(),
        }
    }
}
