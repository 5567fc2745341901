//! The identities of what was delivered into one table, in small binary segments beside the checkpoint.
//!
//! A segment is written right after the destination accepted a batch and before anything else, so a crash loses at
//! most the batch that was in flight. Segments are merged, and identities that no window can show again are
//! forgotten, when a window has been read to its end.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::key::Key;
use super::segments::Segments;
use super::store::{Store, StoreError};
use crate::event::Identity;

/// Names the form of a segment; its last byte is the version.
const MAGIC: &[u8; 4] = b"IDS1";
const ENTRY: usize = 16 + 8;
/// More segments than this are merged. Every run reads them all, and a merge is one write, which Azure bills as some
/// twelve reads.
const MOST_SEGMENTS: usize = 8;

#[derive(Debug)]
pub struct Identities {
    segments: Segments,
    /// With the vendor time of the event, in milliseconds.
    known: HashMap<Identity, i64>,
    /// Kept by somebody else: asked, and never written or forgotten here.
    elsewhere: HashSet<Identity>,
    /// Identities that the segments hold and we do not.
    forgotten: usize,
}

impl Identities {
    /// Reads every segment below `folder`.
    pub async fn load(store: Arc<dyn Store>, folder: Key) -> Result<Self, StoreError> {
        let mut known = HashMap::new();
        let segments = Segments::load::<ENTRY>(store, folder, MAGIC, |entry| {
            let (identity, time) = decode(entry);
            known.insert(identity, time);
        })
        .await?;
        Ok(Self {
            segments,
            known,
            elsewhere: HashSet::new(),
            forgotten: 0,
        })
    }

    /// True if the event was delivered before.
    pub fn contains(&self, identity: &Identity) -> bool {
        self.known.contains_key(identity) || self.elsewhere.contains(identity)
    }

    /// How many are in memory.
    pub fn len(&self) -> usize {
        self.known.len() + self.elsewhere.len()
    }

    /// Asks those of another folder too.
    pub fn ask_also(&mut self, others: &Self) {
        self.elsewhere.extend(others.known.keys().copied());
    }

    /// Those of its own that were remembered under a time which `is_meant`.
    pub fn own_where(&self, is_meant: impl Fn(DateTime<Utc>) -> bool) -> Vec<(Identity, DateTime<Utc>)> {
        let timed = self.known.iter().filter_map(|(identity, time)| {
            let time = DateTime::from_timestamp_millis(*time)?;
            Some((*identity, time))
        });
        timed.filter(|(_, time)| is_meant(*time)).collect()
    }

    /// Stores the identities of an accepted batch, with the vendor time of each event.
    pub async fn append(&mut self, batch: Vec<(Identity, DateTime<Utc>)>) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let entries: Vec<_> = batch
            .iter()
            .map(|(identity, time)| (*identity, time.timestamp_millis()))
            .collect();
        self.segments
            .append(entries.iter().map(|(identity, time)| encode(*identity, *time)))
            .await?;
        self.known.extend(entries);
        Ok(())
    }

    /// Shows that those of so many events can be stored now: what cannot be remembered must not be sent.
    pub async fn require_room(&self, events: usize) -> Result<(), StoreError> {
        self.segments.require_room::<ENTRY>(events).await
    }

    /// Where they are kept.
    pub fn folder(&self) -> &Key {
        self.segments.folder()
    }

    /// Forgets what is older than `from`. The segments are written anew as one when they are many, or when most of
    /// what they hold is forgotten: an identity that is kept too long does no harm.
    pub async fn compact(&mut self, from: DateTime<Utc>) -> Result<(), StoreError> {
        let before = self.known.len();
        let oldest = from.timestamp_millis();
        self.known.retain(|_, time| *time >= oldest);
        self.forgotten += before - self.known.len();
        if self.segments.len() <= MOST_SEGMENTS && self.forgotten <= self.known.len() {
            return Ok(());
        }
        self.write_anew().await
    }

    /// Keeps only what was appended or refreshed at `from` or later, on the disk as well: the rest is as good as
    /// never seen.
    pub async fn keep_only(&mut self, from: DateTime<Utc>) -> Result<(), StoreError> {
        let oldest = from.timestamp_millis();
        self.known.retain(|_, time| *time >= oldest);
        self.write_anew().await
    }

    /// Forgets those that were remembered under a time which is `needless`, on the disk as well.
    pub async fn forget(&mut self, needless: impl Fn(DateTime<Utc>) -> bool) -> Result<(), StoreError> {
        let outdated = self.own_where(needless);
        if outdated.is_empty() {
            return Ok(());
        }
        for (identity, _) in outdated {
            self.known.remove(&identity);
        }
        self.write_anew().await
    }

    /// Gives a known identity a later time.
    pub fn refresh(&mut self, identity: Identity, time: DateTime<Utc>) {
        if let Some(known) = self.known.get_mut(&identity) {
            *known = (*known).max(time.timestamp_millis());
        }
    }

    async fn write_anew(&mut self) -> Result<(), StoreError> {
        let entries = self.known.iter().map(|(identity, time)| encode(*identity, *time));
        self.segments.write_anew(entries).await?;
        self.forgotten = 0;
        Ok(())
    }
}

