//! When the timer function was invoked last: `timer/invocations.json`. Whoever polls in its place asks here first.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::document::{Document, read_document};
use super::key::Key;
use super::store::{Expected, Store, StoreError, Version};

/// Clocks of two machines may differ by this much. A time further in the future was noted by a clock that was wrong.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::minutes(1);
/// Other processes may write at the same time.
const TRIES: usize = 3;

/// The content of the file.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct TimerRecord {
    version: u32,
    /// The last invocation of the timer function; renewed at every due time while its run lasts.
    #[serde(default)]
    pub last_invocation: Option<DateTime<Utc>>,
    /// When it was first looked for an invocation and none was known.
    #[serde(default)]
    pub watched_since: Option<DateTime<Utc>>,
    /// When a wake polled last, in place of the timer.
    #[serde(default)]
    pub last_wake_poll: Option<DateTime<Utc>>,
}

impl Document for TimerRecord {
    const VERSION: u32 = 1;
}

impl TimerRecord {
    /// From when on no invocation is known; `None` if nothing is known, or only what a wrong clock noted.
    pub fn silent_since(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let known = [self.last_invocation, self.watched_since].into_iter().flatten();
        known.filter(|time| *time <= now + CLOCKS_DIFFER).max()
    }

    /// True if wakes have polled since the last invocation.
    pub fn is_replaced_by_wakes(&self) -> bool {
        self.last_wake_poll.is_some() && self.last_wake_poll > self.last_invocation
    }
}

/// What is stored; empty if nothing is.
///
/// # Errors
/// If the store cannot be read, or holds another version.
pub async fn timer_record(store: &dyn Store) -> Result<TimerRecord, StoreError> {
    let found = read_document::<TimerRecord>(store, &key()).await?;
    Ok(found.map(|(record, _)| record).unwrap_or_default())
}

/// Reads and writes the file. What this process wrote last is known until somebody else writes, so that an invocation
/// costs one call.
#[derive(Debug)]
pub struct TimerRecords {
    store: Arc<dyn Store>,
    known: Mutex<Option<(TimerRecord, Version)>>,
}

impl TimerRecords {
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            known: Mutex::default(),
        }
    }

    /// What is stored now; empty if nothing is.
    ///
    /// # Errors
    /// If the store cannot be read, or holds another version.
    pub async fn read(&self) -> Result<TimerRecord, StoreError> {
        let found = read_document::<TimerRecord>(&*self.store, &key()).await?;
        self.known.lock().clone_from(&found);
        Ok(found.map(|(record, _)| record).unwrap_or_default())
    }

    /// The timer function is invoked.
    ///
    /// # Errors
    /// If it cannot be remembered.
    pub async fn note_invocation(&self, at: DateTime<Utc>) -> Result<(), StoreError> {
        self.update(|record| record.last_invocation = Some(at)).await
    }

    /// A wake polls in place of the timer.
    ///
    /// # Errors
    /// If it cannot be remembered.
    pub async fn note_wake_poll(&self, at: DateTime<Utc>) -> Result<(), StoreError> {
        self.update(|record| record.last_wake_poll = Some(at)).await
    }

    /// Nothing is known of the timer, or only what a wrong clock noted: invocations are missed from now on.
    ///
    /// # Errors
    /// If it cannot be remembered.
    pub async fn watch_from(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        let change = |record: &mut TimerRecord| {
            // An invocation that came in the meantime stays.
            if record.silent_since(now).is_none() {
                record.last_invocation = None;
                record.watched_since = Some(now);
            }
        };
        self.update(change).await
    }

    async fn update(&self, change: impl Fn(&mut TimerRecord)) -> Result<(), StoreError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.try_update(&change).await {
                Err(StoreError::Conflict { .. }) if tries < TRIES => *self.known.lock() = None,
                outcome => return outcome,
            }
        }
    }

    async fn try_update(&self, change: impl Fn(&mut TimerRecord)) -> Result<(), StoreError> {
        let known = self.known.lock().clone();
        let found = match known {
            Some(known) => Some(known),
            None => read_document(&*self.store, &key()).await?,
        };
        let (mut record, expected) = match found {
            Some((record, version)) => (record, Expected::Version(version)),
            None => (TimerRecord::default(), Expected::Absent),
        };
        change(&mut record);
        record.version = TimerRecord::VERSION;
        let version = self
            .store
            .write(&key(), record.encode_pretty(&key())?, expected)
            .await?;
        *self.known.lock() = Some((record, version));
        Ok(())
    }
}

fn key() -> Key {
    Key::new(["timer", "invocations.json"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::BlobStore;
    use crate::time::VirtualClock;

    fn store() -> Arc<dyn Store> {
        let clock = Arc::new(VirtualClock::at("2026-11-25T12:00:00Z"));
        let objects = Arc::new(object_store::memory::InMemory::new());
        Arc::new(BlobStore::new(objects, "memory", clock, None))
    }

    fn minute(number: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(number)
    }

    #[tokio::test]
    async fn what_two_processes_note_is_kept_of_both() {
        let store = store();
        let (timer, wakes) = (TimerRecords::new(store.clone()), TimerRecords::new(store));
        timer.note_invocation(minute(1)).await.unwrap();
        wakes.note_wake_poll(minute(4)).await.unwrap();
        assert!(wakes.read().await.unwrap().is_replaced_by_wakes());
        timer.note_invocation(minute(5)).await.unwrap();
        let record = wakes.read().await.unwrap();
        assert_eq!(
            (record.last_invocation, record.last_wake_poll),
            (Some(minute(5)), Some(minute(4)))
        );
        assert!(!record.is_replaced_by_wakes());
    }

    #[tokio::test]
    async fn what_a_wrong_clock_noted_counts_for_nothing() {
        let records = TimerRecords::new(store());
        assert_eq!(records.read().await.unwrap().silent_since(minute(0)), None);
        records.note_invocation(minute(90)).await.unwrap();
        let silent_since = async |now| records.read().await.unwrap().silent_since(now);
        assert_eq!(silent_since(minute(10)).await, None);
        records.watch_from(minute(10)).await.unwrap();
        assert_eq!(silent_since(minute(11)).await, Some(minute(10)));
        // Also once that time has come.
        assert_eq!(silent_since(minute(100)).await, Some(minute(10)));
        records.note_invocation(minute(101)).await.unwrap();
        records.watch_from(minute(102)).await.unwrap();
        assert_eq!(silent_since(minute(102)).await, Some(minute(101)));
    }

    #[tokio::test]
    async fn a_file_of_a_later_version_is_not_overwritten() {
        let store = store();
        let later = br#"{"version":2}"#.to_vec();
        store.write(&key(), later.clone(), Expected::Absent).await.unwrap();
        let records = TimerRecords::new(store.clone());
        for refused in [records.note_invocation(minute(1)).await, records.read().await.map(drop)] {
            assert!(matches!(refused, Err(StoreError::UnknownVersion { .. })));
        }
        assert_eq!(store.read(&key()).await.unwrap().unwrap().bytes, later);
    }
}
