//! How the last good run of a stream ended, in the text of its account's lease.
//!
//! An idle run saves no position and no health, because writes are paid for. Its lease is written anyway, when it is
//! taken and when it is given back, so what such a run found out goes along with that: that it was, how far it read
//! and what it counted. It is for whoever looks; no run reads on from it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};

use super::process_ledger::TableCounts;
use super::stream_health::LastRun;

/// One stream's last good run.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct EndedRun {
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

/// Adds a run. What it counted without saving it is added to what the stream's runs before it did.
pub fn add_run(runs: &mut EndedRuns, stream: &str, mut ended: EndedRun) {
    if let Some(before) = runs.remove(stream) {
        for (table, counts) in before.unsaved {
            *ended.unsaved.entry(table).or_default() += counts;
        }
    }
    runs.insert(stream.to_owned(), ended);
}

/// Reads what a lease's text notes. What is no such note is as good as none.
pub fn read_leniently<'de, D: Deserializer<'de>>(note: D) -> Result<Option<EndedRuns>, D::Error> {
    let note = serde_json::Value::deserialize(note)?;
    Ok(EndedRuns::deserialize(note).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::lease_text::LeaseText;
    use crate::state::{Counts, RunOutcome};

    fn read(runs: &serde_json::Value) -> Option<EndedRuns> {
        let text = serde_json::json!({"fence": 1, "who": "a", "until": null, "runs": runs});
        serde_json::from_value::<LeaseText>(text).unwrap().runs
    }

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
                warning: None,
            },
            read_to: BTreeMap::from([("T_CL".to_owned(), at)]),
            unsaved: BTreeMap::from([("T_CL".to_owned(), counts)]),
        };
        let mut runs = EndedRuns::default();
        add_run(&mut runs, "a/b/c", ended.clone());
        let mut runs = read(&serde_json::to_value(runs).unwrap()).unwrap();
        add_run(&mut runs, "a/b/c", ended);
        let runs = read(&serde_json::to_value(runs).unwrap()).unwrap();
        assert_eq!(runs["a/b/c"].unsaved["T_CL"].seen_before, 18);
        assert_eq!(read(&serde_json::json!({"a/b/c": 7})), None);
        assert_eq!(read(&serde_json::Value::Null), None);
    }
}
