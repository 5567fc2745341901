//! What was pushed to a stream that is polled too, delivered in the stream's run.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::loading::load_identities;
use super::pairing::stored_counterparts;
use super::window::{before, no_later_than};
use super::windowed_run::WindowedRun;
use crate::delivery::{TableWriteError, TableWriter};
use crate::jobs::drain::event_queue::{Drained, SpoolDrain};
use crate::jobs::drain::pushed_events::PushedCounterparts;
use crate::jobs::plan::PushedPlan;
use crate::report::{ErrorCode, Problem, StreamReport};
use crate::state::{Checkpoints, Counts, Spool, StoreError};
use crate::time::Deadline;

pub struct PushedDelivery {
    pub report: StreamReport,
    /// The time of the oldest entry that is left, or how the state store failed: what was delivered of such entries must
    /// be remembered as long as they wait.
    pub oldest_left: Result<Option<DateTime<Utc>>, StoreError>,
}

/// Every table's queue on its own: one that is refused does not block the others.
pub async fn deliver_pushed(run: &WindowedRun<'_>, checkpoints: &mut Checkpoints, reads: bool) -> PushedDelivery {
    let report = StreamReport::new(run.context.stream);
    let Some(pushed) = &run.plan.pushed else {
        let oldest_left = Ok(None);
        return PushedDelivery { report, oldest_left };
    };
    let deadline = run.context.deadline;
    // However much waits, the vendor is read too.
    let share = match reads {
        true => deadline.remaining() / 2,
        false => Duration::ZERO,
    };
    let mut queues = PushedQueues {
        run,
        pushed,
        begin_until: deadline.less(share),
        report,
    };
    let oldest_left = queues.deliver(checkpoints).await;
    let report = queues.report;
    PushedDelivery { report, oldest_left }
}

/// True if pushed rows were refused, none of their table being taken, and the read that followed showed that the stream
/// fits: then they can be settled in the same run.
pub fn can_be_settled(pushed: &PushedPlan) -> bool {
    let mut queues = pushed.targets.iter().zip(pushed.queues());
    queues.any(|(target, queue)| target.record.can_settle(&queue))
}

/// The queues of a stream in one run.
struct PushedQueues<'a> {
    run: &'a WindowedRun<'a>,
    pushed: &'a PushedPlan,
    /// Nothing is begun later.
    begin_until: Deadline,
    report: StreamReport,
}

