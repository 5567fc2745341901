//! What is remembered of events that a vendor both pushes and shows under another key: small binary files beside the
//! checkpoint.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::key::Key;
use super::segments::Segments;
use super::store::{Store, StoreError};
use crate::event::Identity;

/// Names the form of a file; its last byte is the version.
const MAGIC: &[u8; 4] = b"CPR1";
/// The kind, three identities and a time.
const LENGTH: usize = 1 + 3 * 16 + 8;
/// More files than this are merged.
const MOST_SEGMENTS: usize = 16;
const NOTHING: Identity = Identity([0; 16]);

/// One fact. `common` is what both forms of an event share; different events may share it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Record {
    /// An event was pushed and acknowledged: it waits in the spool or was delivered.
    Pushed {
        /// What both forms share.
        common: Identity,
        /// The pushed event's own identity.
        push: Identity,
    },
    /// An event was read that no push covered: it is delivered.
    Gap {
        /// What both forms share.
        common: Identity,
        /// The read event's own identity.
        read: Identity,
    },
    /// These two are the two forms of one event.
    Pair {
        /// What both forms share.
        common: Identity,
        /// The pushed one.
        push: Identity,
        /// The one that was read.
        read: Identity,
    },
    /// A push came after an event that it may belong to was read. It stands for no other event, and the one that was
    /// read is delivered all the same.
    Late {
        /// What both forms share.
        common: Identity,
        /// The pushed one.
        push: Identity,
        /// The one that was read.
        read: Identity,
    },
    /// A table took the row of an event that was read.
    Accepted {
        /// The read event's own identity.
        read: Identity,
        /// Names the table.
        table: Identity,
    },
    /// Every event of this spool entry is among the pushed ones.
    Entry {
        /// Names the entry.
        entry: Identity,
    },
    /// Nothing is known any more of events before the time of this record.
    Horizon,
}

/// The files of one stream.
#[derive(Debug)]
pub struct CounterpartRecords {
    segments: Segments,
}

impl CounterpartRecords {
    /// With everything that is stored below `folder`, oldest first.
    pub async fn load(store: Arc<dyn Store>, folder: Key) -> Result<(Self, Vec<(Record, DateTime<Utc>)>), StoreError> {
        let mut found = Vec::new();
        let segments = Segments::load::<LENGTH>(store, folder, MAGIC, |bytes| found.extend(decode(bytes))).await?;
        Ok((Self { segments }, found))
    }

    /// Stores more of them.
    pub async fn append(&mut self, records: &[(Record, DateTime<Utc>)]) -> Result<(), StoreError> {
        if records.is_empty() {
            return Ok(());
        }
        self.segments
            .append(records.iter().map(|(record, time)| encode(*record, *time)))
            .await
    }

    /// True if there are so many files that they are worth merging.
    pub fn is_scattered(&self) -> bool {
        self.segments.len() > MOST_SEGMENTS
    }

    /// Stores these in place of everything.
    pub async fn write_anew(&mut self, records: &[(Record, DateTime<Utc>)]) -> Result<(), StoreError> {
        self.segments
            .write_anew(records.iter().map(|(record, time)| encode(*record, *time)))
            .await
    }
}

fn encode(record: Record, time: DateTime<Utc>) -> [u8; LENGTH] {
    let (kind, parts) = match record {
        Record::Pushed { common, push } => (b'P', [common, push, NOTHING]),
        Record::Gap { common, read } => (b'G', [common, read, NOTHING]),
        Record::Pair { common, push, read } => (b'M', [common, push, read]),
        Record::Late { common, push, read } => (b'L', [common, push, read]),
        Record::Accepted { read, table } => (b'A', [read, table, NOTHING]),
        Record::Entry { entry } => (b'E', [entry, NOTHING, NOTHING]),
        Record::Horizon => (b'H', [NOTHING; 3]),
    };
    let mut bytes = [0; LENGTH];
    bytes[0] = kind;
    for (place, part) in parts.iter().enumerate() {
        bytes[1 + place * 16..][..16].copy_from_slice(&part.0);
    }
    bytes[LENGTH - 8..].copy_from_slice(&time.timestamp_millis().to_le_bytes());
    bytes
}

/// `None` for a kind that this executable does not know: it forgets more than it has to, and loses no event by that.
fn decode(bytes: &[u8; LENGTH]) -> Option<(Record, DateTime<Utc>)> {
    let part = |place: usize| Identity(bytes[1 + place * 16..].first_chunk().copied().unwrap_or_default());
    let (common, push, read) = (part(0), part(1), part(2));
    let record = match bytes[0] {
        b'P' => Record::Pushed { common, push },
        b'G' => {
            let read = part(1);
            Record::Gap { common, read }
        }
        b'M' => Record::Pair { common, push, read },
        b'L' => Record::Late { common, push, read },
        b'A' => {
            let (read, table) = (part(0), part(1));
            Record::Accepted { read, table }
        }
        b'E' => Record::Entry { entry: part(0) },
        b'H' => Record::Horizon,
        _ => return None,
    };
    let time = bytes.last_chunk().copied().unwrap_or_default();
    Some((record, DateTime::from_timestamp_millis(i64::from_le_bytes(time))?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::LocalStore;
    use crate::time::SystemClock;

    #[tokio::test]
    async fn every_kind_of_record_comes_back_as_it_was_stored() {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> =
            Arc::new(LocalStore::open(folder.path().to_owned(), Arc::new(SystemClock)).unwrap());
        let load = async || {
            CounterpartRecords::load(store.clone(), Key::new(["records"]))
                .await
                .unwrap()
        };
        let [common, push, read] = ["common", "push", "read"].map(|text| Identity::of_parts(&[text]));
        let (table, entry) = (push, read);
        let at = |second: i64| DateTime::from_timestamp(second, 5_000_000).unwrap();
        let records = [
            (Record::Pushed { common, push }, at(1)),
            (Record::Gap { common, read }, at(2)),
            (Record::Pair { common, push, read }, at(3)),
            (Record::Accepted { read, table }, at(4)),
            (Record::Late { common, push, read }, at(4)),
            (Record::Entry { entry }, at(5)),
            (Record::Horizon, at(6)),
        ];
        let (mut stored, found) = load().await;
        assert_eq!(found, []);
        stored.append(&records[..2]).await.unwrap();
        stored.append(&records[2..]).await.unwrap();
        let (mut stored, found) = load().await;
        assert_eq!(found, records);
        stored.write_anew(&records[3..]).await.unwrap();
        assert_eq!(load().await.1, records[3..]);
        assert!(!stored.is_scattered());
    }
}
