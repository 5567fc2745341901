//! One table's end of a stream: drop what was delivered, make rows, send batches, remember what was accepted.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::context::StreamContext;
use super::no_row::{NoRow, is_named};
use super::route::TableRoute;
use super::row_batcher::{EventRow, RowBatch, RowBatcher};
use super::send::BatchSender;
use super::settle::Settlement;
use super::suspects::{Remembered, Suspects};
use crate::destination::{Delivery, DeliveryError, StreamFit};
use crate::event::Identity;
use crate::sources::{EventKey, Window, why_unreadable};
use crate::state::{Counts, DeadLetter, Identities, StoreError};
use crate::tables::RowContext;
use crate::time::Deadline;

/// Identities in memory, per table. Beyond it a window is given up rather than a double risked.
const MOST_IDENTITIES: usize = 1_000_000;

/// Dead letters in memory before they are written.
const MOST_DEAD_LETTERS: usize = 1000;

/// What stops a table for this run. Its position stays where the last save left it.
#[derive(Debug, thiserror::Error)]
pub enum TableWriteError {
    /// The destination.
    #[error(transparent)]
    Delivery(#[from] DeliveryError),
    /// The state store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// See [`MOST_IDENTITIES`].
    #[error(
        "what is read again holds more than {MOST_IDENTITIES} events, more than can be told apart; make POLL_OVERLAP shorter"
    )]
    TooManyEvents,
}

impl TableWriteError {
    /// True if it is not known whether rows are at fault or the stream, see [`TableWriter::is_in_doubt`].
    pub fn is_doubt(&self) -> bool {
        matches!(self, Self::Delivery(error) if error.is_about_rows_or_stream())
    }
}

/// An event for a table.
pub struct IncomingEvent<'e> {
    /// A JSON object, or what came in the place of one.
    pub text: &'e str,
    /// Names it.
    pub key: EventKey,
    /// What was asked for when it came. An event whose time cannot be read, or cannot be right because the window does not
    /// hold it, is remembered under the window's end: the latest time at which the vendor can have it.
    pub window: Window,
    /// When it came.
    pub arrival: DateTime<Utc>,
}

impl IncomingEvent<'_> {
    fn remembered(&self) -> Remembered {
        let Window { from, to } = self.window;
        let time = self.key.time.filter(|time| (from..to).contains(time));
        (self.key.identity, time.unwrap_or(to))
    }
}

/// See the module.
pub struct TableWriter<'a> {
    target: &'a TableRoute,
    context: &'a StreamContext<'a>,
    /// What was delivered, and the time that it is remembered under.
    pub identities: Identities,
    batcher: RowBatcher<Remembered>,
    /// Of the rows in the batch, and of what is passed over.
    batched_identities: HashSet<Identity>,
    /// Remembered with the next flush, without a row.
    passed_over: Vec<Remembered>,
    dead: Vec<DeadLetter>,
    dead_identities: Vec<Remembered>,
    /// Refused, each row alone; a row of the table that is taken later in the run shows that they are at fault.
    suspects: Suspects,
    /// When the last event came: its dead letters bear that time.
    arrival: DateTime<Utc>,
    /// Events have no key of the vendor's, and need none.
    pub are_named_by_content: bool,
    /// Values that belong to every event of the stream and that the vendor does not repeat with each of them, by the names
    /// under which tables ask for them.
    pub constant_fields: &'a [(&'static str, String)],
    /// A destination that does not answer takes no more than two thirds of the run's time.
    pub leaves_time: bool,
    /// What is pushed beside a poller is remembered for as long as it may come again, however much that is: it was
    /// acknowledged, and no limit may stop it.
    pub is_joined: bool,
    /// Events that were taken and given up in this run; the next one meets them again.
    given_up: u64,
    /// Of this run, without what is still in flight.
    pub counts: Counts,
}

