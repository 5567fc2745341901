//! Small binary files of fixed-size records in one folder: appended to as new files, and now and then written anew as
//! one. The first three bytes of a file name its form, the fourth is its version.

use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::key::Key;
use super::store::{Expected, Store, StoreError};

/// Files read at the same time: a store far away answers each of them after milliseconds.
const READS_AT_ONCE: usize = 16;

/// The files of one folder.
#[derive(Debug)]
pub struct Segments {
    store: Arc<dyn Store>,
    folder: Key,
    magic: &'static [u8; 4],
    keys: Vec<Key>,
    next: u64,
}

impl Segments {
    /// Reads every file below `folder`, oldest first, and gives each record of `N` bytes to `take`.
    pub async fn load<const N: usize>(
        store: Arc<dyn Store>,
        folder: Key,
        magic: &'static [u8; 4],
        mut take: impl FnMut(&[u8; N]),
    ) -> Result<Self, StoreError> {
        let listed = store.list(&folder).await?;
        let keys: Vec<Key> = listed.into_iter().map(|listed| listed.key).collect();
        // Owned names: a stream over borrowed ones is not general enough for the compiler to send between threads.
        let reads = stream::iter(keys.clone()).map(|key| {
            let store = store.clone();
            async move { store.read(&key).await.map(|stored| (key, stored)) }
        });
        let mut next = 1;
        let mut files = reads.buffered(READS_AT_ONCE);
        while let Some((key, stored)) = files.try_next().await? {
            let Some(stored) = stored else { continue };
            for record in records::<N>(&key, &stored.bytes, magic)? {
                take(record);
            }
            next = next.max(number_of(&key) + 1);
        }
        drop(files);
        Ok(Self {
            store,
            folder,
            magic,
            keys,
            next,
        })
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Writes a file of its own for these records.
    pub async fn append<const N: usize>(
        &mut self,
        records: impl ExactSizeIterator<Item = [u8; N]>,
    ) -> Result<(), StoreError> {
        let mut bytes = Vec::with_capacity(self.magic.len() + records.len() * N);
        bytes.extend_from_slice(self.magic);
        bytes.extend(records.flatten());
        let key = self.folder.child(&format!("{:012}.ids", self.next));
        self.store.write(&key, bytes, Expected::Absent).await?;
        self.next += 1;
        self.keys.push(key);
        Ok(())
    }

    /// Shows that a file of so many records can be written now, and leaves none behind.
    pub async fn require_room<const N: usize>(&self, records: usize) -> Result<(), StoreError> {
        let mut bytes = self.magic.to_vec();
        // Records that name nothing, should this process end before they are removed.
        bytes.resize(self.magic.len() + records * N, 0);
        let key = self.folder.child(&format!("{:012}.ids", self.next));
        self.store.write(&key, bytes, Expected::Absent).await?;
        self.store.remove(&key).await
    }

    pub fn folder(&self) -> &Key {
        &self.folder
    }

    /// Replaces all files by one that holds these records: the new one is there before the others go.
    pub async fn write_anew<const N: usize>(
        &mut self,
        records: impl ExactSizeIterator<Item = [u8; N]>,
    ) -> Result<(), StoreError> {
        let outdated = std::mem::take(&mut self.keys);
        if records.len() > 0
            && let Err(error) = self.append(records).await
        {
            self.keys = outdated;
            return Err(error);
        }
        for key in outdated {
            self.store.remove(&key).await?;
        }
        Ok(())
    }
}

fn number_of(key: &Key) -> u64 {
    let name = key.last().split('.').next();
    name.and_then(|name| name.parse().ok()).unwrap_or(0)
}

fn records<'a, const N: usize>(key: &Key, bytes: &'a [u8], magic: &[u8; 4]) -> Result<&'a [[u8; N]], StoreError> {
    let damaged = |reason: &str| StoreError::Damaged {
        key: key.to_string(),
        reason: reason.to_owned(),
    };
    let Some((found, records)) = bytes.split_at_checked(magic.len()) else {
        return Err(damaged("too short"));
    };
    if found != magic {
        return Err(StoreError::UnknownVersion {
            key: key.to_string(),
            found: String::from_utf8_lossy(found).escape_debug().to_string(),
            known: u32::from(magic[3] - b'0'),
        });
    }
    match records.as_chunks::<N>() {
        (records, []) => Ok(records),
        _ => Err(damaged("its length is not a whole number of entries")),
    }
}
