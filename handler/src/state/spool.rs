//! What was acknowledged, or taken from a vendor that forgets it, and is not delivered yet.
//!
//! One queue per table and stream: `spool/<table>/<source>-<instance>-<stream>/<number>.json`. An entry is on the disk
//! before anybody relies on it, is read oldest first, and is removed only after the destination took it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::document::{Document, damaged};
use super::key::Key;
use super::spool_quota::{SpoolError, SpoolQuota};
use super::store::{Expected, Store, StoreError, Version};
use crate::event::{Identity, StreamName};

/// The queues of one stream.
#[derive(Clone, Debug)]
pub struct Spool {
    quota: SpoolQuota,
    store: Arc<dyn Store>,
    stream: String,
}

/// What an entry holds.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryKind {
    /// A vendor's events, a JSON array of them.
    #[default]
    Events,
    /// Finished rows, the body of a call.
    Rows,
    /// A reply as it came.
    Reply,
}

/// What waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpoolEntry {
    /// When it came.
    pub at: DateTime<Utc>,
    /// What it holds.
    pub kind: EntryKind,
    /// Nobody takes it before, because it may still be on its way to the destination.
    pub held_until: Option<DateTime<Utc>>,
    /// The text as it came.
    pub body: String,
}

/// Where an entry lies, and as what it was written or read: it is written over only if it is still that.
#[derive(Clone, Debug)]
pub struct EntryPlace {
    pub key: Key,
    version: Version,
}

/// The line before the body.
#[derive(Deserialize, Serialize)]
struct Header {
    version: u32,
    at: DateTime<Utc>,
    #[serde(default)]
    kind: EntryKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    held_until: Option<DateTime<Utc>>,
}

impl Document for Header {
    const VERSION: u32 = 1;
}

impl SpoolEntry {
    /// True while somebody may still be sending it.
    pub fn is_held(&self, now: DateTime<Utc>) -> bool {
        self.held_until.is_some_and(|until| now < until)
    }
}

impl Spool {
    pub fn new(quota: &SpoolQuota, stream: &StreamName) -> Self {
        Self {
            quota: quota.clone(),
            store: quota.store().clone(),
            stream: folder_of(stream),
        }
    }

    /// The same queues, written through a store that a lease guards.
    pub fn guarded(&self, store: Arc<dyn Store>) -> GuardedSpool {
        GuardedSpool(Self { store, ..self.clone() })
    }

    /// Fails unless `bytes` more find room, and counts them in.
    pub async fn require_room(&self, bytes: u64) -> Result<(), SpoolError> {
        self.quota.require(bytes).await
    }

    /// The same as [`Self::add`], if the entry finds room.
    pub async fn add_if_room(&self, table: &str, entry: &SpoolEntry) -> Result<EntryPlace, SpoolError> {
        self.require_room(entry.body.len() as u64).await?;
        Ok(self.add(table, entry).await?)
    }

    /// Adds an entry to a table's queue; on the disk when this returns.
    pub async fn add(&self, table: &str, entry: &SpoolEntry) -> Result<EntryPlace, StoreError> {
        // Time first, so that the order of names is the order of coming; the content tells two of one instant apart.
        let digest = Identity::of_parts(&[&entry.body]).hex();
        let name = format!("{:020}-{}.json", entry.at.timestamp_micros().max(0), &digest[..16]);
        let key = self.queue(table).child(&name);
        let bytes = encode(&key, entry)?;
        match self.store.write(&key, bytes.clone(), Expected::Anything).await {
            Ok(version) => Ok(EntryPlace { key, version }),
            Err(error) => self.settle_doubt(key, &bytes, error).await,
        }
    }

