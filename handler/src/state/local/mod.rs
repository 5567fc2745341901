//! The store in a local directory.
//!
//! A write is a temporary file, fsynced and renamed. The local file system has no compare-and-swap, so a conditional
//! write holds the store's lock file while it compares. Leases are operating-system locks: the kernel frees them
//! when their holder dies.

mod files;
mod lease;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use self::files::Files;
use super::ended_run::EndedRuns;
use super::key::Key;
use super::lease_notes::LastRead;
use super::lease_text::LeaseText;
use super::leases::{Holder, LeaseAttempt, Leases};
use super::store::{Expected, Listed, Store, StoreError, Stored, Version};
use crate::time::{Clock, Deadline};

/// Other processes hold the store's lock for the time of one write. Store calls give up after this in all.
const LOCK_TIME: Duration = Duration::from_secs(15);
const LOCK_PAUSE: Duration = Duration::from_millis(10);
/// The text of a lease that is being written is read again so often.
const LEASE_READS: u32 = 5;

#[derive(Debug)]
pub struct LocalStore {
    files: Arc<Files>,
    clock: Arc<dyn Clock>,
}

impl LocalStore {
    /// Opens the directory, and makes it if it is absent.
    pub fn open(root: PathBuf, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let files = Files::open(root)?;
        Ok(Self {
            files: Arc::new(files),
            clock,
        })
    }

    /// Of a process that only reads: nothing is made, and a directory that is absent reads as an empty one.
    pub fn unopened(root: PathBuf, clock: Arc<dyn Clock>) -> Self {
        Self {
            files: Arc::new(Files::unopened(root)),
            clock,
        }
    }

    /// An empty text if there is no file, or none that could be read for a while.
    async fn noted_text(&self, name: &str) -> Result<LeaseText, StoreError> {
        for _ in 0..LEASE_READS {
            let name = name.to_owned();
            let text = self.blocking(move |files| Ok(lease::noted_text(files, &name))).await?;
            if let Some(text) = text {
                return Ok(text);
            }
            tokio::time::sleep(LOCK_PAUSE).await;
        }
        Ok(LeaseText::default())
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Files) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let files = self.files.clone();
        let place = files.root().display().to_string();
        tokio::task::spawn_blocking(move || work(&files))
            .await
            .unwrap_or_else(|error| {
                Err(StoreError::Backend {
                    action: "work on",
                    key: "the directory".to_owned(),
                    reason: error.to_string(),
                    place,
                })
            })
    }
}

#[async_trait]
impl Store for LocalStore {
    async fn read(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        let key = key.clone();
        self.blocking(move |files| files.read(&key)).await
    }

    async fn write(&self, key: &Key, bytes: Vec<u8>, expected: Expected) -> Result<Version, StoreError> {
        let bytes: Arc<[u8]> = bytes.into();
        let deadline = Deadline::after(LOCK_TIME);
        loop {
            let (key, bytes, expected) = (key.clone(), bytes.clone(), expected.clone());
            let written = self
                .blocking(move |files| files.try_write(&key, &bytes, &expected))
                .await?;
            if let Some(version) = written {
                return Ok(version);
            }
            if deadline.has_passed() {
                break;
            }
            tokio::time::sleep(LOCK_PAUSE).await;
        }
        let busy = io::Error::other("another process holds the lock leases/store.lock");
        Err(self.files.error("write", key.as_str(), &busy))
    }

    async fn remove(&self, key: &Key) -> Result<(), StoreError> {
        let key = key.clone();
        self.blocking(move |files| files.remove(&key)).await
    }

    async fn list(&self, prefix: &Key) -> Result<Vec<Listed>, StoreError> {
        let prefix = prefix.clone();
        self.blocking(move |files| files.list(&prefix)).await
    }
}

#[async_trait]
impl Leases for LocalStore {
    async fn try_lease(&self, name: &str, holder: &Holder) -> Result<LeaseAttempt, StoreError> {
        let (name, holder, clock) = (name.to_owned(), holder.clone(), self.clock.clone());
        self.blocking(move |files| lease::try_take(files, &name, &holder, clock))
            .await
    }

    async fn ended_runs(&self, name: &str) -> Result<EndedRuns, StoreError> {
        Ok(self.noted_text(name).await?.notes().runs)
    }

    async fn last_read(&self, name: &str) -> Result<LastRead, StoreError> {
        Ok(self.noted_text(name).await?.notes().last_read)
    }
}

#[cfg(test)]
mod tests;
