//! A lease that we hold, and the store as its holder may use it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::ended_run::{EndedRun, add_run};
use super::key::Key;
use super::lease_notes::LeaseNotes;
use super::listings::Listings;
use super::store::{Expected, Listed, Store, StoreError, Stored, Version};

/// Until when a lease is ours, and what is noted in its text. Shared by its holder, the task that renews it and the
/// stores that it guards.
#[derive(Debug)]
pub struct LeaseState {
    name: String,
    lost: AtomicBool,
    /// `None` for a lease that lasts as long as the process.
    until: Mutex<Option<Instant>>,
    /// What goes into the text with its next write.
    notes: Mutex<LeaseNotes>,
}

impl LeaseState {
    /// A lease of that name that was just taken, with what the holders before noted. It ends at `until` unless it is
    /// renewed; `None` if nobody can take it from a living holder.
    pub fn new(name: &str, notes: LeaseNotes, until: Option<Instant>) -> Arc<Self> {
        Arc::new(Self {
            name: name.to_owned(),
            lost: AtomicBool::new(false),
            until: Mutex::new(until),
            notes: Mutex::new(notes),
        })
    }

    /// What is noted.
    pub fn notes(&self) -> LeaseNotes {
        self.notes.lock().clone()
    }

    /// Renewed. A lease that was lost stays lost.
    pub fn extend(&self, instant: Instant) {
        *self.until.lock() = Some(instant);
    }

    /// Somebody else has it.
    pub fn lose(&self) {
        self.lost.store(true, Ordering::Release);
    }

    /// True once somebody else may hold it. The clock is asked, not only the renewing task: a process that was paused
    /// finds out at its first step.
    pub fn is_lost(&self) -> bool {
        if self.lost.load(Ordering::Acquire) {
            return true;
        }
        let until = *self.until.lock();
        until.is_some_and(|until| Instant::now() >= until)
    }

    /// Fails once somebody else may hold it.
    fn require(&self) -> Result<(), StoreError> {
        match self.is_lost() {
            true => Err(StoreError::LeaseLost {
                lease: self.name.clone(),
            }),
            false => Ok(()),
        }
    }
}

/// Releases a lease in its backend. Errors are ignored: a lease that is not released expires.
#[async_trait]
pub trait Release: Send + Sync + fmt::Debug {
    /// Once.
    async fn release(self: Box<Self>);
}

/// A lease that we hold. Dropping it stops its renewal; [`Lease::release`] frees it at once.
#[derive(Debug)]
pub struct Lease {
    /// Grows with every holder of this lease; kept in its text and in the checkpoints, for whoever looks into them.
    /// Nothing compares it: a holder whose lease is lost is kept from writing by [`Lease::require`], and one that was
    /// paused between that and the write by the version (ETag) that every write of a checkpoint expects.
    pub fence: u64,
    state: Arc<LeaseState>,
    listings: Arc<Listings>,
    backend: Box<dyn Release>,
}

impl Lease {
    /// Under that fencing number.
    pub fn new(fence: u64, state: Arc<LeaseState>, backend: Box<dyn Release>) -> Self {
        Self {
            fence,
            state,
            listings: Arc::default(),
            backend,
        }
    }

    /// True once somebody else may hold it.
    #[cfg(test)]
    pub fn is_lost(&self) -> bool {
        self.state.is_lost()
    }

    /// Fails once somebody else may hold it.
    pub fn require(&self) -> Result<(), StoreError> {
        self.state.require()
    }

    /// The store, writing no more once this lease is lost.
    pub fn guard(&self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        Arc::new(GuardedStore {
            store,
            lease: self.state.clone(),
            listings: self.listings.clone(),
        })
    }

    /// Notes how a stream's run under this lease ended, for whoever asks how things stand.
    pub fn note_run(&self, stream: &str, ended: EndedRun) {
        add_run(&mut self.state.notes.lock().runs, stream, ended);
    }

    /// Notes that a stream was read under this lease, well or not.
    pub fn note_read(&self, stream: &str, at: DateTime<Utc>) {
        self.state.notes.lock().last_read.insert(stream.to_owned(), at);
    }

    /// Frees it for others.
    pub async fn release(self) {
        self.backend.release().await;
    }
}

#[derive(Debug)]
struct GuardedStore {
    store: Arc<dyn Store>,
    lease: Arc<LeaseState>,
    listings: Arc<Listings>,
}

#[async_trait]
impl Store for GuardedStore {
    async fn read(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        self.store.read(key).await
    }

    async fn write(&self, key: &Key, bytes: Vec<u8>, expected: Expected) -> Result<Version, StoreError> {
        self.lease.require()?;
        let length = bytes.len() as u64;
        let outcome = self.store.write(key, bytes, expected).await;
        self.listings.note_change(key, Some(length), &outcome).await;
        outcome
    }

    async fn remove(&self, key: &Key) -> Result<(), StoreError> {
        self.lease.require()?;
        let outcome = self.store.remove(key).await;
        self.listings.note_change(key, None, &outcome).await;
        outcome
    }

    async fn list(&self, prefix: &Key) -> Result<Vec<Listed>, StoreError> {
        self.listings.list(&*self.store, prefix).await
    }
}
