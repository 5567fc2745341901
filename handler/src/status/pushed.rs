//! How what is pushed stands: received by one process, delivered by another, and waiting in between.

use std::collections::BTreeSet;
use std::mem::take;
use std::time::Duration;

use super::inputs::StatusInputs;
use super::lateness::is_late;
use super::model::{QueueStatus, StreamState, StreamStatus, TableStatus};
use super::record::failed_to_deliver;
use crate::event::StreamName;
use crate::jobs::{Plans, PullPlan, PushedPlan, StreamPlan};
use crate::state::{Checkpoints, Counts, Spool, StoreError, StreamHealth, TableCounts, pushed_counts};

/// What was spooled while its upload went on is left alone so long.
const LONGEST_HELD: Duration = Duration::from_secs(120);

/// Fills in what is stored of a stream of pushes.
pub async fn fill_pushed(
    inputs: StatusInputs<'_>,
    name: &StreamName,
    stream: &mut StreamStatus,
) -> Result<(), StoreError> {
    let mut health = inputs.healths.read(&name.to_string()).await?.unwrap_or_default();
    let (mut drained, replayed) = (take(&mut health.drained), take(&mut health.replayed));
    stream.take_health(health);
    // What is polled too left the spool through the poller's stream.
    for (table, counts) in delivered_beside_polling(inputs, name).await? {
        *drained.entry(table).or_default() += counts;
    }
    let received = pushed_counts(&inputs.context.state(), name).await?;
    let queues = queues_of_pushed(inputs.plans, name);
    let is_its_own = |queue: &&QueueStatus| queues.contains(&queue.queue) || Spool::is_queue_of(&queue.queue, name);
    let waiting: Vec<&QueueStatus> = inputs.spool.iter().filter(is_its_own).collect();
    let came = !received.is_empty() || !drained.is_empty() || !waiting.is_empty();
    if came && stream.status == StreamState::NeverRun {
        stream.status = StreamState::Ok;
    }
    if waiting.is_empty() && stream.status != StreamState::NeverRun {
        // What could not be delivered is, by whoever sent it again.
        stream.status = StreamState::Ok;
        stream.consecutive_failures = 0;
    }
    if !waiting.is_empty()
        && let Some(plan) = polls_beside(inputs.plans, name)
        && let Some(health) = inputs.healths.read(&plan.name().to_string()).await?
        && failed_to_deliver(&health)
    {
        take_failure(health, stream);
    }
    let mut oldest = waiting.iter().filter_map(|queue| queue.waiting.oldest);
    if stream.status == StreamState::Ok
        && oldest.any(|oldest| is_late(&inputs.plans.schedule, oldest, LONGEST_HELD, inputs.now))
    {
        stream.status = StreamState::Behind;
    }
    let counts = ledger_of(&received, &drained, !waiting.is_empty()).into_iter();
    let tables = counts.map(|(table, mut counts)| {
        counts.replay(replayed.get(&table).copied().unwrap_or_default());
        TableStatus {
            table,
            counts,
            ..TableStatus::default()
        }
    });
    stream.tables = tables.collect();
    Ok(())
}

/// What became of everything that was received, by table.
fn ledger_of(received: &TableCounts, drained: &TableCounts, something_waits: bool) -> TableCounts {
    let tables: BTreeSet<&String> = received.keys().chain(drained.keys()).collect();
    let counts = tables.into_iter().map(|table| {
        let counts_of = |of: &TableCounts| of.get(table).copied().unwrap_or_default();
        let counts = with_what_left_the_spool(counts_of(received), counts_of(drained), something_waits);
        (table.clone(), counts)
    });
    counts.collect()
}

/// What waits fails with the runs that should deliver it.
fn take_failure(health: StreamHealth, stream: &mut StreamStatus) {
    stream.status = StreamState::Failing;
    stream.last_failure = stream.last_failure.max(health.last_failure);
    stream.consecutive_failures = health.consecutive_failures;
    stream.last_error = health.last_error;
}

