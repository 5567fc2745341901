//! What becomes of the rows of a batch: settled with the memory, the ledger, the spool and the dead letters.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::TimeDelta;

use super::dedupe::{Fate, Parcel};
use super::lane_context::LaneContext;
use super::patience::SPOOL_TIME;
use super::shipment::{Shipment, Verdict};
use crate::delivery::{Sent, refused_letters};
use crate::destination::{Batch, Delivery};
use crate::state::{EntryKind, Key, Place, SpoolEntry, SpoolError, StoreError};

/// Nobody else takes a spooled batch while its upload may still go on.
const HELD_FOR: TimeDelta = TimeDelta::minutes(2);
/// A batch that was accepted late must leave the spool before it is no longer held.
const REMOVAL_TRIES: u32 = 6;
const REMOVAL_PAUSE: Duration = Duration::from_secs(5);

/// A batch and where it goes.
pub struct Way<'a> {
    /// The lane.
    pub context: &'a Arc<LaneContext>,
    /// The batch.
    pub shipment: &'a Shipment,
    is_settled: AtomicBool,
}

impl<'a> Way<'a> {
    /// Of a batch of that lane.
    pub fn new(context: &'a Arc<LaneContext>, shipment: &'a Shipment) -> Self {
        Self {
            context,
            shipment,
            is_settled: AtomicBool::new(false),
        }
    }

    /// The destination answered while the senders wait. What it did not take goes into the spool, free for everybody.
    pub async fn settle_in_time(&self, sent: Option<Sent>) {
        let nothing = Delivery::default();
        let delivery = sent.as_ref().map_or(&nothing, |sent| &sent.delivery);
        let open = self.settle_known_rows(delivery).await;
        let Some(rest) = self.shipment.batch.only(&open) else {
            self.is_settled.store(true, Ordering::Relaxed);
            self.tell(Verdict::Stored);
            return;
        };
        if let Some(error) = &delivery.error {
            log::warn!(stream = self.name().as_str(), table = self.table().as_str(); "{} -> {}: {error}; the rows go into the spool", self.name(), self.table());
        }
        let is_spooled = self.spool_and_tell(self.entry(&rest, false)).await.is_some();
        self.settle_open(&open, is_spooled);
    }

    /// The senders' patience ended before the batch's turn came: the timer will send it.
    pub async fn spool_unsent(&self) {
        let is_spooled = self
            .spool_and_tell(self.entry(&self.shipment.batch, false))
            .await
            .is_some();
        self.settle_all(is_spooled);
    }

    /// Every row has the same fate.
    pub fn settle_all(&self, is_spooled: bool) {
        self.settle_open(&self.all(), is_spooled);
    }

    /// The numbers of all rows.
    pub fn all(&self) -> Vec<usize> {
        (0..self.shipment.batch.rows).collect()
    }

    /// The batch lies in the spool, and now the destination has answered as well.
    pub async fn settle_spooled(&self, place: Place, sent: Option<Sent>) {
        let rows = self.shipment.batch.rows as u64;
        let table = self.context.target.table.name();
        self.context.ledger.settled(&table, |counts| counts.spooled += rows);
        let nothing = Delivery::default();
        let delivery = sent.as_ref().map_or(&nothing, |sent| &sent.delivery);
        let open = self.settle_known_rows(delivery).await;
        let settled = rows - open.len() as u64;
        self.context.ledger.settled(&table, |counts| counts.spooled -= settled);
        let outcome = match self.shipment.batch.only(&open) {
            None => self.remove(&place.key).await,
            // Nothing is on its way any more: the timer may take it at once.
            Some(rest) => {
                let entry = self.entry(&rest, false);
                self.rewrite(&place, &entry).await
            }
        };
        self.is_settled.store(true, Ordering::Relaxed);
        let Err(error) = outcome else { return };
        if settled > 0 {
            log::error!(stream = self.name().as_str(), table = self.table().as_str();
                "{} -> {}: {settled} rows of a push were accepted late and could not be taken out of the spool ({error}); they will arrive twice",
                self.name(), self.table());
        }
    }

    /// Nobody could keep the batch, and its senders were told to repeat it. What arrived all the same is remembered.
    pub async fn settle_unspooled(&self, sent: Option<Sent>) {
        let nothing = Delivery::default();
        let delivery = sent.as_ref().map_or(&nothing, |sent| &sent.delivery);
        let open = self.settle_known_rows(delivery).await;
        self.settle_open(&open, false);
    }

    fn settle_open(&self, open: &[usize], is_spooled: bool) {
        self.is_settled.store(true, Ordering::Relaxed);
        self.settle_parcels(open, if is_spooled { Fate::Stored } else { Fate::Failed });
        self.context
            .ledger
            .settled(&self.context.target.table.name(), |counts| {
                let place = if is_spooled {
                    &mut counts.spooled
                } else {
                    &mut counts.in_flight
                };
                *place += open.len() as u64;
            });
    }

    /// Settles the rows that were accepted or refused for good, and gives the others.
    async fn settle_known_rows(&self, delivery: &Delivery) -> Vec<usize> {
        self.settle_parcels(&delivery.accepted, Fate::Stored);
        let mut open = delivery.open(self.shipment.batch.rows);
        let letters = refused_letters(&self.shipment.batch, &delivery.refused);
        let kept = self
            .context
            .dead_letters
            .keep(&self.context.stream, &letters, self.context.clock.now())
            .await;
        let refused: Vec<usize> = delivery.refused.iter().map(|refused| refused.row).collect();
        let mut dead = 0;
        match kept {
            Ok(()) => {
                dead = refused.len() as u64;
                self.settle_parcels(&refused, Fate::Stored);
            }
            Err(error) => {
                log::warn!(stream = self.name().as_str(), table = self.table().as_str();
                    "{} -> {}: {} refused rows could not be set aside ({error}); they go into the spool, and are refused again when they are sent again",
                    self.name(), self.table(), refused.len());
                open.extend(refused);
            }
        }
        if dead > 0 {
            log::warn!(stream = self.name().as_str(), table = self.table().as_str(), dead_lettered = dead;
                "{} -> {}: {dead} pushed rows were refused by the destination; they lie in the state store under dead-letters/, with the reason",
                self.name(), self.table());
        }
        self.context
            .ledger
            .settled(&self.context.target.table.name(), |counts| {
                counts.delivered += delivery.accepted.len() as u64;
                counts.dead_lettered += dead;
                counts.perhaps_doubled += delivery.unsure as u64;
            });
        open.sort_unstable();
        open
    }

