//! Files and folders below one root: blocking, crash-safe.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::state::key::Key;
use crate::state::store::{Expected, Listed, StoreError, Stored, Version};

/// Temporary files older than this belong to nobody.
const ABANDONED_AFTER: Duration = Duration::from_secs(600);

#[derive(Debug)]
pub struct Files {
    root: PathBuf,
    next_temporary: AtomicU64,
}

impl Files {
    /// Makes the folders and removes what a crash left half-written.
    pub fn open(root: PathBuf) -> Result<Self, StoreError> {
        let files = Self::unopened(root);
        files
            .make_folders()
            .map_err(|error| files.error("make the folders", "of the store", &error))?;
        files.sweep_temporary();
        Ok(files)
    }

    /// Makes nothing and looks at nothing.
    pub fn unopened(root: PathBuf) -> Self {
        Self {
            root,
            next_temporary: AtomicU64::new(0),
        }
    }

    /// Opens the file of a lock, and makes it if it is absent. Somebody may have deleted the whole directory under a
    /// process that runs: then it is made again, and the process goes on as a first one would.
    pub fn open_lock(&self, path: &Path) -> io::Result<File> {
        let open = || {
            OpenOptions::new()
                .create(true)
                .read(true)
                .write(true)
                .truncate(false)
                .open(path)
        };
        match open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.make_folders()?;
                log::warn!(
                    "the state directory {} was deleted while this process runs, and is made again: positions start anew, \
                     rows may arrive twice, and what waited in the spool is lost",
                    self.root.display()
                );
                open()
            }
            opened => opened,
        }
    }

    fn make_folders(&self) -> io::Result<()> {
        for folder in [self.temporary_folder(), self.root.join("leases")] {
            fs::create_dir_all(folder)?;
        }
        Ok(())
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The path of an object.
    pub fn path(&self, key: &Key) -> PathBuf {
        self.root.join(key.as_str())
    }

    /// The object, or `None`.
    pub fn read(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        let bytes = unless_absent(fs::read(self.path(key)));
        let bytes = bytes.map_err(|error| self.error("read", key.as_str(), &error))?;
        Ok(bytes.map(|bytes| Stored {
            version: version_of(&bytes),
            bytes,
        }))
    }

    /// Temporary file, fsync, rename, fsync of the folder. `None` while another process holds the store's lock.
    pub fn try_write(&self, key: &Key, bytes: &[u8], expected: &Expected) -> Result<Option<Version>, StoreError> {
        let lock = self
            .try_lock()
            .map_err(|error| self.error("lock the store for", key.as_str(), &error))?;
        let Some(lock) = lock else { return Ok(None) };
        let present = self.read(key)?;
        let matches = match (expected, &present) {
            (Expected::Anything, _) | (Expected::Absent, None) => true,
            (Expected::Version(version), Some(stored)) => *version == stored.version,
            _ => false,
        };
        if !matches {
            return Err(StoreError::Conflict { key: key.to_string() });
        }
        self.replace(&self.path(key), bytes)
            .map_err(|error| self.error("write", key.as_str(), &error))?;
        drop(lock);
        Ok(Some(version_of(bytes)))
    }

    /// Removes the object if it is there.
    pub fn remove(&self, key: &Key) -> Result<(), StoreError> {
        let removed = unless_absent(fs::remove_file(self.path(key)));
        removed
            .map(|_| ())
            .map_err(|error| self.error("remove", key.as_str(), &error))
    }

    /// All files below `prefix`, sorted.
    pub fn list(&self, prefix: &Key) -> Result<Vec<Listed>, StoreError> {
        let mut found = Vec::new();
        let mut folders = vec![prefix.clone()];
        while let Some(folder) = folders.pop() {
            let failed = |error| self.error("list", folder.as_str(), &error);
            let entries = unless_absent(fs::read_dir(self.path(&folder))).map_err(failed)?;
            for entry in entries.into_iter().flatten() {
                let entry = entry.map_err(failed)?;
                let key = folder.child(&entry.file_name().to_string_lossy());
                let Ok(metadata) = entry.metadata() else { continue };
                if metadata.is_dir() {
                    folders.push(key);
                } else {
                    found.push(Listed {
                        key,
                        bytes: metadata.len(),
                    });
                }
            }
        }
        found.sort_by(|left, right| left.key.cmp(&right.key));
        Ok(found)
    }

    /// A store error about `key`.
    pub fn error(&self, action: &'static str, key: &str, error: &io::Error) -> StoreError {
        let place = self.root.display().to_string();
        StoreError::Backend {
            action,
            key: key.to_owned(),
            reason: error.to_string(),
            place,
        }
    }

    fn try_lock(&self) -> io::Result<Option<File>> {
        let lock = self.open_lock(&self.root.join("leases/store.lock"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(lock)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let folder = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder)?;
        let number = self.next_temporary.fetch_add(1, Ordering::Relaxed);
        let temporary_folder = self.temporary_folder();
        fs::create_dir_all(&temporary_folder)?;
        let temporary = temporary_folder.join(format!("{}-{number}", std::process::id()));
        let written = write_durably(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
        if written.is_err() {
            // A full disk must not stay full of our own remains.
            let _ = fs::remove_file(&temporary);
        }
        written?;
        File::open(folder)?.sync_all()
    }

    fn temporary_folder(&self) -> PathBuf {
        self.root.join("tmp")
    }

    fn sweep_temporary(&self) {
        let Ok(entries) = fs::read_dir(self.temporary_folder()) else {
            return;
        };
        for entry in entries.flatten() {
            let age = entry
                .metadata()
                .and_then(|metadata| metadata.modified())
                .ok()
                .and_then(|time| time.elapsed().ok());
            if age.is_some_and(|age| age > ABANDONED_AFTER) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// `None` of what is not there.
fn unless_absent<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn version_of(bytes: &[u8]) -> Version {
    let digest = Sha256::digest(bytes);
    Version(digest[..16].iter().map(|byte| format!("{byte:02x}")).collect())
}
