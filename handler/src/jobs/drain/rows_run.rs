//! Rows that were acknowledged to a sender before the destination took them: one queue, one run.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;

use super::queue_order::QueueOrder;
use super::spool_drain::is_about_one_entry;
use crate::delivery::{DELIVERY_RESERVE, Sent, TableRoute, is_named, send_next};
use crate::delivery::{EventRow, RowBatch, RowBatcher, Settlement};
use crate::destination::{Batch, DeliveryError};
use crate::jobs::plan::DrainPlan;
use crate::json::{Kind, kind};
use crate::report::Cause;
use crate::report::{Outcome, StreamReport, TableReport};
use crate::state::{
    Counts, DeadLetter, DeadLetters, EntryKind, GuardedSpool, Holder, Key, Lease, LeaseAttempt, Place, SpoolEntry,
    Store, StoreError,
};
use crate::tables::RowContext;
use crate::time::{Clock, Deadline, Shutdown};

/// One run.
pub struct RowsRun<'a> {
    /// The queue and its table.
    pub plan: &'a DrainPlan,
    /// The state.
    pub store: &'a Arc<dyn Store>,
    /// The time.
    pub clock: &'a Arc<dyn Clock>,
    /// Who takes the lease.
    pub holder: &'a Holder,
    /// The end of the run.
    pub deadline: Deadline,
    /// The word that the process is to end.
    pub stop: &'a Shutdown,
}

/// The batches of an entry, and what of it could not become a row.
#[derive(Default)]
struct Unpacked {
    batches: Vec<RowBatch<()>>,
    letters: Vec<DeadLetter>,
}

/// What became of an entry.
enum EntryFate {
    /// There is nothing more to do for it in this run.
    Settled,
    /// So many rows of it are left, and whether they are at fault or the stream is not known.
    Doubted(u64, DeliveryError),
    /// It was not taken, and the others would not be either.
    Failed(DeliveryError),
}

/// Rows that stay in an entry.
#[derive(Clone, Default)]
struct Rest(Vec<u8>);

impl Rest {
    fn add(&mut self, batch: &Batch, rows: &[usize]) {
        for row in rows {
            self.0.push(if self.0.is_empty() { b'[' } else { b',' });
            self.0.extend_from_slice(batch.row(*row));
        }
    }

    fn add_all(&mut self, batch: &Batch) {
        self.add(batch, &(0..batch.rows).collect::<Vec<_>>());
    }

    fn entry(&self, at: DateTime<Utc>) -> SpoolEntry {
        let mut body = match self.0.is_empty() {
            true => "[".to_owned(),
            false => String::from_utf8_lossy(&self.0).into_owned(),
        };
        body.push(']');
        SpoolEntry {
            at,
            kind: EntryKind::Rows,
            held_until: None,
            body,
        }
    }
}

