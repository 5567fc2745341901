//! A batch of pushed rows on its way: into the destination in time, else into the spool while the upload goes on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;
use tokio::time::Instant;

use super::lane::{LaneContext, Room};
use super::memory::{Fate, Parcel};
use crate::destination::{Batch, Delivery};
use crate::pipeline::send::{Sent, refused_letters, send_in_turn};
use crate::state::{EntryKind, Key, SpoolEntry, SpoolError, StoreError};
use crate::time::Deadline;

/// An upload may outlive the answers to its requests by this much.
const UPLOAD_TIME: Duration = Duration::from_secs(60);
/// Nobody else takes a spooled batch while its upload may still go on.
const HELD_FOR: TimeDelta = TimeDelta::minutes(2);
/// An upload that begins later than this might still go on when the entry is no longer held.
const LONGEST_WAIT_FOR_A_TURN: Duration = Duration::from_secs(45);
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
    /// When its first row came.
    pub at: DateTime<Utc>,
    /// When the first sender's patience ends.
    pub deadline: Deadline,
    /// Where its senders wait.
    pub verdict: watch::Sender<Verdict>,
}

/// Brings a batch where it is safe. Every parcel's fate is settled, whether or not somebody still waits: a sender that
/// repeats itself must be known.
pub async fn carry(context: Arc<LaneContext>, shipment: Shipment) {
    let way = Way {
        context: &context,
        shipment: &shipment,
    };
    let _unsettled = Unsettled(&way);
    let start = Arc::new(Start::default());
    let upload = Way::upload(context.clone(), shipment.batch.clone(), start.clone(), Instant::now());
    let mut upload = tokio::spawn(upload);
    let in_time = tokio::select! {
        biased;
        sent = &mut upload => Some(sent),
        () = tokio::time::sleep(shipment.deadline.remaining()) => None,
        () = context.stop.over(PATIENCE_AT_THE_END) => None,
    };
    if let Some(sent) = in_time {
        way.settle_in_time(sent.ok().flatten()).await;
        return;
    }
    if start.give_up() {
        way.spool_unsent().await;
        return;
    }
    let spooled = way.spool_and_tell(way.entry(&shipment.batch, true)).await;
    let sent = upload.await.ok().flatten();
    match spooled {
        Some(key) => way.settle_spooled(key, sent).await,
        None => way.settle_unspooled(sent).await,
    }
}

/// A push of more than one batch: first the spool has all of it, then it is answered, and only then is it sent. If the
/// spool cannot have all of it, it shall have none: what is repeated must not come twice.
pub async fn carry_spooled_first(context: Arc<LaneContext>, shipments: Vec<Shipment>) {
    let ways: Vec<Way<'_>> = shipments
        .iter()
        .map(|shipment| Way {
            context: &context,
            shipment,
        })
        .collect();
    let _unsettled: Vec<Unsettled<'_>> = ways.iter().map(Unsettled).collect();
    let begun_at = Instant::now();
    let (keys, failure) = spool_all(&ways).await;
    if let Some(reason) = failure {
        for (number, way) in ways.iter().enumerate() {
            way.tell(Verdict::Failed(format!("the spool does not take the rows: {reason}")));
            let is_gone = match keys.get(number) {
                Some(key) => way.remove(key).await.is_ok(),
                None => true,
            };
            way.settle_all(!is_gone);
        }
        return;
    }
    for way in &ways {
        way.settle_parcels(&way.all(), Fate::Stored);
        way.tell(Verdict::Stored);
    }
    for (way, key) in ways.iter().zip(keys) {
        let sent = Way::upload(context.clone(), way.shipment.batch.clone(), Arc::default(), begun_at).await;
        way.settle_spooled(key, sent).await;
    }
}

/// The entries that were written, and why there are no more. Writing is never broken off: an entry of which nobody knew
/// would be delivered beside its repetition.
async fn spool_all(ways: &[Way<'_>]) -> (Vec<Key>, Option<String>) {
    let give_up = Deadline::after(SPOOL_TIME);
    let mut keys = Vec::new();
    for way in ways {
        let entry = way.entry(&way.shipment.batch, true);
        let mut spooling = std::pin::pin!(way.spool(&entry));
        let spooled = match tokio::time::timeout(give_up.remaining(), &mut spooling).await {
            Ok(spooled) => spooled,
            Err(_) => {
                let reason = "it has not taken them in time";
                for way in ways {
                    way.tell(Verdict::Failed(format!("the spool does not take the rows: {reason}")));
                }
                keys.extend(spooling.await);
                return (keys, Some(reason.to_owned()));
            }
        };
        match spooled {
            Ok(key) => keys.push(key),
            Err(error) => return (keys, Some(error.to_string())),
        }
    }
    (keys, None)
}

/// Whether an upload was begun. It is begun or given up, never both.
#[derive(Debug, Default)]
struct Start(Mutex<Option<bool>>);

impl Start {
    /// False if it was given up before.
    fn begin(&self) -> bool {
        *self.lock().get_or_insert(true)
    }

    /// False if it was begun before.
    fn give_up(&self) -> bool {
        !*self.lock().get_or_insert(false)
    }

    fn lock(&self) -> MutexGuard<'_, Option<bool>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The way ends here, however it ends: nobody waits for ever.
struct Unsettled<'a>(&'a Way<'a>);

impl Drop for Unsettled<'_> {
    fn drop(&mut self) {
        // What was settled before stays as it is.
        self.0.settle_parcels(&self.0.all(), Fate::Failed);
        self.0
            .tell(Verdict::Failed("internal error; the log says more".to_owned()));
    }
}

struct Way<'a> {
    context: &'a Arc<LaneContext>,
    shipment: &'a Shipment,
}

