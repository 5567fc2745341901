//! Leases as operating-system locks, one file each.
//!
//! The lock is what counts. The file's text tells others who holds it and carries the fencing number.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::files::Files;
use crate::state::key::Key;
use crate::state::lease::{GiveBack, Lease, Validity};
use crate::state::store::{HeldBy, StoreError};
use crate::time::Clock;

/// How long a lease lasts unless it is renewed.
const LEASE_TIME: Duration = Duration::from_secs(30);
const RENEW_EVERY: Duration = Duration::from_secs(10);

/// The text of a lease file.
#[derive(Debug, Default, Deserialize, Serialize)]
struct LeaseText {
    fence: u64,
    who: String,
    until: Option<DateTime<Utc>>,
}

/// What came of trying.
pub enum Attempt {
    /// The lock is ours.
    Taken(Taken),
    /// It is somebody else's.
    Held(HeldBy),
}

/// A locked lease file.
pub struct Taken {
    file: File,
    text: LeaseText,
}

/// Tries to lock the lease's file and writes our name into it.
pub fn try_take(files: &Files, key: &Key, who: &str, now: DateTime<Utc>) -> Result<Attempt, StoreError> {
    let failed = |error: io::Error| files.error("take the lease", key.as_str(), &error);
    let path = files.path(key);
    let mut file = files.open_lock(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            // The holder may be writing at this moment: an unreadable text still means that somebody holds it.
            let text = read_text(&mut file).unwrap_or_default();
            let who = if text.who.is_empty() {
                "another process".to_owned()
            } else {
                text.who
            };
            return Ok(Attempt::Held(HeldBy { who, until: text.until }));
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    let fence = read_text(&mut file).unwrap_or_default().fence + 1;
    let text = LeaseText {
        fence,
        who: who.to_owned(),
        until: Some(now + LEASE_TIME),
    };
    write_text(&mut file, &text).map_err(failed)?;
    Ok(Attempt::Taken(Taken { file, text }))
}

/// Renews the lease's text while it is held; dropping the lease unlocks the file.
pub fn keep(name: &str, taken: Taken, clock: Arc<dyn Clock>) -> Lease {
    let Taken { file, mut text } = taken;
    let fence = text.fence;
    let renewing = file.try_clone();
    let renewal = tokio::spawn(async move {
        let Ok(mut file) = renewing else { return };
        loop {
            tokio::time::sleep(RENEW_EVERY).await;
            text.until = Some(clock.now() + LEASE_TIME);
            // The lock holds whether or not the text could be renewed.
            let _ = write_text(&mut file, &text);
        }
    });
    Lease::new(name, fence, Validity::unlimited(), Box::new(Held { file, renewal }))
}

struct Held {
    file: File,
    renewal: tokio::task::JoinHandle<()>,
}

#[async_trait]
impl GiveBack for Held {
    async fn give_back(self: Box<Self>) {}
}

impl Drop for Held {
    fn drop(&mut self) {
        self.renewal.abort();
        // The renewing task may still hold its handle for a moment: unlock rather than only close.
        let _ = self.file.unlock();
    }
}

fn read_text(file: &mut File) -> io::Result<LeaseText> {
    let mut text = String::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_string(&mut text)?;
    Ok(serde_json::from_str(text.trim_end())?)
}

// Padded to one length, so that a shorter text leaves no tail of a longer one and no moment is without text.
fn write_text(file: &mut File, text: &LeaseText) -> io::Result<()> {
    let line = format!("{:<300}\n", serde_json::to_string(text)?);
    file.seek(SeekFrom::Start(0))?;
    file.write_all(line.as_bytes())
}
