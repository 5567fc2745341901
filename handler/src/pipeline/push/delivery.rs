//! The rows of a push on their way into one table.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::memory::{Fate, Parcel, PushMemory};
use crate::destination::{Batch, BatchBuilder, DeliveryError};
use crate::json::repair_surrogates;
use crate::pipeline::Target;
use crate::tables::{RowContext, RowNotes};
use crate::time::Deadline;

/// Batches in order, each with the parcels that travel in it.
pub struct Shipment {
    target: Target,
    builder: BatchBuilder,
    loading: Vec<Parcel>,
    loaded: Vec<(Batch, Vec<Parcel>)>,
    /// What was not carried over as it came.
    pub notes: RowNotes,
}

impl Shipment {
    /// Empty.
    pub fn new(target: Target) -> Self {
        Self {
            builder: BatchBuilder::new(target.table.name()),
            target,
            loading: Vec::new(),
            loaded: Vec::new(),
            notes: RowNotes::default(),
        }
    }

    /// Makes the event's row and loads it.
    pub fn load(&mut self, event: &str, parcel: Parcel, arrival: DateTime<Utc>) {
        let mut row = Vec::with_capacity(event.len() + 64);
        self.notes +=
            self.target
                .table
                .project(&repair_surrogates(event), RowContext { arrival, given: &[] }, &mut row);
        if !self.builder.push(&row) {
            self.close_batch();
            self.builder.push(&row);
        }
        self.loading.push(parcel);
    }

    /// True if nothing was loaded.
    pub fn is_empty(&self) -> bool {
        self.builder.is_empty() && self.loaded.is_empty()
    }

    /// Sends everything. The fate of every parcel is settled in the memory, whether or not somebody still waits: an
    /// upload that outlives its request must be known when the sender repeats itself.
    pub async fn send(mut self, memory: Arc<PushMemory>, deadline: Deadline) -> Result<(), DeliveryError> {
        self.close_batch();
        let mut unsettled = Unsettled {
            memory: &memory,
            parcels: Vec::new(),
        };
        unsettled
            .parcels
            .extend(self.loaded.iter().flat_map(|(_, parcels)| parcels.iter().copied()));
        for (batch, parcels) in &self.loaded {
            self.target.destination.deliver(batch, deadline).await?;
            memory.settle(parcels, Fate::Stored);
            unsettled.parcels.drain(..parcels.len());
        }
        Ok(())
    }

    fn close_batch(&mut self) {
        if let Some(batch) = self.builder.take() {
            self.loaded.push((batch, std::mem::take(&mut self.loading)));
        }
    }
}

/// Parcels whose way ends here, however it ends.
struct Unsettled<'a> {
    memory: &'a PushMemory,
    parcels: Vec<Parcel>,
}

impl Drop for Unsettled<'_> {
    fn drop(&mut self) {
        self.memory.settle(&self.parcels, Fate::Failed);
    }
}
