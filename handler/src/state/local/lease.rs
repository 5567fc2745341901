//! Leases as operating-system locks, one file each.
//!
//! The lock is what counts. The file's text tells others who holds it and carries the fencing number.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use parking_lot::Mutex;

use super::files::Files;
use crate::state::ended_run::{self, EndedRuns, LeaseNotes};
use crate::state::key::Key;
use crate::state::lease::{Lease, Release, Validity};
use crate::state::lease_text::LeaseText;
use crate::state::leases::{HeldBy, Holder};
use crate::state::store::StoreError;
use crate::time::Clock;

/// How long a lease lasts unless it is renewed.
const LEASE_TIME: Duration = Duration::from_secs(30);
const RENEW_EVERY: Duration = Duration::from_secs(10);

/// What came of trying.
pub enum Attempt {
    /// The lock is ours.
    Taken(LockedFile),
    /// It is somebody else's.
    Held(HeldBy),
}

/// A locked lease file.
pub struct LockedFile {
    file: File,
    text: LeaseText,
}

/// Tries to lock the lease's file and writes our name into it.
pub fn try_take(files: &Files, key: &Key, holder: &Holder, now: DateTime<Utc>) -> Result<Attempt, StoreError> {
    let failed = |error: io::Error| files.error("take the lease", key.as_str(), &error);
    let path = files.path(key);
    let mut file = files.open_lock(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            // The holder may be writing at this moment: an unreadable text still means that somebody holds it.
            let text = read_text(&mut file).unwrap_or_default();
            return Ok(Attempt::Held(text.held_by()));
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    let before = read_text(&mut file).unwrap_or_default();
    let text = before.next(holder, now + LEASE_TIME);
    write_text(&mut file, &text).map_err(failed)?;
    Ok(Attempt::Taken(LockedFile { file, text }))
}

/// Renews the lease's text while it is held; dropping the lease unlocks the file.
pub fn keep(name: &str, locked: LockedFile, clock: Arc<dyn Clock>) -> Lease {
    let notes = LeaseNotes::from_text(&locked.text.runs);
    let fence = locked.text.fence;
    let locked = Arc::new(Mutex::new(locked));
    let renewed = locked.clone();
    let renewal = tokio::spawn(async move {
        loop {
            tokio::time::sleep(RENEW_EVERY).await;
            let mut locked = renewed.lock();
            locked.text.until = Some(clock.now() + LEASE_TIME);
            // The lock holds whether or not the text could be renewed.
            let _ = locked.write();
        }
    });
    let backend = LocalLease {
        locked,
        notes: notes.clone(),
        renewal,
    };
    Lease::new(name, fence, Validity::unlimited(), notes, Box::new(backend))
}

impl LockedFile {
    fn write(&mut self) -> io::Result<()> {
        write_text(&mut self.file, &self.text)
    }
}

struct LocalLease {
    locked: Arc<Mutex<LockedFile>>,
    notes: LeaseNotes,
    renewal: tokio::task::JoinHandle<()>,
}

#[async_trait]
impl Release for LocalLease {
    async fn release(self: Box<Self>) {
        self.renewal.abort();
        let mut locked = self.locked.lock();
        locked.text.runs = self.notes.to_text();
        // Only whoever asks how things stand misses it.
        let _ = locked.write();
    }
}

impl Drop for LocalLease {
    fn drop(&mut self) {
        self.renewal.abort();
        // The renewing task may still hold its handle for a moment: unlock rather than only close.
        let _ = self.locked.lock().file.unlock();
    }
}

/// What the file's text notes; nothing if there is no file. `None` if it cannot be read now: its holder may be writing.
pub fn ended_runs(files: &Files, key: &Key) -> Option<EndedRuns> {
    let Ok(mut file) = File::open(files.path(key)) else {
        return Some(EndedRuns::default());
    };
    let text = read_text(&mut file).ok()?;
    Some(ended_run::parse(&text.runs))
}

fn read_text(file: &mut File) -> io::Result<LeaseText> {
    let mut text = String::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_string(&mut text)?;
    Ok(serde_json::from_str(
        text.lines().next().unwrap_or_default().trim_end(),
    )?)
}

// Written over the old text and then cut to its length, so that no moment is without text. Padded, because the length
// hardly ever changes then.
fn write_text(file: &mut File, text: &LeaseText) -> io::Result<()> {
    let line = format!("{:<300}\n", serde_json::to_string(text)?);
    file.seek(SeekFrom::Start(0))?;
    file.write_all(line.as_bytes())?;
    file.set_len(line.len() as u64)
}
