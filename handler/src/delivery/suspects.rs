//! Batches of which no row was taken, while it is open whether their rows are at fault or the stream.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use super::row_batcher::RowBatch;
use crate::destination::DeliveryError;
use crate::event::Identity;

/// More than this is not held in memory; it is read again by the next run.
const MOST_BYTES: usize = 4_000_000;
/// And no more batches: each of them cost several calls.
const MOST_BATCHES: usize = 64;

/// An event, and the time it is remembered under once it is delivered.
pub type Remembered = (Identity, DateTime<Utc>);

/// Of one table and run.
#[derive(Default)]
pub struct Suspects {
    batches: Vec<RowBatch<Remembered>>,
    identities: HashSet<Identity>,
    error: Option<DeliveryError>,
}

impl Suspects {
    /// Holds a batch. False if there are too many; then they are all forgotten.
    pub fn hold(&mut self, rows: RowBatch<Remembered>, error: DeliveryError) -> bool {
        self.identities
            .extend(rows.events.iter().map(|(identity, _)| *identity));
        self.batches.push(rows);
        self.error = Some(error);
        let bytes: usize = self.batches.iter().map(|rows| rows.batch.body.len()).sum();
        let has_room = bytes <= MOST_BYTES && self.batches.len() <= MOST_BATCHES;
        if !has_room {
            *self = Self::default();
        }
        has_room
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// True if an event's row is among them.
    pub fn contains(&self, identity: &Identity) -> bool {
        self.identities.contains(identity)
    }

    /// What the destination said last, of all their rows.
    pub fn error(&self) -> Option<DeliveryError> {
        let rows = self.batches.iter().map(|rows| rows.batch.rows).sum();
        self.error.clone().map(|error| error.of_rows(rows))
    }

    /// Takes them out, oldest first.
    pub fn take(&mut self) -> Vec<RowBatch<Remembered>> {
        std::mem::take(self).batches
    }
}
