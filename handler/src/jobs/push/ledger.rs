//! What became of the pushed events of this process, table by table.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::event::StreamName;
use crate::state::{Counts, ProcessLedger, StoreError, TableCounts};

/// Of one instance. Counted by whoever settles an event; kept in the state by [`PushLedger::save`].
pub struct PushLedger {
    stream: StreamName,
    tables: Mutex<BTreeMap<Arc<str>, Counts>>,
    /// Told of every change.
    changed: Arc<Notify>,
    /// Held during a save: of two at once the earlier counts could be written last.
    saving: tokio::sync::Mutex<SavedLedger>,
}

/// The counts in the state.
struct SavedLedger {
    file: ProcessLedger,
    last: Option<LastSave>,
    /// What earlier files of this process hold, which others have summed up.
    summed_up: TableCounts,
}

struct LastSave {
    at: DateTime<Utc>,
    tables: BTreeMap<Arc<str>, Counts>,
    /// With what was on its way, and with what earlier files hold.
    written: TableCounts,
}

impl PushLedger {
    /// Empty. `changed` is told when there is something to save.
    pub fn new(stream: &StreamName, file: ProcessLedger, changed: Arc<Notify>) -> Self {
        Self {
            stream: stream.clone(),
            tables: Mutex::default(),
            changed,
            saving: tokio::sync::Mutex::new(SavedLedger {
                file,
                last: None,
                summed_up: TableCounts::new(),
            }),
        }
    }

    /// Counts events that came, or what became of some of them.
    pub fn count(&self, table: &Arc<str>, count: impl FnOnce(&mut Counts)) {
        count(self.tables.lock().entry(table.clone()).or_default());
        self.changed.notify_one();
    }

    /// The counts of a table so far.
    #[cfg(test)]
    pub fn counts(&self, table: &str) -> Counts {
        self.tables.lock().get(table).copied().unwrap_or_default()
    }

    /// Writes the counts if they changed, or were not written for long. `in_flight` says how many events of a table
    /// are not settled yet.
    pub async fn save(&self, in_flight: impl Fn(&str) -> u64) -> Result<(), StoreError> {
        let mut saved = self.saving.lock().await;
        let tables = self.tables.lock().clone();
        if !saved.is_save_due(&tables) {
            return Ok(());
        }
        let written = self.with_in_flight(&tables, in_flight);
        if let Some(last) = &saved.last
            && saved.file.is_summed_up(last.at).await?
        {
            saved.file = saved.file.next();
            saved.summed_up = saved.last.take().map(|last| last.written).unwrap_or_default();
        }
        let of_this_file = written.iter().map(|(table, counts)| {
            let earlier = saved.summed_up.get(table).copied().unwrap_or_default();
            (table.clone(), counts.since(earlier))
        });
        let at = saved.file.save(&of_this_file.collect()).await?;
        saved.last = Some(LastSave { at, tables, written });
        Ok(())
    }

    fn with_in_flight(&self, tables: &BTreeMap<Arc<str>, Counts>, in_flight: impl Fn(&str) -> u64) -> TableCounts {
        let mut written = TableCounts::new();
        for (table, counts) in tables {
            let mut counts = *counts;
            let in_flight = in_flight(table);
            counts.in_flight += in_flight;
            // Events settle while this is counted: only a ledger at rest must balance.
            if in_flight == 0
                && let Err(imbalance) = counts.check()
            {
                log::error!(stream = self.stream.to_string().as_str(), table = &**table; "{} -> {table}: {imbalance}", self.stream);
            }
            written.insert(table.to_string(), counts);
        }
        written
    }
}

impl SavedLedger {
    fn is_save_due(&self, tables: &BTreeMap<Arc<str>, Counts>) -> bool {
        match &self.last {
            None => !tables.is_empty(),
            Some(last) => last.tables != *tables || self.file.must_be_renewed(last.at),
        }
    }
}

/// Counts an event that was stored before.
pub fn seen_once_more(counts: &mut Counts) {
    counts.received += 1;
    counts.seen_before += 1;
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::state::{BlobStore, Key, Store, pushed_counts};
    use crate::time::{Clock, VirtualClock};

    struct World {
        clock: Arc<dyn Clock>,
        store: Arc<dyn Store>,
        stream: StreamName,
    }

    impl World {
        fn new() -> Self {
            let clock: Arc<dyn Clock> = Arc::new(VirtualClock::at("2026-11-25T12:00:00Z"));
            let objects = Arc::new(object_store::memory::InMemory::new());
            Self {
                store: Arc::new(BlobStore::new(objects, "memory", clock.clone(), None)),
                clock,
                stream: StreamName {
                    source: "onelogin",
                    instance: "default".to_owned(),
                    stream: "push",
                },
            }
        }

        fn file(&self, process: &str) -> ProcessLedger {
            ProcessLedger::new(self.store.clone(), self.clock.clone(), &self.stream, process)
        }

        async fn total(&self) -> Counts {
            pushed_counts(&self.store, &self.stream).await.unwrap()["T_CL"]
        }
    }

    fn deliver(ledger: &PushLedger, events: u64) {
        ledger.count(&Arc::from("T_CL"), |counts| {
            counts.received += events;
            counts.delivered += events;
        });
    }

    async fn hours(count: u64) {
        tokio::time::advance(Duration::from_secs(count * 3600)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_process_that_idles_for_days_is_not_taken_for_gone() {
        let world = World::new();
        let ledger = PushLedger::new(&world.stream, world.file("a"), Arc::default());
        deliver(&ledger, 3);
        for _ in 0..50 {
            ledger.save(|_| 0).await.unwrap();
            world.file("b").sum_up().await.unwrap();
            hours(1).await;
        }
        let first = Key::new(["ledgers", "onelogin", "default", "push", "a.json"]);
        assert!(world.store.read(&first).await.unwrap().is_some());
        deliver(&ledger, 1);
        ledger.save(|_| 0).await.unwrap();
        assert_eq!(world.total().await.received, 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_process_that_slept_until_it_was_taken_for_gone_counts_nothing_twice() {
        let world = World::new();
        let ledger = PushLedger::new(&world.stream, world.file("a"), Arc::default());
        for (events, total) in [(3, 3), (1, 4), (0, 4), (5, 9)] {
            deliver(&ledger, events);
            ledger.save(|_| 0).await.unwrap();
            assert_eq!(world.total().await.received, total);
            hours(25).await;
            world.file("b").sum_up().await.unwrap();
        }
        assert_eq!(world.total().await.check(), Ok(()));
    }
}