impl RowsRun<'_> {
    /// Delivers what waits, oldest first. `None` if nothing waits.
    pub async fn run(&self) -> Option<StreamReport> {
        let stream = self.plan.form.name().to_string();
        let table = self.plan.target.table.name();
        let mut report = StreamReport::new(stream);
        let waiting = match self.plan.spool.waiting(&table).await {
            Ok(waiting) if waiting.is_empty() => return None,
            Ok(waiting) => waiting,
            Err(error) => {
                let problem = error.problem_saying(format!("{} -> {table}: {error}", report.stream));
                return Some(StreamReport::failed(report.stream, problem));
            }
        };
        let mut counts = Counts::default();
        let outcome = self.drain(&waiting, &mut counts, &mut report).await;
        if let Err(error) = outcome {
            let message = format!("{} -> {table}: {error}", report.stream);
            report.problems.push(error.problem_saying(message));
        }
        if !report.problems.is_empty() {
            report.outcome = Outcome::Failed;
        }
        report.tables.push(TableReport {
            table: table.to_string(),
            counts,
            watermark: self.clock.now(),
        });
        Some(report)
    }

    async fn drain(&self, waiting: &[Key], counts: &mut Counts, report: &mut StreamReport) -> Result<(), StoreError> {
        let name = self.plan.form.name();
        let table = self.plan.target.table.name();
        let lease_name = self.plan.spool.queue_of(&table).replace('/', "-");
        let lease = match self.store.try_lease(&lease_name, self.holder).await? {
            LeaseAttempt::Taken(lease) => lease,
            LeaseAttempt::Held(held) => {
                report.outcome = Outcome::Held;
                report
                    .notices
                    .push(format!("{name} -> {table}: skipped, the lease on its spool is {held}"));
                return Ok(());
            }
        };
        let outcome = self.drain_under(&lease, waiting, counts, report).await;
        lease.give_back().await;
        outcome
    }

    async fn drain_under(
        &self,
        lease: &Lease,
        waiting: &[Key],
        counts: &mut Counts,
        report: &mut StreamReport,
    ) -> Result<(), StoreError> {
        let store = lease.guard(self.store.clone());
        let queue = self.plan.spool.guarded(store.clone());
        let dead_letters = DeadLetters::new(store);
        let name = self.plan.spool.queue_of(&self.plan.target.table.name());
        let mut target = self.plan.target.clone();
        target.record = target.record.since_doubt(&name);
        let mut order = QueueOrder::new(waiting, self.clock.now().timestamp().unsigned_abs());
        let mut ended = Ok(());
        while let Some(key) = order.next(target.record.fit()) {
            if self.stop.is_requested() || self.deadline.is_within_reserve(DELIVERY_RESERVE) {
                report.outcome = Outcome::BudgetEnded;
                break;
            }
            let work = (&target, &queue, &dead_letters);
            match self.take(&key, work, lease, (&mut *counts, &mut *report)).await {
                Ok(EntryFate::Settled) => order.settled(&key),
                Ok(EntryFate::Doubted(rows, error)) => order.doubted(&key, rows, error),
                Ok(EntryFate::Failed(error)) => {
                    self.note_waiting(error, report);
                    break;
                }
                Err(error) => {
                    ended = Err(error);
                    break;
                }
            }
        }
        let doubt = order.doubt();
        target.record.note_doubt(&name, doubt.is_some());
        if let Some((rows, error)) = doubt {
            counts.received += rows;
            counts.spooled += rows;
            self.note_waiting(error, report);
        }
        ended
    }

    fn note_waiting(&self, error: DeliveryError, report: &mut StreamReport) {
        let table = self.plan.target.table.name();
        let message = format!(
            "{} -> {table}: {error}; what was pushed waits in the spool",
            report.stream
        );
        report.problems.push(error.problem_saying(message));
    }

    /// One entry. One that is held, gone or unreadable is settled as far as this run can settle it.
    async fn take(
        &self,
        key: &Key,
        (target, queue, dead_letters): (&TableRoute, &GuardedSpool, &DeadLetters),
        lease: &Lease,
        (counts, report): (&mut Counts, &mut StreamReport),
    ) -> Result<EntryFate, StoreError> {
        let found = match queue.read(key).await {
            Ok(Some((entry, _))) if entry.is_held(self.clock.now()) => {
                report.held_until = report.held_until.max(entry.held_until);
                return Ok(EntryFate::Settled);
            }
            Ok(Some((entry, place))) => (place, entry),
            Ok(None) => return Ok(EntryFate::Settled),
            Err(error) => return self.unreadable(error, report),
        };
        lease.require()?;
        match self.deliver((target, queue, dead_letters), found, counts).await {
            Ok(fate) => Ok(fate),
            Err(error) => self.unreadable(error, report),
        }
    }

    /// Only one entry cannot be used: that is said, and the others are delivered.
    fn unreadable(&self, error: StoreError, report: &mut StreamReport) -> Result<EntryFate, StoreError> {
        if !is_about_one_entry(&error) {
            return Err(error);
        }
        let message = format!("{} -> {}: {error}", report.stream, self.plan.target.table.name());
        report.problems.push(error.problem_saying(message));
        Ok(EntryFate::Settled)
    }

    /// Sends one entry. What is left of it stays in its place, with the reason.
    async fn deliver(
        &self,
        (target, queue, dead_letters): (&TableRoute, &GuardedSpool, &DeadLetters),
        (place, entry): (Place, SpoolEntry),
        counts: &mut Counts,
    ) -> Result<EntryFate, StoreError> {
        let unpacked = self.unpack(&place.key, &entry)?;
        let mut sent = Counts {
            received: unpacked.elements(),
            ..Counts::default()
        };
        let outcome = self
            .send_entry((target, queue, place, &entry), &unpacked, dead_letters, &mut sent)
            .await;
        let left = sent.received - sent.delivered - sent.dead_lettered;
        match outcome {
            Ok(Some(error)) if error.is_about_rows_or_stream() => {
                // It is met again in this run, or counted at its end.
                sent.received -= left;
                *counts += sent;
                Ok(EntryFate::Doubted(left, error))
            }
            outcome => {
                if outcome.is_err() {
                    // The next entry must show first that what becomes of it can be written.
                    let name = self.plan.spool.queue_of(&self.plan.target.table.name());
                    target.record.note_writable(&name, false);
                }
                sent.spooled += left;
                *counts += sent;
                Ok(outcome?.map_or(EntryFate::Settled, EntryFate::Failed))
            }
        }
    }

    async fn send_entry(
        &self,
        (target, queue, mut place, entry): (&TableRoute, &GuardedSpool, Place, &SpoolEntry),
        unpacked: &Unpacked,
        dead_letters: &DeadLetters,
        counts: &mut Counts,
    ) -> Result<Option<DeliveryError>, StoreError> {
        let (now, name) = (self.clock.now(), self.plan.form.name());
        let queue_name = self.plan.spool.queue_of(&self.plan.target.table.name());
        if !target.record.is_writable(&queue_name) {
            place = queue.rewrite(&place, entry).await?;
            target.record.note_writable(&queue_name, true);
        }
        dead_letters.keep(name, &unpacked.letters, now).await?;
        counts.dead_lettered += unpacked.letters.len() as u64;
        let mut rest = Rest::default();
        let mut problem = None;
        let mut not_kept = Ok(());
        // The turn ends after what was accepted is out of the entry.
        let mut last_sent: Option<Sent> = None;
        for (number, rows) in unpacked.batches.iter().enumerate() {
            let later = unpacked.batches.get(number + 1..).unwrap_or_default();
            let is_late = number > 0 && self.deadline.is_within_reserve(DELIVERY_RESERVE);
            let has_failed = problem
                .as_ref()
                .is_some_and(|error: &DeliveryError| !error.is_about_rows_or_stream());
            if has_failed || is_late || self.stop.is_requested() || not_kept.is_err() {
                rest.add_all(&rows.batch);
            } else {
                let sent = send_next(last_sent.take(), target, &rows.batch, self.deadline, self.stop).await;
                let mut settlement = Settlement::of(rows, &sent.delivery);
                // What cannot be set aside stays, and what was accepted is taken out all the same.
                not_kept = settlement.keep_refused(dead_letters, name, now).await;
                *counts += settlement.counts;
                rest.add(&rows.batch, &settlement.open);
                problem = settlement.error.or(problem);
                last_sent = Some(sent);
            }
            // A kill doubles the batch that is on its way, and none of those before it.
            if problem.is_none() && !later.is_empty() && last_sent.is_some() {
                let mut all = rest.clone();
                later.iter().for_each(|rows| all.add_all(&rows.batch));
                place = queue.rewrite(&place, &all.entry(entry.at)).await?;
            }
        }
        if rest.0.is_empty() {
            take_out(queue, &place, entry).await?;
            return Ok(problem);
        }
        let rest = rest.entry(entry.at);
        if rest != *entry {
            queue.rewrite(&place, &rest).await?;
        }
        not_kept.map(|()| problem)
    }

    fn unpack(&self, key: &Key, entry: &SpoolEntry) -> Result<Unpacked, StoreError> {
        let elements: Vec<&RawValue> = serde_json::from_str(&entry.body).map_err(|error| StoreError::Damaged {
            key: key.to_string(),
            reason: error.to_string(),
        })?;
        let (target, form) = (&self.plan.target, &self.plan.form);
        let context = RowContext {
            arrival: entry.at,
            given: &[],
        };
        let now = self.clock.now();
        let mut batcher = RowBatcher::new(target);
        let mut unpacked = Unpacked::default();
        for element in elements.into_iter().map(RawValue::get) {
            let is_row = entry.kind == EntryKind::Rows && kind(element) == Kind::Object;
            let is_named = || form.is_named_by_content() || is_named(element, &form.key_of(element));
            let row = match is_row {
                true => Ok(EventRow::made_before(element, entry.at)),
                false => EventRow::of_event(&target.table, element, context, is_named),
            };
            match row {
                Ok(row) => unpacked.batches.extend(batcher.add(&row, (), now)),
                Err(why) => unpacked.letters.push(why.letter(element, &target.table.name())),
            }
        }
        unpacked.batches.extend(batcher.take());
        Ok(unpacked)
    }
}

impl Unpacked {
    fn elements(&self) -> u64 {
        let rows: usize = self.batches.iter().map(|rows| rows.batch.rows).sum();
        (rows + self.letters.len()) as u64
    }
}

/// An entry of which nothing is left. Where it cannot be removed it is emptied, so that nothing of it is sent again.
async fn take_out(queue: &GuardedSpool, place: &Place, entry: &SpoolEntry) -> Result<(), StoreError> {
    let Err(error) = queue.remove(&place.key, entry.body.len()).await else {
        return Ok(());
    };
    let nothing = Rest::default().entry(entry.at);
    // Whether that works or not, the store is failing.
    let _ = queue.rewrite(place, &nothing).await;
    Err(error)
}
