//! What was pushed to a stream that is polled too, delivered in the stream's run.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::spool_drain::{Drain, Drained, RemovedEvents};
use crate::delivery::Counterparts;
use crate::delivery::TableRoute;
use crate::delivery::{SinkContext, SinkError, TableWriter};
use crate::jobs::plan::PushedPlan;
use crate::jobs::poll::loading::load_identities;
use crate::jobs::poll::stream_run::StreamRun;
use crate::jobs::poll::window::before;
use crate::report::Cause;
use crate::report::{ErrorCode, Outcome, Problem, StreamReport, TableReport};
use crate::state::{Checkpoints, Counts, DeadLetters, GuardedSpool, Key, Spool, StoreError};
use crate::time::Deadline;

/// What waits for one table.
struct Queue<'a> {
    target: &'a TableRoute,
    spool: &'a GuardedSpool,
    waiting: Vec<Key>,
}

/// Every table's queue on its own: one that is refused does not block the others. Gives the time of the oldest entry
/// that is left: what was delivered of it must be remembered as long as it waits.
pub async fn deliver_pushed(
    run: &StreamRun<'_>,
    pushed: &PushedPlan,
    checkpoints: &mut Checkpoints,
    now: DateTime<Utc>,
    report: &mut StreamReport,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    let spool = pushed.spool.guarded(run.store.clone());
    let mut counterparts = run.stored_counterparts(checkpoints).await?;
    // However much waits, the vendor is read too.
    let share = if run.reads {
        run.deadline.remaining() / 2
    } else {
        Duration::ZERO
    };
    let begin_until = run.deadline.less(share);
    let mut oldest_left = None;
    for target in &pushed.targets {
        let waiting = spool.waiting(&target.table.name()).await?;
        if waiting.is_empty() {
            continue;
        }
        let queue = Queue {
            target,
            spool: &spool,
            waiting,
        };
        let (sink, removed) = deliver_queue(
            run,
            pushed,
            &queue,
            counterparts.as_mut(),
            (begin_until, now),
            checkpoints,
            report,
        )
        .await?;
        let left = spool.waiting(&target.table.name()).await?;
        let oldest = left.first().and_then(Spool::time_of);
        oldest_left = [oldest_left, oldest].into_iter().flatten().min();
        settle_queue(run, pushed, (sink, removed), (oldest, now), checkpoints, report).await?;
    }
    Ok(oldest_left)
}

/// True if pushed rows were refused, none of their table being taken, and the read that followed showed that the stream
/// fits: then they can be settled in the same run.
pub fn can_be_settled(pushed: &PushedPlan) -> bool {
    let queue_of = |target: &TableRoute| pushed.spool.queue_of(&target.table.name());
    let mut targets = pushed.targets.iter();
    targets.any(|target| target.record.can_settle(&queue_of(target)))
}

async fn deliver_queue<'a>(
    run: &StreamRun<'_>,
    pushed: &PushedPlan,
    queue: &Queue<'a>,
    counterparts: Option<&mut Counterparts>,
    (begin_until, now): (Deadline, DateTime<Utc>),
    checkpoints: &Checkpoints,
    report: &mut StreamReport,
) -> Result<(TableWriter<'a>, RemovedEvents), StoreError> {
    let table = queue.target.table.name();
    let dead_letters = DeadLetters::new(run.store.clone());
    let context = SinkContext {
        stream: run.plan.stream.name(),
        lease: run.lease,
        dead_letters: &dead_letters,
        arrival: now,
        given: &[],
        deadline: run.deadline,
        stop: run.stop,
    };
    let identities = load_identities(run.store, checkpoints.identities_of(&table), run.deadline).await?;
    let mut sink = TableWriter::new(queue.target, identities).of_joined_stream();
    let mut drain = Drain {
        spool: queue.spool,
        form: &*pushed.form,
        now,
        counterparts: run.plan.counterparts.zip(counterparts),
        damaged: Vec::new(),
        removed: RemovedEvents::default(),
    };
    let outcome = drain.run(&queue.waiting, &mut sink, &context, begin_until).await;
    let is_in_doubt = outcome.as_ref().is_err_and(SinkError::is_doubt);
    let record = &queue.target.record;
    record.note_doubt(&pushed.spool.queue_of(&table), is_in_doubt);
    for error in std::mem::take(&mut drain.damaged) {
        let message = format!("{} -> {table}: {error}", report.stream);
        report.problems.push(error.problem_saying(message));
    }
    note(outcome, &table, report);
    Ok((sink, drain.removed))
}