    /// A write that failed may have been done: an entry that nobody relies on would be delivered beside its repetition.
    async fn settle_doubt(&self, key: Key, written: &[u8], error: StoreError) -> Result<EntryPlace, StoreError> {
        match self.store.read(&key).await {
            Ok(Some(stored)) if stored.bytes == written => Ok(EntryPlace {
                key,
                version: stored.version,
            }),
            Ok(None) => Err(error),
            Ok(Some(_)) | Err(_) => {
                let _ = self.store.remove(&key).await;
                Err(error)
            }
        }
    }

    /// Writes what is left of an entry in its place. A conflict if somebody else did, or took it out: an entry that is
    /// gone was delivered, and must not come back.
    pub async fn rewrite(&self, place: &EntryPlace, rest: &SpoolEntry) -> Result<EntryPlace, StoreError> {
        let expected = Expected::Version(place.version.clone());
        let key = place.key.clone();
        let version = self.store.write(&key, encode(&key, rest)?, expected).await?;
        Ok(EntryPlace { key, version })
    }

    /// The names of a table's entries, oldest first.
    pub async fn waiting(&self, table: &str) -> Result<Vec<Key>, StoreError> {
        let listed = self.store.list(&self.queue(table)).await?;
        Ok(listed.into_iter().map(|listed| listed.key).collect())
    }

    /// An entry, or `None` if it is gone.
    pub async fn read(&self, key: &Key) -> Result<Option<(SpoolEntry, EntryPlace)>, StoreError> {
        let Some(stored) = self.store.read(key).await? else {
            return Ok(None);
        };
        let text = String::from_utf8(stored.bytes).map_err(|error| damaged(key, &error))?;
        let (header, body) = text.split_once('\n').ok_or_else(|| damaged(key, &"it has no header"))?;
        let header = Header::read(key, header.as_bytes())?;
        let place = EntryPlace {
            key: key.clone(),
            version: stored.version,
        };
        let entry = SpoolEntry {
            at: header.at,
            kind: header.kind,
            held_until: header.held_until,
            body: body.to_owned(),
        };
        Ok(Some((entry, place)))
    }

    /// When an entry came, by its name.
    pub fn time_of(key: &Key) -> Option<DateTime<Utc>> {
        let micros = key.last().split('-').next()?.parse().ok()?;
        DateTime::from_timestamp_micros(micros)
    }

    /// After the destination took it.
    pub async fn remove(&self, key: &Key) -> Result<(), StoreError> {
        self.store.remove(key).await
    }

    /// True if `queue`, as [`Spool::queue_of`] names it, is one of a stream's, whatever its table.
    pub fn is_queue_of(queue: &str, stream: &StreamName) -> bool {
        let folder = queue.rsplit_once('/').map(|(_, folder)| folder);
        folder == Some(Key::new([folder_of(stream)]).last())
    }

    /// Where the queue of a table lies.
    pub fn queue_of(&self, table: &str) -> String {
        self.queue(table).to_string()
    }

    fn queue(&self, table: &str) -> Key {
        Key::new(["spool", table, &self.stream])
    }
}

fn folder_of(stream: &StreamName) -> String {
    format!("{}-{}-{}", stream.source, stream.instance, stream.stream)
}

/// The queues of one stream in the hands of the holder of their lease: nothing is taken out once it is lost.
#[derive(Clone, Debug)]
pub struct GuardedSpool(Spool);

impl GuardedSpool {
    /// The names of a table's entries, oldest first.
    pub async fn waiting(&self, table: &str) -> Result<Vec<Key>, StoreError> {
        self.0.waiting(table).await
    }

    /// An entry, or `None` if it is gone.
    pub async fn read(&self, key: &Key) -> Result<Option<(SpoolEntry, EntryPlace)>, StoreError> {
        self.0.read(key).await
    }

    /// Writes what is left of an entry in its place. A conflict if somebody else did, or took it out.
    pub async fn rewrite(&self, place: &EntryPlace, rest: &SpoolEntry) -> Result<EntryPlace, StoreError> {
        self.0.rewrite(place, rest).await
    }