impl Way<'_> {
    /// `None` if it was given up before its turn came.
    async fn upload(
        context: Arc<LaneContext>,
        batch: Arc<Batch>,
        start: Arc<Start>,
        asked_at: Instant,
    ) -> Option<Sent> {
        let turn = context.target.turn.clone().lock_owned().await;
        // What has waited so long may be taken by somebody else before the upload ends.
        if asked_at.elapsed() > LONGEST_WAIT_FOR_A_TURN || !start.begin() {
            return None;
        }
        let deadline = Deadline::after(UPLOAD_TIME);
        Some(send_in_turn(&context.target, &batch, deadline, &context.stop, turn).await)
    }

    /// The destination answered while the senders wait. What it did not take goes into the spool, free for everybody.
    async fn settle_in_time(&self, sent: Option<Sent>) {
        let nothing = Delivery::default();
        let delivery = sent.as_ref().map_or(&nothing, |sent| &sent.delivery);
        let open = self.settle_known_rows(delivery).await;
        let Some(rest) = self.shipment.batch.only(&open) else {
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
    async fn spool_unsent(&self) {
        let is_spooled = self
            .spool_and_tell(self.entry(&self.shipment.batch, false))
            .await
            .is_some();
        self.settle_all(is_spooled);
    }

    fn settle_all(&self, is_spooled: bool) {
        self.settle_open(&self.all(), is_spooled);
    }

    fn all(&self) -> Vec<usize> {
        (0..self.shipment.batch.rows).collect()
    }

    /// The batch lies in the spool, and now the destination has answered as well.
    async fn settle_spooled(&self, key: Key, sent: Option<Sent>) {
        let rows = self.shipment.batch.rows as u64;
        let table = self.context.target.table.name();
        self.context.ledger.settled(&table, |counts| counts.spooled += rows);
        let nothing = Delivery::default();
        let delivery = sent.as_ref().map_or(&nothing, |sent| &sent.delivery);
        let open = self.settle_known_rows(delivery).await;
        let settled = rows - open.len() as u64;
        self.context.ledger.settled(&table, |counts| counts.spooled -= settled);
        let outcome = match self.shipment.batch.only(&open) {
            None => self.remove(&key).await,
            // Nothing is on its way any more: the timer may take it at once.
            Some(rest) => {
                let entry = self.entry(&rest, false);
                self.rewrite(&key, &entry).await
            }
        };
        let Err(error) = outcome else { return };
        if settled > 0 {
            log::error!(stream = self.name().as_str(), table = self.table().as_str();
                "{} -> {}: {settled} rows of a push were accepted late and could not be taken out of the spool ({error}); they will arrive twice",
                self.name(), self.table());
        }
    }

    /// Nobody could keep the batch, and its senders were told to repeat it. What arrived all the same is remembered.
    async fn settle_unspooled(&self, sent: Option<Sent>) {
        let nothing = Delivery::default();
        let delivery = sent.as_ref().map_or(&nothing, |sent| &sent.delivery);
        let open = self.settle_known_rows(delivery).await;
        self.settle_open(&open, false);
    }

    fn settle_open(&self, open: &[usize], is_spooled: bool) {
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

    /// True for the senders as soon as it is on the disk. They are told that a slow spool failed, and then it shall not
    /// have the rows: the senders bring them again.
    async fn spool_and_tell(&self, entry: SpoolEntry) -> Option<Key> {
        let mut spooling = std::pin::pin!(self.spool(&entry));
        let outcome = match tokio::time::timeout(SPOOL_TIME, &mut spooling).await {
            Ok(outcome) => outcome,
            Err(_) => {
                self.tell(Verdict::Failed(
                    "neither the destination nor the spool has taken the rows in time".to_owned(),
                ));
                let key = spooling.await.ok()?;
                // One that cannot be taken out again is delivered from the spool, and the senders are known.
                return self.remove(&key).await.is_err().then_some(key);
            }
        };
        match outcome {
            Ok(key) => {
                if entry.held_until.is_some() {
                    self.settle_parcels(&self.all(), Fate::Stored);
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

    async fn rewrite(&self, key: &Key, rest: &SpoolEntry) -> Result<(), StoreError> {
        let mut tries = 1;
        loop {
            match self.context.spool.rewrite(key, rest).await {
                Err(_) if tries < REMOVAL_TRIES => tokio::time::sleep(REMOVAL_PAUSE).await,
                outcome => return outcome,
            }
            tries += 1;
        }
    }

    fn entry(&self, batch: &Batch, is_held: bool) -> SpoolEntry {
        SpoolEntry {
            at: self.shipment.at,
            kind: EntryKind::Rows,
            held_until: is_held.then(|| self.context.clock.now() + HELD_FOR),
            body: String::from_utf8_lossy(&batch.body).into_owned(),
        }
    }

    fn settle_parcels(&self, rows: &[usize], fate: Fate) {
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
