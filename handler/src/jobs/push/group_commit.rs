//! Group commit: rows of pushes that come close together travel to their table in one call.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use tokio::sync::watch;

use super::dedupe::Parcel;
use super::lane_context::{LaneContext, Room};
use super::shipment::{Shipment, Verdict};
use super::upload::{carry, carry_spooled_first};
use crate::destination::BatchBuilder;
use crate::time::Deadline;

/// A row, ready, and the event that it was.
pub struct Cargo {
    /// The row.
    pub row: Vec<u8>,
    /// Its `TimeGenerated`.
    pub time: DateTime<Utc>,
    /// The event.
    pub parcel: Parcel,
}

/// The way of one instance's events into one table.
pub struct Lane {
    context: Arc<LaneContext>,
    forming: Arc<Mutex<Option<Forming>>>,
}

/// A batch that still takes rows.
struct Forming {
    builder: BatchBuilder,
    parcels: Vec<Parcel>,
    rooms: Vec<Room>,
    at: DateTime<Utc>,
    deadline: Deadline,
    verdict: watch::Sender<Verdict>,
}

impl Lane {
    /// Empty.
    pub fn new(context: LaneContext) -> Self {
        Self {
            context: Arc::new(context),
            forming: Arc::default(),
        }
    }

    /// The table and what belongs to it.
    pub fn context(&self) -> &LaneContext {
        &self.context
    }

    /// Takes the rows of one push. What it gives must all be waited for.
    pub fn load(&self, cargo: Vec<Cargo>, room: &Room) -> Vec<watch::Receiver<Verdict>> {
        if cargo.is_empty() {
            return Vec::new();
        }
        let bytes: usize = cargo.iter().map(|cargo| cargo.row.len() + 1).sum();
        let limit = self.context.target.destination.body_limit();
        if bytes + 1 > limit {
            return self.load_alone(cargo, room);
        }
        let mut forming = self.lock();
        let is_full = |forming: &Forming| forming.builder.bytes() + bytes + 1 > limit;
        if forming.as_ref().is_some_and(is_full) {
            self.seal(&mut forming);
        }
        let is_first = forming.is_none();
        let present = forming.get_or_insert_with(|| self.begin());
        for Cargo { row, time, parcel } in cargo {
            present.builder.push(&row, time);
            present.parcels.push(parcel);
        }
        present.rooms.push(room.clone());
        let verdict = present.verdict.subscribe();
        if self.context.linger.is_zero() {
            self.seal(&mut forming);
        } else if is_first {
            self.seal_later(verdict.clone());
        }
        vec![verdict]
    }

    /// A push of more than one batch is spooled whole before it is answered: none of it may come twice because the
    /// rest could not be stored.
    fn load_alone(&self, cargo: Vec<Cargo>, room: &Room) -> Vec<watch::Receiver<Verdict>> {
        let mut full = Vec::new();
        let mut forming = self.begin();
        for Cargo { row, time, parcel } in cargo {
            if !forming.builder.push(&row, time) {
                full.push(std::mem::replace(&mut forming, self.begin()));
                forming.builder.push(&row, time);
            }
            forming.parcels.push(parcel);
        }
        full.push(forming);
        let verdicts = full.iter().map(|forming| forming.verdict.subscribe()).collect();
        let mut shipments: Vec<Shipment> = full.into_iter().filter_map(shipment_of).collect();
        if let Some(first) = shipments.first_mut() {
            first._rooms.push(room.clone());
        }
        tokio::spawn(carry_spooled_first(self.context.clone(), shipments));
        verdicts
    }

    fn begin(&self) -> Forming {
        Forming {
            builder: self.context.target.batch(),
            parcels: Vec::new(),
            rooms: Vec::new(),
            at: self.context.clock.now(),
            deadline: Deadline::after(self.context.patience),
            verdict: watch::Sender::new(Verdict::Open),
        }
    }

    /// Seals what is forming after the linger time, unless it was sealed before.
    fn seal_later(&self, verdict: watch::Receiver<Verdict>) {
        let (context, forming) = (self.context.clone(), self.forming.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(context.linger) => {}
                () = context.stop.requested() => {}
            }
            let lane = Lane { context, forming };
            let mut forming = lane.lock();
            let is_the_same = |forming: &Forming| forming.verdict.subscribe().same_channel(&verdict);
            if forming.as_ref().is_some_and(is_the_same) {
                lane.seal(&mut forming);
            }
        });
    }

    fn seal(&self, forming: &mut Option<Forming>) {
        if let Some(shipment) = forming.take().and_then(shipment_of) {
            tokio::spawn(carry(self.context.clone(), shipment));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Forming>> {
        self.forming.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `None` for a batch without rows.
fn shipment_of(mut forming: Forming) -> Option<Shipment> {
    let batch = forming.builder.take()?;
    Some(Shipment {
        batch: Arc::new(batch),
        parcels: forming.parcels,
        _rooms: forming.rooms,
        at: forming.at,
        deadline: forming.deadline,
        verdict: forming.verdict,
    })
}
