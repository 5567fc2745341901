//! The checkpoint of a stream: how far each of its tables was read, and what was counted.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::counts::Counts;
use super::coverage::{Coverage, Span};
use super::document::{Document, read_document};
use super::key::Key;
use super::lease::Lease;
use super::process_ledger::TableCounts;
use super::reread::Reread;
use super::store::{Expected, Store, StoreError, Version};
use crate::event::{Identity, StreamName};

/// Possible losses that are remembered.
const MOST_LOSSES: usize = 100;

/// How far a stream was delivered into one table.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct TablePosition {
    /// The start of the first window: nothing before it is ever asked for.
    pub begin: DateTime<Utc>,
    /// The end of the last window that was read to its end and delivered.
    pub watermark: DateTime<Utc>,
    /// Where reading again begins: identities are kept from here on. Absent: the overlap before the watermark.
    #[serde(default)]
    pub reread_from: Option<DateTime<Utc>>,
    /// True if the last run ended before it got past what was to be read again.
    #[serde(default)]
    pub reread_cut_off: bool,
    /// Runs since something was read again.
    #[serde(default)]
    pub runs_without_reread: u32,
    /// Pages that reading again took the last time.
    #[serde(default)]
    pub reread_pages: u32,
    /// How long slices are at the moment, while a long gap is walked.
    #[serde(default)]
    pub slice_ms: Option<i64>,
    /// Slices that were interrupted, as far as they may be read again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub narrow: Vec<Span>,
    /// Of a stream without windows: a walk that takes more than one run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub walk: Option<OpenWalk>,
    /// Everything that was read to its end.
    pub coverage: Coverage,
    /// The start of the earliest window that a backfill was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filled_from: Option<DateTime<Utc>>,
    /// The latest time of an event that was read: the vendor's clock was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest_event: Option<DateTime<Utc>>,
    /// The window that somebody wants to be read anew, until it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reread: Option<Reread>,
    /// Since the beginning.
    #[serde(default)]
    pub counts: Counts,
}

/// A walk over everything that is not at its end.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct OpenWalk {
    /// When it was begun: what was met since then is known.
    pub begun: DateTime<Utc>,
    /// Where the next page stands, in the vendor's words.
    pub place: String,
    /// Runs one after the other that got nothing from that place.
    #[serde(default)]
    pub failed_runs: u32,
}

impl TablePosition {
    /// True if reading the overlap again takes more than a third of the vendor's rate: then it is done only now and
    /// then.
    pub fn is_costly_to_reread(&self, pages_per_minute: Option<f64>) -> bool {
        pages_per_minute.is_some_and(|rate| f64::from(self.reread_pages) > rate / 3.0)
    }

    /// What was not read up to the watermark since the earliest time that was, or that somebody asked for.
    pub fn holes(&self) -> Vec<Span> {
        let first_read = self.coverage.spans().first().map(|span| span.from);
        let wanted = [Some(self.begin), first_read, self.filled_from].into_iter().flatten();
        let from = wanted.min().unwrap_or(self.begin);
        self.coverage.holes(from, self.watermark)
    }

    /// Of a table that was never read.
    pub fn beginning_at(begin: DateTime<Utc>) -> Self {
        Self {
            begin,
            watermark: begin,
            ..Self::default()
        }
    }
}

impl Document for Checkpoint {
    const VERSION: u32 = 1;
}

/// The content of a checkpoint file.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct Checkpoint {
    version: u32,
    /// The vendor account that the positions belong to.
    pub account: String,
    /// The fencing number of the lease under which it was written; only for whoever looks into the file.
    #[serde(default)]
    pub fence: u64,
    /// When it was written.
    pub saved_at: DateTime<Utc>,
    /// When it was written after a read: what else is written in the meantime must not put off that a position which
    /// moved is saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positions_saved_at: Option<DateTime<Utc>>,
    /// By table name.
    pub tables: BTreeMap<String, TablePosition>,
    /// What was pushed beside the poller and delivered in its runs, by table name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pushed: BTreeMap<String, Counts>,
    /// How many of these were delivered or set aside while their entries of the spool stay, by table name: they are
    /// met again and counted once.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pushed_early: BTreeMap<String, u64>,
    /// When events may have been lost that nobody can read again; the last ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub possible_losses: Vec<DateTime<Utc>>,
    /// Where reading consumes: since when the vendor gives what is no list of events. It counts as one possible loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable_since: Option<DateTime<Utc>>,
}

