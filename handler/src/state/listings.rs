//! Lists the checkpoints of an instance once while its lease is held, for all of its streams and tables.
//!
//! A list costs as much as a write, and every table asks which segments of identities it has. Nobody else writes below
//! `checkpoints/<source>/<instance>/` meanwhile, so what the holder itself writes and removes keeps the list true.

use std::collections::{BTreeMap, HashMap};

use tokio::sync::Mutex;

use super::key::Key;
use super::store::{Listed, Store, StoreError};

/// What is known of the folders of instances. Shared by everybody who works under one lease.
#[derive(Debug, Default)]
pub struct Listings {
    folders: Mutex<HashMap<Key, BTreeMap<Key, u64>>>,
}

impl Listings {
    /// What lies below `prefix`, in the order of the keys.
    pub async fn list(&self, store: &dyn Store, prefix: &Key) -> Result<Vec<Listed>, StoreError> {
        let Some(folder) = folder_of(prefix) else {
            return store.list(prefix).await;
        };
        // Held while the store answers: the other streams wait for the same list.
        let mut folders = self.folders.lock().await;
        if !folders.contains_key(&folder) {
            let listed = store.list(&folder).await?.into_iter();
            let listed = listed.map(|listed| (listed.key, listed.bytes)).collect();
            folders.insert(folder.clone(), listed);
        }
        let below = format!("{prefix}/");
        let known = folders.get(&folder).into_iter().flatten();
        let found = known.filter(|(key, _)| key.as_str().starts_with(&below));
        let found = found.map(|(key, bytes)| Listed {
            key: key.clone(),
            bytes: *bytes,
        });
        Ok(found.collect())
    }

    /// After a write of so many bytes, or a removal where there are none. What failed may have been done: the folder is
    /// listed anew.
    pub async fn note_change<T>(&self, key: &Key, bytes: Option<u64>, outcome: &Result<T, StoreError>) {
        let Some(folder) = folder_of(key) else { return };
        let mut folders = self.folders.lock().await;
        if outcome.is_err() {
            folders.remove(&folder);
        } else if let Some(known) = folders.get_mut(&folder) {
            match bytes {
                Some(bytes) => known.insert(key.clone(), bytes),
                None => known.remove(key),
            };
        }
    }
}

/// `checkpoints/<source>/<instance>` of what lies below it.
fn folder_of(key: &Key) -> Option<Key> {
    let segments: Vec<&str> = key.as_str().splitn(4, '/').collect();
    match segments.as_slice() {
        ["checkpoints", source, instance, _] => Some(Key::new(["checkpoints", source, instance])),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object_store::memory::InMemory;

    use super::*;
    use crate::state::blob::BlobStore;
    use crate::state::store::Expected;
    use crate::time::VirtualClock;

    fn key(path: &str) -> Key {
        Key::new(path.split('/'))
    }

    fn names(listed: &[Listed]) -> Vec<&str> {
        listed.iter().map(|listed| listed.key.last()).collect()
    }

    fn store() -> BlobStore {
        let clock = Arc::new(VirtualClock::at("2026-11-25T12:00:00Z"));
        BlobStore::new(Arc::new(InMemory::new()), "memory", clock, None)
    }

    async fn write(store: &BlobStore, path: &str) {
        store
            .write(&key(path), b"1".to_vec(), Expected::Anything)
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn an_instance_is_listed_once_and_its_own_changes_are_known() {
        let (store, listings) = (store(), Listings::default());
        let table = key("checkpoints/s/default/a/T");
        for path in [
            "checkpoints/s/default/a/T/1.ids",
            "checkpoints/s/default/a/TT/9.ids",
            "checkpoints/s/other/a/T/8.ids",
        ] {
            write(&store, path).await;
        }
        assert_eq!(names(&listings.list(&store, &table).await.unwrap()), ["1.ids"]);

        // Nobody else writes here; if somebody does, it is not seen.
        write(&store, "checkpoints/s/default/a/T/2.ids").await;
        assert_eq!(names(&listings.list(&store, &table).await.unwrap()), ["1.ids"]);
        listings
            .note_change(&key("checkpoints/s/default/a/T/3.ids"), Some(1), &Ok(()))
            .await;
        listings
            .note_change(&key("checkpoints/s/default/a/T/1.ids"), None, &Ok(()))
            .await;
        assert_eq!(names(&listings.list(&store, &table).await.unwrap()), ["3.ids"]);
    }

    #[tokio::test]
    async fn after_a_failure_and_outside_of_checkpoints_the_store_is_asked() {
        let (store, listings) = (store(), Listings::default());
        let table = key("checkpoints/s/default/a/T");
        assert_eq!(names(&listings.list(&store, &table).await.unwrap()), [""; 0]);
        write(&store, "checkpoints/s/default/a/T/1.ids").await;
        let failed = Err::<(), _>(StoreError::LeaseLost { lease: "s".to_owned() });
        listings
            .note_change(&key("checkpoints/s/default/a/T/1.ids"), Some(1), &failed)
            .await;
        assert_eq!(names(&listings.list(&store, &table).await.unwrap()), ["1.ids"]);

        for number in 1..3 {
            write(&store, &format!("spool/T/s/{number}.json")).await;
            assert_eq!(listings.list(&store, &key("spool/T")).await.unwrap().len(), number);
        }
    }
}
