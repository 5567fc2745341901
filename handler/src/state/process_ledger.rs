//! The ledger of what a process received by push: a file of its own, because many processes receive at the same time.
//!
//! `ledgers/<source>/<instance>/<stream>/<process>.json`. Files of processes that are gone are summed up into one,
//! which names them, so that a crash in between counts none twice.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::counts::Counts;
use super::document::{Document, read_document};
use super::key::Key;
use super::store::{Expected, Store, StoreError};
use crate::event::StreamName;
use crate::time::Clock;

/// A living process saves its counts more often than this, see [`ProcessLedger::must_be_renewed`].
const GONE_AFTER: TimeDelta = TimeDelta::hours(24);
/// So often counts are saved that did not change.
const RENEWED_EVERY: TimeDelta = TimeDelta::hours(12);
const SUM: &str = "sum.json";

/// The counts of tables, by name.
pub type TableCounts = BTreeMap<String, Counts>;

/// One process's file.
#[derive(Clone)]
pub struct ProcessLedger {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    folder: Key,
    file: Key,
    process: String,
    /// Which file of this process it is, from 1.
    number: u32,
}

#[derive(Default, Deserialize, Serialize)]
struct LedgerFile {
    version: u32,
    saved_at: DateTime<Utc>,
    tables: TableCounts,
    /// Of the sum: files that are in it and may still lie beside it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    summed: Vec<String>,
}

impl Document for LedgerFile {
    const VERSION: u32 = 1;
}

impl LedgerFile {
    fn has_summed(&self, file: &Key) -> bool {
        self.summed.iter().any(|name| name == file.last())
    }
}

impl ProcessLedger {
    /// Of one stream, in this process. `process` tells it from all others.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, stream: &StreamName, process: &str) -> Self {
        let folder = folder_of(stream);
        let file = folder.child(&format!("{process}.json"));
        Self {
            store,
            clock,
            folder,
            file,
            process: process.to_owned(),
            number: 1,
        }
    }

    /// The next file of this process, for when others took it for gone and summed this one up.
    pub fn next(&self) -> Self {
        let number = self.number + 1;
        Self {
            file: self.folder.child(&format!("{}-{number}.json", self.process)),
            number,
            ..self.clone()
        }
    }

    /// True if counts that were saved then are to be saved again, unchanged or not, so that the process is not taken
    /// for gone.
    pub fn must_be_renewed(&self, saved_at: DateTime<Utc>) -> bool {
        self.clock.now() - saved_at >= RENEWED_EVERY
    }

    /// True if the file, last saved then, was summed up because the process was taken for gone: it may have slept, or
    /// could not reach the store.
    pub async fn is_summed_up(&self, saved_at: DateTime<Utc>) -> Result<bool, StoreError> {
        if self.clock.now() - saved_at <= GONE_AFTER {
            return Ok(false);
        }
        if self.store.read(&self.file).await?.is_none() {
            return Ok(true);
        }
        let sum = read_document::<LedgerFile>(&*self.store, &self.folder.child(SUM)).await?;
        Ok(sum.is_some_and(|(sum, _)| sum.has_summed(&self.file)))
    }

    /// Writes the counts of this process. Gives the time of it.
    pub async fn save(&self, tables: &TableCounts) -> Result<DateTime<Utc>, StoreError> {
        self.write(&self.file, tables.clone(), Vec::new()).await
    }

    async fn write(&self, file: &Key, tables: TableCounts, summed: Vec<String>) -> Result<DateTime<Utc>, StoreError> {
        let content = LedgerFile {
            version: LedgerFile::VERSION,
            saved_at: self.clock.now(),
            tables,
            summed,
        };
        self.store
            .write(file, content.encode(file)?, Expected::Anything)
            .await?;
        Ok(content.saved_at)
    }

    /// Sums up the files of processes that are gone. One holder of a lease at a time may.
    pub async fn sum_up(&self) -> Result<(), StoreError> {
        let sum_key = self.folder.child(SUM);
        let mut sum = LedgerFile::default();
        let mut gone = Vec::new();
        for (key, content) in read_all(&self.store, &self.folder).await? {
            if key == sum_key {
                sum = content;
            } else if self.clock.now() - content.saved_at > GONE_AFTER {
                gone.push((key, content));
            }
        }
        let mut tables = sum.tables.clone();
        for (_, content) in gone.iter().filter(|(key, _)| !sum.has_summed(key)) {
            add(&mut tables, &content.tables);
        }
        let summed: Vec<String> = gone.iter().map(|(key, _)| key.last().to_owned()).collect();
        if summed.is_empty() && sum.summed.is_empty() {
            return Ok(());
        }
        self.write(&sum_key, tables, summed).await?;
        for (key, _) in gone {
            self.store.remove(&key).await?;
        }
        Ok(())
    }
}

