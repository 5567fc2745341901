//! What is remembered of a run, stream by stream, for whoever asks later how things stand.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::{StreamExt, stream};

use crate::health::{ErrorCode, Outcome, StreamReport, by_stream, shortened};
use crate::pipeline::poll::{Poller, RunScope};
use crate::state::{LastError, LastRun, StreamHealth, TableCounts, Worth};

/// A run is not held up by this longer.
const LONGEST: Duration = Duration::from_secs(5);
const AT_ONCE: usize = 8;
/// A clock that differs by so much more or less than before has moved.
const CLOCK_MOVED_SECONDS: f64 = 5.0;
const LONGEST_MESSAGE: usize = 2048;

impl Poller {
    /// Writes it. What cannot be written is logged, and is no failure of the run.
    pub(in crate::pipeline) async fn remember(&self, reports: &[StreamReport], scope: RunScope) {
        let now = self.clock.now();
        let by_stream = by_stream(reports);
        let worth_it = by_stream.iter().filter(|(name, reports)| {
            let is_push = self.drains.iter().any(|drain| drain.form.name().to_string() == **name);
            let is_poll = self.plans.iter().any(|plan| plan.name().to_string() == **name);
            // A run that only emptied the spool says nothing about reading.
            let was_run = is_push || (is_poll && scope == RunScope::Everything);
            was_run && !is_somebody_elses(reports)
        });
        let writes = stream::iter(worth_it).for_each_concurrent(AT_ONCE, async |(name, reports)| {
            let is_push = self.drains.iter().any(|drain| drain.form.name().to_string() == **name);
            let change = |health: &mut StreamHealth| note(health, reports, is_push, now);
            if let Err(error) = self.healths.update(name, now, change).await {
                log::warn!(stream = *name; "{name}: what this run did is not remembered: {error}");
            }
        });
        if tokio::time::timeout(LONGEST, writes).await.is_err() {
            log::warn!("what this run did is not remembered: the state store did not answer in time");
        }
    }
}

/// True if another process works on the stream, or the store is gone: then there is nothing to write, or no way to.
fn is_somebody_elses(reports: &[&StreamReport]) -> bool {
    let mut problems = reports.iter().flat_map(|report| &report.problems);
    reports.iter().all(|report| report.outcome == Outcome::Held)
        || problems.any(|problem| matches!(problem.code, ErrorCode::StateUnavailable | ErrorCode::LeaseLost))
}

fn note(health: &mut StreamHealth, reports: &[&StreamReport], is_push: bool, now: DateTime<Utc>) -> Worth {
    let mut tables = TableCounts::new();
    for table in reports.iter().flat_map(|report| &report.tables) {
        *tables.entry(table.table.clone()).or_default() += table.counts;
    }
    let brought_something = tables
        .values()
        .any(|counts| counts.received > counts.seen_before || counts.perhaps_doubled > 0);
    if is_push {
        for (table, counts) in &tables {
            *health.drained.entry(table.clone()).or_default() += *counts;
        }
    }
    let outcome = outcome_of(reports);
    let clock_moved = note_clock(health, reports);
    let before = health.last_run.as_ref().map(|run| run.outcome.as_str());
    let is_change = before != Some(outcome) || clock_moved;
    let took: Duration = reports.iter().map(|report| report.took).sum();
    health.last_run = Some(LastRun {
        at: now,
        seconds: took.as_secs_f64(),
        outcome: outcome.to_owned(),
        tables,
    });
    let Some(problem) = reports.iter().flat_map(|report| &report.problems).next() else {
        health.last_success = Some(now);
        health.consecutive_failures = 0;
        return if is_change || brought_something {
            Worth::Writing
        } else {
            Worth::Little
        };
    };
    health.last_failure = Some(now);
    health.consecutive_failures = health.consecutive_failures.saturating_add(1);
    health.last_error = Some(LastError {
        at: Some(now),
        code: problem.code.word().to_owned(),
        message: shortened(&problem.message, LONGEST_MESSAGE),
        remedy: shortened(problem.remedy(), LONGEST_MESSAGE),
    });
    Worth::Writing
}

/// True if how the vendor's clock stands has changed since it was noted.
fn note_clock(health: &mut StreamHealth, reports: &[&StreamReport]) -> bool {
    let mut offsets = reports.iter().filter_map(|report| report.clock_offset);
    let Some(offset) = offsets.next() else { return false };
    let before = std::mem::replace(&mut health.clock_offset_seconds, offset.difference_seconds());
    match (before, health.clock_offset_seconds) {
        (Some(before), Some(after)) => (before - after).abs() > CLOCK_MOVED_SECONDS,
        (before, after) => before.is_some() != after.is_some(),
    }
}

fn outcome_of(reports: &[&StreamReport]) -> &'static str {
    let has = |outcome: Outcome| reports.iter().any(|report| report.outcome == outcome);
    if has(Outcome::Failed) {
        "failed"
    } else if has(Outcome::BudgetEnded) {
        "budget_ended"
    } else {
        "done"
    }
}
