//! Events that were pushed to a stream that is polled too: delivered under the stream's lease, through its identities.

use std::collections::VecDeque;

use serde_json::value::RawValue;

use super::pushed_events::{PushedCounterparts, events_of, is_about_one_entry};
use super::queue_order::sample;
use crate::delivery::{DELIVERY_RESERVE, IncomingEvent, StreamContext, TableWriteError, TableWriter};
use crate::event::Identity;
use crate::sources::{EventKey, WebhookFormat, Window};
use crate::state::{Counts, GuardedSpool, Key, StoreError};
use crate::time::Deadline;

/// Entries that are sent together and then removed.
const ENTRIES_AT_ONCE: usize = 200;
/// And bytes of them, so that few large ones are not removed late.
const BYTES_AT_ONCE: usize = 16 << 20;

pub struct SpoolDrain<'a> {
    pub spool: &'a GuardedSpool,
    pub form: &'a WebhookFormat,
    /// The time of the run: delivered events are remembered under it, because that is when their repetition begins to
    /// be possible.
    pub context: &'a StreamContext<'a>,
    /// Where events are known again by something else than their identity.
    pub counterparts: Option<&'a mut PushedCounterparts>,
    /// Nothing is begun later.
    pub begin_until: Deadline,
    pub writer: TableWriter<'a>,
    /// Entries that cannot be read; they stay where they are, and the others are delivered.
    pub damaged: Vec<StoreError>,
    /// What the entries held that were removed: all events are received, those from before the run were seen before.
    pub removed: Counts,
}

/// An entry whose events the writer has.
struct Offered {
    key: Key,
    bytes: usize,
    holds: Counts,
    identities: Vec<Identity>,
}

/// How far a queue was emptied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// Nothing waits any more, but what is damaged.
    Whole,
    /// The time was over, or the process is to end.
    InPart,
    /// The time was over before anything was begun.
    NotBegun,
}