/// What all processes together received of a stream, by table.
pub async fn pushed_counts(store: &Arc<dyn Store>, stream: &StreamName) -> Result<TableCounts, StoreError> {
    let files = read_all(store, &folder_of(stream)).await?;
    let sum = files.iter().find(|(key, _)| key.last() == SUM);
    let mut tables = TableCounts::new();
    for (key, content) in &files {
        if !sum.is_some_and(|(_, sum)| sum.has_summed(key)) {
            add(&mut tables, &content.tables);
        }
    }
    Ok(tables)
}

fn folder_of(stream: &StreamName) -> Key {
    Key::new(["ledgers", stream.source, &stream.instance, stream.stream])
}

fn add(sum: &mut TableCounts, tables: &TableCounts) {
    for (table, counts) in tables {
        *sum.entry(table.clone()).or_default() += *counts;
    }
}

async fn read_all(store: &Arc<dyn Store>, folder: &Key) -> Result<Vec<(Key, LedgerFile)>, StoreError> {
    let mut files = Vec::new();
    for listed in store.list(folder).await? {
        if let Some((content, _)) = read_document(&**store, &listed.key).await? {
            files.push((listed.key, content));
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::BlobStore;
    use crate::time::VirtualClock;

    fn counts(received: u64) -> TableCounts {
        let counts = Counts {
            received,
            delivered: received,
            ..Counts::default()
        };
        TableCounts::from([("T_CL".to_owned(), counts)])
    }

    #[tokio::test(start_paused = true)]
    async fn processes_that_are_gone_are_summed_up_and_counted_once_also_after_a_crash_in_between() {
        let clock: Arc<dyn Clock> = Arc::new(VirtualClock::at("2026-11-25T12:00:00Z"));
        let objects = Arc::new(object_store::memory::InMemory::new());
        let store: Arc<dyn Store> = Arc::new(BlobStore::new(objects, "memory", clock.clone(), None));
        let stream = StreamName {
            source: "onelogin",
            instance: "default".to_owned(),
            stream: "push",
        };
        let ledger = |process: &str| ProcessLedger::new(store.clone(), clock.clone(), &stream, process);
        ledger("a").save(&counts(3)).await.unwrap();
        ledger("b").save(&counts(4)).await.unwrap();
        tokio::time::advance(std::time::Duration::from_secs(25 * 3600)).await;
        ledger("c").save(&counts(5)).await.unwrap();
        let total = async || pushed_counts(&store, &stream).await.unwrap()["T_CL"].received;
        assert_eq!(total().await, 12);

        let a = Key::new(["ledgers", "onelogin", "default", "push", "a.json"]);
        let left_by_a = store.read(&a).await.unwrap().unwrap().bytes;
        ledger("c").sum_up().await.unwrap();
        assert_eq!((total().await, store.read(&a).await.unwrap().is_none()), (12, true));
        // As if the process had been killed before it removed the file.
        store.write(&a, left_by_a, Expected::Anything).await.unwrap();
        assert_eq!(total().await, 12);
        ledger("c").sum_up().await.unwrap();
        ledger("c").sum_up().await.unwrap();
        assert_eq!((total().await, store.read(&a).await.unwrap().is_none()), (12, true));
    }
}