    /// After the destination took it. `bytes` of body find room again.
    pub async fn remove(&self, key: &Key, bytes: usize) -> Result<(), StoreError> {
        self.0.remove(key).await?;
        self.0.quota.release(bytes as u64).await;
        Ok(())
    }
}

fn encode(key: &Key, entry: &SpoolEntry) -> Result<Vec<u8>, StoreError> {
    let header = Header {
        version: Header::VERSION,
        at: entry.at,
        kind: entry.kind,
        held_until: entry.held_until,
    };
    let mut bytes = header.encode(key)?;
    bytes.push(b'\n');
    bytes.extend_from_slice(entry.body.as_bytes());
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::LocalStore;
    use crate::time::SystemClock;

    fn entry(second: i64, body: &str) -> SpoolEntry {
        SpoolEntry {
            at: DateTime::from_timestamp(second, 0).unwrap(),
            kind: EntryKind::Rows,
            held_until: None,
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
        Spool::new(&SpoolQuota::new(Arc::new(store), limit), &stream)
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
            let (entry, _) = spool.read(key).await.unwrap().unwrap();
            assert_eq!(entry.kind, EntryKind::Rows);
            bodies.push(entry.body);
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
    async fn what_is_left_of_an_entry_stands_in_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let spool = spool(&folder, 1000);
        let held = SpoolEntry {
            held_until: DateTime::from_timestamp(100, 0),
            ..entry(1, "[1,2]")
        };
        let place = spool.add("T_CL", &held).await.unwrap();
        assert_eq!(spool.read(&place.key).await.unwrap().unwrap().0, held);
        assert!(held.is_held(DateTime::from_timestamp(99, 0).unwrap()));
        assert!(!held.is_held(DateTime::from_timestamp(100, 0).unwrap()));

        let guarded = spool.guarded(spool.quota.store().clone());
        guarded.rewrite(&place, &entry(1, "[2]")).await.unwrap();
        let keys = spool.waiting("T_CL").await.unwrap();
        assert_eq!(keys.len(), 1);
        assert_eq!(spool.read(&keys[0]).await.unwrap().unwrap().0, entry(1, "[2]"));
    }

    #[tokio::test]
    async fn an_entry_that_somebody_else_took_or_changed_is_not_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let spool = spool(&folder, 1000);
        let guarded = spool.guarded(spool.quota.store().clone());
        let place = spool.add("T_CL", &entry(1, "[1,2]")).await.unwrap();
        let (_, read) = guarded.read(&place.key).await.unwrap().unwrap();
        guarded.rewrite(&read, &entry(1, "[2]")).await.unwrap();
        let late = spool.rewrite(&place, &entry(1, "[1,2]")).await;
        assert!(matches!(late, Err(StoreError::Conflict { .. })), "{late:?}");

        let (_, read) = guarded.read(&place.key).await.unwrap().unwrap();
        guarded.remove(&place.key, 3).await.unwrap();
        for late in [
            spool.rewrite(&place, &entry(1, "[1,2]")).await,
            guarded.rewrite(&read, &entry(1, "[2]")).await,
        ] {
            assert!(matches!(late, Err(StoreError::Conflict { .. })), "{late:?}");
        }
        assert!(spool.waiting("T_CL").await.unwrap().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_spool_takes_nothing_until_it_is_emptied() {
        let folder = tempfile::tempdir().unwrap();
        let spool = spool(&folder, 300);
        spool.require_room(150).await.unwrap();
        let place = spool.add("T_CL", &entry(1, &"x".repeat(150))).await.unwrap();
        assert!(matches!(
            spool.require_room(151).await,
            Err(SpoolError::Full { limit: 300, .. })
        ));
        spool.remove(&place.key).await.unwrap();
        tokio::time::advance(std::time::Duration::from_secs(2)).await;
        spool.require_room(300).await.unwrap();
        assert!(spool.require_room(1).await.is_err());
    }
}
