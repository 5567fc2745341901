//! Events that were pushed to a stream that is polled too: delivered under the stream's lease, through its identities.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;

use super::pushed_events::{PushedCounterparts, events_of, is_about_one_entry};
use crate::delivery::{DELIVERY_RESERVE, IncomingEvent, StreamContext, TableWriteError, TableWriter};
use crate::destination::spread;
use crate::event::Identity;
use crate::sources::{EventKey, WebhookFormat, Window};
use crate::state::{GuardedSpool, Key, SpoolEntry, StoreError};
use crate::time::Deadline;

/// Entries that are sent together and then removed.
const ENTRIES_AT_ONCE: usize = 200;
/// And bytes of them, so that few large ones are not removed late.
const BYTES_AT_ONCE: usize = 16 << 20;
/// Entries that are tried behind more of them than can be held in doubt.
pub const TRIED_BEHIND: usize = 32;

/// Delivers what waits for one table.
pub struct SpoolDrain<'a> {
    /// Where it waits.
    pub spool: &'a GuardedSpool,
    /// Names the events.
    pub form: &'a WebhookFormat,
    /// The time of the run: delivered events are remembered under it, because that is when their repetition begins to
    /// be possible.
    pub context: &'a StreamContext<'a>,
    /// Where events are known again by something else than their identity.
    pub counterparts: Option<PushedCounterparts<'a>>,
    /// Nothing is begun later.
    pub begin_until: Deadline,
}

/// What came of it.
pub struct DrainEnd<'a> {
    /// What was written.
    pub writer: TableWriter<'a>,
    /// How far the queue was emptied.
    pub drained: Result<Drained, TableWriteError>,
    /// Entries that cannot be read; they stay where they are, and the others are delivered.
    pub damaged: Vec<StoreError>,
    /// What the entries held that were removed.
    pub removed: RemovedEvents,
}

/// The events of entries that were removed from a queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RemovedEvents {
    /// All of them.
    pub events: u64,
    /// Those that were delivered before the run.
    pub seen_before: u64,
}

/// An entry whose events the writer has.
struct Offered {
    key: Key,
    bytes: usize,
    holds: RemovedEvents,
    identities: Vec<Identity>,
}