    /// True for the senders as soon as it is on the disk. They are told that a slow spool failed, and then it shall not
    /// have the rows: the senders bring them again.
    pub async fn spool_and_tell(&self, entry: SpoolEntry) -> Option<Place> {
        let mut spooling = std::pin::pin!(self.spool(&entry));
        let outcome = match tokio::time::timeout(SPOOL_TIME, &mut spooling).await {
            Ok(outcome) => outcome,
            Err(_) => {
                self.tell(Verdict::Failed(
                    "neither the destination nor the spool has taken the rows in time".to_owned(),
                ));
                let place = spooling.await.ok()?;
                return self.cannot_be_taken_out(&place).await.then_some(place);
            }
        };
        match outcome {
            Ok(place) => {
                if entry.held_until.is_some() {
                    self.settle_parcels(&self.all(), Fate::Stored);
                }
                self.tell(Verdict::Stored);
                Some(place)
            }
            Err(error) => {
                self.tell(Verdict::Failed(format!(
                    "the destination has not taken the rows in time, and the spool does not: {error}"
                )));
                None
            }
        }
    }

    /// Writes an entry, if there is room for it.
    pub async fn spool(&self, entry: &SpoolEntry) -> Result<Place, SpoolError> {
        let spool = &self.context.spool;
        spool.require_room(entry.body.len() as u64).await?;
        Ok(spool.add(&self.context.target.table.name(), entry).await?)
    }

    /// Takes an entry out again.
    pub async fn remove(&self, key: &Key) -> Result<(), StoreError> {
        let mut tries = 1;
        loop {
            match self.context.spool.remove(key).await {
                Err(_) if tries < REMOVAL_TRIES => tokio::time::sleep(REMOVAL_PAUSE).await,
                outcome => return outcome,
            }
            tries += 1;
        }
    }

    /// True if an entry that its senders will bring again is there to stay: it is delivered from the spool, and they are
    /// known. A removal without an answer may have been done: unless the entry is seen, its events count as not stored,
    /// and come twice rather than not at all.
    pub async fn cannot_be_taken_out(&self, place: &Place) -> bool {
        let Err(error) = self.remove(&place.key).await else {
            return false;
        };
        let is_there = matches!(self.context.spool.read(&place.key).await, Ok(Some(_)));
        if !is_there {
            log::warn!(stream = self.name().as_str(), table = self.table().as_str();
                "{} -> {}: it is not known whether {} rows of a push were taken out of the spool ({error}); they are brought again and may arrive twice",
                self.name(), self.table(), self.shipment.batch.rows);
        }
        is_there
    }

    /// An entry that others may take is theirs: they have all of it already, or it is gone.
    async fn rewrite(&self, place: &Place, rest: &SpoolEntry) -> Result<(), StoreError> {
        let mut tries = 1;
        loop {
            if self.context.clock.now() - self.shipment.at >= HELD_FOR {
                return Err(StoreError::Conflict {
                    key: place.key.to_string(),
                });
            }
            match self.context.spool.rewrite(place, rest).await {
                Err(error) if tries < REMOVAL_TRIES && !matches!(error, StoreError::Conflict { .. }) => {
                    tokio::time::sleep(REMOVAL_PAUSE).await;
                }
                outcome => return outcome.map(|_| ()),
            }
            tries += 1;
        }
    }

    /// Some rows as an entry of the spool, held while their upload may still go on.
    pub fn entry(&self, batch: &Batch, is_held: bool) -> SpoolEntry {
        SpoolEntry {
            at: self.shipment.at,
            kind: EntryKind::Rows,
            held_until: is_held.then(|| self.shipment.at + HELD_FOR),
            body: String::from_utf8_lossy(&batch.body).into_owned(),
        }
    }

    /// Settles the fate of the events of these rows.
    pub fn settle_parcels(&self, rows: &[usize], fate: Fate) {
        let parcels: Vec<Parcel> = rows
            .iter()
            .filter_map(|row| self.shipment.parcels.get(*row).copied())
            .collect();
        self.context.memory.settle(&parcels, fate);
    }

    /// The first word counts.
    pub fn tell(&self, verdict: Verdict) {
        self.shipment.verdict.send_if_modified(|present| {
            let is_first = *present == Verdict::Open;
            if is_first {
                *present = verdict;
            }
            is_first
        });
    }

    fn name(&self) -> String {
        self.context.stream.to_string()
    }

    fn table(&self) -> String {
        self.context.target.table.name().to_string()
    }
}

/// The way ends here, however it ends: nobody waits for ever.
pub struct Unsettled<'a>(pub &'a Way<'a>);

impl Drop for Unsettled<'_> {
    fn drop(&mut self) {
        // A parcel that was settled may be on its way again, with another push.
        if !self.0.is_settled.load(Ordering::Relaxed) {
            self.0.settle_parcels(&self.0.all(), Fate::Failed);
        }
        self.0
            .tell(Verdict::Failed("internal error; the log says more".to_owned()));
    }
}
