//! Pushed events that are polled too: they wait in the spool for the poller, whose identities drop duplicates.

use std::sync::Arc;

use super::dedupe::{DedupKey, Dedupe, NO_ANSWER};
use super::ledger::{PushLedger, seen_once_more};
use super::pushed_events::PushedEvents;
use crate::delivery::TableRoute;
use crate::logging::spawn_in_invocation;
use crate::state::{EntryKind, Spool, SpoolEntry, SpoolError};

/// The queues of one instance that its poller empties.
#[derive(Clone)]
pub struct PollerQueues {
    /// Where the events wait.
    pub spool: Spool,
    /// The tables, at least one.
    pub routes: Vec<TableRoute>,
    /// What was stored before.
    pub dedupe: Arc<Dedupe>,
    /// What became of everything.
    pub ledger: Arc<PushLedger>,
}

/// What is new for one table.
struct NewEntry {
    table: Arc<str>,
    keys: Vec<DedupKey>,
    entry: SpoolEntry,
}

impl PollerQueues {
    /// Puts what is new into the spool, an entry for each table. In a task of its own: an entry that is written late
    /// must be known when the sender repeats itself.
    ///
    /// # Errors
    /// Says why an entry was not written: the sender must repeat the push.
    pub async fn store(&self, push: &PushedEvents<'_>) -> Result<(), String> {
        let routes = self.routes.iter();
        let entries: Vec<NewEntry> = routes.filter_map(|route| self.new_entry(route, push)).collect();
        let (queues, permit) = (self.clone(), push.permit.clone());
        let writing = spawn_in_invocation(async move {
            let _permit = permit;
            let mut failure = None;
            for new in entries {
                let written = queues.write(&new).await;
                failure = written.err().map(|error| error.to_string()).or(failure);
            }
            failure.map_or(Ok(()), Err)
        });
        writing.await.unwrap_or_else(|_| Err(NO_ANSWER.to_owned()))
    }

    /// `None` if everything was stored before. An equal event that is being written now is written again: the poller's
    /// identities tell them apart.
    fn new_entry(&self, route: &TableRoute, push: &PushedEvents<'_>) -> Option<NewEntry> {
        let table = route.table.name();
        let queue: Arc<str> = self.spool.queue_of(&table).into();
        let mut keys = Vec::new();
        let mut events = Vec::new();
        for event in &push.events {
            let key = DedupKey {
                queue: queue.clone(),
                identity: event.identity,
            };
            if self.dedupe.is_stored(&key) {
                self.ledger.count(&table, seen_once_more);
                continue;
            }
            keys.push(key);
            events.push(event.text);
        }
        if events.is_empty() {
            return None;
        }
        let entry = SpoolEntry {
            at: push.arrival,
            kind: EntryKind::Events,
            held_until: None,
            body: format!("[{}]", events.join(",")),
        };
        Some(NewEntry { table, keys, entry })
    }

    async fn write(&self, new: &NewEntry) -> Result<(), SpoolError> {
        let written = self.spool.add_if_room(&new.table, &new.entry).await.map(drop);
        if written.is_ok() {
            self.dedupe.remember(&new.keys);
        }
        let events = new.keys.len() as u64;
        self.ledger.count(&new.table, |counts| {
            counts.received += events;
            match written {
                Ok(()) => counts.spooled += events,
                Err(_) => counts.in_flight += events,
            }
        });
        written
    }
}
