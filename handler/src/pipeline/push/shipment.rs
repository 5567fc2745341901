//! A batch of pushed rows on its way: into the destination in time, else into the spool while the upload goes on.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::watch;

use super::lane::{LaneContext, Room};
use super::memory::{Fate, Parcel};
use crate::destination::{Batch, Delivery};
use crate::pipeline::send::{refused_letters, send};
use crate::state::{EntryKind, Key, SpoolEntry, SpoolError, StoreError};
use crate::time::Deadline;

/// An upload may outlive the answers to its requests by this much.
const UPLOAD_TIME: Duration = Duration::from_secs(60);
/// Nobody else takes a spooled batch while its upload may still go on.
const HELD_FOR: TimeDelta = TimeDelta::minutes(2);
/// A spool that takes longer is as good as none for the sender who waits.
const SPOOL_TIME: Duration = Duration::from_millis(2500);
/// When the process is told to end, a batch is given up to the spool after this.
const PATIENCE_AT_THE_END: Duration = Duration::from_millis(1500);
/// A batch that was accepted late must leave the spool before it is no longer held.
const REMOVAL_TRIES: u32 = 6;
const REMOVAL_PAUSE: Duration = Duration::from_secs(5);

/// What senders learn of their rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Not known yet.
    Open,
    /// They are stored.
    Stored,
    /// They are not: the senders must repeat them. Says why.
    Failed(String),
}

/// A batch that is complete.
pub struct Shipment {
    /// The rows.
    pub batch: Arc<Batch>,
    /// The events that they were, in the same order.
    pub parcels: Vec<Parcel>,
    /// Memory that they take, until the end of the way.
    pub _rooms: Vec<Room>,
    /// When the first sender's patience ends.
    pub deadline: Deadline,
    /// Where its senders wait.
    pub verdict: watch::Sender<Verdict>,
    /// The destination is asked only after the spool has it.
    pub is_spooled_first: bool,
}

/// Brings a batch where it is safe. Every parcel's fate is settled, whether or not somebody still waits: a sender that
/// repeats itself must be known.
pub async fn carry(context: Arc<LaneContext>, shipment: Shipment) {
    let way = Way {
        context: &context,
        shipment: &shipment,
    };
    let _unsettled = Unsettled(&way);
    if shipment.is_spooled_first {
        let entry = way.entry(&shipment.batch, true);
        match way.spool_and_tell(entry).await {
            Some(key) => {
                let delivery = way.deliver().await;
                way.settle_spooled(key, delivery).await;
            }
            None => way.fail_all(),
        }
        return;
    }
    let mut upload = tokio::spawn(Way::upload(context.clone(), shipment.batch.clone()));
    let in_time = tokio::select! {
        delivery = &mut upload => Some(delivery),
        () = tokio::time::sleep(shipment.deadline.remaining()) => None,
        () = way.end_is_near() => None,
    };
    match in_time {
        Some(delivery) => way.settle_in_time(delivery.unwrap_or_default()).await,
        None => {
            let entry = way.entry(&shipment.batch, true);
            let spooled = way.spool_and_tell(entry).await;
            let delivery = upload.await.unwrap_or_default();
            match spooled {
                Some(key) => way.settle_spooled(key, delivery).await,
                None => way.settle_unspooled(delivery).await,
            }
        }
    }
}

/// The way ends here, however it ends: nobody waits for ever.
struct Unsettled<'a>(&'a Way<'a>);

impl Drop for Unsettled<'_> {
    fn drop(&mut self) {
        let all: Vec<usize> = (0..self.0.shipment.batch.rows).collect();
        // What was settled before stays as it is.
        self.0.settle(&all, Fate::Failed);
        self.0
            .tell(Verdict::Failed("internal error; the log says more".to_owned()));
    }
}

struct Way<'a> {
    context: &'a Arc<LaneContext>,
    shipment: &'a Shipment,
}

