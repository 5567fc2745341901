//! Events that were pushed to a stream that is polled too: delivered under the stream's lease, through its identities.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;

use crate::delivery::Counterparts;
use crate::delivery::DELIVERY_RESERVE;
use crate::delivery::{SinkContext, SinkError, TableWriter};
use crate::destination::spread;
use crate::event::Identity;
use crate::jobs::plan::{CounterpartRule, PushedPlan};
use crate::sources::{EventKey, WebhookFormat, Window};
use crate::state::{GuardedSpool, Key, Spool, SpoolEntry, StoreError};
use crate::time::Deadline;

/// Entries that are sent together and then removed.
const ENTRIES_AT_ONCE: usize = 200;
/// And bytes of them, so that few large ones are not removed late.
const BYTES_AT_ONCE: usize = 16 << 20;
/// Entries that are tried behind more of them than can be held in doubt.
pub const TRIED_BEHIND: usize = 32;
/// Entries that are looked at before what was found is stored.
const LOOKS_AT_ONCE: usize = 500;

/// What waits for one table.
pub struct Drain<'a> {
    /// Where it waits.
    pub spool: &'a GuardedSpool,
    /// Names the events.
    pub form: &'a dyn WebhookFormat,
    /// The time of the run: delivered events are remembered under it, because that is when their repetition begins to
    /// be possible.
    pub now: DateTime<Utc>,
    /// Where events are known again by something else than their identity.
    pub counterparts: Option<(CounterpartRule, &'a mut Counterparts)>,
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

/// An entry whose events the sink has.
struct Offered<'k> {
    key: &'k Key,
    bytes: usize,
    holds: RemovedEvents,
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

impl Drain<'_> {
    /// Delivers oldest first. An entry is removed after its events are delivered.
    pub async fn run(
        &mut self,
        waiting: &[Key],
        sink: &mut TableWriter<'_>,
        context: &SinkContext<'_>,
        begin_until: Deadline,
    ) -> Result<Drained, SinkError> {
        let is_over = || begin_until.is_within_reserve(DELIVERY_RESERVE) || context.stop.is_requested();
        if is_over() && !context.stop.is_requested() {
            return Ok(Drained::NotBegun);
        }
        if self.form.is_named_by_content() {
            sink.expect_no_keys();
        }
        let mut waiting: VecDeque<&Key> = waiting.iter().collect();
        let mut let_go = None;
        // Entries of which rows are held by the sink.
        let mut doubted = Vec::new();
        let mut doubt = None;
        while !waiting.is_empty() && !is_over() {
            let mut offered = Vec::new();
            let mut has_let_go = false;
            let mut bytes = 0;
            while offered.len() < ENTRIES_AT_ONCE && bytes < BYTES_AT_ONCE && !is_over() {
                let Some(key) = waiting.pop_front() else { break };
                let entry = match self.spool.read(key).await {
                    Ok(Some((entry, _))) => entry,
                    Ok(None) => continue,
                    Err(error) if is_about_one_entry(&error) => {
                        self.damaged.push(error);
                        continue;
                    }
                    Err(error) => return Err(error.into()),
                };
                let before = sink.counts;
                match self.offer_entry(key, &entry, sink, context).await {
                    Ok(()) => {
                        bytes += entry.body.len();
                        offered.push(Offered {
                            key,
                            bytes: entry.body.len(),
                            holds: RemovedEvents {
                                events: sink.counts.received - before.received,
                                seen_before: sink.counts.seen_before - before.seen_before,
                            },
                        });
                    }
                    Err(SinkError::Store(error)) if is_about_one_entry(&error) => self.damaged.push(error),
                    Err(error) if error.is_doubt() => {
                        (let_go, has_let_go) = (Some(error), true);
                        break;
                    }
                    Err(error) => return Err(error),
                }
            }
            if let Some((_, counterparts)) = &mut self.counterparts {
                counterparts.save().await?;
            }
            doubted.extend(offered);
            if has_let_go {
                keep_waiting(&mut doubted, &mut waiting, self.now);
                continue;
            }
            match sink.flush(context).await {
                Ok(()) => doubt = None,
                // One bad entry does not hold up those behind it, and one of them may show that the stream fits.
                Err(error) if error.is_doubt() && sink.is_in_doubt() => {
                    doubt = Some(error);
                    continue;
                }
                Err(error) if error.is_doubt() => {
                    let_go = Some(error);
                    keep_waiting(&mut doubted, &mut waiting, self.now);
                    continue;
                }
                Err(error) => return Err(error),
            }
            for Offered { key, bytes, holds } in std::mem::take(&mut doubted) {
                self.spool.remove(key, bytes).await?;
                self.removed.events += holds.events;
                self.removed.seen_before += holds.seen_before;
            }
        }
        if let Some(error) = doubt.or(let_go) {
            return Err(error);
        }
        match waiting.front() {
            None => Ok(Drained::Whole),
            Some(_) => Ok(Drained::InPart),
        }
    }

    async fn offer_entry(
        &mut self,
        key: &Key,
        entry: &SpoolEntry,
        sink: &mut TableWriter<'_>,
        context: &SinkContext<'_>,
    ) -> Result<(), SinkError> {
        let events = events_of(key, entry)?;
        if let Some((rule, counterparts)) = &mut self.counterparts {
            note_pushed(&events, entry.at, self.form, *rule, counterparts);
        }
        let table = sink.table();
        let window = Window {
            from: self.now,
            to: self.now,
        };
        for event in events {
            let event = event.get();
            let key = EventKey {
                time: None,
                ..self.form.key_of(event)
            };
            if !sink.knows(&key.identity) && self.has_twin_in(&table, &key.identity) {
                sink.pass_over(key.identity, self.now);
            } else {
                sink.offer(event, key, window, context).await?;
            }
        }
        Ok(())
    }

    fn has_twin_in(&self, table: &str, own: &Identity) -> bool {
        let counterparts = self.counterparts.as_ref().map(|(_, counterparts)| counterparts);
        counterparts.is_some_and(|counterparts| counterparts.has_twin_in(table, own))
    }
}

