//! What was pushed to a stream that is polled too, delivered in the stream's run.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::cause::Cause;
use super::plan::PushedPlan;
use super::spool_drain::Drain;
use super::stream_run::StreamRun;
use super::table_sink::{SinkContext, TableSink};
use super::window::before;
use crate::health::{Outcome, StreamReport, TableReport};
use crate::sources::Window;
use crate::state::{Checkpoints, Counts, DeadLetters, Identities, StoreError};

/// How long a vendor repeats a push. Source: PingOne's documentation of webhooks.
pub const KEPT_FOR_PUSHES: Duration = Duration::from_secs(7 * 24 * 3600);
/// More identities than this are not kept for so long.
pub const MOST_KEPT_FOR_PUSHES: usize = 500_000;

/// Every table's queue on its own: one that is refused does not block the others.
pub async fn deliver_pushed(
    run: &StreamRun<'_>,
    pushed: &PushedPlan,
    checkpoints: &mut Checkpoints,
    now: DateTime<Utc>,
    report: &mut StreamReport,
) -> Result<(), StoreError> {
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
    let spool = pushed.spool.guarded(run.store.clone());
    let mut is_changed = false;
    let mut counterparts = run.counterparts(checkpoints).await?;
    // However much waits, the vendor is read too.
    let share = if run.reads {
        run.deadline.remaining() / 2
    } else {
        Duration::ZERO
    };
    let begin_until = run.deadline.less(share);
    for (number, target) in pushed.targets.iter().enumerate() {
        let table = target.table.name();
        let waiting = spool.waiting(&table).await?;
        if waiting.is_empty() {
            continue;
        }
        let identities = Identities::load(run.store.clone(), checkpoints.identities_of(&table)).await?;
        let mut sink = TableSink::new(target, identities);
        let mut drain = Drain {
            spool: &spool,
            form: &*pushed.form,
            window: Window {
                from: before(now, KEPT_FOR_PUSHES),
                to: now,
            },
            counterparts: run.plan.counterparts.zip(counterparts.as_mut()),
            is_first_table: number == 0,
            damaged: Vec::new(),
        };
        let outcome = drain.run(&waiting, &mut sink, &context, begin_until).await;
        let damaged = std::mem::take(&mut drain.damaged);
        report.problems.extend(
            damaged
                .iter()
                .map(|error| error.problem_saying(format!("{} -> {table}: {error}", report.stream))),
        );
        match outcome {
            Ok(true) => {}
            Ok(false) => {
                report.outcome = Outcome::BudgetEnded;
                report.notices.push(format!(
                    "{} -> {table}: some of what was pushed waits in the spool for the next run",
                    report.stream
                ));
            }
            Err(error) => report.problems.push(error.problem_saying(format!(
                "{} -> {table}: {error}; what was pushed waits in the spool",
                report.stream
            ))),
        }
        let is_polled_too = run.plan.targets.iter().any(|target| target.table.name() == table);
        if !is_polled_too && sink.remembered() <= MOST_KEPT_FOR_PUSHES {
            sink.compact(before(now, KEPT_FOR_PUSHES)).await?;
        }
        let left = sink.final_counts();
        // What is not delivered is still in the spool.
        let counts = Counts {
            spooled: left.in_flight,
            in_flight: 0,
            ..left
        };
        is_changed |= counts.received > 0;
        *checkpoints.current.pushed.entry(table.to_string()).or_default() += counts;
        report.tables.push(TableReport {
            table: table.to_string(),
            counts,
            watermark: now,
        });
    }
    if is_changed {
        checkpoints.save(run.lease, now).await?;
    }
    Ok(())
}
