//! Leases as small blobs: who holds it, until when, and a number that grows with every holder.
//!
//! A holder that dies frees its lease within [`LEASE_TIME`] and [`GRACE`] together, 28 seconds. The holder itself
//! counts from the moment before its last renewal was sent, on a clock that nobody sets, so it stops first.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::BlobStore;
use crate::state::document::{Document, read_document};
use crate::state::ended_run::EndedRuns;
use crate::state::key::Key;
use crate::state::lease::{Lease, LeaseState, Release};
use crate::state::lease_notes::LastRead;
use crate::state::lease_text::LeaseText;
use crate::state::leases::{HeldBy, Holder, LeaseAttempt, Leases};
use crate::state::store::{Expected, Store, StoreError, Version};

/// How long a lease lasts unless it is renewed.
const LEASE_TIME: Duration = Duration::from_secs(24);
/// The clocks of two machines may differ by this much.
const GRACE: Duration = Duration::from_secs(4);
const RENEW_EVERY: Duration = Duration::from_secs(8);
/// A renewal that brings no answer is tried again while the lease still holds.
const RENEWAL_TIME: Duration = Duration::from_secs(5);
const RENEWAL_PAUSE: Duration = Duration::from_secs(1);
/// A lease that cannot be released in this time ends by itself.
const RELEASE_TIME: Duration = Duration::from_secs(5);

/// The content of a lease blob.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct LeaseBlob {
    version: u32,
    /// Makes every holder's text its own, so that a write whose answer was lost is known again.
    nonce: String,
    #[serde(flatten)]
    text: LeaseText,
}

impl Document for LeaseBlob {
    const VERSION: u32 = 1;
}

#[async_trait]
impl Leases for BlobStore {
    /// Takes the lease if it is free or has ended.
    async fn try_lease(&self, name: &str, holder: &Holder) -> Result<LeaseAttempt, StoreError> {
        let key = key_of(name);
        let mut before = LeaseText::default();
        let mut expected = Expected::Absent;
        if let Some((blob, version)) = read_document::<LeaseBlob>(self, &key).await? {
            before = blob.text;
            if before.until.is_some_and(|until| self.clock.now() < until + GRACE) {
                return Ok(LeaseAttempt::Held(before.held_by()));
            }
            expected = Expected::Version(version);
        }
        let asked_at = Instant::now();
        let blob = LeaseBlob {
            version: LeaseBlob::VERSION,
            nonce: format!("{:032x}", rand::random::<u128>()),
            text: before.next(holder, self.clock.now() + LEASE_TIME),
        };
        let version = match self.write(&key, blob.encode(&key)?, expected).await {
            Ok(version) => version,
            // Somebody was faster.
            Err(StoreError::Conflict { .. }) => {
                let winner = read_document::<LeaseBlob>(self, &key).await?;
                let held = winner.map_or_else(HeldBy::unknown, |(winner, _)| winner.text.held_by());
                return Ok(LeaseAttempt::Held(held));
            }
            Err(error) => return Err(error),
        };
        let fence = blob.text.fence;
        let state = LeaseState::new(name, blob.text.clone().notes(), Some(asked_at + LEASE_TIME));
        let held = Arc::new(BlobLease {
            store: self.clone(),
            key,
            state: state.clone(),
            written: Mutex::new((blob, version)),
        });
        let mut renewal = JoinSet::new();
        renewal.spawn(renew(held.clone()));
        let backend = RenewedLease { held, renewal };
        Ok(LeaseAttempt::Taken(Lease::new(fence, state, Box::new(backend))))
    }

    /// What the blob's text notes; nothing if there is no blob, or none that can be read.
    async fn ended_runs(&self, name: &str) -> Result<EndedRuns, StoreError> {
        Ok(noted_text(self, name).await?.notes().runs)
    }

    async fn last_read(&self, name: &str) -> Result<LastRead, StoreError> {
        Ok(noted_text(self, name).await?.notes().last_read)
    }
}

/// An empty text if there is no blob, or none that can be read.
async fn noted_text(store: &BlobStore, name: &str) -> Result<LeaseText, StoreError> {
    let key = key_of(name);
    let stored = store.read(&key).await?;
    let blob = stored.and_then(|stored| LeaseBlob::read(&key, &stored.bytes).ok());
    Ok(blob.map(|blob| blob.text).unwrap_or_default())
}

fn key_of(name: &str) -> Key {
    Key::new(["leases", &format!("{name}.json")])
}

#[derive(Debug)]
struct BlobLease {
    store: BlobStore,
    key: Key,
    state: Arc<LeaseState>,
    /// What the blob holds as far as we know.
    written: Mutex<(LeaseBlob, Version)>,
}

async fn renew(held: Arc<BlobLease>) {
    let mut wait = RENEW_EVERY;
    loop {
        tokio::time::sleep(wait).await;
        if held.state.is_lost() {
            return;
        }
        let asked_at = Instant::now();
        let until = held.store.clock.now() + LEASE_TIME;
        wait = match tokio::time::timeout(RENEWAL_TIME, held.write(Some(until))).await {
            Ok(Ok(())) => {
                held.state.extend(asked_at + LEASE_TIME);
                RENEW_EVERY
            }
            Ok(Err(StoreError::Conflict { .. })) => {
                held.state.lose();
                return;
            }
            Ok(Err(_)) | Err(_) => RENEWAL_PAUSE,
        };
    }
}

impl BlobLease {
    async fn write(&self, until: Option<DateTime<Utc>>) -> Result<(), StoreError> {
        let mut written = self.written.lock().await;
        let mut blob = written.0.clone();
        blob.text.until = until;
        blob.text.note(self.state.notes());
        let bytes = blob.encode(&self.key)?;
        let expected = Expected::Version(written.1.clone());
        let outcome = self.store.write(&self.key, bytes.clone(), expected).await;
        let version = match outcome {
            Ok(version) => version,
            // A renewal that was broken off may have been written: the blob is still ours if the nonce is.
            Err(StoreError::Conflict { key }) => {
                let present = read_document::<LeaseBlob>(&self.store, &self.key).await?;
                let Some((_, version)) = present.filter(|(present, _)| present.nonce == blob.nonce) else {
                    return Err(StoreError::Conflict { key });
                };
                self.store.write(&self.key, bytes, Expected::Version(version)).await?
            }
            Err(error) => return Err(error),
        };
        *written = (blob, version);
        Ok(())
    }
}

#[derive(Debug)]
struct RenewedLease {
    held: Arc<BlobLease>,
    /// Ends with this.
    renewal: JoinSet<()>,
}

#[async_trait]
impl Release for RenewedLease {
    async fn release(mut self: Box<Self>) {
        self.renewal.abort_all();
        if !self.held.state.is_lost() {
            let _ = tokio::time::timeout(RELEASE_TIME, self.held.write(None)).await;
        }
        self.held.state.lose();
    }
}
