//! What was pushed to a stream that is polled too, delivered in the stream's run.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::cause::Cause;
use super::counterparts::Counterparts;
use super::loading::load_identities;
use super::plan::{PushedPlan, Target};
use super::spool_drain::{Drain, Drained};
use super::stream_run::StreamRun;
use super::table_sink::{SinkContext, SinkError, TableSink};
use super::window::before;
use crate::health::{ErrorCode, Outcome, Problem, StreamReport, TableReport};
use crate::state::{Checkpoints, Counts, DeadLetters, GuardedSpool, Key, Spool, StoreError};
use crate::time::Deadline;

/// What waits for one table.
struct Queue<'a> {
    target: &'a Target,
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
        let sink = deliver_queue(
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
        settle_queue(run, pushed, sink, (oldest, now), checkpoints, report).await?;
    }
    Ok(oldest_left)
}

/// True if pushed rows were refused, none of their table being taken, and the read that followed showed that the stream
/// fits: then they can be settled in the same run.
pub fn can_be_settled(pushed: &PushedPlan) -> bool {
    let queue_of = |target: &Target| pushed.spool.queue_of(&target.table.name());
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
) -> Result<TableSink<'a>, StoreError> {
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
    let mut sink = TableSink::new(queue.target, identities).of_joined_stream();
    let mut drain = Drain {
        spool: queue.spool,
        form: &*pushed.form,
        now,
        counterparts: run.plan.counterparts.zip(counterparts),
        damaged: Vec::new(),
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
    Ok(sink)
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
    mut sink: TableSink<'_>,
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
    let left = sink.final_counts();
    // What is not delivered is still in the spool.
    let counts = Counts {
        received: left.received - left.in_flight,
        taken_up: left.in_flight,
        spooled: left.in_flight,
        in_flight: 0,
        ..left
    };
    checkpoints.has_news |= left.received > 0;
    let pushed = checkpoints.current.pushed.entry(table.to_string()).or_default();
    pushed.add_run(counts);
    report.tables.push(TableReport {
        table: table.to_string(),
        counts,
        watermark: now,
    });
    Ok(())
}
