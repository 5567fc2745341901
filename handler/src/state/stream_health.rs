//! How the last runs of a stream went: `health/<source>/<instance>/<stream>.json`.
//!
//! Small, and written at the end of a run only if the run brought something worth remembering, or now and then.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::counts::Counts;
use super::document::{Document, read_document};
use super::key::Key;
use super::process_ledger::TableCounts;
use super::store::{Expected, Store, StoreError, Version};

/// Runs that brought nothing are remembered this often.
const SAVE_UNCHANGED_EVERY: TimeDelta = TimeDelta::minutes(10);

/// The content of such a file.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct StreamHealth {
    version: u32,
    /// When it was written.
    pub saved_at: DateTime<Utc>,
    /// The end of the last run without a failure that is remembered; idle ones are every ten minutes.
    #[serde(default)]
    pub last_success: Option<DateTime<Utc>>,
    /// The end of the last run that failed.
    #[serde(default)]
    pub last_failure: Option<DateTime<Utc>>,
    /// Runs that failed since the last one that did not.
    #[serde(default)]
    pub consecutive_failures: u32,
    /// Why the last failure was one. Kept after the stream has recovered.
    #[serde(default)]
    pub last_error: Option<LastError>,
    /// The last run that is remembered.
    #[serde(default)]
    pub last_run: Option<LastRun>,
    /// Of a stream of pushes: what its runs took out of the spool, since the beginning.
    #[serde(default, skip_serializing_if = "TableCounts::is_empty")]
    pub drained: TableCounts,
    /// How many seconds the vendor's clock was ahead of ours (behind, where negative), if they did not agree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_offset_seconds: Option<f64>,
    /// Dead letters that `replay` delivered, by table, since the beginning.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub replayed: BTreeMap<String, u64>,
    /// Of a stream of pushes: what was received when the last health row was made.
    #[serde(default)]
    pub pushed_at_last_row: Counts,
    /// Of a stream that is polled: where it stood at the end of that run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stood: Option<LastPositions>,
}

impl Document for StreamHealth {
    const VERSION: u32 = 1;
}

/// How far the tables of a stream were read. A second record beside the checkpoint: whoever moves that away loses
/// neither the place nor the events since.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct LastPositions {
    /// The digest of the vendor account, as in the names of its folders.
    pub account: String,
    /// The watermark of each table.
    pub read_to: BTreeMap<String, DateTime<Utc>>,
}

/// An error as a person is to see it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct LastError {
    /// When; absent where that is always.
    pub at: Option<DateTime<Utc>>,
    /// The word for it. A later version may know more words.
    pub code: String,
    /// What failed, on what.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct LastRun {
    /// Its end.
    pub at: DateTime<Utc>,
    /// How long it took.
    pub seconds: f64,
    pub outcome: RunOutcome,
    /// What became of its events.
    pub tables: TableCounts,
    /// What is worth a look although it did not fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<LastError>,
}

/// How a run ended.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// To its end.
    Done,
    /// The run's time ended first.
    BudgetEnded,
    Failed,
    /// As a later version calls it.
    #[serde(untagged)]
    Other(String),
}

/// When a change is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persist {
    Now,
    /// With the next write, or when the last one is ten minutes old.
    Lazily,
}

/// Reads and writes these files. What was read or written is known until somebody else writes, so an idle run costs
/// no call.
#[derive(Debug)]
pub struct StreamHealths {
    store: Arc<dyn Store>,
    known: Mutex<HashMap<String, (StreamHealth, Version)>>,
}