/// The poller that reads the same events, whose runs empty the queues of the pushed ones.
fn polls_beside<'a>(plans: &'a Plans, pushed: &StreamName) -> Option<&'a StreamPlan> {
    plans.streams.iter().find(|plan| match plan {
        StreamPlan::Windows(PullPlan {
            pushed: Some(PushedPlan { form, .. }),
            ..
        }) => form.name() == pushed,
        _ => false,
    })
}

/// The queues where what was pushed to that stream may wait, whoever empties them: where it is polled too, they are
/// the poller's.
fn queues_of_pushed(plans: &Plans, name: &StreamName) -> BTreeSet<String> {
    let drains = plans.drains.iter().filter(|drain| drain.form.name() == name);
    let own = drains.map(|drain| drain.queue());
    let polled = polls_beside(plans, name).into_iter().flat_map(StreamPlan::queues);
    own.chain(polled).collect()
}

async fn delivered_beside_polling(inputs: StatusInputs<'_>, pushed: &StreamName) -> Result<TableCounts, StoreError> {
    let Some(plan) = polls_beside(inputs.plans, pushed) else {
        return Ok(TableCounts::new());
    };
    let checkpoint = Checkpoints::look(&*inputs.context.store, plan.name(), plan.account()).await?;
    Ok(checkpoint.map(|checkpoint| checkpoint.pushed).unwrap_or_default())
}

/// What the processes that receive count as spooled is delivered by the runs that empty the spool.
///
/// An entry that is tried again shows what was delivered of it as seen before: no more left the spool than came in.
/// And an entry is removed only when its events are delivered, so where nothing waits they all are, also if the process
/// that delivered them could not say so. A process that was killed may not have said what it received either: what was
/// delivered was received.
fn with_what_left_the_spool(received: Counts, drained: Counts, something_waits: bool) -> Counts {
    let left = drained.delivered + drained.seen_before + drained.dead_lettered;
    let again = left.saturating_sub(received.spooled).min(drained.seen_before);
    let waits = received.spooled.saturating_sub(left);
    let (untold, spooled) = if something_waits { (0, waits) } else { (waits, 0) };
    let mut counts = Counts {
        delivered: received.delivered + drained.delivered + untold,
        seen_before: received.seen_before + drained.seen_before - again,
        dead_lettered: received.dead_lettered + drained.dead_lettered,
        spooled,
        perhaps_doubled: received.perhaps_doubled + drained.perhaps_doubled,
        ..received
    };
    counts.received = counts.received.max(counts.accounted());
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_left_the_spool_is_delivered_and_the_ledger_still_balances() {
        let received = Counts {
            received: 10,
            delivered: 4,
            spooled: 6,
            ..Counts::default()
        };
        let drained = Counts {
            received: 6,
            delivered: 3,
            dead_lettered: 1,
            spooled: 2,
            ..Counts::default()
        };
        let counts = with_what_left_the_spool(received, drained, true);
        assert_eq!((counts.delivered, counts.dead_lettered, counts.spooled), (7, 1, 2));
        assert_eq!(counts.check(), Ok(()));
        // The same entry in the next run, and then nothing waits.
        let drained = Counts {
            delivered: 5,
            dead_lettered: 1,
            seen_before: 3,
            ..Counts::default()
        };
        let counts = with_what_left_the_spool(received, drained, false);
        assert_eq!((counts.delivered, counts.seen_before, counts.spooled), (9, 0, 0));
        assert_eq!(counts.check(), Ok(()));
    }

    #[test]
    fn what_was_delivered_was_received_also_where_the_process_that_received_it_was_killed() {
        let drained = Counts {
            received: 5,
            delivered: 4,
            dead_lettered: 1,
            ..Counts::default()
        };
        let counts = with_what_left_the_spool(Counts::default(), drained, false);
        assert_eq!((counts.received, counts.delivered, counts.dead_lettered), (5, 4, 1));
        assert_eq!(counts.check(), Ok(()));
    }
}
