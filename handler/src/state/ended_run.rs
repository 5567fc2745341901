//! How the last good run of a stream ended, in the text of its account's lease.
//!
//! An idle run saves no position and no health, because writes are paid for. Its lease is written anyway, when it is
//! taken and when it is given back, so what such a run found out goes along with that: that it was, how far it read
//! and what it counted. It is for whoever looks; no run reads on from it.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use parking_lot::{Mutex, MutexGuard};
use serde::{Deserialize, Serialize};

use super::process_ledger::TableCounts;
use super::stream_health::LastRun;

/// One stream's last good run.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct EndedRun {
    /// The run.
    pub run: LastRun,
    /// The watermark of each table at its end.
    #[serde(default)]
    pub read_to: BTreeMap<String, DateTime<Utc>>,
    /// What runs counted that saved no checkpoint, since the beginning.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unsaved: TableCounts,
}

/// By the name of the stream.
pub type EndedRuns = BTreeMap<String, EndedRun>;

/// What goes into the text of a lease with its next write; shared by its holder and the task that renews it.
#[derive(Clone, Debug, Default)]
pub struct LeaseNotes(Arc<Mutex<EndedRuns>>);

impl LeaseNotes {
    /// What the holders before left. Text that is no such note is as good as none.
    pub fn from_text(value: &serde_json::Value) -> Self {
        Self(Arc::new(Mutex::new(parse(value))))
    }

    /// As it is written.
    pub fn to_text(&self) -> serde_json::Value {
        serde_json::to_value(&*self.lock()).unwrap_or_default()
    }

    /// Notes a run. What it counted without saving it is added to what others did.
    pub fn note(&self, stream: &str, mut ended: EndedRun) {
        let mut runs = self.lock();
        if let Some(before) = runs.remove(stream) {
            for (table, counts) in before.unsaved {
                *ended.unsaved.entry(table).or_default() += counts;
            }
        }
        runs.insert(stream.to_owned(), ended);
    }

    fn lock(&self) -> MutexGuard<'_, EndedRuns> {
        self.0.lock()
    }
}

/// Reads the note of a lease's text.
pub fn parse(value: &serde_json::Value) -> EndedRuns {
    EndedRuns::deserialize(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Counts, RunOutcome};

    #[test]
    fn counts_of_runs_that_saved_nothing_add_up_and_a_damaged_note_is_none() {
        let at = DateTime::UNIX_EPOCH;
        let counts = Counts {
            received: 9,
            seen_before: 9,
            ..Counts::default()
        };
        let ended = EndedRun {
            run: LastRun {
                at,
                seconds: 0.5,
                outcome: RunOutcome::Done,
                tables: TableCounts::new(),
            },
            read_to: BTreeMap::from([("T_CL".to_owned(), at)]),
            unsaved: BTreeMap::from([("T_CL".to_owned(), counts)]),
        };
        let notes = LeaseNotes::default();
        notes.note("a/b/c", ended.clone());
        let notes = LeaseNotes::from_text(&notes.to_text());
        notes.note("a/b/c", ended);
        assert_eq!(parse(&notes.to_text())["a/b/c"].unsaved["T_CL"].seen_before, 18);
        assert!(parse(&serde_json::json!({"a/b/c": 7})).is_empty());
        assert!(parse(&serde_json::Value::Null).is_empty());
    }
}
