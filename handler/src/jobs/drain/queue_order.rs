//! In which order the entries of a queue are tried, so that a bad one does not hold up those behind it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::destination::{DeliveryError, StreamFit, spread};
use crate::state::Key;

/// Entries of which no row is taken are left in place; after so many of the oldest the rest of the queue is sampled.
const MOST_IN_ORDER: usize = 32;
/// Entries of few rows cost little: so many rows are tried in order.
const MOST_ROWS_IN_ORDER: u64 = 256;
/// So many entries from all over the rest are tried, others in every run. If no row of these is taken either, the stream is at fault.
const SAMPLE: usize = 32;

/// The oldest comes first. Once any row of the table is taken, the entries that were left come again.
pub struct QueueOrder {
    next: VecDeque<Key>,
    /// Not settled in this run.
    left: BTreeSet<Key>,
    /// Tried, and no row was taken: how many rows each.
    doubted: BTreeMap<Key, u64>,
    error: Option<DeliveryError>,
    is_sampling: bool,
    seed: u64,
}

impl QueueOrder {
    /// Of the entries that wait, oldest first. `seed` is another in every run.
    pub fn new(waiting: &[Key], seed: u64) -> Self {
        Self {
            next: waiting.iter().cloned().collect(),
            left: waiting.iter().cloned().collect(),
            doubted: BTreeMap::new(),
            error: None,
            is_sampling: false,
            seed,
        }
    }

    pub fn next(&mut self, fit: StreamFit) -> Option<Key> {
        if fit == StreamFit::Proven && !self.doubted.is_empty() {
            self.doubted.clear();
            self.error = None;
            self.next = self.left.iter().cloned().collect();
        } else if fit == StreamFit::Unknown && self.has_tried_enough() && !self.is_sampling {
            self.is_sampling = true;
            self.next = sample(self.next.make_contiguous(), self.seed);
        }
        self.next.pop_front()
    }

    fn has_tried_enough(&self) -> bool {
        self.doubted.len() >= MOST_IN_ORDER && self.doubted.values().sum::<u64>() >= MOST_ROWS_IN_ORDER
    }

    /// It needs nothing more in this run.
    pub fn settled(&mut self, key: &Key) {
        self.left.remove(key);
    }

    /// No row of it was taken, and it stays with so many.
    pub fn doubted(&mut self, key: &Key, rows: u64, error: DeliveryError) {
        self.doubted.insert(key.clone(), rows);
        self.error = Some(error);
    }

    /// The rows of which it is not known whether they are at fault or the stream, and what the destination said.
    pub fn doubt(&self) -> Option<(u64, DeliveryError)> {
        let rows: u64 = self.doubted.values().sum();
        let error = self.error.clone()?;
        Some((rows, error.of_rows(usize::try_from(rows).unwrap_or(usize::MAX))))
    }
}

/// Some of the entries that wait, others in every run.
pub fn sample(keys: &[Key], seed: u64) -> VecDeque<Key> {
    let numbers = spread(keys.len(), SAMPLE, seed).into_iter();
    numbers.filter_map(|number| keys.get(number).cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::destination::Refusal;

    fn keys(count: usize) -> Vec<Key> {
        (0..count)
            .map(|number| Key::new(["q", &format!("{number:06}")]))
            .collect()
    }

    fn nothing_taken() -> DeliveryError {
        DeliveryError::NothingTaken(Refusal {
            table: "T_CL".to_owned(),
            rows: 1,
            status: 400,
            code: None,
            remedy: String::new(),
            request_id: None,
        })
    }

    /// Tries all entries; the good ones are taken. How many tries it took.
    fn drain(order: &mut QueueOrder, is_good: impl Fn(&Key) -> bool) -> usize {
        let mut fit = StreamFit::Unknown;
        let mut tries = 0;
        while let Some(key) = order.next(fit) {
            tries += 1;
            if is_good(&key) {
                fit = StreamFit::Proven;
            }
            match fit {
                StreamFit::Proven => order.settled(&key),
                StreamFit::Unknown => order.doubted(&key, 2, nothing_taken()),
            }
        }
        tries
    }

    #[test]
    fn one_good_entry_settles_the_bad_ones_before_it() {
        let keys = keys(10);
        let mut order = QueueOrder::new(&keys, 1);
        assert_eq!(drain(&mut order, |key| *key == keys[6]), 6 + 1 + 9);
        assert!(order.doubt().is_none() && order.left.is_empty());
    }

    #[test]
    fn a_long_row_of_bad_entries_does_not_hide_the_good_ones_behind_it() {
        let keys = keys(1000);
        let mut order = QueueOrder::new(&keys, 1);
        drain(&mut order, |key| keys[500..].contains(key));
        assert!(order.left.is_empty());
    }

    #[test]
    fn one_good_entry_among_many_is_tried_within_some_runs() {
        for good in [40, 127, 333] {
            let keys = keys(400);
            let taken = (0..40).any(|seed| {
                let mut order = QueueOrder::new(&keys, seed);
                drain(&mut order, |key| *key == keys[good]);
                order.left.is_empty()
            });
            assert!(taken, "{good}");
        }
    }

    #[test]
    fn where_nothing_is_taken_the_tries_are_bounded_and_every_entry_stays() {
        let mut order = QueueOrder::new(&keys(1000), 1);
        let tries = drain(&mut order, |_| false);
        assert!((160..=161).contains(&tries), "{tries}");
        let (rows, error) = order.doubt().unwrap();
        assert_eq!(rows, 2 * tries as u64);
        assert!(error.to_string().contains(&format!("none of {rows} rows")), "{error}");
        assert_eq!(order.left.len(), 1000);
    }
}