impl Checkpoint {
    /// Remembers a time at which events may have been lost.
    pub fn note_possible_loss(&mut self, at: DateTime<Utc>) {
        if self.possible_losses.len() >= MOST_LOSSES {
            self.possible_losses.remove(0);
        }
        self.possible_losses.push(at);
    }
}

/// Reads and writes the checkpoint of one stream. The holder of the account's lease is its only writer.
#[derive(Debug)]
pub struct Checkpoints {
    store: Arc<dyn Store>,
    folder: Key,
    file: Key,
    /// What the file held when we last read or wrote it.
    version: Option<Version>,
    /// The positions, to be changed and then [saved](Self::save).
    pub current: Checkpoint,
    /// The account that the file belonged to before, if it was another one.
    pub moved_from: Option<String>,
    /// True when no position of this account was stored yet.
    pub is_new: bool,
    /// True if something is to be saved that no position shows.
    pub has_news: bool,
    /// By table, as they are stored.
    saved_counts: TableCounts,
}

impl Checkpoints {
    /// Reads the stream's checkpoint. One that belongs to another account is set aside under that account's name;
    /// if this account's own was set aside earlier, it is taken up again.
    pub async fn load(
        store: Arc<dyn Store>,
        stream: &StreamName,
        account: &str,
        now: DateTime<Utc>,
    ) -> Result<Self, StoreError> {
        let file = file_of(stream);
        let (mut found, version) = read_document::<Checkpoint>(&*store, &file).await?.unzip();
        let mut moved_from = None;
        if let Some(other) = found.take_if(|checkpoint| checkpoint.account != account) {
            let aside = set_aside_file(stream, &other.account);
            let bytes = other.encode_pretty(&aside)?;
            store.write(&aside, bytes, Expected::Anything).await?;
            let own = read_document(&*store, &set_aside_file(stream, account)).await?;
            found = own.map(|(checkpoint, _)| checkpoint);
            moved_from = Some(other.account);
        }
        let is_new = found.is_none();
        let current = found.unwrap_or_else(|| Checkpoint {
            version: Checkpoint::VERSION,
            account: account.to_owned(),
            saved_at: now,
            ..Checkpoint::default()
        });
        let folder = folder_of(stream).child(stream.stream).child(&account_digest(account));
        Ok(Self {
            store,
            folder,
            file,
            version,
            moved_from,
            is_new,
            has_news: false,
            saved_counts: counts_of(&current),
            current,
        })
    }

    /// What was counted since the last save, by table.
    pub fn unsaved_counts(&self) -> TableCounts {
        let mut unsaved = counts_of(&self.current);
        for (table, counts) in &mut unsaved {
            *counts = counts.since(self.saved_counts.get(table).copied().unwrap_or_default());
        }
        unsaved.retain(|_, counts| *counts != Counts::default());
        unsaved
    }

    /// What is stored of a stream's account, without a change to anything; `None` if nothing is.
    pub async fn look(store: &dyn Store, stream: &StreamName, account: &str) -> Result<Option<Checkpoint>, StoreError> {
        for file in [file_of(stream), set_aside_file(stream, account)] {
            match read_document::<Checkpoint>(store, &file).await? {
                Some((checkpoint, _)) if checkpoint.account == account => return Ok(Some(checkpoint)),
                _ => {}
            }
        }
        Ok(None)
    }

    /// True if something of this account was delivered before, whatever became of its checkpoint.
    pub async fn has_identities(&self) -> Result<bool, StoreError> {
        Ok(!self.store.list(&self.folder).await?.is_empty())
    }

    /// Where the identities of a table are kept.
    pub fn identities_of(&self, table: &str) -> Key {
        self.folder.child(table)
    }

    /// Where the identities of a table are kept that a backfill delivers, until its slice is read to its end.
    pub fn backfill_identities_of(&self, table: &str) -> Key {
        self.folder.child("backfill").child(table)
    }

    /// Writes the positions after a read.
    pub async fn save_positions(&mut self, lease: &Lease, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.current.positions_saved_at = Some(now);
        self.save(lease, now).await
    }

    /// Writes the positions, if nobody else did in the meantime and the lease still holds.
    pub async fn save(&mut self, lease: &Lease, now: DateTime<Utc>) -> Result<(), StoreError> {
        lease.require()?;
        self.current.fence = lease.fence;
        self.current.saved_at = now;
        let expected = self.version.clone().map_or(Expected::Absent, Expected::Version);
        let written = self
            .store
            .write(&self.file, self.current.encode_pretty(&self.file)?, expected)
            .await?;
        self.version = Some(written);
        self.is_new = false;
        self.has_news = false;
        self.saved_counts = counts_of(&self.current);
        Ok(())
    }
}

