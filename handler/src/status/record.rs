//! What is remembered of a run, stream by stream, for whoever asks later how things stand.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::{StreamExt, stream};

use super::row::by_stream;
use crate::jobs::{Poller, RunScope};
use crate::report::{ErrorCode, Outcome, StreamReport, shortened};
use crate::state::{EndedRun, LastError, LastRun, Stood, StreamHealth, TableCounts, Worth, account_digest};

/// A run is not held up by this longer.
const LONGEST: Duration = Duration::from_secs(5);
const AT_ONCE: usize = 8;
/// A clock that differs by so much more or less than before has moved.
const CLOCK_MOVED_SECONDS: f64 = 5.0;
const LONGEST_MESSAGE: usize = 2048;

impl Poller {
    /// Writes it. What cannot be written is logged, and is no failure of the run.
    pub async fn remember(&self, reports: &[StreamReport], scope: RunScope) {
        let now = self.clock.now();
        let by_stream = by_stream(reports);
        let worth_it = by_stream.iter().filter(|(name, reports)| {
            let is_push = self.drains.iter().any(|drain| drain.form.name().to_string() == **name);
            let is_poll = self.plans.iter().any(|plan| plan.name().to_string() == **name);
            let was_run = is_push || (is_poll && (scope == RunScope::Everything || delivered_all(reports)));
            was_run && !is_somebody_elses(reports)
        });
        let writes = stream::iter(worth_it).for_each_concurrent(AT_ONCE, async |(name, reports)| {
            let is_push = self.drains.iter().any(|drain| drain.form.name().to_string() == **name);
            let account = self.plans.iter().find(|plan| plan.name().to_string() == **name);
            let account = account.map(|plan| account_digest(plan.account()));
            let change = |health: &mut StreamHealth| {
                // A run that only emptied the spool says nothing about reading.
                if !is_push && scope == RunScope::SpoolOnly && !failed_to_deliver(health) {
                    return Worth::Little;
                }
                stand(health, reports, account.as_deref());
                note(health, reports, is_push, now)
            };
            if let Err(error) = self.healths.update(name, now, change).await {
                log::warn!(stream = *name; "{name}: what this run did is not remembered: {error}");
            }
        });
        if tokio::time::timeout(LONGEST, writes).await.is_err() {
            log::warn!("what this run did is not remembered: the state store did not answer in time");
        }
    }
}

impl Poller {
    /// What was set aside and is delivered now counts as delivered.
    pub async fn remember_replayed(&self, rows: &BTreeMap<String, BTreeMap<String, u64>>) {
        for (stream, tables) in rows {
            let change = |health: &mut StreamHealth| {
                for (table, count) in tables {
                    *health.replayed.entry(table.clone()).or_default() += count;
                }
                Worth::Writing
            };
            if let Err(error) = self.healths.update(stream, self.clock.now(), change).await {
                log::warn!(stream = stream.as_str(); "{stream}: that its dead letters were delivered is not remembered: {error}");
            }
        }
    }
}

/// True if another process works on the stream: it writes.
fn is_somebody_elses(reports: &[&StreamReport]) -> bool {
    let mut problems = reports.iter().flat_map(|report| &report.problems);
    reports.iter().all(|report| report.outcome == Outcome::Held)
        || problems.any(|problem| problem.code == ErrorCode::LeaseLost)
}

/// What is left in the lease of a run that was well; `None` of one that was not, which is written at once.
pub fn ended_run(report: &StreamReport, now: DateTime<Utc>, took: Duration) -> Option<EndedRun> {
    let is_well = matches!(report.outcome, Outcome::Done | Outcome::BudgetEnded) && report.problems.is_empty();
    is_well.then(|| EndedRun {
        run: LastRun {
            at: now,
            seconds: took.as_secs_f64(),
            outcome: outcome_of(&[report]).to_owned(),
            tables: tables_of(&[report]),
        },
        read_to: report.read_to.clone(),
        unsaved: report.unsaved.clone(),
    })
}

/// True if something was taken out of the spool, and nothing is left.
fn delivered_all(reports: &[&StreamReport]) -> bool {
    let counts = tables_of(reports).into_values();
    reports.iter().all(|report| report.problems.is_empty())
        && counts.fold(0, |delivered, counts| {
            delivered + counts.delivered + counts.dead_lettered
        }) > 0
        && tables_of(reports).values().all(|counts| counts.spooled == 0)
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

fn stand(health: &mut StreamHealth, reports: &[&StreamReport], account: Option<&str>) {
    let read_to = reports.iter().flat_map(|report| report.read_to.clone()).collect();
    let Some(account) = account.filter(|_| reports.iter().any(|report| !report.read_to.is_empty())) else {
        return;
    };
    health.stood = Some(Stood {
        account: account.to_owned(),
        read_to,
    });
}

fn tables_of(reports: &[&StreamReport]) -> TableCounts {
    let mut tables = TableCounts::new();
    for table in reports.iter().flat_map(|report| &report.tables) {
        *tables.entry(table.table.clone()).or_default() += table.counts;
    }
    tables
}

fn note(health: &mut StreamHealth, reports: &[&StreamReport], is_push: bool, now: DateTime<Utc>) -> Worth {
    let tables = tables_of(reports);
    let brought_something = tables
        .values()
        .any(|counts| counts.received + counts.taken_up > counts.seen_before || counts.perhaps_doubled > 0);
    if is_push {
        for (table, counts) in &tables {
            health.drained.entry(table.clone()).or_default().add_run(*counts);
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