fn note(outcome: Result<Drained, SinkError>, table: &str, report: &mut StreamReport) {
    let stream = &report.stream;
    match outcome {
        Ok(Drained::Whole) => {}
        Ok(Drained::InPart) => {
            report.notices.push(format!(
                "{stream} -> {table}: some of what was pushed waits in the spool for the next run"
            ));
            report.outcome = Outcome::BudgetEnded;
        }
        Ok(Drained::NotBegun) => {
            let message = format!(
                "{stream} -> {table}: nothing of what was pushed was delivered, because the time of the run (POLL_BUDGET) was \
                 over before it could begin; it waits in the spool. If this lasts, raise POLL_BUDGET or POLL_CONCURRENCY"
            );
            report.problems.push(Problem::new(ErrorCode::BudgetEnded, message));
        }
        Err(error) => {
            let message = format!("{stream} -> {table}: {error}; what was pushed waits in the spool");
            report.problems.push(error.problem_saying(message));
        }
    }
}

async fn settle_queue(
    run: &StreamRun<'_>,
    pushed: &PushedPlan,
    (mut sink, removed): (TableWriter<'_>, RemovedEvents),
    (oldest_left, now): (Option<DateTime<Utc>>, DateTime<Utc>),
    checkpoints: &mut Checkpoints,
    report: &mut StreamReport,
) -> Result<(), StoreError> {
    let table = sink.table();
    // What is polled too is forgotten by the read, which knows what may be shown again.
    if !run.plan.targets.iter().any(|target| target.table.name() == table) {
        let kept_from = before(now, pushed.form.repeats_for());
        sink.compact(oldest_left.map_or(kept_from, |oldest| oldest.min(kept_from)))
            .await?;
    }
    let offered = sink.final_counts();
    checkpoints.has_news |= offered.received > 0;
    let early = checkpoints.current.pushed_early.remove(&*table).unwrap_or_default();
    let tally = Tally::of(offered, removed, early);
    if tally.early > 0 && oldest_left.is_some() {
        checkpoints.current.pushed_early.insert(table.to_string(), tally.early);
    }
    let pushed = checkpoints.current.pushed.entry(table.to_string()).or_default();
    pushed.add_run(tally.in_all);
    let counts = tally.of_run;
    report.tables.push(TableReport {
        table: table.to_string(),
        counts,
        watermark: now,
    });
    Ok(())
}

/// What a run adds to the ledger of a queue's table. The events of an entry that stays are met again: of them only what
/// was delivered or set aside counts now, and the rest when the entry is removed.
struct Tally {
    /// For the report of the run.
    of_run: Counts,
    /// For the ledger since the beginning, see [`Counts::add_run`].
    in_all: Counts,
    /// Events that were delivered or set aside while their entries stay.
    early: u64,
}

impl Tally {
    /// `early` is that of the run before.
    fn of(offered: Counts, removed: RemovedEvents, early: u64) -> Self {
        let settled = offered.delivered + offered.dead_lettered;
        let waits = offered.received.saturating_sub(settled + removed.seen_before);
        let of_run = Counts {
            received: offered.received.saturating_sub(waits),
            taken_up: waits,
            seen_before: removed.seen_before,
            spooled: waits,
            in_flight: 0,
            ..offered
        };
        let again = removed.seen_before.min(early);
        let settled_of_removed = removed.events.saturating_sub(removed.seen_before);
        let early_before = early - again;
        let early = early_before + settled.saturating_sub(settled_of_removed);
        let in_all = Counts {
            seen_before: removed.seen_before - again,
            // What was delivered early and is met again is not among what waits.
            spooled: waits.saturating_sub(early_before),
            ..of_run
        };
        Self { of_run, in_all, early }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_delivered_of_an_entry_that_stays_count_once_however_often_the_entry_is_tried() {
        let offered = |delivered, seen_before, in_flight| Counts {
            received: delivered + seen_before + in_flight,
            delivered,
            seen_before,
            in_flight,
            ..Counts::default()
        };
        let nothing = RemovedEvents::default();
        let mut ledger = Counts::default();
        let mut early = 0;
        // An entry of ten, of which two were delivered before any of this, in three runs: six get through in the first.
        let runs = [
            (offered(6, 2, 2), nothing, [10, 6, 0, 4]),
            (offered(0, 8, 2), nothing, [10, 6, 0, 4]),
            (
                offered(2, 8, 0),
                RemovedEvents {
                    events: 10,
                    seen_before: 8,
                },
                [10, 8, 2, 0],
            ),
        ];
        for (number, (offered, removed, expected)) in runs.into_iter().enumerate() {
            let tally = Tally::of(offered, removed, early);
            assert_eq!(tally.of_run.check(), Ok(()), "run {number}");
            early = tally.early;
            ledger.add_run(tally.in_all);
            let numbers = [ledger.received, ledger.delivered, ledger.seen_before, ledger.spooled];
            assert_eq!(numbers, expected, "run {number}");
        }
        assert_eq!(early, 0);
    }
}