/// The entries of a queue that are offered together.
#[derive(Default)]
struct Round {
    offered: Vec<Offered>,
    bytes: usize,
    /// Rows were let go of that were in doubt, more than can be held.
    let_go: Option<TableWriteError>,
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

impl<'a> SpoolDrain<'a> {
    /// Delivers oldest first. An entry is removed after its events are delivered.
    pub async fn run(mut self, waiting: Vec<Key>, writer: TableWriter<'a>) -> DrainEnd<'a> {
        let mut end = DrainEnd {
            writer,
            drained: Ok(Drained::NotBegun),
            damaged: Vec::new(),
            removed: RemovedEvents::default(),
        };
        end.writer.are_named_by_content |= self.form.is_named_by_content;
        if !self.is_over() || self.context.shutdown.is_requested() {
            let drained = self.drain(waiting.into(), &mut end).await;
            end.drained = drained;
        }
        end
    }

    fn is_over(&self) -> bool {
        self.begin_until.is_within_reserve(DELIVERY_RESERVE) || self.context.shutdown.is_requested()
    }

    async fn drain(&mut self, mut waiting: VecDeque<Key>, end: &mut DrainEnd<'a>) -> Result<Drained, TableWriteError> {
        let mut let_go = None;
        // Entries of which rows are held by the writer.
        let mut doubted = Vec::new();
        let mut doubt = None;
        while !waiting.is_empty() && !self.is_over() {
            let round = self.offer_round(&mut waiting, end).await?;
            if let Some(counterparts) = &mut self.counterparts {
                counterparts.records.save().await?;
            }
            doubted.extend(round.offered);
            let has_let_go = round.let_go.is_some();
            let flushed = match round.let_go {
                Some(error) => Err(error),
                None => end.writer.flush().await,
            };
            match flushed {
                Ok(()) => {
                    doubt = None;
                    self.remove(std::mem::take(&mut doubted), end).await?;
                }
                // One bad entry does not hold up those behind it, and one of them may show that the stream fits.
                Err(error) if error.is_doubt() && end.writer.is_in_doubt() && !has_let_go => {
                    doubt = Some(error);
                    let is_held = |entry: &Offered| entry.identities.iter().any(|event| end.writer.holds(event));
                    let (held, settled) = doubted.into_iter().partition(is_held);
                    doubted = held;
                    self.remove(settled, end).await?;
                }
                Err(error) if error.is_doubt() => {
                    let_go = Some(error);
                    doubted.clear();
                    waiting = some_behind(&waiting, self.context.now);
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

    /// Gives the writer the events of the next entries.
    async fn offer_round(
        &mut self,
        waiting: &mut VecDeque<Key>,
        end: &mut DrainEnd<'a>,
    ) -> Result<Round, TableWriteError> {
        let mut round = Round::default();
        while round.offered.len() < ENTRIES_AT_ONCE && round.bytes < BYTES_AT_ONCE && !self.is_over() {
            let Some(key) = waiting.pop_front() else { break };
            let entry = match self.spool.read(&key).await {
                Ok(Some((entry, _))) => entry,
                Ok(None) => continue,
                Err(error) if is_about_one_entry(&error) => {
                    end.damaged.push(error);
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            match self.offer_entry(key, &entry, &mut end.writer).await {
                Ok(offered) => {
                    round.bytes += offered.bytes;
                    round.offered.push(offered);
                }
                Err(TableWriteError::Store(error)) if is_about_one_entry(&error) => end.damaged.push(error),
                Err(error) if error.is_doubt() => {
                    round.let_go = Some(error);
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(round)
    }

    async fn remove(&self, entries: Vec<Offered>, end: &mut DrainEnd<'a>) -> Result<(), StoreError> {
        for Offered { key, bytes, holds, .. } in entries {
            self.spool.remove(&key, bytes).await?;
            end.removed.events += holds.events;
            end.removed.seen_before += holds.seen_before;
        }
        Ok(())
    }

    async fn offer_entry(
        &mut self,
        key: Key,
        entry: &SpoolEntry,
        writer: &mut TableWriter<'_>,
    ) -> Result<Offered, TableWriteError> {
        let events = events_of(&key, entry)?;
        if let Some(counterparts) = &mut self.counterparts {
            counterparts.note_pushed(&events, entry.at);
        }
        let (table, now, before) = (writer.table(), self.context.now, writer.counts);
        let mut identities = Vec::with_capacity(events.len());
        for event in events.into_iter().map(RawValue::get) {
            let key = EventKey {
                time: None,
                ..self.form.key_of(event)
            };
            identities.push(key.identity);
            if !writer.knows(&key.identity) && self.has_counterpart_in(&table, &key.identity) {
                writer.pass_over(key.identity, now);
                continue;
            }
            let event = IncomingEvent {
                text: event,
                key,
                window: Window { from: now, to: now },
                arrival: entry.at,
            };
            writer.offer(event).await?;
        }
        let brought = writer.counts.since(before);
        Ok(Offered {
            key,
            bytes: entry.body.len(),
            holds: RemovedEvents {
                events: brought.received,
                seen_before: brought.seen_before,
            },
            identities,
        })
    }

    fn has_counterpart_in(&self, table: &str, own: &Identity) -> bool {
        let counterparts = self.counterparts.as_ref();
        counterparts.is_some_and(|counterparts| counterparts.records.has_counterpart_in(table, own))
    }
}

/// More rows are in doubt than can be held. Their entries stay as they are for the next run, and of those behind them
/// some are tried, others in every run: one row that is taken shows that the stream fits.
fn some_behind(waiting: &VecDeque<Key>, now: DateTime<Utc>) -> VecDeque<Key> {
    let chosen = spread(waiting.len(), TRIED_BEHIND, now.timestamp().unsigned_abs());
    let chosen = chosen.into_iter();
    chosen.filter_map(|number| waiting.get(number).cloned()).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::event::StreamName;
    use crate::jobs::testing::{RowKeeper, TestRun, route};
    use crate::state::{EntryKind, Identities};

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
    async fn drain(run: &TestRun, destination: Arc<RowKeeper>) -> (Result<Drained, TableWriteError>, RemovedEvents) {
        let mut identities = Identities::load(run.store.clone(), Key::new(["ids"])).await.unwrap();
        let known = vec![(Identity::of_content(&event("known")), run.clock.now())];
        identities.append(known).await.unwrap();
        let (context, route) = (run.context(), route(TABLE, destination));
        let (form, spool) = (by_content(run.stream.clone()), run.spool.guarded(run.store.clone()));
        let drain = SpoolDrain {
            spool: &spool,
            form: &form,
            context: &context,
            counterparts: None,
            begin_until: context.deadline,
        };
        let waiting = spool.waiting(TABLE).await.unwrap();
        let end = drain.run(waiting, TableWriter::new(&route, identities, &context)).await;
        (end.drained, end.removed)
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
        let expected = RemovedEvents {
            events: 2,
            seen_before: 2,
        };
        assert_eq!(removed, expected);
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
