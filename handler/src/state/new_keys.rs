//! Keys of a vendor's events that no definition knows: `new-keys/<table>.json`.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::document::{Document, read_document};
use super::key::Key;
use super::store::{Expected, Store, StoreError};

/// Of one table no more keys are remembered.
pub const MOST_NEW_KEYS: usize = 100;
/// A key that was not seen for so long makes room for others.
const FORGOTTEN_AFTER: TimeDelta = TimeDelta::days(30);
/// Other processes may write at the same time.
const TRIES: usize = 3;

/// How often a key was seen, and when.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct NewKey {
    /// Events that had it. A kill may lose some.
    pub count: u64,
    /// When the first of them came.
    pub first_seen: DateTime<Utc>,
    /// When the last of them came; up to ten minutes old.
    pub last_seen: DateTime<Utc>,
}

/// The keys of one table, as dotted paths.
pub type NewKeysOfTable = BTreeMap<String, NewKey>;

#[derive(Default, Deserialize, Serialize)]
struct NewKeysFile {
    version: u32,
    keys: NewKeysOfTable,
}

impl Document for NewKeysFile {
    const VERSION: u32 = 1;
}

/// What the state has of a table after a write.
pub struct SavedNewKeys {
    /// Everything.
    pub keys: NewKeysOfTable,
    /// What it did not have before.
    pub added: Vec<String>,
}

impl NewKey {
    /// One event.
    pub fn seen_at(at: DateTime<Utc>) -> Self {
        Self {
            count: 1,
            first_seen: at,
            last_seen: at,
        }
    }

    fn is_forgotten(&self, now: DateTime<Utc>) -> bool {
        now - self.last_seen >= FORGOTTEN_AFTER
    }

    /// Adds what was seen elsewhere.
    pub fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.first_seen = self.first_seen.min(other.first_seen);
        self.last_seen = self.last_seen.max(other.last_seen);
    }
}

/// Adds what was seen to what the state has of a table. What finds no room in it is left out.
pub async fn add_new_keys(store: &dyn Store, table: &str, seen: &NewKeysOfTable) -> Result<SavedNewKeys, StoreError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match try_to_add(store, table, seen).await {
            Err(StoreError::Conflict { .. }) if tries < TRIES => {}
            outcome => return outcome,
        }
    }
}

async fn try_to_add(store: &dyn Store, table: &str, seen: &NewKeysOfTable) -> Result<SavedNewKeys, StoreError> {
    let key = key_of(table);
    let (mut file, expected) = match read_document::<NewKeysFile>(store, &key).await? {
        Some((file, version)) => (file, Expected::Version(version)),
        None => (NewKeysFile::default(), Expected::Absent),
    };
    let added = merge(&mut file.keys, seen);
    file.version = NewKeysFile::VERSION;
    store.write(&key, file.encode_pretty(&key)?, expected).await?;
    Ok(SavedNewKeys { keys: file.keys, added })
}

/// Gives the names that `keys` did not have.
fn merge(keys: &mut NewKeysOfTable, seen: &NewKeysOfTable) -> Vec<String> {
    if let Some(now) = seen.values().map(|key| key.last_seen).max() {
        keys.retain(|name, key| seen.contains_key(name) || !key.is_forgotten(now));
    }
    let mut added = Vec::new();
    for (name, key) in seen {
        if let Some(known) = keys.get_mut(name) {
            known.add(key);
        } else if keys.len() < MOST_NEW_KEYS {
            keys.insert(name.clone(), key.clone());
            added.push(name.clone());
        }
    }
    added
}

/// What the state has of a table, without what was not seen for long.
pub async fn new_keys_of(store: &dyn Store, table: &str, now: DateTime<Utc>) -> Result<NewKeysOfTable, StoreError> {
    let file = read_document::<NewKeysFile>(store, &key_of(table)).await?;
    let mut keys = file.map(|(file, _)| file.keys).unwrap_or_default();
    keys.retain(|_, key| !key.is_forgotten(now));
    Ok(keys)
}

fn key_of(table: &str) -> Key {
    Key::new(["new-keys", &format!("{table}.json")])
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::state::BlobStore;
    use crate::time::VirtualClock;

    const TABLE: &str = "T_CL";

    fn store() -> BlobStore {
        let clock = Arc::new(VirtualClock::at("2026-11-25T12:00:00Z"));
        BlobStore::new(Arc::new(object_store::memory::InMemory::new()), "memory", clock, None)
    }

    fn at(day: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(day)
    }

    fn seen(names: impl IntoIterator<Item = String>, day: i64) -> NewKeysOfTable {
        names.into_iter().map(|name| (name, NewKey::seen_at(at(day)))).collect()
    }

    #[tokio::test]
    async fn a_key_is_added_once_and_counted_on() {
        let store = store();
        let names = || ["a.b".to_owned(), "c".to_owned()];
        let first = add_new_keys(&store, TABLE, &seen(names(), 2)).await.unwrap();
        assert_eq!(first.added, names());
        let again = add_new_keys(&store, TABLE, &seen(names(), 1)).await.unwrap();
        assert_eq!(again.added, [""; 0]);
        let stored = new_keys_of(&store, TABLE, at(3)).await.unwrap()["a.b"].clone();
        assert_eq!((stored.count, stored.first_seen, stored.last_seen), (2, at(1), at(2)));
    }

    #[tokio::test]
    async fn a_table_has_a_hundred_keys_and_what_is_not_seen_any_more_makes_room() {
        let store = store();
        let many = |from: usize| (from..from + 150).map(|number| format!("k{number:03}"));
        let first = add_new_keys(&store, TABLE, &seen(many(0), 1)).await.unwrap();
        assert_eq!((first.added.len(), first.keys.len()), (MOST_NEW_KEYS, MOST_NEW_KEYS));
        let full = add_new_keys(&store, TABLE, &seen(["other".to_owned()], 30))
            .await
            .unwrap();
        assert!(full.added.is_empty() && !full.keys.contains_key("other"));
        let later = add_new_keys(&store, TABLE, &seen(["other".to_owned()], 31))
            .await
            .unwrap();
        assert_eq!((later.added.len(), later.keys.len()), (1, 1));
        assert!(new_keys_of(&store, TABLE, at(61)).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn two_processes_lose_nothing_of_each_other() {
        let store = store();
        let (one, other) = (seen(["one".to_owned()], 1), seen(["other".to_owned()], 1));
        let (first, second) = tokio::join!(add_new_keys(&store, TABLE, &one), add_new_keys(&store, TABLE, &other));
        assert_eq!(first.unwrap().added.len() + second.unwrap().added.len(), 2);
        assert_eq!(new_keys_of(&store, TABLE, at(1)).await.unwrap().len(), 2);
    }

    #[tokio::test]
    async fn a_file_of_a_later_version_is_not_overwritten() {
        let store = store();
        let later = br#"{"version":2}"#.to_vec();
        store
            .write(&key_of(TABLE), later.clone(), Expected::Absent)
            .await
            .unwrap();
        let refused = add_new_keys(&store, TABLE, &seen(["a".to_owned()], 1)).await;
        assert!(matches!(refused, Err(StoreError::UnknownVersion { .. })));
        assert_eq!(store.read(&key_of(TABLE)).await.unwrap().unwrap().bytes, later);
    }
}