impl Way<'_> {
    async fn upload(context: Arc<LaneContext>, batch: Arc<Batch>) -> Delivery {
        let deadline = Deadline::after(UPLOAD_TIME);
        send(&*context.target.destination, &batch, deadline, &context.stop).await
    }

    async fn deliver(&self) -> Delivery {
        Self::upload(self.context.clone(), self.shipment.batch.clone()).await
    }

    async fn end_is_near(&self) {
        self.context.stop.over(PATIENCE_AT_THE_END).await;
    }

    /// The destination answered while the senders wait. What it did not take goes into the spool, free for everybody.
    async fn settle_in_time(&self, delivery: Delivery) {
        let open = self.settle_known_rows(&delivery).await;
        let Some(rest) = self.shipment.batch.only(&open) else {
            self.tell(Verdict::Stored);
            return;
        };
        if let Some(error) = &delivery.error {
            log::warn!(stream = self.name().as_str(), table = self.table().as_str(); "{} -> {}: {error}; the rows go into the spool", self.name(), self.table());
        }
        let entry = self.entry(&rest, false);
        let is_spooled = self.spool_and_tell(entry).await.is_some();
        let fate = if is_spooled { Fate::Stored } else { Fate::Failed };
        self.settle(&open, fate);
        self.context
            .ledger
            .settled(&self.context.target.table.name(), |counts| {
                if is_spooled {
                    counts.spooled += open.len() as u64;
                } else {
                    counts.in_flight += open.len() as u64;
                }
            });
    }

    /// The batch lies in the spool, and now the destination has answered as well.
    async fn settle_spooled(&self, key: Key, delivery: Delivery) {
        let rows = self.shipment.batch.rows as u64;
        let table = self.context.target.table.name();
        self.context.ledger.settled(&table, |counts| counts.spooled += rows);
        let open = self.settle_known_rows(&delivery).await;
        let settled = rows - open.len() as u64;
        self.context.ledger.settled(&table, |counts| counts.spooled -= settled);
        let outcome = match self.shipment.batch.only(&open) {
            None => self.remove(&key).await,
            // Nothing is on its way any more: the timer may take it at once.
            Some(rest) => {
                let entry = self.entry(&rest, false);
                self.replace(&key, &entry).await
            }
        };
        if let Err(error) = outcome {
            log::error!(stream = self.name().as_str(), table = self.table().as_str();
                "{} -> {}: {settled} rows of a push were accepted late and could not be taken out of the spool ({error}); they will arrive twice",
                self.name(), self.table());
        }
    }

    /// Nobody could keep the batch, and its senders were told to repeat it. What arrived all the same is remembered.
    async fn settle_unspooled(&self, delivery: Delivery) {
        let open = self.settle_known_rows(&delivery).await;
        self.settle(&open, Fate::Failed);
        self.context
            .ledger
            .settled(&self.context.target.table.name(), |counts| {
                counts.in_flight += open.len() as u64
            });
    }

    fn fail_all(&self) {
        let all: Vec<usize> = (0..self.shipment.batch.rows).collect();
        self.settle(&all, Fate::Failed);
        self.context
            .ledger
            .settled(&self.context.target.table.name(), |counts| {
                counts.in_flight += all.len() as u64
            });
    }

    /// Settles the rows that were accepted or refused for good, and gives the others.
    async fn settle_known_rows(&self, delivery: &Delivery) -> Vec<usize> {
        self.settle(&delivery.accepted, Fate::Stored);
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
                self.settle(&refused, Fate::Stored);
            }
            // They are refused again when they are sent again.
            Err(_) => open.extend(refused),
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

    /// True for the senders as soon as it is on the disk. A spool that is slow is told as a failure, and its outcome
    /// counts all the same for those who repeat themselves.
    async fn spool_and_tell(&self, entry: SpoolEntry) -> Option<Key> {
        let mut spooling = std::pin::pin!(self.spool(&entry));
        let outcome = match tokio::time::timeout(SPOOL_TIME, &mut spooling).await {
            Ok(outcome) => outcome,
            Err(_) => {
                self.tell(Verdict::Failed(
                    "neither the destination nor the spool has taken the rows in time".to_owned(),
                ));
                spooling.await
            }
        };
        match outcome {
            Ok(key) => {
                if entry.held_until.is_some() {
                    let all: Vec<usize> = (0..self.shipment.batch.rows).collect();
                    self.settle(&all, Fate::Stored);
                }
                self.tell(Verdict::Stored);
                Some(key)
            }
            Err(error) => {
                self.tell(Verdict::Failed(format!(
                    "the destination has not taken the rows in time, and the spool does not: {error}"
                )));
                None
            }
        }
    }

    async fn spool(&self, entry: &SpoolEntry) -> Result<Key, SpoolError> {
        let spool = &self.context.spool;
        spool.require_room(entry.body.len() as u64).await?;
        Ok(spool.add(&self.context.target.table.name(), entry).await?)
    }

    async fn remove(&self, key: &Key) -> Result<(), StoreError> {
        let mut tries = 1;
        loop {
            match self.context.spool.remove(key).await {
                Err(_) if tries < REMOVAL_TRIES => tokio::time::sleep(REMOVAL_PAUSE).await,
                outcome => return outcome,
            }
            tries += 1;
        }
    }

    async fn replace(&self, key: &Key, entry: &SpoolEntry) -> Result<(), StoreError> {
        let table = self.context.target.table.name();
        let mut tries = 1;
        let written = loop {
            match self.context.spool.add(&table, entry).await {
                Err(_) if tries < REMOVAL_TRIES => tokio::time::sleep(REMOVAL_PAUSE).await,
                outcome => break outcome?,
            }
            tries += 1;
        };
        if written == *key {
            return Ok(());
        }
        self.remove(key).await
    }

    fn entry(&self, batch: &Batch, is_held: bool) -> SpoolEntry {
        let now = self.context.clock.now();
        SpoolEntry {
            at: now,
            kind: EntryKind::Rows,
            held_until: is_held.then(|| now + HELD_FOR),
            body: String::from_utf8_lossy(&batch.body).into_owned(),
        }
    }

    fn settle(&self, rows: &[usize], fate: Fate) {
        let parcels: Vec<Parcel> = rows
            .iter()
            .filter_map(|row| self.shipment.parcels.get(*row).copied())
            .collect();
        self.context.memory.settle(&parcels, fate);
    }

    /// The first word counts.
    fn tell(&self, verdict: Verdict) {
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