/// Notes every event that waits, in whichever table's queue. What a read is compared with must be all of it.
pub async fn note_waiting(
    spool: &GuardedSpool,
    pushed: &PushedPlan,
    rule: CounterpartRule,
    counterparts: &mut Counterparts,
) -> Result<(), StoreError> {
    let mut looks = 0;
    for target in &pushed.targets {
        for key in spool.waiting(&target.table.name()).await? {
            let is_forgotten = Spool::time_of(&key).is_some_and(|at| counterparts.is_forgotten(at));
            if is_forgotten || counterparts.knows_entry(&key) {
                continue;
            }
            let entry = match spool.read(&key).await {
                Ok(Some((entry, _))) => entry,
                Ok(None) => continue,
                // Whoever empties the queue says so.
                Err(error) if is_about_one_entry(&error) => continue,
                Err(error) => return Err(error),
            };
            let Ok(events) = events_of(&key, &entry) else { continue };
            note_pushed(&events, entry.at, &*pushed.form, rule, counterparts);
            counterparts.note_entry(&key, entry.at);
            looks += 1;
            if looks % LOOKS_AT_ONCE == 0 {
                counterparts.save().await?;
            }
        }
    }
    counterparts.save().await
}

/// More rows are in doubt than can be held. Their entries stay as they are for the next run, and of those behind them
/// some are tried, others in every run: one row that is taken shows that the stream fits.
fn keep_waiting(doubted: &mut Vec<Offered<'_>>, waiting: &mut VecDeque<&Key>, now: DateTime<Utc>) {
    doubted.clear();
    let chosen = spread(waiting.len(), TRIED_BEHIND, now.timestamp().unsigned_abs());
    *waiting = chosen
        .into_iter()
        .filter_map(|number| waiting.get(number).copied())
        .collect();
}

fn note_pushed(
    events: &[&RawValue],
    at: DateTime<Utc>,
    form: &dyn WebhookFormat,
    rule: CounterpartRule,
    counterparts: &mut Counterparts,
) {
    for event in events {
        let event = event.get();
        counterparts.note_pushed((rule.key_of)(event), form.key_of(event).identity, at);
    }
}

fn events_of<'e>(key: &Key, entry: &'e SpoolEntry) -> Result<Vec<&'e RawValue>, StoreError> {
    serde_json::from_str(&entry.body).map_err(|error| StoreError::Damaged {
        key: key.to_string(),
        reason: error.to_string(),
    })
}

/// True if only that entry cannot be used; the store itself works.
pub fn is_about_one_entry(error: &StoreError) -> bool {
    matches!(error, StoreError::Damaged { .. } | StoreError::UnknownVersion { .. })
}