impl<'a> TableWriter<'a> {
    /// With what was delivered before.
    pub fn new(target: &'a TableRoute, identities: Identities, context: &'a StreamContext<'a>) -> Self {
        Self {
            batcher: RowBatcher::new(target),
            target,
            arrival: context.now,
            context,
            identities,
            batched_identities: HashSet::new(),
            passed_over: Vec::new(),
            dead: Vec::new(),
            dead_identities: Vec::new(),
            suspects: Suspects::default(),
            are_named_by_content: false,
            constant_fields: &[],
            leaves_time: false,
            is_joined: false,
            given_up: 0,
            counts: Counts::default(),
        }
    }

    /// The table's name.
    pub fn table(&self) -> Arc<str> {
        self.target.table.name()
    }

    /// Takes an event, unless it is known.
    pub async fn offer(&mut self, event: IncomingEvent<'_>) -> Result<(), TableWriteError> {
        let IncomingEvent { text, key, arrival, .. } = event;
        self.counts.received += 1;
        self.arrival = arrival;
        let is_known = self.identities.contains(&key.identity) || self.suspects.contains(&key.identity);
        if is_known || !self.batched_identities.insert(key.identity) {
            self.counts.seen_before += 1;
            return Ok(());
        }
        if !self.is_joined && self.identities.len() + self.batched_identities.len() > MOST_IDENTITIES {
            self.given_up += 1;
            return Err(TableWriteError::TooManyEvents);
        }
        let row_context = RowContext {
            arrival,
            constant_fields: self.constant_fields,
        };
        let is_named = || self.are_named_by_content || is_named(text, &key);
        let row = match EventRow::of_event(self.target, text, row_context, is_named) {
            Ok(row) => row,
            Err(why) => return self.set_aside(&event, why).await,
        };
        if !self.batcher.has_room_for(&row) {
            if let Err(error) = self.send_batch().await {
                self.given_up += 1;
                return Err(error);
            }
            self.batched_identities.insert(key.identity);
        }
        self.batcher.add(&row, event.remembered(), self.context.clock.now());
        Ok(())
    }

    /// An event that is no row goes to the dead letters, and counts as delivered.
    async fn set_aside(&mut self, event: &IncomingEvent<'_>, why: NoRow) -> Result<(), TableWriteError> {
        let reason = why_unreadable(event.text).unwrap_or_else(|| why.reason(&self.target.table.name()));
        self.dead.push(DeadLetter::of_event(reason, event.text.to_owned()));
        self.dead_identities.push(event.remembered());
        if self.dead.len() >= MOST_DEAD_LETTERS {
            self.keep_dead_letters().await?;
        }
        Ok(())
    }

    /// True if the event was delivered before, or is on its way.
    pub fn knows(&self, identity: &Identity) -> bool {
        self.identities.contains(identity)
            || self.batched_identities.contains(identity)
            || self.suspects.contains(identity)
    }

    /// True if the event's row is held, see [`Self::is_in_doubt`].
    pub fn holds(&self, identity: &Identity) -> bool {
        self.suspects.contains(identity)
    }

    /// Remembers an event that needs no delivery, with the next flush.
    pub fn pass_over(&mut self, identity: Identity, time: DateTime<Utc>) {
        self.counts.received += 1;
        self.counts.seen_before += 1;
        if self.batched_identities.insert(identity) {
            self.passed_over.push((identity, time));
        }
    }

    /// Sends what is collected and remembers it once it is accepted. Where no row of the table was taken in this run,
    /// what was refused is neither delivered nor set aside: it is held, the error says so, and [`Self::is_in_doubt`]
    /// tells that error from others. More may be offered, and a later flush that succeeds has settled that too.
    pub async fn flush(&mut self) -> Result<(), TableWriteError> {
        self.send_batch().await?;
        self.suspects.error().map_or(Ok(()), |error| Err(error.into()))
    }

    /// True while rows are held that were refused alone, none of the table being taken.
    pub fn is_in_doubt(&self) -> bool {
        !self.suspects.is_empty()
    }