impl SpoolDrain<'_> {
    /// Delivers oldest first. An entry is removed after its events are delivered.
    pub async fn run(&mut self, waiting: Vec<Key>) -> Result<Drained, TableWriteError> {
        self.writer.are_named_by_content |= self.form.is_named_by_content;
        match self.is_over() && !self.context.shutdown.is_requested() {
            true => Ok(Drained::NotBegun),
            false => self.drain(waiting.into()).await,
        }
    }

    fn is_over(&self) -> bool {
        self.begin_until.is_within_reserve(DELIVERY_RESERVE) || self.context.shutdown.is_requested()
    }

    async fn drain(&mut self, mut waiting: VecDeque<Key>) -> Result<Drained, TableWriteError> {
        let mut let_go = None;
        // Entries of which rows are held by the writer.
        let mut doubted = Vec::new();
        let mut doubt = None;
        while !waiting.is_empty() && !self.is_over() {
            let (offered, outcome) = self.offer_round(&mut waiting).await?;
            if let Some(counterparts) = &mut self.counterparts {
                counterparts.records.save().await?;
            }
            doubted.extend(offered);
            let flushed = match outcome {
                Ok(()) => self.writer.flush().await,
                Err(error) => Err(error),
            };
            match flushed {
                Ok(()) => {
                    doubt = None;
                    self.remove(std::mem::take(&mut doubted)).await?;
                }
                // One bad entry does not hold up those behind it, and one of them may show that the stream fits.
                Err(error) if error.is_doubt() && self.writer.is_in_doubt() => {
                    doubt = Some(error);
                    let is_held = |entry: &Offered| entry.identities.iter().any(|event| self.writer.holds(event));
                    let (held, settled) = doubted.into_iter().partition(is_held);
                    doubted = held;
                    self.remove(settled).await?;
                }
                // More rows are in doubt than can be held. Their entries stay as they are for the next run, and of those
                // behind them some are tried: one row that is taken shows that the stream fits.
                Err(error) if error.is_doubt() => {
                    let_go = Some(error);
                    doubted.clear();
                    let seed = self.context.now.timestamp().unsigned_abs();
                    waiting = sample(waiting.make_contiguous(), seed);
                }
                Err(error) => return Err(error),
            }
        }
        match doubt.or(let_go) {
            Some(error) => Err(error),
            None if waiting.is_empty() => Ok(Drained::Whole),
            None => Ok(Drained::InPart),
        }
    }

    /// Gives the writer the events of the next entries, and says whether it let go of rows that were in doubt, more than
    /// can be held.
    async fn offer_round(
        &mut self,
        waiting: &mut VecDeque<Key>,
    ) -> Result<(Vec<Offered>, Result<(), TableWriteError>), TableWriteError> {
        let mut offered = Vec::new();
        let mut bytes = 0;
        while offered.len() < ENTRIES_AT_ONCE && bytes < BYTES_AT_ONCE && !self.is_over() {
            let Some(key) = waiting.pop_front() else { break };
            match self.offer_entry(key).await {
                Ok(None) => {}
                Ok(Some(entry)) => {
                    bytes += entry.bytes;
                    offered.push(entry);
                }
                Err(TableWriteError::Store(error)) if is_about_one_entry(&error) => self.damaged.push(error),
                Err(error) if error.is_doubt() => return Ok((offered, Err(error))),
                Err(error) => return Err(error),
            }
        }
        Ok((offered, Ok(())))
    }

    async fn remove(&mut self, entries: Vec<Offered>) -> Result<(), StoreError> {
        for Offered { key, bytes, holds, .. } in entries {
            self.spool.remove(&key, bytes).await?;
            self.removed += holds;
        }
        Ok(())
    }

    /// `None` if the entry is gone.
    async fn offer_entry(&mut self, key: Key) -> Result<Option<Offered>, TableWriteError> {
        let Some((entry, _)) = self.spool.read(&key).await? else {
            return Ok(None);
        };
        let events = events_of(&key, &entry)?;
        if let Some(counterparts) = &mut self.counterparts {
            counterparts.note_pushed(&events, entry.at);
        }
        let (table, now, before) = (self.writer.table(), self.context.now, self.writer.counts);
        let mut identities = Vec::with_capacity(events.len());
        for event in events.into_iter().map(RawValue::get) {
            let identity = self.form.key_of(event).identity;
            identities.push(identity);
            let counterparts = self.counterparts.as_mut().map(|all| &mut all.records);
            let counterparts = counterparts.filter(|records| records.has_counterpart_in(&table, &identity));
            if let Some(counterparts) = counterparts
                && !self.writer.knows(&identity)
            {
                // Stored before the event is remembered as needless, also where the round fails: else what it stands for
                // could be taken for the counterpart of another push, which would be needless as well.
                counterparts.save().await?;
                self.writer.pass_over(identity, now);
                continue;
            }
            let event = IncomingEvent {
                text: event,
                key: EventKey { identity, time: None },
                window: Window { from: now, to: now },
                arrival: entry.at,
            };
            self.writer.offer(event).await?;
        }
        Ok(Some(Offered {
            key,
            bytes: entry.body.len(),
            holds: self.writer.counts.since(before),
            identities,
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::delivery::Counterparts;
    use crate::event::StreamName;
    use crate::jobs::testing::{RowKeeper, TestRun, route};
    use crate::sources::CounterpartRule;
    use crate::state::{EntryKind, Identities, SpoolEntry};

    const TABLE: &str = "PingOne_AuditActivities_CL";

    fn by_content(name: StreamName) -> WebhookFormat {
        let key_of = |event: &str| EventKey {
            identity: Identity::of_content(event),
            time: None,
        };
        WebhookFormat {
            name,
            key_of,
            repeats_for: Duration::from_secs(3600),
            is_named_by_content: true,
            repeats_what_is_refused: false,
        }
    }

    fn event(id: &str) -> String {
        format!("{{\"id\":\"{id}\"}}")
    }

    /// Events by their ids, pushed so many hours before the run.
    async fn wait(run: &TestRun, ids: &[&str], hours: i64) -> Key {
        let events: Vec<String> = ids.iter().map(|id| event(id)).collect();
        let entry = SpoolEntry {
            at: run.clock.now() - chrono::TimeDelta::hours(hours),
            kind: EntryKind::Events,
            held_until: None,
            body: format!("[{}]", events.join(",")),
        };
        run.spool.add(TABLE, &entry).await.unwrap().key
    }

    /// Delivers what waits; the event `known` was delivered before.
    async fn drain(run: &TestRun, destination: Arc<RowKeeper>) -> (Result<Drained, TableWriteError>, Counts) {
        drain_beside(run, destination, None).await
    }

    async fn drain_beside(
        run: &TestRun,
        destination: Arc<RowKeeper>,
        counterparts: Option<&mut PushedCounterparts>,
    ) -> (Result<Drained, TableWriteError>, Counts) {
        let mut identities = Identities::load(run.store.clone(), Key::new(["ids"])).await.unwrap();
        let known = vec![(Identity::of_content(&event("known")), run.clock.now())];
        identities.append(known).await.unwrap();
        let (context, route) = (run.context(), route(TABLE, destination));
        let (form, spool) = (by_content(run.stream.clone()), run.spool.guarded(run.store.clone()));
        let waiting = spool.waiting(TABLE).await.unwrap();
        let mut drain = SpoolDrain {
            spool: &spool,
            form: &form,
            context: &context,
            counterparts,
            begin_until: context.deadline,
            writer: TableWriter::new(&route, identities, &context),
            damaged: Vec::new(),
            removed: Counts::default(),
        };
        (drain.run(waiting).await, drain.removed)
    }

    #[tokio::test(start_paused = true)]
    async fn an_entry_of_which_nothing_is_held_goes_while_rows_of_others_are_in_doubt() {
        let run = TestRun::new().await;
        let mut keys = Vec::new();
        for (hours, ids) in [
            (4, vec!["known"]),
            (3, vec!["new"]),
            (2, vec!["known", "new"]),
            (1, vec!["known"]),
        ] {
            keys.push(wait(&run, &ids, hours).await);
        }
        let destination = Arc::new(RowKeeper {
            takes_nothing: true,
            ..RowKeeper::default()
        });
        let (drained, removed) = drain(&run, destination).await;
        assert!(drained.is_err_and(|error| error.is_doubt()));
        assert_eq!(run.spool.waiting(TABLE).await.unwrap(), keys[1..3]);
        assert_eq!((removed.received, removed.seen_before), (2, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_push_stands_for_is_stored_although_the_round_that_found_it_fails() {
        let run = TestRun::new().await;
        wait(&run, &["pushed"], 2).await;
        let unreadable = wait(&run, &["new"], 1).await;
        let (common, read) = (Identity::of_content("second"), Identity::of_content("read"));
        let load = || Counterparts::load(run.store.clone(), Key::new(["counterparts"]));
        let mut records = load().await.unwrap();
        assert!(!records.is_covered(common, read, run.clock.now()));
        records.note_accepted(read, TABLE);
        records.save().await.unwrap();
        let rule = CounterpartRule {
            key_of: |_| Identity::of_content("second"),
            patience: Duration::ZERO,
        };
        let form = Arc::new(by_content(run.stream.clone()));
        let mut counterparts = PushedCounterparts { form, rule, records };
        run.store.stop_reading(unreadable.as_str());
        let (drained, _) = drain_beside(&run, Arc::default(), Some(&mut counterparts)).await;
        assert!(matches!(drained, Err(TableWriteError::Store(_))));
        let pushed = Identity::of_content(&event("pushed"));
        assert!(load().await.unwrap().has_counterpart_in(TABLE, &pushed));
    }

    #[tokio::test(start_paused = true)]
    async fn an_event_without_a_time_has_that_of_its_push_however_long_it_waited() {
        let run = TestRun::new().await;
        wait(&run, &["new"], 60).await;
        let destination = Arc::new(RowKeeper::default());
        let (drained, _) = drain(&run, destination.clone()).await;
        assert_eq!(drained.unwrap(), Drained::Whole);
        let rows = destination.rows.lock();
        assert_eq!(rows[0]["TimeGenerated"], "2026-11-18T00:00:00.000Z");
    }
}