impl PushedQueues<'_> {
    async fn deliver(&mut self, checkpoints: &mut Checkpoints) -> Result<Option<DateTime<Utc>>, StoreError> {
        let (context, pushed) = (self.run.context, self.pushed);
        let spool = pushed.spool.guarded(context.store.clone());
        let stored = stored_counterparts(self.run, checkpoints).await?;
        let mut counterparts = stored.map(|(records, rule)| PushedCounterparts {
            form: pushed.form.clone(),
            rule,
            records,
        });
        let mut oldest_left = None;
        for target in &pushed.targets {
            let table = target.table.name();
            let waiting = spool.waiting(&table).await?;
            if waiting.is_empty() {
                continue;
            }
            let identities = load_identities(context, checkpoints.identities_of(&table)).await?;
            let mut writer = TableWriter::new(target, identities, context);
            writer.is_joined = true;
            let mut drain = SpoolDrain {
                spool: &spool,
                form: &pushed.form,
                context,
                counterparts: counterparts.as_mut(),
                begin_until: self.begin_until,
                writer,
                damaged: Vec::new(),
                removed: Counts::default(),
            };
            let drained = drain.run(waiting).await;
            let is_in_doubt = drained.as_ref().is_err_and(TableWriteError::is_doubt);
            let queue = pushed.spool.queue_of(&table);
            target.record.note_doubt(&queue, is_in_doubt);
            for error in &drain.damaged {
                self.report.fail_table(&table, error);
            }
            self.note(drained, &table);
            let left = spool.waiting(&table).await?;
            let oldest = left.first().and_then(Spool::time_of);
            oldest_left = [oldest_left, oldest].into_iter().flatten().min();
            self.settle(drain, oldest, checkpoints).await?;
        }
        Ok(oldest_left)
    }

    fn note(&mut self, drained: Result<Drained, TableWriteError>, table: &str) {
        let stream = self.run.context.stream;
        match drained {
            Ok(Drained::Whole) => {}
            Ok(Drained::InPart) => self.report.end_early(format!(
                "{stream} -> {table}: some of what was pushed waits in the spool for the next run"
            )),
            Ok(Drained::NotBegun) => {
                let message = format!(
                    "{stream} -> {table}: nothing of what was pushed was delivered, because the time of the run (POLL_BUDGET) was \
                     over before it could begin; it waits in the spool. If this lasts, raise POLL_BUDGET or POLL_CONCURRENCY"
                );
                self.report.problems.push(Problem::new(ErrorCode::BudgetEnded, message));
            }
            Err(error) => self
                .report
                .fail_table_saying(table, &error, "; what was pushed waits in the spool"),
        }
    }

    async fn settle(
        &mut self,
        SpoolDrain {
            mut writer, removed, ..
        }: SpoolDrain<'_>,
        oldest_left: Option<DateTime<Utc>>,
        checkpoints: &mut Checkpoints,
    ) -> Result<(), StoreError> {
        let (table, now) = (writer.table(), self.run.context.now);
        // What is polled too is forgotten by the read, which knows what may be shown again.
        let mut polled = self.run.plan.targets.iter();
        if !polled.any(|target| target.table.name() == table) {
            let kept_from = before(now, self.pushed.form.repeats_for);
            let kept_from = no_later_than(kept_from, oldest_left);
            writer.identities.compact(kept_from).await?;
        }
        let offered = writer.final_counts();
        checkpoints.has_news |= offered.received > 0;
        let early = checkpoints.current.pushed_early.remove(&*table).unwrap_or_default();
        let tally = QueueTally::of(offered, removed, early);
        if tally.early > 0 && oldest_left.is_some() {
            checkpoints.current.pushed_early.insert(table.to_string(), tally.early);
        }
        let pushed = checkpoints.current.pushed.entry(table.to_string()).or_default();
        pushed.add_run(tally.in_all);
        self.report.add_table(&table, tally.of_run, now);
        Ok(())
    }
}

/// What a run adds to the ledger of a queue's table. The events of an entry that stays are met again: of them only what
/// was delivered or set aside counts now, and the rest when the entry is removed.
struct QueueTally {
    /// For the report of the run.
    of_run: Counts,
    /// For the ledger since the beginning, see [`Counts::add_run`].
    in_all: Counts,
    /// Events that were delivered or set aside while their entries stay.
    early: u64,
}

impl QueueTally {
    /// `early` is that of the run before.
    fn of(offered: Counts, removed: Counts, early: u64) -> Self {
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
        let settled_of_removed = removed.received.saturating_sub(removed.seen_before);
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
        let nothing = Counts::default();
        let mut ledger = Counts::default();
        let mut early = 0;
        // An entry of ten, of which two were delivered before any of this, in three runs: six get through in the first.
        let runs = [
            (offered(6, 2, 2), nothing, [10, 6, 0, 4]),
            (offered(0, 8, 2), nothing, [10, 6, 0, 4]),
            (
                offered(2, 8, 0),
                Counts {
                    received: 10,
                    seen_before: 8,
                    ..nothing
                },
                [10, 8, 2, 0],
            ),
        ];
        for (number, (offered, removed, expected)) in runs.into_iter().enumerate() {
            let tally = QueueTally::of(offered, removed, early);
            assert_eq!(tally.of_run.check(), Ok(()), "run {number}");
            early = tally.early;
            ledger.add_run(tally.in_all);
            let numbers = [ledger.received, ledger.delivered, ledger.seen_before, ledger.spooled];
            assert_eq!(numbers, expected, "run {number}");
        }
        assert_eq!(early, 0);
    }
}
