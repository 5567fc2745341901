//! What was acknowledged, or taken from a vendor that forgets it, and is not delivered yet.
//!
//! One queue per table and stream: `spool/<table>/<source>-<instance>-<stream>/<number>.json`. An entry is on the disk
//! before anybody relies on it, is read oldest first, and is removed only after the destination took it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::key::Key;
use super::store::{Expected, Store, StoreError};
use crate::event::{Identity, StreamName};

const KNOWN_VERSION: u32 = 1;

/// The queues of one stream.
#[derive(Clone, Debug)]
pub struct Spool {
    store: Arc<dyn Store>,
    stream: String,
    /// The most bytes that may wait, all queues of the store together.
    limit: u64,
}

/// What waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpoolEntry {
    /// When it came.
    pub at: DateTime<Utc>,
    /// The text as it came.
    pub body: String,
}

/// The line before the body.
#[derive(Deserialize, Serialize)]
struct Header {
    version: u32,
    at: DateTime<Utc>,
}

/// Why an entry was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Over the limit.
    #[error(
        "the spool holds {used} bytes and takes no more than {limit} (SPOOL_MAX_BYTES); it empties as the destination takes rows"
    )]
    Full {
        /// Bytes that wait.
        used: u64,
        /// The setting.
        limit: u64,
    },
}

impl Spool {
    /// Of one stream, with a limit in bytes for the whole store.
    pub fn new(store: Arc<dyn Store>, stream: &StreamName, limit: u64) -> Self {
        let stream = format!("{}-{}-{}", stream.source, stream.instance, stream.stream);
        Self { store, stream, limit }
    }

    /// Fails unless `bytes` more find room.
    pub async fn require_room(&self, bytes: u64) -> Result<(), SpoolError> {
        let waiting = self.store.list(&Key::new(["spool"])).await?;
        let used: u64 = waiting.iter().map(|listed| listed.bytes).sum();
        if used.saturating_add(bytes) > self.limit {
            return Err(SpoolError::Full {
                used,
                limit: self.limit,
            });
        }
        Ok(())
    }

    /// Adds an entry to a table's queue; on the disk when this returns.
    pub async fn add(&self, table: &str, entry: &SpoolEntry) -> Result<Key, StoreError> {
        let mut bytes = serde_json::to_vec(&Header {
            version: KNOWN_VERSION,
            at: entry.at,
        })
        .map_err(|error| StoreError::Damaged {
            key: table.to_owned(),
            reason: error.to_string(),
        })?;
        bytes.push(b'\n');
        bytes.extend_from_slice(entry.body.as_bytes());
        // Time first, so that the order of names is the order of coming; the content tells two of one instant apart.
        let digest = Identity::of_parts(&[&entry.body]).hex();
        let name = format!("{:020}-{}.json", entry.at.timestamp_micros().max(0), &digest[..16]);
        let key = self.queue(table).child(&name);
        self.store.write(&key, bytes, Expected::Anything).await?;
        Ok(key)
    }

    /// The names of a table's entries, oldest first.
    pub async fn waiting(&self, table: &str) -> Result<Vec<Key>, StoreError> {
        let listed = self.store.list(&self.queue(table)).await?;
        Ok(listed.into_iter().map(|listed| listed.key).collect())
    }

    /// An entry, or `None` if it is gone.
    pub async fn read(&self, key: &Key) -> Result<Option<SpoolEntry>, StoreError> {
        let Some(stored) = self.store.read(key).await? else {
            return Ok(None);
        };
        let damaged = |reason: String| StoreError::Damaged {
            key: key.to_string(),
            reason,
        };
        let text = String::from_utf8(stored.bytes).map_err(|error| damaged(error.to_string()))?;
        let (header, body) = text
            .split_once('\n')
            .ok_or_else(|| damaged("it has no header".to_owned()))?;
        let header: Header = serde_json::from_str(header).map_err(|error| damaged(error.to_string()))?;
        if header.version != KNOWN_VERSION {
            let found = header.version.to_string();
            return Err(StoreError::UnknownVersion {
                key: key.to_string(),
                found,
                known: KNOWN_VERSION,
            });
        }
        Ok(Some(SpoolEntry {
            at: header.at,
            body: body.to_owned(),
        }))
    }

    /// After the destination took it.
    pub async fn remove(&self, key: &Key) -> Result<(), StoreError> {
        self.store.remove(key).await
    }

    fn queue(&self, table: &str) -> Key {
        Key::new(["spool", table, &self.stream])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::LocalStore;
    use crate::time::SystemClock;

    fn entry(second: i64, body: &str) -> SpoolEntry {
        SpoolEntry {
            at: DateTime::from_timestamp(second, 0).unwrap(),
            body: body.to_owned(),
        }
    }

    fn spool(folder: &tempfile::TempDir, limit: u64) -> Spool {
        let store = LocalStore::open(folder.path().to_owned(), Arc::new(SystemClock)).unwrap();
        let stream = StreamName {
            source: "pingone",
            instance: "default".to_owned(),
            stream: "activities",
        };
        Spool::new(Arc::new(store), &stream, limit)
    }

    #[tokio::test]
    async fn entries_come_back_oldest_first_and_each_queue_is_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let spool = spool(&folder, 1000);
        for (second, body) in [(2, "b\nc"), (1, "a"), (10, "")] {
            spool.add("T_CL", &entry(second, body)).await.unwrap();
        }
        spool.add("U_CL", &entry(1, "u")).await.unwrap();
        let keys = spool.waiting("T_CL").await.unwrap();
        let mut bodies = Vec::new();
        for key in &keys {
            bodies.push(spool.read(key).await.unwrap().unwrap().body);
            spool.remove(key).await.unwrap();
        }
        assert_eq!(bodies, ["a", "b\nc", ""]);
        assert_eq!(
            (
                spool.waiting("T_CL").await.unwrap().len(),
                spool.waiting("U_CL").await.unwrap().len()
            ),
            (0, 1)
        );
    }

    #[tokio::test]
    async fn a_full_spool_takes_nothing_until_it_is_emptied() {
        let folder = tempfile::tempdir().unwrap();
        let spool = spool(&folder, 200);
        spool.require_room(100).await.unwrap();
        let key = spool.add("T_CL", &entry(1, &"x".repeat(150))).await.unwrap();
        assert!(matches!(
            spool.require_room(100).await,
            Err(SpoolError::Full { limit: 200, .. })
        ));
        spool.remove(&key).await.unwrap();
        spool.require_room(100).await.unwrap();
    }
}
