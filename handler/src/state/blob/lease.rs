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
use tokio::time::Instant;

use super::BlobStore;
use crate::state::ended_run::{self, EndedRuns, LeaseNotes};
use crate::state::key::Key;
use crate::state::lease::{GiveBack, Lease, Validity};
use crate::state::store::{Expected, HeldBy, Holder, LeaseAttempt, Store, StoreError, Version};
use crate::time::Clock;

/// How long a lease lasts unless it is renewed.
const LEASE_TIME: Duration = Duration::from_secs(24);
/// The clocks of two machines may differ by this much.
const GRACE: Duration = Duration::from_secs(4);
const RENEW_EVERY: Duration = Duration::from_secs(8);
/// A renewal that brings no answer is tried again while the lease still holds.
const RENEWAL_TIME: Duration = Duration::from_secs(5);
const RENEWAL_PAUSE: Duration = Duration::from_secs(1);
/// A lease that cannot be given back in this time ends by itself.
const GIVE_BACK_TIME: Duration = Duration::from_secs(5);
const KNOWN_VERSION: u32 = 1;

/// The content of a lease blob.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct LeaseText {
    version: u32,
    fence: u64,
    who: String,
    /// Makes every holder's text its own, so that a write whose answer was lost is known again.
    nonce: String,
    /// `None` once it is given back.
    until: Option<DateTime<Utc>>,
    /// How the last runs ended, see [`EndedRuns`].
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    runs: serde_json::Value,
}

/// What the blob's text notes; nothing if there is no blob, or none that can be read.
pub async fn ended_runs(store: &BlobStore, name: &str) -> Result<EndedRuns, StoreError> {
    let key = key_of(name);
    let stored = store.read(&key).await?;
    let text = stored.and_then(|stored| parse(&key, &stored.bytes).ok());
    Ok(text.map(|text| ended_run::parse(&text.runs)).unwrap_or_default())
}

fn key_of(name: &str) -> Key {
    Key::new(["leases", &format!("{name}.json")])
}

/// Takes the lease if it is free or has ended.
pub async fn try_lease(
    store: &BlobStore,
    clock: &dyn Clock,
    name: &str,
    holder: &Holder,
) -> Result<LeaseAttempt, StoreError> {
    let key = key_of(name);
    let stored = store.read(&key).await?;
    let mut last_fence = 0;
    let mut runs = serde_json::Value::Null;
    let mut expected = Expected::Absent;
    if let Some(stored) = stored {
        let text = parse(&key, &stored.bytes)?;
        if text.until.is_some_and(|until| clock.now() < until + GRACE) {
            return Ok(LeaseAttempt::Held(held_by(text)));
        }
        last_fence = text.fence;
        runs = text.runs;
        expected = Expected::Version(stored.version);
    }
    let asked_at = Instant::now();
    let text = LeaseText {
        version: KNOWN_VERSION,
        fence: last_fence + 1,
        who: holder.who.clone(),
        nonce: format!("{:032x}", rand::random::<u128>()),
        until: Some(clock.now() + LEASE_TIME),
        runs,
    };
    let version = match store.write(&key, encode(&key, &text)?, expected).await {
        Ok(version) => version,
        // Somebody was faster.
        Err(StoreError::Conflict { .. }) => {
            let winner = store.read(&key).await?;
            let winner = winner.map(|stored| parse(&key, &stored.bytes)).transpose()?;
            let held = winner.map(held_by).unwrap_or_else(|| HeldBy {
                who: "another process".to_owned(),
                until: None,
            });
            return Ok(LeaseAttempt::Held(held));
        }
        Err(error) => return Err(error),
    };
    Ok(LeaseAttempt::Taken(keep(store, name, key, text, version, asked_at)))
}

