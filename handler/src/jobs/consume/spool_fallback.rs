//! A reply that the vendor has forgotten and that the spool does not take, on a disk that is full for example: only
//! this process has it. It goes straight to the destination.

use std::time::Duration;

use super::delivery::opened_events;
use crate::delivery::{BatchSender, EventRow, RowBatcher, Settlement, StreamContext};
use crate::jobs::plan::ConsumePlan;
use crate::state::{Key, SpoolEntry};
use crate::tables::RowContext;

/// The spool is asked so often whether it takes the reply after all.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub enum DirectDelivery {
    /// The spool has it after all.
    Spooled(Key),
    /// The destination has so many of its events, of so many.
    Sent { accepted: usize, events: usize },
}

/// Tries the destination, and the spool again as long as nothing of the reply was delivered.
pub async fn deliver_directly(plan: &ConsumePlan, context: &StreamContext<'_>, entry: &SpoolEntry) -> DirectDelivery {
    let mut tries = 0;
    loop {
        let (accepted, events) = send_events(plan, context, entry).await;
        tries += 1;
        let is_over = context.shutdown.is_requested() || context.deadline.has_passed();
        if accepted > 0 || events == 0 || tries == TRIES || is_over {
            return DirectDelivery::Sent { accepted, events };
        }
        tokio::time::sleep(context.deadline.clip(PAUSE)).await;
        if let Ok(place) = plan.spool.add(&plan.target.table.name(), entry).await {
            return DirectDelivery::Spooled(place.key);
        }
    }
}

/// What is no event, and the rest of a reply that broke off, cannot be set aside where nothing can be written. Gives how
/// many rows were accepted, and how many events there are.
async fn send_events(plan: &ConsumePlan, context: &StreamContext<'_>, entry: &SpoolEntry) -> (usize, usize) {
    let target = &plan.target;
    let row_context = RowContext {
        arrival: entry.at,
        constant_fields: plan.stream.constant_fields(),
    };
    let page = plan.stream.parse(entry.body.clone()).page;
    let mut batcher = RowBatcher::new(target);
    let mut batches = Vec::new();
    let mut events = 0;
    for event in page.events().flat_map(|event| opened_events(plan, event, entry.at)) {
        events += 1;
        // A name matters only to tell an event from others later: without one it is sent all the same.
        if let Ok(row) = EventRow::of_event(target, &event, row_context, || true) {
            batches.extend(batcher.add(&row, (), context.clock.now()));
        }
    }
    batches.extend(batcher.take());
    let sender = BatchSender {
        route: target,
        deadline: context.deadline,
        shutdown: context.shutdown,
    };
    let mut accepted = 0;
    for rows in batches {
        let sent = sender.send(&rows.batch).await;
        accepted += Settlement::of(&rows, &sent.delivery).accepted.len();
    }
    (accepted, events)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::jobs::testing::{RowKeeper, TestRun};
    use crate::state::EntryKind;

    #[tokio::test(start_paused = true)]
    async fn a_reply_that_is_sent_without_the_spool_has_the_rows_that_it_would_have_from_there() {
        let run = TestRun::new().await;
        let destination = Arc::new(RowKeeper::default());
        let plan = run.consume_plan(destination.clone());
        let entry = SpoolEntry {
            at: run.clock.now(),
            kind: EntryKind::Reply,
            held_until: None,
            body: r#"[{"id":"a","source":"x"},{"event":{"id":"b","source":"y"}},7]"#.to_owned(),
        };
        let delivered = deliver_directly(&plan, &run.context(), &entry).await;
        assert!(
            matches!(delivered, DirectDelivery::Sent { accepted: 2, events: 3 }),
            "{delivered:?}"
        );
        let rows = destination.rows.lock();
        for (row, id) in rows.iter().zip(["a", "b"]) {
            assert_eq!((&row["Id"], &row["AccountId"]), (&id.into(), &"the account".into()));
        }
    }
}
