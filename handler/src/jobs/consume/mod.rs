//! A stream where reading consumes: nothing is taken that is not on our disk before it is touched.

mod delivery;
mod progress;
mod spool_fallback;
mod taking;

use std::time::Duration;

use chrono::TimeDelta;

use self::delivery::{ReplyDelivery, SpooledReply};
use self::progress::ConsumeProgress;
use self::taking::ReplyTaker;
use crate::delivery::{DELIVERY_RESERVE, StreamContext};
use crate::jobs::drain::pushed_events::is_about_one_entry;
use crate::jobs::drain::queue_order::sample;
use crate::jobs::plan::ConsumePlan;
use crate::jobs::poll::loading::load_identities;
use crate::jobs::poll::window::{PollRules, before, no_later_than};
use crate::report::StreamReport;
use crate::state::{Counts, Intent, Spool, StoreError};

/// Identities guard an entry that was delivered when a crash kept it in the spool. What waits longer than this, delivered
/// in part, is guarded until it is gone.
const IDENTITIES_KEPT: Duration = Duration::from_secs(3600);
const SAVE_UNCHANGED_EVERY: TimeDelta = TimeDelta::minutes(10);

pub struct ConsumeRun<'a> {
    pub plan: &'a ConsumePlan,
    pub rules: PollRules,
    /// The state, the time and the lease on the subscription. The spool takes a reply also when the lease is lost: nobody
    /// else has it.
    pub context: &'a StreamContext<'a>,
    /// False where only what waits in the spool is delivered.
    pub reads: bool,
}

impl<'a> ConsumeRun<'a> {
    /// Drains what waits, then takes replies until the vendor has none.
    pub async fn run(&self) -> StreamReport {
        let mut progress = match ConsumeProgress::load(self.plan, self.rules, self.context).await {
            Ok(progress) => progress,
            Err(error) => {
                let mut report = StreamReport::new(self.context.stream);
                report.fail(&error);
                return report.concluded();
            }
        };
        if let Err(error) = self.run_into(&mut progress).await {
            progress.report.fail(&error);
        }
        progress.report.concluded()
    }

    async fn run_into(&self, progress: &mut ConsumeProgress<'a>) -> Result<(), StoreError> {
        let context = self.context;
        let intent = Intent::new(context.store.clone(), context.stream);
        if let Some(at) = intent.unfinished().await? {
            let what = "a reply was being taken when the process ended, and it is not known whether the vendor gave \
                        events away";
            progress.note_possible_loss(at, what).await?;
            intent.clear().await?;
        }
        let folder = progress.checkpoints.identities_of(&self.plan.target.table.name());
        let mut delivery = ReplyDelivery::new(self.plan, context, load_identities(context, folder).await?);
        self.drain(&mut delivery, progress).await?;
        // What waited before: its events, tried or not.
        let waited = Counts {
            received: delivery.received(),
            ..delivery.writer.counts
        };
        let taken = match self.reads {
            true => {
                let mut taker = ReplyTaker {
                    plan: self.plan,
                    context,
                    intent: &intent,
                    delivery: &mut delivery,
                    progress,
                };
                taker.take_all().await
            }
            false => Ok(()),
        };
        delivery.settle_doubts().await;
        let removed = delivery.remove_settled().await;
        // What was counted is saved also where taking ended with an error.
        let saved = self.save(delivery, waited, progress).await;
        taken.and(removed).and(saved)
    }

    /// What waits in the spool, oldest first.
    async fn drain(
        &self,
        delivery: &mut ReplyDelivery<'_>,
        progress: &mut ConsumeProgress<'_>,
    ) -> Result<(), StoreError> {
        let context = self.context;
        let waiting = delivery.queue.waiting(&self.plan.target.table.name()).await?;
        delivery.oldest_waiting = waiting.first().and_then(Spool::time_of);
        let mut tried_behind = None;
        for (number, key) in waiting.iter().enumerate() {
            // A reply that is not looked at counts as one event.
            let unread = (waiting.len() - number) as u64;
            if context.shutdown.is_requested() || context.deadline.is_within_reserve(DELIVERY_RESERVE) {
                delivery.untried += unread;
                if !context.shutdown.is_requested() {
                    progress.note_out_of_time("replies still wait in the spool");
                }
                break;
            }
            if delivery.let_go.is_some() && delivery.stopped.is_none() {
                let seed = context.now.timestamp().unsigned_abs();
                let chosen = tried_behind.get_or_insert_with(|| sample(&waiting[number..], seed));
                if !chosen.contains(key) {
                    delivery.untried += 1;
                    delivery.waiting += 1;
                    continue;
                }
            }
            let entry = match delivery.queue.read(key).await {
                Ok(Some((entry, _))) => entry,
                Ok(None) => continue,
                Err(error) if is_about_one_entry(&error) => {
                    progress.report.fail(&error);
                    delivery.untried += 1;
                    continue;
                }
                Err(error) => return Err(error),
            };
            delivery.deliver(SpooledReply::parse(self.plan, key, &entry)).await?;
        }
        Ok(())
    }