fn encode(identity: Identity, time: i64) -> [u8; ENTRY] {
    let mut entry = [0; ENTRY];
    entry[..16].copy_from_slice(&identity.0);
    entry[16..].copy_from_slice(&time.to_le_bytes());
    entry
}

fn decode(entry: &[u8; ENTRY]) -> (Identity, i64) {
    let identity = entry.first_chunk().copied().unwrap_or_default();
    let time = entry.last_chunk().copied().unwrap_or_default();
    (Identity(identity), i64::from_le_bytes(time))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::LocalStore;
    use crate::state::store::Expected;
    use crate::time::SystemClock;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    fn identity(number: i64) -> Identity {
        Identity::of_parts(&[&number.to_string()])
    }

    async fn load(folder: &tempfile::TempDir) -> Identities {
        let store = LocalStore::open(folder.path().to_owned(), Arc::new(SystemClock)).unwrap();
        Identities::load(Arc::new(store), Key::new(["ids", "T"])).await.unwrap()
    }

    #[tokio::test]
    async fn what_was_appended_is_known_after_a_restart_until_it_is_compacted_away() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = load(&folder).await;
        for batch in [0..10, 10..25] {
            first
                .append(batch.map(|number| (identity(number), at(number))).collect())
                .await
                .unwrap();
        }
        let mut second = load(&folder).await;
        assert_eq!((second.len(), second.segments.len()), (25, 2));
        second.compact(at(20)).await.unwrap();
        assert!(second.contains(&identity(20)) && !second.contains(&identity(19)));

        let mut third = load(&folder).await;
        assert_eq!((third.len(), third.segments.len()), (5, 1));
        third.append(vec![(identity(99), at(99))]).await.unwrap();
        third.compact(at(1000)).await.unwrap();
        let fourth = load(&folder).await;
        assert_eq!((fourth.len(), fourth.segments.len()), (0, 0));
    }

    #[tokio::test]
    async fn those_of_another_folder_are_known_and_stay_where_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> =
            Arc::new(LocalStore::open(folder.path().to_owned(), Arc::new(SystemClock)).unwrap());
        let open = async |name: &str| Identities::load(store.clone(), Key::new(["ids", name])).await.unwrap();
        let mut others = open("others").await;
        others.append(vec![(identity(1), at(1))]).await.unwrap();
        let mut own = open("own").await;
        own.append(vec![(identity(2), at(2)), (identity(3), at(3))])
            .await
            .unwrap();
        own.ask_also(&others);
        assert!(own.contains(&identity(1)) && own.len() == 3);
        assert_eq!(own.own_where(|time| time < at(3)), [(identity(2), at(2))]);

        own.forget(|time| time < at(3)).await.unwrap();
        assert!(own.contains(&identity(1)) && !own.contains(&identity(2)));
        let (own, others) = (open("own").await, open("others").await);
        assert!(own.contains(&identity(3)) && own.len() == 1);
        assert!(others.contains(&identity(1)) && others.len() == 1);
    }

    #[tokio::test]
    async fn a_segment_of_another_form_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> =
            Arc::new(LocalStore::open(folder.path().to_owned(), Arc::new(SystemClock)).unwrap());
        let key = Key::new(["ids", "T", "000000000001.ids"]);
        for (bytes, word) in [
            (&b"IDS2"[..], "version IDS2"),
            (b"ID", "too short"),
            (b"IDS1abc", "whole number"),
        ] {
            store.write(&key, bytes.to_vec(), Expected::Anything).await.unwrap();
            let error = Identities::load(store.clone(), Key::new(["ids", "T"]))
                .await
                .unwrap_err()
                .to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
