//! Group commit: rows of pushes that arrive close together are uploaded to their table in one call.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use parking_lot::Mutex;

use super::batch_upload::{BatchUpload, UploadContext};
use super::dedupe::{BatchWatcher, Claim, Claims, DedupKey};
use super::inflight_budget::InflightPermit;
use super::ledger::seen_once_more;
use super::pushed_events::PushedEvents;
use super::upload::{spool_then_upload, upload_or_spool};
use crate::delivery::{EventRow, RowBatcher};
use crate::event::Identity;
use crate::logging::spawn_in_invocation;
use crate::state::Counts;
use crate::tables::RowNotes;
use crate::time::Deadline;

/// How long rows wait.
#[derive(Clone, Copy, Debug)]
pub struct GroupCommitConfig {
    /// For others to share their call.
    pub linger: Duration,
    /// For the destination, before they go into the spool; at most [`super::batch_upload::MAX_UPLOAD_WAIT`].
    pub upload_wait: Duration,
}

/// A row of a push that is not in a batch yet.
pub struct PendingRow {
    /// The event that it was.
    pub key: DedupKey,
    /// The row.
    pub row: EventRow,
}

/// What became of rows that were submitted.
#[derive(Default)]
pub struct Submitted {
    /// The batches that hold the new ones. All of them must be waited for.
    pub batches: Vec<BatchWatcher>,
    /// Rows that are in flight already, with their batches: to be submitted again when those are settled.
    pub duplicates: Vec<(PendingRow, BatchWatcher)>,
    /// Of the new ones.
    pub notes: RowNotes,
}

/// The queue of one instance's rows for one table. Clones share it.
#[derive(Clone)]
pub struct GroupCommit {
    /// The table and what belongs to it.
    pub context: Arc<UploadContext>,
    config: GroupCommitConfig,
    /// The name of the table's queue in the spool.
    name: Arc<str>,
    open: Arc<Mutex<Option<OpenBatch>>>,
}

/// A batch that still takes rows.
struct OpenBatch {
    rows: RowBatcher<()>,
    claims: Claims,
    permits: Vec<InflightPermit>,
    received_at: DateTime<Utc>,
    deadline: Deadline,
}

impl GroupCommit {
    /// Empty.
    pub fn new(context: UploadContext, config: GroupCommitConfig) -> Self {
        Self {
            name: context.spool.queue_of(&context.route.table.name()).into(),
            context: Arc::new(context),
            config,
            open: Arc::default(),
        }
    }

    /// How many of its events are not settled yet.
    pub fn in_flight(&self) -> u64 {
        self.context.dedupe.in_flight(&self.name)
    }

    /// By which an event is known here.
    pub fn key_of(&self, identity: Identity) -> DedupKey {
        DedupKey {
            queue: self.name.clone(),
            identity,
        }
    }

    /// Takes the rows that are neither stored nor in flight.
    pub fn submit(&self, rows: Vec<PendingRow>, push: &PushedEvents<'_>) -> Submitted {
        let mut submitted = Submitted::default();
        let mut received = Counts::default();
        // Until the batches take them over.
        let mut claims = Claims::new(self.context.dedupe.clone());
        let mut new = Vec::with_capacity(rows.len());
        for pending in rows {
            match claims.claim(&pending.key) {
                Claim::Granted => {
                    received.received += 1;
                    received += pending.row.remarks(push.arrival);
                    submitted.notes += pending.row.notes;
                    new.push(pending);
                }
                Claim::StoredBefore => seen_once_more(&mut received),
                Claim::InFlight(batch) => submitted.duplicates.push((pending, batch)),
            }
        }
        self.context.count(|counts| *counts += received);
        submitted.batches = self.load(&new, &push.permit);
        submitted
    }

    fn load(&self, rows: &[PendingRow], permit: &InflightPermit) -> Vec<BatchWatcher> {
        if rows.is_empty() {
            return Vec::new();
        }
        let empty = self.begin();
        if !empty.has_room_for_all(rows) {
            return self.load_alone(rows, permit);
        }
        let mut open = self.open.lock();
        if open.as_ref().is_some_and(|open| !open.has_room_for_all(rows)) {
            self.seal(&mut open);
        }
        let is_first = open.is_none();
        let present = open.get_or_insert(empty);
        for pending in rows {
            present.add(pending);
        }
        present.permits.push(permit.clone());
        let batch = present.claims.watcher();
        if self.config.linger.is_zero() {
            self.seal(&mut open);
        } else if is_first {
            self.seal_later(batch.clone());
        }
        vec![batch]
    }

    /// A push of more than one batch is spooled whole before it is answered: none of it may come twice because the
    /// rest could not be stored.
    fn load_alone(&self, rows: &[PendingRow], permit: &InflightPermit) -> Vec<BatchWatcher> {
        let mut full = Vec::new();
        let mut open = self.begin();
        open.permits.push(permit.clone());
        for pending in rows {
            if !open.rows.has_room_for(&pending.row) {
                full.push(std::mem::replace(&mut open, self.begin()));
            }
            open.add(pending);
        }
        full.push(open);
        let batches = full.iter().map(|open| open.claims.watcher()).collect();
        let uploads = full.into_iter().filter_map(|open| self.upload_of(open)).collect();
        spawn_in_invocation(spool_then_upload(self.context.clone(), uploads));
        batches
    }

    fn begin(&self) -> OpenBatch {
        OpenBatch {
            rows: RowBatcher::new(&self.context.route),
            claims: Claims::new(self.context.dedupe.clone()),
            permits: Vec::new(),
            received_at: self.context.clock.now(),
            deadline: Deadline::after(self.config.upload_wait),
        }
    }

    /// Seals that batch after the linger time, unless it was sealed before.
    fn seal_later(&self, batch: BatchWatcher) {
        let queue = self.clone();
        spawn_in_invocation(async move {
            let _ = tokio::time::timeout(queue.config.linger, queue.context.shutdown.requested()).await;
            let mut open = queue.open.lock();
            if open.as_ref().is_some_and(|open| open.claims.watcher().is_same(&batch)) {
                queue.seal(&mut open);
            }
        });
    }

    fn seal(&self, open: &mut Option<OpenBatch>) {
        if let Some(upload) = open.take().and_then(|open| self.upload_of(open)) {
            spawn_in_invocation(upload_or_spool(upload));
        }
    }

    /// `None` for a batch without rows.
    fn upload_of(&self, mut open: OpenBatch) -> Option<BatchUpload> {
        let rows = open.rows.take()?;
        Some(BatchUpload {
            context: self.context.clone(),
            rows: Arc::new(rows),
            claims: open.claims,
            received_at: open.received_at,
            deadline: open.deadline,
            _permits: open.permits,
        })
    }
}

impl OpenBatch {
    fn has_room_for_all(&self, rows: &[PendingRow]) -> bool {
        self.rows.has_room_for_all(rows.iter().map(|pending| &pending.row))
    }

    /// There must be room for it.
    fn add(&mut self, pending: &PendingRow) {
        // What is remarkable about the row was counted when it came.
        self.rows.add(&pending.row, (), pending.row.time);
        self.claims.take_over(pending.key.clone());
    }
}
