//! What this process knows of a table beyond one batch: whether it takes rows, and whether the state remembers them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::destination::StreamFit;
use parking_lot::Mutex;

/// Clones share what was noted; each counts from where it stood when its run began.
#[derive(Clone, Debug, Default)]
pub struct TableRecord {
    shared: Arc<SharedRecord>,
    at_begin: u64,
}

#[derive(Debug, Default)]
struct SharedRecord {
    /// Batches of which rows were accepted, by whichever job.
    accepted: AtomicU64,
    /// What it was when rows of a queue were first refused that are refused still.
    doubted: Mutex<BTreeMap<String, u64>>,
    /// Places of the state that took the last write.
    writable: Mutex<BTreeSet<String>>,
}

impl TableRecord {
    /// For a run that begins now.
    pub fn of_new_run(&self) -> Self {
        Self {
            shared: self.shared.clone(),
            at_begin: self.accepted(),
        }
    }

    /// For a queue whose rows may have been refused in the run before: what the table took since then counts as well,
    /// because it lies between two refusals of the same rows.
    pub fn since_doubt(&self, queue: &str) -> Self {
        let doubted_at = self.shared.doubted.lock().get(queue).copied();
        Self {
            shared: self.shared.clone(),
            at_begin: doubted_at.map_or(self.at_begin, |at| at.min(self.at_begin)),
        }
    }

    /// Notes whether rows of a queue are refused, and it is not known whose fault it is.
    pub fn note_doubt(&self, queue: &str, is_in_doubt: bool) {
        let mut doubted = self.shared.doubted.lock();
        if is_in_doubt {
            doubted.entry(queue.to_owned()).or_insert_with(|| self.accepted());
        } else {
            doubted.remove(queue);
        }
    }

    /// True if rows of a queue are refused, and it is known by now that the stream fits.
    pub fn can_settle(&self, queue: &str) -> bool {
        self.shared.doubted.lock().contains_key(queue) && self.fit() == StreamFit::Proven
    }

    /// Rows were accepted.
    pub fn note_accepted(&self) {
        self.shared.accepted.fetch_add(1, Ordering::Relaxed);
    }

    /// True if the last write to a place of the state succeeded, in this process. Else it must be shown before a batch
    /// is sent: a state that cannot remember would have the same rows sent in every run.
    pub fn is_writable(&self, place: &str) -> bool {
        self.shared.writable.lock().contains(place)
    }

    /// Notes how a write ended.
    pub fn note_writable(&self, place: &str, is_writable: bool) {
        let mut writable = self.shared.writable.lock();
        match is_writable {
            true => writable.insert(place.to_owned()),
            false => writable.remove(place),
        };
    }

    /// Whether the stream is known to fit its table.
    pub fn fit(&self) -> StreamFit {
        match self.accepted() > self.at_begin {
            true => StreamFit::Proven,
            false => StreamFit::Unknown,
        }
    }

    fn accepted(&self) -> u64 {
        self.shared.accepted.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_proven_by_what_its_own_run_saw_accepted() {
        let record = TableRecord::default();
        let first = record.of_new_run();
        assert_eq!(first.fit(), StreamFit::Unknown);
        record.note_accepted();
        assert_eq!(first.fit(), StreamFit::Proven);
        assert_eq!(first.of_new_run().fit(), StreamFit::Unknown);
    }

    #[test]
    fn what_is_accepted_between_two_refusals_of_a_queue_proves_the_stream_for_that_queue() {
        let record = TableRecord::default();
        record.note_accepted();
        record.of_new_run().note_doubt("q", true);
        assert_eq!(record.of_new_run().since_doubt("q").fit(), StreamFit::Unknown);
        record.note_accepted();
        let next = record.of_new_run();
        assert_eq!(next.since_doubt("q").fit(), StreamFit::Proven);
        assert_eq!(next.since_doubt("other").fit(), StreamFit::Unknown);
        next.note_doubt("q", false);
        assert_eq!(next.since_doubt("q").fit(), StreamFit::Unknown);
    }
}
