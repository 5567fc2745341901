//! Tries everything that the program asks of a store, on an object and a lease of its own.

use super::key::Key;
use super::leases::{Holder, LeaseAttempt, Leases};
use super::store::{Expected, Store, StoreError};

/// The lease that is tried; nobody works under it.
const LEASE: &str = "check";

/// What was found of the store.
#[derive(Debug, PartialEq, Eq)]
pub enum ProbedStore {
    /// Written, read back, exchanged only for the right version, removed; a lease was taken and given back.
    Sound,
    /// The same, but somebody else was trying the lease at that moment.
    LeaseInUse(String),
    /// It does not do what it must. Says what.
    Unsound(&'static str),
}

/// Leaves nothing behind. `who` tells this probe from others at the same time.
pub async fn probe_store(store: &dyn Leases, who: &str) -> Result<ProbedStore, StoreError> {
    let key = Key::new(["check", &format!("{who}.probe")]);
    let outcome = try_object(store, &key).await;
    let removed = store.remove(&key).await;
    if let Some(unsound) = outcome? {
        return Ok(ProbedStore::Unsound(unsound));
    }
    removed?;
    if store.read(&key).await?.is_some() {
        return Ok(ProbedStore::Unsound("an object that was removed is still there"));
    }
    let holder = Holder {
        who: format!("check ({who})"),
        yields: false,
    };
    match store.try_lease(LEASE, &holder).await? {
        LeaseAttempt::Taken(lease) => {
            let holds = lease.require();
            lease.release().await;
            holds.map(|()| ProbedStore::Sound)
        }
        LeaseAttempt::Held(held) => Ok(ProbedStore::LeaseInUse(held.to_string())),
    }
}

/// Whether there is anything that a run reads on from, or that waits.
///
/// # Errors
/// If the store cannot be read.
pub async fn holds_state(store: &dyn Store) -> Result<bool, StoreError> {
    for folder in ["checkpoints", "spool", "dead-letters"] {
        if !store.list(&Key::new([folder])).await?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn try_object(store: &dyn Store, key: &Key) -> Result<Option<&'static str>, StoreError> {
    let first = store.write(key, b"one".to_vec(), Expected::Anything).await?;
    let Some(stored) = store.read(key).await? else {
        return Ok(Some("an object that was written is not there"));
    };
    if stored.bytes != b"one" {
        return Ok(Some("an object does not hold what was written"));
    }
    if stored.version != first {
        return Ok(Some("a write and a read name different versions of the same object"));
    }
    store
        .write(key, b"two".to_vec(), Expected::Version(first.clone()))
        .await?;
    match store.write(key, b"three".to_vec(), Expected::Version(first)).await {
        Err(StoreError::Conflict { .. }) => Ok(None),
        Ok(_) => Ok(Some(
            "a write that expected an outdated version was not refused, so two processes could overwrite each other",
        )),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::state::LocalStore;
    use crate::time::SystemClock;

    #[tokio::test]
    async fn a_sound_store_is_left_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let store = LocalStore::open(folder.path().to_owned(), Arc::new(SystemClock)).unwrap();
        assert_eq!(probe_store(&store, "test").await.unwrap(), ProbedStore::Sound);
        assert!(store.list(&Key::new(["check"])).await.unwrap().is_empty());
        let holder = Holder {
            who: "other".to_owned(),
            yields: false,
        };
        let LeaseAttempt::Taken(_lease) = store.try_lease(LEASE, &holder).await.unwrap() else {
            panic!("the lease was not given back");
        };
        assert!(matches!(
            probe_store(&store, "test").await.unwrap(),
            ProbedStore::LeaseInUse(held) if held.contains("other")
        ));
    }
}
