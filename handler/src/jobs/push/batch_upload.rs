//! A batch of pushed rows and what becomes of it: settled with the senders, the deduplication, the ledger, the spool and
//! the dead letters.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::dedupe::{Claims, Dedupe};
use super::inflight_budget::InflightPermit;
use super::ledger::PushLedger;
use crate::delivery::{RowBatch, Sent, Settlement, TableRoute};
use crate::destination::Batch;
use crate::event::StreamName;
use crate::state::{Counts, DeadLetters, EntryKind, EntryPlace, Spool, SpoolEntry, SpoolError, StoreError};
use crate::time::{Clock, Deadline, Shutdown};

/// The longest time that a batch waits for the destination before it goes into the spool, which must have its own time
/// within the time of the answer.
pub const MAX_UPLOAD_WAIT: Duration = Duration::from_millis(6500);
/// A spool that takes longer is as good as none for the sender who waits.
const SPOOL_TIMEOUT: Duration = Duration::from_millis(2500);
/// Nobody else takes a spooled batch while its upload may still go on.
const HELD_FOR: TimeDelta = TimeDelta::minutes(2);
/// A batch that was accepted late must leave the spool before it is no longer held.
const CHANGE_TRIES: u32 = 6;
const CHANGE_PAUSE: Duration = Duration::from_secs(5);

/// What the uploads of one instance's rows to one table need.
pub struct UploadContext {
    /// The stream that the events came by.
    pub stream: StreamName,
    /// The table and its destination.
    pub route: TableRoute,
    /// Where rows wait that the destination does not take in time.
    pub spool: Spool,
    /// Where rows go that it never takes.
    pub dead_letters: DeadLetters,
    /// What was stored before, and what is being stored.
    pub dedupe: Arc<Dedupe>,
    /// What became of everything.
    pub ledger: Arc<PushLedger>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The signal that the process is to end.
    pub shutdown: Shutdown,
}

impl UploadContext {
    /// Counts events of the table.
    pub fn count(&self, change: impl FnOnce(&mut Counts)) {
        self.ledger.count(&self.route.table.name(), change);
    }
}

/// A batch that takes no more rows.
pub struct BatchUpload {
    /// What it needs.
    pub context: Arc<UploadContext>,
    /// The rows.
    pub rows: Arc<RowBatch<()>>,
    /// The events that they were, in the same order.
    pub claims: Claims,
    /// When its first row came.
    pub received_at: DateTime<Utc>,
    /// When it goes into the spool.
    pub deadline: Deadline,
    /// Memory that its pushes take.
    pub _permits: Vec<InflightPermit>,
}

impl BatchUpload {
    /// The destination answered while the senders wait, or nothing was sent to it in time. What it did not take goes into
    /// the spool, free for everybody.
    pub async fn settle_in_time(&self, sent: Option<Sent>) {
        let open = self.settle_known_rows(sent.as_ref(), false).await;
        let Some(rest) = self.rows.batch.only(&open) else {
            self.claims.settle();
            self.claims.answer(Ok(()));
            return;
        };
        if let Some(error) = sent.as_ref().and_then(|sent| sent.delivery.error.as_ref()) {
            self.warn(&format!("{error}; the rows go into the spool"));
        }
        if self.spool_and_answer(&open, self.entry(&rest, false)).await.is_none() {
            self.settle_open_rows(&open, false);
        }
    }

    /// The upload goes on. `None`, and nothing is settled, if the spool does not take the batch.
    pub async fn spool_held(&self) -> Option<EntryPlace> {
        self.spool_and_answer(&self.all_rows(), self.entry(&self.rows.batch, true))
            .await
    }

    /// The batch lies in the spool, and now the destination has answered as well, unless nothing was sent.
    pub async fn settle_spooled(&self, place: EntryPlace, sent: Option<Sent>) {
        let open = self.settle_known_rows(sent.as_ref(), true).await;
        // Nothing is in flight any more: the timer may take what is left at once.
        let rest = self.rows.batch.only(&open).map(|rest| self.entry(&rest, false));
        let Err(error) = self.change_entry(&place, rest.as_ref()).await else {
            return;
        };
        let settled = self.rows.batch.rows - open.len();
        if settled > 0 {
            let (stream, table) = (self.stream(), self.table());
            log::error!(stream = stream.as_str(), table = &*table;
                "{stream} -> {table}: {settled} rows of a push were accepted late and could not be taken out of the spool ({error}); they will arrive twice");
        }
    }

    /// Nobody could keep the batch, and its senders were told to repeat it. What arrived all the same is remembered.
    pub async fn settle_unspooled(&self, sent: Option<Sent>) {
        let open = self.settle_known_rows(sent.as_ref(), false).await;
        self.settle_open_rows(&open, false);
    }

    /// Every row is in the spool, or none is stored.
    pub fn settle_all(&self, is_spooled: bool) {
        self.settle_open_rows(&self.all_rows(), is_spooled);
    }