fn keep(store: &BlobStore, name: &str, key: Key, text: LeaseText, version: Version, asked_at: Instant) -> Lease {
    let validity = Validity::until(asked_at + LEASE_TIME);
    let fence = text.fence;
    let notes = LeaseNotes::from_text(&text.runs);
    let held = Arc::new(Held {
        store: store.clone(),
        key,
        validity: validity.clone(),
        notes: notes.clone(),
        written: Mutex::new((text, version)),
    });
    let renewal = tokio::spawn(renew(held.clone()));
    Lease::new(name, fence, validity, notes, Box::new(Giver { held, renewal }))
}

struct Held {
    store: BlobStore,
    key: Key,
    validity: Arc<Validity>,
    /// Written with the next write.
    notes: LeaseNotes,
    /// What the blob holds as far as we know.
    written: Mutex<(LeaseText, Version)>,
}

async fn renew(held: Arc<Held>) {
    let mut wait = RENEW_EVERY;
    loop {
        tokio::time::sleep(wait).await;
        if held.validity.is_lost() {
            return;
        }
        let asked_at = Instant::now();
        let until = held.store.clock.now() + LEASE_TIME;
        wait = match tokio::time::timeout(RENEWAL_TIME, held.write(Some(until))).await {
            Ok(Ok(())) => {
                held.validity.extend(asked_at + LEASE_TIME);
                RENEW_EVERY
            }
            Ok(Err(StoreError::Conflict { .. })) => {
                held.validity.lose();
                return;
            }
            Ok(Err(_)) | Err(_) => RENEWAL_PAUSE,
        };
    }
}

impl Held {
    async fn write(&self, until: Option<DateTime<Utc>>) -> Result<(), StoreError> {
        let mut written = self.written.lock().await;
        let text = LeaseText {
            until,
            runs: self.notes.to_text(),
            ..written.0.clone()
        };
        let bytes = encode(&self.key, &text)?;
        let expected = Expected::Version(written.1.clone());
        let outcome = self.store.write(&self.key, bytes.clone(), expected).await;
        let version = match outcome {
            Ok(version) => version,
            // A renewal that was broken off may have been written: the blob is still ours if the nonce is.
            Err(StoreError::Conflict { key }) => {
                let present = self.store.read(&self.key).await?;
                let Some(present) = present else {
                    return Err(StoreError::Conflict { key });
                };
                if parse(&self.key, &present.bytes)?.nonce != text.nonce {
                    return Err(StoreError::Conflict { key });
                }
                self.store
                    .write(&self.key, bytes, Expected::Version(present.version))
                    .await?
            }
            Err(error) => return Err(error),
        };
        *written = (text, version);
        Ok(())
    }
}

struct Giver {
    held: Arc<Held>,
    renewal: tokio::task::JoinHandle<()>,
}

#[async_trait]
impl GiveBack for Giver {
    async fn give_back(self: Box<Self>) {
        self.renewal.abort();
        if !self.held.validity.is_lost() {
            let _ = tokio::time::timeout(GIVE_BACK_TIME, self.held.write(None)).await;
        }
        self.held.validity.lose();
    }
}

impl Drop for Giver {
    fn drop(&mut self) {
        self.renewal.abort();
    }
}

fn held_by(text: LeaseText) -> HeldBy {
    HeldBy {
        who: text.who,
        until: text.until,
    }
}

fn parse(key: &Key, bytes: &[u8]) -> Result<LeaseText, StoreError> {
    let text: LeaseText = serde_json::from_slice(bytes).map_err(|error| damaged(key, &error))?;
    if text.version != KNOWN_VERSION {
        return Err(StoreError::UnknownVersion {
            key: key.to_string(),
            found: text.version.to_string(),
            known: KNOWN_VERSION,
        });
    }
    Ok(text)
}

fn encode(key: &Key, text: &LeaseText) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(text).map_err(|error| damaged(key, &error))
}

fn damaged(key: &Key, error: &serde_json::Error) -> StoreError {
    StoreError::Damaged {
        key: key.to_string(),
        reason: error.to_string(),
    }
}
