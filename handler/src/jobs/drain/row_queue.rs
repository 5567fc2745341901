//! Rows that were acknowledged to a sender before the destination took them: one queue, one run.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;

use super::pushed_events::{events_of, is_about_one_entry};
use super::queue_order::QueueOrder;
use crate::delivery::{BatchSender, DELIVERY_RESERVE, Sent, StreamContext, TableRoute, is_named};
use crate::delivery::{EventRow, RowBatch, RowBatcher, Settlement};
use crate::destination::{Batch, DeliveryError};
use crate::jobs::job_context::JobContext;
use crate::jobs::plan::DrainPlan;
use crate::json::{Kind, kind};
use crate::report::{Outcome, StreamReport};
use crate::state::{
    Counts, DeadLetter, EntryKind, EntryPlace, GuardedSpool, Key, LeaseAttempt, SpoolEntry, StoreError,
};
use crate::tables::RowContext;
use crate::time::Deadline;

/// Delivers what waits in a queue of rows, oldest first, under a lease of its own. `None` if nothing waits.
pub async fn drain_rows(plan: &DrainPlan, jobs: &JobContext, deadline: Deadline) -> Option<StreamReport> {
    let (name, table) = (plan.form.name(), plan.target.table.name());
    let mut report = StreamReport::new(name);
    let waiting = match plan.spool.waiting(&table).await {
        Ok(waiting) if waiting.is_empty() => return None,
        Ok(waiting) => waiting,
        Err(error) => {
            report.fail_table(&table, &error);
            return Some(report.concluded());
        }
    };
    let lease_name = plan.spool.queue_of(&table).replace('/', "-");
    let mut counts = Counts::default();
    match jobs.store.try_lease(&lease_name, &jobs.holder).await {
        Ok(LeaseAttempt::Taken(lease)) => {
            let context = jobs.context_of(&lease, name, deadline);
            let mut queue = RowQueue::new(plan, &context);
            queue.drain(&waiting).await;
            report.absorb(queue.report);
            counts = queue.counts;
            lease.release().await;
        }
        Ok(LeaseAttempt::Held(held)) => {
            report.outcome = Outcome::Held;
            report
                .notices
                .push(format!("{name} -> {table}: skipped, the lease on its spool is {held}"));
        }
        Err(error) => report.fail_table(&table, &error),
    }
    report.add_table(&table, counts, jobs.clock.now());
    Some(report.concluded())
}

/// A queue in the hands of the holder of its lease.
struct RowQueue<'a> {
    plan: &'a DrainPlan,
    context: &'a StreamContext<'a>,
    spool: GuardedSpool,
    /// The table, with what is known of it since rows of this queue were refused.
    target: TableRoute,
    name: String,
    counts: Counts,
    report: StreamReport,
}

/// The batches of an entry, and what of it could not become a row.
#[derive(Default)]
struct Unpacked {
    batches: Vec<RowBatch<()>>,
    letters: Vec<DeadLetter>,
}

/// What became of an entry.
enum EntryOutcome {
    /// There is nothing more to do for it in this run.
    Settled,
    /// So many rows of it are left, and whether they are at fault or the stream is not known.
    Doubted(u64, DeliveryError),
    /// It was not taken, and the others would not be either.
    Failed(DeliveryError),
}

/// An entry while its batches are sent.
struct EntryDelivery<'e> {
    entry: &'e SpoolEntry,
    place: EntryPlace,
    /// Rows that stay in it.
    rest: Rest,
    counts: Counts,
    /// Why rows stay.
    error: Option<DeliveryError>,
    /// The send lock is held until what was accepted is out of the entry.
    last_sent: Option<Sent>,
}

/// Rows that stay in an entry.
#[derive(Clone, Default)]
struct Rest(Vec<String>);

impl Rest {
    fn add(&mut self, batch: &Batch, rows: impl IntoIterator<Item = usize>) {
        let rows = rows.into_iter().map(|row| String::from_utf8_lossy(batch.row(row)));
        self.0.extend(rows.map(Cow::into_owned));
    }

    fn add_all(&mut self, batch: &Batch) {
        self.add(batch, 0..batch.rows);
    }