    /// Settles the rows and answers their senders as soon as the entry is on the disk. If the spool is too slow they are
    /// told to repeat, and an entry that is written late is removed again.
    async fn spool_and_answer(&self, rows: &[usize], entry: SpoolEntry) -> Option<EntryPlace> {
        let mut writing = std::pin::pin!(self.write_entry(&entry));
        let written = match tokio::time::timeout(SPOOL_TIMEOUT, &mut writing).await {
            Ok(written) => written,
            Err(_) => {
                let answer = "neither the destination nor the spool has taken the rows in time";
                self.claims.answer(Err(answer.to_owned()));
                let place = writing.await.ok()?;
                if !self.cannot_be_removed(&place).await {
                    return None;
                }
                Ok(place)
            }
        };
        match written {
            Ok(place) => {
                self.settle_open_rows(rows, true);
                self.claims.answer(Ok(()));
                Some(place)
            }
            Err(error) => {
                let answer = format!("the destination has not taken the rows in time, and the spool does not: {error}");
                self.claims.answer(Err(answer));
                None
            }
        }
    }

    /// With these rows every row of the batch is settled.
    fn settle_open_rows(&self, rows: &[usize], is_spooled: bool) {
        let events = rows.len() as u64;
        self.context.count(|counts| match is_spooled {
            true => counts.spooled += events,
            false => counts.in_flight += events,
        });
        if is_spooled {
            self.claims.remember(rows);
        }
        self.claims.settle();
    }

    /// Settles the rows that were accepted or refused for good, and gives the others: all of them if nothing was sent.
    /// `are_spooled` says whether the rows were counted in the spool.
    async fn settle_known_rows(&self, sent: Option<&Sent>, are_spooled: bool) -> Vec<usize> {
        let Some(Sent { delivery, .. }) = sent else {
            return self.all_rows();
        };
        let context = &self.context;
        let mut settlement = Settlement::of(&self.rows, delivery);
        let refused = settlement.refused.len();
        let kept = settlement
            .keep_refused(&context.dead_letters, &context.stream, context.clock.now())
            .await;
        if let Err(error) = kept {
            self.warn(&format!(
                "{refused} refused rows could not be set aside ({error}); they go into the spool, and are refused again when they are sent again",
            ));
        } else if refused > 0 {
            let (stream, table) = (self.stream(), self.table());
            log::warn!(stream = stream.as_str(), table = &*table, dead_lettered = refused;
                "{stream} -> {table}: {refused} pushed rows were refused by the destination; they lie in the state store under dead-letters/, with the reason");
        }
        // What is remarkable about the rows was counted when they came.
        let counted = settlement.counts;
        context.count(|counts| {
            counts.delivered += counted.delivered;
            counts.dead_lettered += counted.dead_lettered;
            counts.perhaps_doubled += counted.perhaps_doubled;
            if are_spooled {
                counts.spooled -= counted.delivered + counted.dead_lettered;
            }
        });
        self.claims.remember(&settlement.accepted);
        self.claims.remember(&settlement.refused);
        settlement.open
    }

    /// Some rows as an entry of the spool, held while their upload may still go on.
    pub fn entry(&self, batch: &Batch, is_held: bool) -> SpoolEntry {
        SpoolEntry {
            at: self.received_at,
            kind: EntryKind::Rows,
            held_until: is_held.then(|| self.received_at + HELD_FOR),
            body: String::from_utf8_lossy(&batch.body).into_owned(),
        }
    }

    /// Writes an entry, if the spool has room for it.
    pub async fn write_entry(&self, entry: &SpoolEntry) -> Result<EntryPlace, SpoolError> {
        self.context.spool.add_if_room(&self.table(), entry).await
    }

    /// True if an entry that its senders will bring again is there to stay: it is delivered from the spool, and they are
    /// known. A removal without an answer may have been done: unless the entry is seen, its events count as not stored,
    /// and come twice rather than not at all.
    pub async fn cannot_be_removed(&self, place: &EntryPlace) -> bool {
        let Err(error) = self.change_entry(place, None).await else {
            return false;
        };
        let is_there = matches!(self.context.spool.read(&place.key).await, Ok(Some(_)));
        if !is_there {
            self.warn(&format!(
                "it is not known whether {} rows of a push were taken out of the spool ({error}); they are brought again and may arrive twice",
                self.rows.batch.rows
            ));
        }
        is_there
    }

    /// Writes what is left of an entry, or removes it. An entry that others may take is theirs, and a conflict is final:
    /// they have all of it already, or it is gone.
    async fn change_entry(&self, place: &EntryPlace, rest: Option<&SpoolEntry>) -> Result<(), StoreError> {
        let spool = &self.context.spool;
        let mut tries = 1;
        loop {
            let changed = match rest {
                None => spool.remove(&place.key).await,
                Some(_) if self.context.clock.now() - self.received_at >= HELD_FOR => Err(StoreError::Conflict {
                    key: place.key.to_string(),
                }),
                Some(rest) => spool.rewrite(place, rest).await.map(|_| ()),
            };
            match changed {
                Err(error) if tries < CHANGE_TRIES && !matches!(error, StoreError::Conflict { .. }) => {
                    tokio::time::sleep(CHANGE_PAUSE).await;
                }
                outcome => return outcome,
            }
            tries += 1;
        }
    }

    fn all_rows(&self) -> Vec<usize> {
        (0..self.rows.batch.rows).collect()
    }

    fn warn(&self, message: &str) {
        let (stream, table) = (self.stream(), self.table());
        log::warn!(stream = stream.as_str(), table = &*table; "{stream} -> {table}: {message}");
    }

    fn stream(&self) -> String {
        self.context.stream.to_string()
    }

    fn table(&self) -> Arc<str> {
        self.context.route.table.name()
    }
}
