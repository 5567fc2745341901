//! Pushed events that go to their table at once: event -> row -> batch, answered when the batch is stored.

use std::collections::HashSet;

use super::dedupe::DedupKey;
use super::group_commit::{GroupCommit, PendingRow, Submitted};
use super::ledger::seen_once_more;
use super::pushed_events::{PushedEvent, PushedEvents, StoredPush};
use crate::delivery::{EventRow, NoRow};
use crate::state::DeadLetter;
use crate::tables::RowContext;

/// Dead letters that are written into one file.
const LETTERS_PER_FILE: usize = 1000;

/// Stores the events in the table of one queue.
///
/// # Errors
/// Says why not all of them are stored: the sender must repeat the push.
pub async fn store(queue: &GroupCommit, push: &PushedEvents<'_>) -> Result<StoredPush, String> {
    let Rows { mut rows, without } = rows_of(queue, push);
    let mut stored = StoredPush {
        dead_lettered: set_aside(queue, &without).await?,
        ..StoredPush::default()
    };
    loop {
        let Submitted {
            batches,
            duplicates,
            notes,
        } = queue.submit(rows, push);
        stored.notes += notes;
        for batch in batches {
            let answer = batch.answered().await;
            answer.map_err(|reason| format!("{}: {reason}", queue.context.stream))?;
        }
        if duplicates.is_empty() {
            return Ok(stored);
        }
        rows = Vec::with_capacity(duplicates.len());
        for (row, batch) in duplicates {
            batch.settled().await;
            rows.push(row);
        }
        if push.deadline.has_passed() {
            return Err("an equal event sent before was not stored".to_owned());
        }
    }
}

/// What a table makes of events.
struct Rows<'a> {
    rows: Vec<PendingRow>,
    /// Events for another table of the instance: this one can show nothing of them.
    without: Vec<(DedupKey, &'a str)>,
}

fn rows_of<'a>(queue: &GroupCommit, push: &PushedEvents<'a>) -> Rows<'a> {
    let context = &queue.context;
    let row_context = RowContext {
        arrival: push.arrival,
        constant_fields: &[],
    };
    let mut made = Rows {
        rows: Vec::with_capacity(push.events.len()),
        without: Vec::new(),
    };
    for PushedEvent { identity, text } in &push.events {
        let key = queue.key_of(*identity);
        // That it is an event, and one with a name, is known.
        match EventRow::of_event(&context.route, text, row_context, || true) {
            Ok(row) => made.rows.push(PendingRow { key, row }),
            Err(_) => made.without.push((key, text)),
        }
    }
    made
}

/// Writes dead letters of the events of which the table can show nothing. Gives how many were new.
async fn set_aside(queue: &GroupCommit, events: &[(DedupKey, &str)]) -> Result<usize, String> {
    let context = &queue.context;
    let mut in_this_push = HashSet::new();
    let is_known = |(key, _): &&(DedupKey, &str)| context.dedupe.is_stored(key) || !in_this_push.insert(key.clone());
    let (known, new): (Vec<_>, Vec<_>) = events.iter().partition(is_known);
    for _ in known {
        context.count(seen_once_more);
    }
    let reason = NoRow::NoColumn.reason(&context.route.table.name());
    for events in new.chunks(LETTERS_PER_FILE) {
        let letters: Vec<DeadLetter> = events
            .iter()
            .map(|(_, event)| DeadLetter::of_event(reason.clone(), (*event).to_owned()))
            .collect();
        let kept = context
            .dead_letters
            .keep(&context.stream, &letters, context.clock.now())
            .await;
        let events_kept = events.len() as u64;
        context.count(|counts| {
            counts.received += events_kept;
            match kept {
                Ok(()) => counts.dead_lettered += events_kept,
                Err(_) => counts.in_flight += events_kept,
            }
        });
        kept.map_err(|error| error.to_string())?;
        context.dedupe.remember(events.iter().map(|(key, _)| key));
    }
    Ok(new.len())
}
