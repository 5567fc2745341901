//! A reply that the vendor has forgotten and that the spool does not take, on a disk that is full for example: only
//! this process has it. It goes straight to the destination.

use std::time::Duration;

use crate::delivery::send;
use crate::delivery::why_no_row;
use crate::jobs::consume::ConsumeRun;
use crate::json::repair_surrogates;
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
    let mut builder = target.batch();
    let mut batches = Vec::new();
    let mut events = 0;
    for event in page.events() {
        events += 1;
        let mut row = Vec::new();
        let projected = target.table.project(&repair_surrogates(event), context, &mut row);
        if why_no_row(event, projected.reading, || true).is_some() {
            continue;
        }
        if !builder.push(&row, projected.time) {
            batches.extend(builder.take());
            builder.push(&row, projected.time);
        }
    }
    batches.extend(builder.take());
    let mut accepted = 0;
    for batch in batches {
        let sent = send(target, &batch, run.deadline, run.stop).await;
        accepted += sent.delivery.accepted.len();
    }
    (accepted, events)
}