    async fn save(
        &self,
        mut delivery: ReplyDelivery<'_>,
        waited: Counts,
        progress: &mut ConsumeProgress<'_>,
    ) -> Result<(), StoreError> {
        let (table, now) = (self.plan.target.table.name(), self.context.now);
        let left = delivery.writer.final_counts();
        // What is not delivered is still in the spool.
        let counts = Counts {
            received: delivery.received() - waited.received,
            taken_up: waited.received,
            spooled: left.in_flight + delivery.untried,
            in_flight: 0,
            ..left
        };
        let Some(position) = progress.checkpoints.current.tables.get_mut(&*table) else {
            return Ok(());
        };
        position.watermark = progress.emptied_at.unwrap_or(position.watermark);
        // What is seen again in a reply that waited was counted when it was delivered.
        position.counts.add_run(Counts {
            seen_before: counts.seen_before - waited.seen_before,
            ..counts
        });
        let watermark = position.watermark;
        progress.report.read_to.insert(table.to_string(), watermark);
        progress.report.add_table(&table, counts, watermark);
        if let Some(error) = &delivery.stopped {
            let consequence = format!("; {} replies wait in the spool", delivery.waiting);
            progress.report.fail_table_saying(&table, error, &consequence);
        }
        let is_due = now - progress.checkpoints.current.saved_at >= SAVE_UNCHANGED_EVERY;
        if counts.received + counts.taken_up > 0 || is_due {
            progress.checkpoints.save(self.context.lease, now).await?;
            // Events are remembered under the time of their reply.
            let kept_from = before(now, IDENTITIES_KEPT);
            let kept_from = no_later_than(kept_from, delivery.oldest_waiting);
            delivery.writer.identities.compact(kept_from).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use async_trait::async_trait;
    use parking_lot::Mutex;
    use serde_json::Value;

    use super::*;
    use crate::destination::{Batch, Delivery, DeliveryError, Destination, ProbeError, StreamFit};
    use crate::jobs::testing::{CONSUMED_TABLE, RowKeeper, TestRun};
    use crate::state::{EntryKind, SpoolEntry};
    use crate::time::Deadline;

    /// Takes the first row of a batch and loses the others, until it is well.
    #[derive(Default)]
    struct Faltering {
        rows: Mutex<Vec<Value>>,
        is_well: AtomicBool,
    }

    #[async_trait]
    impl Destination for Faltering {
        async fn deliver(&self, batch: &Batch, _: StreamFit, _: Deadline) -> Delivery {
            let mut rows: Vec<Value> = serde_json::from_slice(&batch.body).unwrap();
            if self.is_well.load(Ordering::Relaxed) {
                self.rows.lock().append(&mut rows);
                return Delivery::whole(batch.rows);
            }
            self.rows.lock().extend(rows.into_iter().next());
            Delivery {
                accepted: vec![0],
                error: Some(DeliveryError::OutOfTime {
                    table: batch.table.to_string(),
                    rows: batch.rows - 1,
                    last: None,
                }),
                ..Delivery::default()
            }
        }

        async fn probe(&self, _: &Arc<str>, _: Deadline) -> Result<String, ProbeError> {
            Ok(String::new())
        }
    }

    const RULES: PollRules = PollRules {
        lookback: Duration::ZERO,
        overlap: Duration::ZERO,
        settle: Duration::ZERO,
        concurrency: 1,
    };

    #[tokio::test(start_paused = true)]
    async fn a_torn_reply_that_no_spool_takes_is_noted_as_a_possible_loss_before_its_intent_goes() {
        let run = TestRun::new().await;
        let destination = Arc::new(RowKeeper::default());
        let consume = async |reply| {
            let (plan, context) = (run.plan_of_reply(destination.clone(), reply), run.context());
            let consume = ConsumeRun {
                plan: &plan,
                rules: RULES,
                context: &context,
                reads: true,
            };
            consume.run().await
        };
        consume(None).await;
        for prefix in ["spool", "checkpoints"] {
            run.store.stop_writing(prefix);
        }
        consume(Some(r#"[{"id":"a","source":"x"},{"id":"b","sou"#)).await;
        assert_eq!(destination.rows.lock().len(), 1);
        let intent = Intent::new(run.store.clone(), &run.stream);
        assert_eq!(intent.unfinished().await.unwrap(), Some(run.clock.now()));
    }

    #[tokio::test(start_paused = true)]
    async fn every_list_that_breaks_off_is_a_possible_loss_of_its_own_though_no_event_of_it_is_whole() {
        let run = TestRun::new().await;
        let mut losses = 0;
        for reply in [r#"[{"id":"a","sou"#, r#"[{"id":"b","#, "<html>", "<html>"] {
            let (plan, context) = (
                run.plan_of_reply(Arc::<RowKeeper>::default(), Some(reply)),
                run.context(),
            );
            let consume = ConsumeRun {
                plan: &plan,
                rules: RULES,
                context: &context,
                reads: true,
            };
            losses += consume.run().await.possible_losses.len();
        }
        // What is no list counts once as long as it lasts.
        assert_eq!(losses, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_delivered_of_a_reply_that_waits_for_hours_is_not_delivered_again() {
        let run = TestRun::new().await;
        let destination = Arc::new(Faltering::default());
        let plan = run.consume_plan(destination.clone());
        let entry = SpoolEntry {
            at: run.clock.now() - TimeDelta::hours(3),
            kind: EntryKind::Reply,
            held_until: None,
            body: r#"[{"id":"a","source":"x"},{"id":"b","source":"y"}]"#.to_owned(),
        };
        run.spool.add(CONSUMED_TABLE, &entry).await.unwrap();
        for is_well in [false, true] {
            destination.is_well.store(is_well, Ordering::Relaxed);
            let context = run.context();
            let consume = ConsumeRun {
                plan: &plan,
                rules: RULES,
                context: &context,
                reads: false,
            };
            consume.run().await;
        }
        let ids: Vec<Value> = destination.rows.lock().iter().map(|row| row["Id"].clone()).collect();
        assert_eq!(ids, ["a", "b"]);
    }
}