impl StreamHealths {
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            known: Mutex::default(),
        }
    }

    /// What is stored of a stream (`<source>/<instance>/<stream>`), `None` if nothing is.
    pub async fn read(&self, stream: &str) -> Result<Option<StreamHealth>, StoreError> {
        Ok(self.read_stored(stream).await?.map(|(health, _)| health))
    }

    /// What was stored of a stream when this process last read or wrote it.
    pub async fn known(&self, stream: &str) -> Result<Option<StreamHealth>, StoreError> {
        let known = self.known.lock().get(stream).map(|(health, _)| health.clone());
        match known {
            Some(health) => Ok(Some(health)),
            None => self.read(stream).await,
        }
    }

    /// Changes what is stored of a stream. `change` may be called twice, if somebody else wrote in the meantime; the
    /// outcome of the last call counts.
    pub async fn update(
        &self,
        stream: &str,
        now: DateTime<Utc>,
        mut change: impl FnMut(&mut StreamHealth) -> Persist,
    ) -> Result<(), StoreError> {
        let known = self.known.lock().get(stream).cloned();
        let found = match known {
            Some(known) => Some(known),
            None => self.read_stored(stream).await?,
        };
        match self.write_changed(stream, now, found, &mut change).await {
            Err(StoreError::Conflict { .. }) => {
                self.known.lock().remove(stream);
                let found = self.read_stored(stream).await?;
                self.write_changed(stream, now, found, &mut change).await
            }
            outcome => outcome,
        }
    }

    async fn write_changed(
        &self,
        stream: &str,
        now: DateTime<Utc>,
        found: Option<(StreamHealth, Version)>,
        change: &mut impl FnMut(&mut StreamHealth) -> Persist,
    ) -> Result<(), StoreError> {
        let mut health = found.as_ref().map(|(health, _)| health.clone()).unwrap_or_default();
        let worth = change(&mut health);
        let is_due = |saved_at| now - saved_at >= SAVE_UNCHANGED_EVERY || saved_at > now;
        let expected = match found {
            Some((before, version)) if worth == Persist::Lazily && !is_due(before.saved_at) => {
                // Known from now on, so that the next idle run does not ask again.
                self.known.lock().insert(stream.to_owned(), (before, version));
                return Ok(());
            }
            Some((_, version)) => Expected::Version(version),
            None => Expected::Absent,
        };
        health.version = StreamHealth::VERSION;
        health.saved_at = now;
        let key = key_of(stream);
        let version = self.store.write(&key, health.encode_pretty(&key)?, expected).await?;
        self.known.lock().insert(stream.to_owned(), (health, version));
        Ok(())
    }

    async fn read_stored(&self, stream: &str) -> Result<Option<(StreamHealth, Version)>, StoreError> {
        read_document(&*self.store, &key_of(stream)).await
    }
}

fn key_of(stream: &str) -> Key {
    let mut segments: Vec<&str> = vec!["health"];
    segments.extend(stream.split('/'));
    let file = format!("{}.json", segments.pop().unwrap_or_default());
    Key::new(segments.into_iter().chain([file.as_str()]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::LocalStore;
    use crate::time::SystemClock;

    const STREAM: &str = "pingone/default/activities";

    fn minute(number: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(number)
    }

    fn store(folder: &tempfile::TempDir) -> Arc<dyn Store> {
        Arc::new(LocalStore::open(folder.path().to_owned(), Arc::new(SystemClock)).unwrap())
    }

    async fn succeed(healths: &StreamHealths, at: DateTime<Utc>, worth: Persist) {
        let change = |health: &mut StreamHealth| {
            health.last_success = Some(at);
            worth
        };
        healths.update(STREAM, at, change).await.unwrap();
    }

    #[tokio::test]
    async fn runs_that_brought_nothing_are_written_only_now_and_then() {
        let folder = tempfile::tempdir().unwrap();
        let healths = StreamHealths::new(store(&folder));
        let file = folder.path().join("health/pingone/default/activities.json");
        let mut writes = 0;
        let mut last = Vec::new();
        for number in 0..21 {
            succeed(&healths, minute(number), Persist::Lazily).await;
            let content = std::fs::read(&file).unwrap();
            writes += usize::from(content != last);
            last = content;
        }
        assert_eq!(writes, 3);
        succeed(&healths, minute(21), Persist::Now).await;
        assert_ne!(std::fs::read(&file).unwrap(), last);
    }

    #[tokio::test]
    async fn what_another_process_wrote_is_changed_and_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (StreamHealths::new(store(&folder)), StreamHealths::new(store(&folder)));
        succeed(&one, minute(0), Persist::Now).await;
        let fail = |health: &mut StreamHealth| {
            health.consecutive_failures += 1;
            Persist::Now
        };
        other.update(STREAM, minute(1), fail).await.unwrap();
        one.update(STREAM, minute(2), fail).await.unwrap();
        let found = other.read(STREAM).await.unwrap().unwrap();
        assert_eq!((found.consecutive_failures, found.last_success), (2, Some(minute(0))));
    }

    #[tokio::test]
    async fn an_unknown_version_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let healths = StreamHealths::new(store(&folder));
        let file = folder.path().join("health/pingone/default/activities.json");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, "{\"version\":2}").unwrap();
        let error = healths.update(STREAM, minute(0), |_| Persist::Now).await.unwrap_err();
        assert!(matches!(error, StoreError::UnknownVersion { .. }), "{error}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "{\"version\":2}");
    }
}