    fn entry(&self, at: DateTime<Utc>) -> SpoolEntry {
        SpoolEntry {
            at,
            kind: EntryKind::Rows,
            held_until: None,
            body: format!("[{}]", self.0.join(",")),
        }
    }
}

impl<'a> RowQueue<'a> {
    fn new(plan: &'a DrainPlan, context: &'a StreamContext<'a>) -> Self {
        let name = plan.spool.queue_of(&plan.target.table.name());
        let mut target = plan.target.clone();
        target.record = target.record.since_doubt(&name);
        Self {
            plan,
            context,
            spool: plan.spool.guarded(context.store.clone()),
            target,
            name,
            counts: Counts::default(),
            report: StreamReport::new(context.stream),
        }
    }

    async fn drain(&mut self, waiting: &[Key]) {
        let table = self.target.table.name();
        let mut order = QueueOrder::new(waiting, self.context.now.timestamp().unsigned_abs());
        while let Some(key) = order.next(self.target.record.fit()) {
            if self.is_over() {
                self.report.outcome = Outcome::BudgetEnded;
                break;
            }
            match self.take(&key).await {
                Ok(EntryOutcome::Settled) => order.settled(&key),
                Ok(EntryOutcome::Doubted(rows, error)) => order.doubted(&key, rows, error),
                Ok(EntryOutcome::Failed(error)) => {
                    self.note_waiting(&error);
                    break;
                }
                Err(error) => {
                    self.report.fail_table(&table, &error);
                    // Where only one entry cannot be used the others are delivered.
                    if !is_about_one_entry(&error) {
                        break;
                    }
                    order.settled(&key);
                }
            }
        }
        let doubt = order.doubt();
        self.target.record.note_doubt(&self.name, doubt.is_some());
        if let Some((rows, error)) = doubt {
            self.counts.received += rows;
            self.counts.spooled += rows;
            self.note_waiting(&error);
        }
    }

    fn is_over(&self) -> bool {
        self.context.shutdown.is_requested() || self.context.deadline.is_within_reserve(DELIVERY_RESERVE)
    }

    fn note_waiting(&mut self, error: &DeliveryError) {
        let table = self.target.table.name();
        self.report
            .fail_table_saying(&table, error, "; what was pushed waits in the spool");
    }

    /// One entry. One that is held or gone is settled as far as this run can settle it.
    async fn take(&mut self, key: &Key) -> Result<EntryOutcome, StoreError> {
        let Some((entry, place)) = self.spool.read(key).await? else {
            return Ok(EntryOutcome::Settled);
        };
        if entry.is_held(self.context.clock.now()) {
            self.report.held_until = self.report.held_until.max(entry.held_until);
            return Ok(EntryOutcome::Settled);
        }
        self.context.lease.require()?;
        self.deliver(place, &entry).await
    }

    /// Sends one entry. What is left of it stays in its place, with the reason.
    async fn deliver(&mut self, place: EntryPlace, entry: &SpoolEntry) -> Result<EntryOutcome, StoreError> {
        let unpacked = self.unpack(&place.key, entry)?;
        let mut delivery = EntryDelivery {
            entry,
            place,
            rest: Rest::default(),
            counts: Counts {
                received: unpacked.elements(),
                ..Counts::default()
            },
            error: None,
            last_sent: None,
        };
        let sent = self.send(&unpacked, &mut delivery).await;
        let EntryDelivery { mut counts, error, .. } = delivery;
        let left = counts.received - counts.delivered - counts.dead_lettered;
        let outcome = match (sent, error) {
            (Ok(()), Some(error)) if error.is_about_rows_or_stream() => {
                // It is met again in this run, or counted at its end.
                counts.received -= left;
                Ok(EntryOutcome::Doubted(left, error))
            }
            (sent, error) => {
                if sent.is_err() {
                    // The next entry must show first that what becomes of it can be written.
                    self.target.record.note_writable(&self.name, false);
                }
                counts.spooled += left;
                sent.map(|()| error.map_or(EntryOutcome::Settled, EntryOutcome::Failed))
            }
        };
        self.counts += counts;
        outcome
    }

