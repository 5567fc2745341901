//! What waits and what was set aside, counted over the whole store.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};

use super::key::Key;
use super::spool::Spool;
use super::store::{Listed, Store, StoreError};

/// Files of dead letters that are read to count their letters; the others are only counted as files.
const MOST_FILES_READ: usize = 1000;
/// And no more bytes than this.
const MOST_BYTES_READ: u64 = 128 * 1024 * 1024;
const READ_AT_ONCE: usize = 8;

/// A queue of the spool.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct QueueStats {
    /// Entries: batches, bodies or replies.
    pub entries: u64,
    /// Their sizes.
    pub bytes: u64,
    /// When the oldest came.
    pub oldest: Option<DateTime<Utc>>,
}

impl std::ops::AddAssign for QueueStats {
    fn add_assign(&mut self, other: Self) {
        self.entries += other.entries;
        self.bytes += other.bytes;
        self.oldest = [self.oldest, other.oldest].into_iter().flatten().min();
    }
}

/// The dead letters of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DeadLetterStats {
    /// Letters, in the files that were read.
    pub letters: u64,
    /// When the newest of them was set aside.
    pub newest: Option<DateTime<Utc>>,
    pub files: u64,
    /// False if there are too many files to read them all: then there are more letters.
    pub all_read: bool,
}

/// The queues that hold something, by their place (`spool/<table>/<stream>`).
pub async fn queue_stats(store: &dyn Store) -> Result<BTreeMap<String, QueueStats>, StoreError> {
    let mut queues: BTreeMap<String, QueueStats> = BTreeMap::new();
    for listed in store.list(&Key::new(["spool"])).await? {
        let Some((queue, _)) = listed.key.as_str().rsplit_once('/') else {
            continue;
        };
        let waiting = queues.entry(queue.to_owned()).or_default();
        waiting.entries += 1;
        waiting.bytes += listed.bytes;
        // Entries come in the order of their names, which begin with their time.
        waiting.oldest = waiting.oldest.or_else(|| Spool::time_of(&listed.key));
    }
    Ok(queues)
}

/// The dead letters, by stream (`<source>/<instance>/<stream>`).
pub async fn dead_letter_stats(store: &Arc<dyn Store>) -> Result<BTreeMap<String, DeadLetterStats>, StoreError> {
    let mut by_stream: BTreeMap<String, DeadLetterStats> = BTreeMap::new();
    let mut to_read: Vec<(String, Listed)> = Vec::new();
    let mut bytes = 0;
    for listed in store.list(&Key::new(["dead-letters"])).await? {
        let place = listed.key.as_str().trim_start_matches("dead-letters/");
        let Some((stream, _)) = place.rsplit_once('/') else {
            continue;
        };
        let stream = stream.to_owned();
        let of_stream = by_stream.entry(stream.clone()).or_insert(DeadLetterStats {
            all_read: true,
            ..DeadLetterStats::default()
        });
        of_stream.files += 1;
        bytes += listed.bytes;
        if to_read.len() < MOST_FILES_READ && bytes <= MOST_BYTES_READ {
            to_read.push((stream, listed));
        } else {
            of_stream.all_read = false;
        }
    }
    let reads = to_read.into_iter().map(async |(stream, listed)| {
        let stored = store.read(&listed.key).await?;
        let letters = stored.map(|stored| letters_in(&stored.bytes));
        Ok::<_, StoreError>((stream, letters.unwrap_or_default()))
    });
    let mut reads = stream::iter(reads).buffer_unordered(READ_AT_ONCE);
    while let Some(read) = reads.next().await {
        let (stream, (letters, newest)) = read?;
        if let Some(of_stream) = by_stream.get_mut(&stream) {
            of_stream.letters += letters;
            of_stream.newest = of_stream.newest.max(newest);
        }
    }
    Ok(by_stream)
}

fn letters_in(file: &[u8]) -> (u64, Option<DateTime<Utc>>) {
    #[derive(Deserialize)]
    struct LetterTime {
        at: DateTime<Utc>,
    }
    let lines = file.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let mut letters = 0;
    let mut newest = None;
    for line in lines {
        letters += 1;
        // A line that cannot be read is a letter all the same.
        let letter: Option<LetterTime> = serde_json::from_slice(line).ok();
        newest = newest.max(letter.map(|letter| letter.at));
    }
    (letters, newest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::StreamName;
    use crate::state::{DeadLetter, DeadLetters, EntryKind, LocalStore, Spool, SpoolEntry, SpoolQuota};
    use crate::time::SystemClock;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    fn name() -> StreamName {
        StreamName {
            source: "onelogin",
            instance: "default".to_owned(),
            stream: "push",
        }
    }

    #[tokio::test]
    async fn entries_and_letters_are_counted_by_queue_and_stream() {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> =
            Arc::new(LocalStore::open(folder.path().to_owned(), Arc::new(SystemClock)).unwrap());
        let spool = Spool::new(&SpoolQuota::new(store.clone(), 10_000), &name());
        for second in [30, 10, 20] {
            let entry = SpoolEntry {
                at: at(second),
                kind: EntryKind::Rows,
                held_until: None,
                body: "[]".to_owned(),
            };
            spool.add("T_CL", &entry).await.unwrap();
        }
        let queues = queue_stats(&*store).await.unwrap();
        let queue = &queues["spool/T_CL/onelogin-default-push"];
        assert_eq!((queues.len(), queue.entries, queue.oldest), (1, 3, Some(at(10))));

        let letters = DeadLetters::new(store.clone());
        let letter = |text: &str| DeadLetter::of_event("no object".to_owned(), text.to_owned());
        letters
            .keep(&name(), &[letter("1"), letter("2")], at(50))
            .await
            .unwrap();
        letters.keep(&name(), &[letter("3")], at(40)).await.unwrap();
        let expected = DeadLetterStats {
            letters: 3,
            newest: Some(at(50)),
            files: 2,
            all_read: true,
        };
        assert_eq!(
            dead_letter_stats(&store).await.unwrap()["onelogin/default/push"],
            expected
        );
    }
}
