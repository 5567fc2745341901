//! A reply that the vendor has forgotten and that the spool does not take, on a disk that is full for example: only
//! this process has it. It goes straight to the destination.

use std::time::Duration;

use crate::delivery::{EventRow, RowBatcher, Settlement, send};
use crate::jobs::consume::ConsumeRun;
use crate::state::{SpoolEntry, StoreError};
use crate::tables::RowContext;

/// The spool is asked so often whether it takes the reply after all.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_secs(2);

/// What became of the reply.
#[derive(Debug)]
pub enum Rescued {
    /// The spool has it after all.
    Spooled(crate::state::Key),
    /// The destination has so many of its events, of so many.
    Sent {
        /// Rows that were accepted.
        accepted: usize,
        /// Events of the reply.
        events: usize,
    },
}

/// Tries the destination, and the spool again as long as nothing of the reply was delivered.
pub async fn rescue(run: &ConsumeRun<'_>, entry: &SpoolEntry) -> Rescued {
    let mut tries = 0;
    loop {
        let (accepted, events) = deliver(run, entry).await;
        tries += 1;
        if accepted > 0 || events == 0 || tries == TRIES || run.stop.is_requested() || run.deadline.has_passed() {
            return Rescued::Sent { accepted, events };
        }
        tokio::time::sleep(run.deadline.clip(PAUSE)).await;
        if let Ok(key) = spool(run, entry).await {
            return Rescued::Spooled(key);
        }
    }
}

async fn spool(run: &ConsumeRun<'_>, entry: &SpoolEntry) -> Result<crate::state::Key, StoreError> {
    run.plan
        .spool
        .add(&run.plan.target.table.name(), entry)
        .await
        .map(|place| place.key)
}

/// What is no event, and the rest of a reply that broke off, cannot be set aside where nothing can be written.
async fn deliver(run: &ConsumeRun<'_>, entry: &SpoolEntry) -> (usize, usize) {
    let target = &run.plan.target;
    let context = RowContext {
        arrival: entry.at,
        given: run.plan.stream.given(),
    };
    let (page, _) = run.plan.stream.parse(entry.body.clone());
    let mut batcher = RowBatcher::new(target);
    let mut batches = Vec::new();
    let mut events = 0;
    for event in page.events().flat_map(|event| run.opened(event, entry.at)) {
        events += 1;
        // A name matters only to tell an event from others later: without one it is sent all the same.
        if let Ok(row) = EventRow::of_event(&target.table, &event, context, || true) {
            batches.extend(batcher.add(&row, (), run.clock.now()));
        }
    }
    batches.extend(batcher.take());
    let mut accepted = 0;
    for rows in batches {
        let sent = send(target, &rows.batch, run.deadline, run.stop).await;
        accepted += Settlement::of(&rows, &sent.delivery).accepted.len();
    }
    (accepted, events)
}