    async fn send(&self, unpacked: &Unpacked, delivery: &mut EntryDelivery<'_>) -> Result<(), StoreError> {
        if !self.target.record.is_writable(&self.name) {
            delivery.place = self.spool.rewrite(&delivery.place, delivery.entry).await?;
            self.target.record.note_writable(&self.name, true);
        }
        let StreamContext {
            dead_letters, stream, ..
        } = self.context;
        let (letters, now) = (&unpacked.letters, self.context.clock.now());
        dead_letters.keep(stream, letters, now).await?;
        delivery.counts.dead_lettered += letters.len() as u64;
        let mut kept = Ok(());
        for (number, rows) in unpacked.batches.iter().enumerate() {
            let is_late = number > 0 && self.context.deadline.is_within_reserve(DELIVERY_RESERVE);
            let error = delivery.error.as_ref();
            let has_failed = error.is_some_and(|error| !error.is_about_rows_or_stream());
            if has_failed || is_late || self.context.shutdown.is_requested() || kept.is_err() {
                delivery.rest.add_all(&rows.batch);
            } else {
                kept = self.send_batch(rows, delivery).await;
            }
            // A kill doubles the batch that is on its way, and none of those before it.
            let later = unpacked.batches.get(number + 1..).unwrap_or_default();
            if delivery.error.is_none() && !later.is_empty() && delivery.last_sent.is_some() {
                let mut all = delivery.rest.clone();
                later.iter().for_each(|rows| all.add_all(&rows.batch));
                let rest = all.entry(delivery.entry.at);
                delivery.place = self.spool.rewrite(&delivery.place, &rest).await?;
            }
        }
        self.leave(delivery).await?;
        kept
    }

    /// What cannot be set aside stays, and what was accepted is taken out all the same.
    async fn send_batch(&self, rows: &RowBatch<()>, delivery: &mut EntryDelivery<'_>) -> Result<(), StoreError> {
        let sender = BatchSender {
            route: &self.target,
            deadline: self.context.deadline,
            shutdown: self.context.shutdown,
        };
        let sent = sender.send_next(delivery.last_sent.take(), &rows.batch).await;
        let mut settlement = Settlement::of(rows, &sent.delivery);
        let StreamContext {
            dead_letters, stream, ..
        } = self.context;
        let now = self.context.clock.now();
        let kept = settlement.keep_refused(dead_letters, stream, now).await;
        delivery.counts += settlement.counts;
        delivery.rest.add(&rows.batch, settlement.open);
        delivery.error = settlement.error.or(delivery.error.take());
        delivery.last_sent = Some(sent);
        kept
    }

    /// What is left of the entry is written in its place. If nothing is left it is removed.
    async fn leave(&self, delivery: &mut EntryDelivery<'_>) -> Result<(), StoreError> {
        let EntryDelivery { entry, place, rest, .. } = delivery;
        let left = rest.entry(entry.at);
        if !rest.0.is_empty() {
            if left != **entry {
                self.spool.rewrite(place, &left).await?;
            }
            return Ok(());
        }
        let removed = self.spool.remove(&place.key, entry.body.len()).await;
        if removed.is_err() {
            // It is emptied, so that nothing of it is sent again. Whether that works or not, the store is failing.
            let _ = self.spool.rewrite(place, &left).await;
        }
        removed
    }

    fn unpack(&self, key: &Key, entry: &SpoolEntry) -> Result<Unpacked, StoreError> {
        let elements = events_of(key, entry)?;
        let form = &self.plan.form;
        let context = RowContext {
            arrival: entry.at,
            constant_fields: &[],
        };
        let now = self.context.clock.now();
        let mut batcher = RowBatcher::new(&self.target);
        let mut unpacked = Unpacked::default();
        for element in elements.into_iter().map(RawValue::get) {
            let is_row = entry.kind == EntryKind::Rows && kind(element) == Kind::Object;
            let is_named = || form.is_named_by_content || is_named(element, &form.key_of(element));
            let row = match is_row {
                true => Ok(EventRow::made_before(element, entry.at)),
                false => EventRow::of_event(&self.target, element, context, is_named),
            };
            match row {
                Ok(row) => unpacked.batches.extend(batcher.add(&row, (), now)),
                Err(why) => unpacked.letters.push(why.letter(element, &self.target.table.name())),
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