fn counts_of(checkpoint: &Checkpoint) -> TableCounts {
    let tables = checkpoint.tables.iter();
    tables
        .map(|(table, position)| (table.clone(), position.counts))
        .collect()
}

fn folder_of(stream: &StreamName) -> Key {
    Key::new(["checkpoints", stream.source, &stream.instance])
}

fn file_of(stream: &StreamName) -> Key {
    folder_of(stream).child(&format!("{}.json", stream.stream))
}

/// Where the checkpoint of an account lies while the stream reads another one.
fn set_aside_file(stream: &StreamName, account: &str) -> Key {
    folder_of(stream).child(&format!("{}.account-{}.json", stream.stream, account_digest(account)))
}

/// Names an account where it need not be read.
pub fn account_digest(account: &str) -> String {
    Identity::of_parts(&[account]).hex()[..16].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Holder, LeaseAttempt, Leases, LocalStore};
    use crate::time::SystemClock;

    fn now() -> DateTime<Utc> {
        "2026-11-20T12:00:00Z".parse().unwrap()
    }

    fn stream() -> StreamName {
        StreamName {
            source: "pingone",
            instance: "default".to_owned(),
            stream: "activities",
        }
    }

    async fn taken(store: &Arc<LocalStore>) -> Lease {
        match store.try_lease("a", &Holder::of_command("test")).await.unwrap() {
            LeaseAttempt::Taken(lease) => lease,
            LeaseAttempt::Held(held) => panic!("{held}"),
        }
    }

    async fn load(store: &Arc<LocalStore>, account: &str) -> Result<Checkpoints, StoreError> {
        Checkpoints::load(store.clone(), &stream(), account, now()).await
    }

    fn opened(folder: &tempfile::TempDir) -> Arc<LocalStore> {
        Arc::new(LocalStore::open(folder.path().to_owned(), Arc::new(SystemClock)).unwrap())
    }

    fn position(minute: u32) -> TablePosition {
        let watermark = now() + chrono::Duration::minutes(minute.into());
        TablePosition {
            watermark,
            ..TablePosition::beginning_at(now())
        }
    }

    #[tokio::test]
    async fn another_account_starts_anew_and_the_old_positions_come_back_with_the_old_account() {
        let folder = tempfile::tempdir().unwrap();
        let store = opened(&folder);
        let lease = taken(&store).await;
        let mut first = load(&store, "one").await.unwrap();
        assert!(first.is_new);
        first.current.tables.insert("T".to_owned(), position(7));
        first.save(&lease, now()).await.unwrap();

        let mut second = load(&store, "two").await.unwrap();
        assert!(second.is_new && second.current.tables.is_empty());
        assert_eq!(second.moved_from.as_deref(), Some("one"));
        second.save(&lease, now()).await.unwrap();
        let looked = Checkpoints::look(&*store, &stream(), "one").await.unwrap().unwrap();
        assert_eq!(looked.tables["T"], position(7));
        let looked = Checkpoints::look(&*store, &stream(), "three").await.unwrap();
        assert_eq!(looked, None);

        let back = load(&store, "one").await.unwrap();
        assert!(!back.is_new);
        assert_eq!(back.current.tables["T"], position(7));
    }

    #[tokio::test]
    async fn a_writer_that_was_overtaken_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = opened(&folder);
        let lease = taken(&store).await;
        let (mut one, mut other) = (load(&store, "a").await.unwrap(), load(&store, "a").await.unwrap());
        one.save(&lease, now()).await.unwrap();
        assert!(matches!(
            other.save(&lease, now()).await,
            Err(StoreError::Conflict { .. })
        ));
    }

    #[tokio::test]
    async fn an_unknown_version_or_a_damaged_file_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let store = opened(&folder);
        let key = Key::new(["checkpoints", "pingone", "default", "activities.json"]);
        for (text, word) in [
            (r#"{"version":2,"new":true}"#, "version 2"),
            ("{\"version\":1}", "cannot be read"),
            ("\0", "cannot be read"),
        ] {
            store.write(&key, text.into(), Expected::Anything).await.unwrap();
            let error = load(&store, "a").await.unwrap_err().to_string();
            assert!(error.contains(word) && error.contains(key.as_str()), "{error}");
            assert_eq!(store.read(&key).await.unwrap().unwrap().bytes, text.as_bytes());
        }
    }
}