    /// Sends what is collected, and what was held if it is known by now that the stream fits.
    async fn send_batch(&mut self) -> Result<(), TableWriteError> {
        self.keep_dead_letters().await?;
        self.identities.append(std::mem::take(&mut self.passed_over)).await?;
        if let Some(rows) = self.batcher.take() {
            self.given_up += rows.batch.rows as u64;
            self.send_one(rows).await?;
        }
        if self.target.record.fit() == StreamFit::Proven {
            for suspect in self.suspects.take() {
                self.send_one(suspect).await?;
            }
        }
        Ok(())
    }

    /// A batch of which nothing is taken is held, unless too much is.
    async fn send_one(&mut self, rows: RowBatch<Remembered>) -> Result<(), TableWriteError> {
        self.context.lease.require()?;
        self.require_memory(rows.batch.rows).await?;
        let sender = BatchSender {
            route: self.target,
            deadline: self.deadline(),
            shutdown: self.context.shutdown,
        };
        // The send lock is held until what was accepted is remembered.
        let sent = sender.send(&rows.batch).await;
        let settled = self.settle(&rows, &sent.delivery).await;
        if let Err(TableWriteError::Store(_)) = settled {
            let place = self.identities.folder().to_string();
            self.target.record.note_writable(&place, false);
        }
        match settled {
            Err(TableWriteError::Delivery(error)) if error.is_about_rows_or_stream() => {
                match self.suspects.hold(rows, error.clone()) {
                    true => Ok(()),
                    false => Err(error.into()),
                }
            }
            outcome => outcome,
        }
    }

    /// Nothing is sent that could not be remembered. That the last batch was is enough: only after a failure, and at the
    /// first batch of a process, it costs a write to know.
    async fn require_memory(&self, rows: usize) -> Result<(), StoreError> {
        let place = self.identities.folder().to_string();
        if self.target.record.is_writable(&place) {
            return Ok(());
        }
        self.identities.require_room(rows).await?;
        self.target.record.note_writable(&place, true);
        Ok(())
    }

    /// What was accepted is remembered before anything else; then come the rows that were refused.
    async fn settle(&mut self, rows: &RowBatch<Remembered>, answer: &Delivery) -> Result<(), TableWriteError> {
        let context = self.context;
        let mut settlement = Settlement::of(rows, answer);
        self.batched_identities.clear();
        let accepted = rows.events_of(&settlement.accepted).copied().collect();
        let mut stored = self.identities.append(accepted).await;
        if stored.is_ok() {
            stored = settlement
                .keep_refused(&context.dead_letters, context.stream, self.arrival)
                .await;
        }
        self.counts += settlement.counts;
        self.given_up -= settlement.counts.delivered + settlement.counts.dead_lettered;
        stored?;
        let refused = rows.events_of(&settlement.refused).copied().collect();
        self.identities.append(refused).await?;
        settlement.error.map_or(Ok(()), |error| Err(error.into()))
    }

    /// The counts of this run with what is neither delivered nor set aside; nothing is added after it.
    pub fn final_counts(&self) -> Counts {
        Counts {
            in_flight: self.given_up + (self.batcher.rows() + self.dead.len()) as u64,
            ..self.counts
        }
    }

    /// Counts events that went another way: so many came, and so many of them were delivered.
    pub fn note_unspooled(&mut self, events: u64, delivered: u64) {
        self.counts.received += events;
        self.counts.delivered += delivered;
        self.given_up += events - delivered;
    }

    fn deadline(&self) -> Deadline {
        let deadline = self.context.deadline;
        match self.leaves_time {
            true => Deadline::after(deadline.clip(deadline.whole() * 2 / 3)),
            false => deadline,
        }
    }

    /// An event in the dead letters counts as delivered.
    async fn keep_dead_letters(&mut self) -> Result<(), StoreError> {
        if self.dead.is_empty() {
            return Ok(());
        }
        let context = self.context;
        context
            .dead_letters
            .keep(context.stream, &self.dead, self.arrival)
            .await?;
        self.counts.dead_lettered += self.dead.len() as u64;
        self.dead.clear();
        self.identities.append(std::mem::take(&mut self.dead_identities)).await
    }
}
