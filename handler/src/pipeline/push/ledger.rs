//! What became of the pushed events of this process, table by table.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::event::StreamName;
use crate::state::{Counts, ProcessLedger, StoreError};

/// Of one instance. Counted by those who settle an event's fate; kept in the state by [`PushLedger::save`].
pub struct PushLedger {
    stream: StreamName,
    file: ProcessLedger,
    counts: Mutex<Counted>,
}

#[derive(Debug, Default)]
struct Counted {
    tables: BTreeMap<Arc<str>, Counts>,
    /// As it was saved last.
    saved: BTreeMap<Arc<str>, Counts>,
}

impl PushLedger {
    /// Empty.
    pub fn new(stream: &StreamName, file: ProcessLedger) -> Self {
        Self {
            stream: stream.clone(),
            file,
            counts: Mutex::default(),
        }
    }

    /// Counts events that came, or the fate of some of them.
    pub fn settled(&self, table: &Arc<str>, count: impl FnOnce(&mut Counts)) {
        count(self.lock().tables.entry(table.clone()).or_default());
    }

    /// The counts of a table so far.
    #[cfg(test)]
    pub fn counts(&self, table: &str) -> Counts {
        self.lock().tables.get(table).copied().unwrap_or_default()
    }

    /// Writes the counts if they changed. `on_their_way` says how many events of a table are not settled yet.
    pub async fn save(&self, on_their_way: impl Fn(&str) -> u64) -> Result<(), StoreError> {
        let tables = {
            let counted = self.lock();
            if counted.tables == counted.saved {
                return Ok(());
            }
            counted.tables.clone()
        };
        let mut saved = BTreeMap::new();
        for (table, counts) in &tables {
            let counts = Counts {
                in_flight: counts.in_flight + on_their_way(table),
                ..*counts
            };
            // Events settle while we count: only a ledger at rest must balance.
            if on_their_way(table) == 0
                && let Err(imbalance) = counts.check()
            {
                log::error!(stream = self.stream.to_string().as_str(), table = &**table; "{} -> {table}: {imbalance}", self.stream);
            }
            saved.insert(table.to_string(), counts);
        }
        self.file.save(&saved).await?;
        self.lock().saved = tables;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Counted> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
