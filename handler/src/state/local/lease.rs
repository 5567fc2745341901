//! Leases as operating-system locks, one file each.
//!
//! The lock is what counts. The file's text tells others who holds it and carries the fencing number.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;

use super::files::Files;
use crate::state::key::Key;
use crate::state::lease::{Lease, LeaseState, Release};
use crate::state::lease_text::LeaseText;
use crate::state::leases::{Holder, LeaseAttempt};
use crate::state::store::StoreError;
use crate::time::Clock;

/// How long a lease lasts unless it is renewed.
const LEASE_TIME: Duration = Duration::from_secs(30);
const RENEW_EVERY: Duration = Duration::from_secs(10);

/// A locked lease file.
#[derive(Debug)]
struct LockedFile {
    file: File,
    text: LeaseText,
}

/// Tries to lock the lease's file and writes our name into it. Must be called within the runtime that renews the text.
pub fn try_take(files: &Files, name: &str, holder: &Holder, clock: Arc<dyn Clock>) -> Result<LeaseAttempt, StoreError> {
    let key = key_of(name);
    let failed = |error: io::Error| files.error("take the lease", key.as_str(), &error);
    let mut file = files.open_lock(&files.path(&key)).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            // The holder may be writing at this moment: an unreadable text still means that somebody holds it.
            let text = read_text(&mut file).unwrap_or_default();
            return Ok(LeaseAttempt::Held(text.held_by()));
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    let before = read_text(&mut file).unwrap_or_default();
    let text = before.next(holder, clock.now() + LEASE_TIME);
    write_text(&mut file, &text).map_err(failed)?;
    Ok(LeaseAttempt::Taken(keep(name, LockedFile { file, text }, clock)))
}

/// Renews the lease's text while it is held; dropping the lease unlocks the file.
fn keep(name: &str, locked: LockedFile, clock: Arc<dyn Clock>) -> Lease {
    let fence = locked.text.fence;
    let state = LeaseState::new(name, locked.text.clone().notes(), None);
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
        state: state.clone(),
        renewal,
    };
    Lease::new(fence, state, Box::new(backend))
}

impl LockedFile {
    fn write(&mut self) -> io::Result<()> {
        write_text(&mut self.file, &self.text)
    }
}

#[derive(Debug)]
struct LocalLease {
    locked: Arc<Mutex<LockedFile>>,
    state: Arc<LeaseState>,
    renewal: tokio::task::JoinHandle<()>,
}

#[async_trait]
impl Release for LocalLease {
    async fn release(self: Box<Self>) {
        self.renewal.abort();
        let mut locked = self.locked.lock();
        locked.text.note(self.state.notes());
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
pub fn noted_text(files: &Files, name: &str) -> Option<LeaseText> {
    let Ok(mut file) = File::open(files.path(&key_of(name))) else {
        return Some(LeaseText::default());
    };
    read_text(&mut file).ok()
}

fn key_of(name: &str) -> Key {
    Key::new(["leases", &format!("{name}.lock")])
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
