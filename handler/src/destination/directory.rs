//! The local default: one file of JSON lines per table.
//!
//! Appends are made under a lock of the file, so `serve` and `poll` may share a directory, and are on the disk before
//! they count. A line that a crash or a full disk tore is taken away, not left.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::{Batch, Delivery, DeliveryError, Destination, ProbeError, StreamFit};
use crate::time::Deadline;

/// Other processes hold the lock of a file for the time of one batch.
const LOCK_TIME: Duration = Duration::from_secs(15);
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// Writes `<Table>.ndjson` files below a directory.
#[derive(Debug)]
pub struct DirectoryDestination {
    folder: PathBuf,
}

impl DirectoryDestination {
    /// Makes the directory if it is absent and repairs the files that a crash left torn.
    pub fn open(folder: PathBuf) -> Result<Self, DeliveryError> {
        repair_all(&folder).map_err(|error| failed(&folder, &error))?;
        Ok(Self { folder })
    }

    /// Of a process that delivers nothing: the directory is not looked at.
    pub fn unopened(folder: PathBuf) -> Self {
        Self { folder }
    }
}

#[async_trait]
impl Destination for DirectoryDestination {
    async fn deliver(&self, batch: &Batch, _: StreamFit, deadline: Deadline) -> Delivery {
        match self.append(batch, deadline).await {
            Ok(()) => Delivery::whole(batch.rows),
            Err(error) => Delivery::failed(error),
        }
    }

    async fn probe(&self, table: &Arc<str>, _: Deadline) -> Result<String, ProbeError> {
        let file = self.folder.join(format!("{table}.ndjson"));
        let path = file.clone();
        let tried = tokio::task::spawn_blocking(move || try_to_write(&path)).await;
        let tried = tried.map_err(io::Error::other).and_then(|outcome| outcome);
        match tried {
            Ok(()) => Ok(format!("{} can be written", file.display())),
            Err(error) => Err(ProbeError::Failed(failed(&file, &error).to_string())),
        }
    }
}

impl DirectoryDestination {
    async fn append(&self, batch: &Batch, deadline: Deadline) -> Result<(), DeliveryError> {
        let file = self.folder.join(format!("{}.ndjson", batch.table));
        let mut lines = Vec::with_capacity(batch.body.len() + batch.rows);
        for row in batch.rows() {
            lines.extend_from_slice(row);
            lines.push(b'\n');
        }
        let lines: Arc<[u8]> = lines.into();
        let give_up = Deadline::after(deadline.clip(LOCK_TIME));
        loop {
            let (path, lines) = (file.clone(), lines.clone());
            let written = tokio::task::spawn_blocking(move || try_append(&path, &lines)).await;
            let written = written.map_err(io::Error::other).and_then(|outcome| outcome);
            if written.map_err(|error| failed(&file, &error))? {
                return Ok(());
            }
            if give_up.has_passed() {
                return Err(failed(&file, &io::Error::other("another process holds its lock")));
            }
            tokio::time::sleep(LOCK_PAUSE).await;
        }
    }
}

fn failed(file: &Path, error: &io::Error) -> DeliveryError {
    DeliveryError::Directory {
        file: file.display().to_string(),
        reason: error.to_string(),
    }
}

fn repair_all(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "ndjson") && path.is_file() {
            repair_if_free(&path)?;
        }
    }
    Ok(())
}

fn repair_if_free(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    match file.try_lock() {
        Ok(()) => repair(&mut file),
        // Whoever holds the lock is writing, and repairs before it writes.
        Err(TryLockError::WouldBlock) => Ok(()),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// A file of rows is opened and left alone; where there is none yet, another one is made in its folder and removed.
fn try_to_write(path: &Path) -> io::Result<()> {
    if path.exists() {
        return OpenOptions::new().append(true).open(path).map(drop);
    }
    let probe = path.with_extension(format!("probe-{}", std::process::id()));
    fs::create_dir_all(path.parent().unwrap_or(path))?;
    let written = File::create(&probe).and_then(|mut file| {
        file.write_all(b"probe")?;
        file.sync_data()
    });
    let removed = fs::remove_file(&probe);
    written.and(removed)
}

/// False while another process holds the file's lock.
fn try_append(path: &Path, lines: &[u8]) -> io::Result<bool> {
    let is_new = !path.exists();
    let folder = path.parent().unwrap_or(path);
    if is_new {
        fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new()
        .create(true)
        .read(true)
        .write(true)
        .truncate(false)
        .open(path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(false),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    repair(&mut file)?;
    let end = file.seek(SeekFrom::End(0))?;
    let written = file.write_all(lines).and_then(|()| file.sync_data());
    if written.is_err() {
        // Rows of a batch that is not acknowledged come again: what of them is here must go.
        let _ = file.set_len(end);
    }
    written?;
    if is_new {
        // The file's name must survive a power cut as well as its content.
        File::open(folder)?.sync_all()?;
    }
    Ok(true)
}

/// Cuts the file after its last line break.
fn repair(file: &mut File) -> io::Result<()> {
    let length = file.seek(SeekFrom::End(0))?;
    let mut end = length;
    let mut chunk = [0; 64 * 1024];
    while end > 0 {
        let size = end.min(chunk.len() as u64);
        file.seek(SeekFrom::Start(end - size))?;
        let part = &mut chunk[..usize::try_from(size).unwrap_or_default()];
        file.read_exact(part)?;
        if let Some(found) = memchr::memrchr(b'\n', part) {
            end = end - size + found as u64 + 1;
            break;
        }
        end -= size;
    }
    if end < length { file.set_len(end) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::destination::BatchBuilder;

    fn batch(rows: &[&str]) -> Batch {
        let limits = crate::destination::CallLimits { body: 1000, span: None };
        let mut builder = BatchBuilder::new("T_CL".into(), limits);
        for row in rows {
            assert!(builder.push(row.as_bytes(), chrono::DateTime::UNIX_EPOCH));
        }
        builder.take().unwrap()
    }

    async fn deliver(folder: &Path, rows: &[&str]) {
        let destination = DirectoryDestination::open(folder.to_owned()).unwrap();
        let delivery = destination
            .deliver(
                &batch(rows),
                StreamFit::Unknown,
                Deadline::after(Duration::from_secs(5)),
            )
            .await;
        assert_eq!(delivery.open(rows.len()), Vec::<usize>::new());
    }

    #[tokio::test]
    async fn rows_are_appended_one_a_line() {
        let folder = tempfile::tempdir().unwrap();
        deliver(folder.path(), &["{\"a\":1}", "{\"a\":2}"]).await;
        deliver(folder.path(), &["{\"a\":3}"]).await;
        let text = fs::read_to_string(folder.path().join("T_CL.ndjson")).unwrap();
        assert_eq!(text, "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n");
    }

    #[tokio::test]
    async fn a_torn_last_line_is_taken_away_when_the_directory_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("T_CL.ndjson");
        let long = "x".repeat(200_000);
        for (torn, expected) in [
            (format!("{{\"a\":1}}\n{long}"), "{\"a\":1}\n"),
            (long.clone(), ""),
            (String::new(), ""),
        ] {
            fs::write(&file, torn).unwrap();
            DirectoryDestination::open(folder.path().to_owned()).unwrap();
            assert_eq!(fs::read_to_string(&file).unwrap(), expected);
        }
    }
}
