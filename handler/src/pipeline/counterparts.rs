//! Which events that were pushed and which that were read are the same, although they share no key.
//!
//! What both forms have in common may fit several events, so it is counted: the second of two equal pushed events
//! stands for the second of two equal ones that are read.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::event::Identity;
use crate::state::{Identities, Key, Store, StoreError};

/// The n-th event with a common key that was pushed and delivered.
const PUSHED: &str = "pushed";
/// The n-th of them that was found again when it was read.
const MATCHED: &str = "matched";
/// The n-th event with a common key that was read and delivered.
const READ: &str = "read";
/// The n-th of them that was pushed later than anybody waits.
const LATE: &str = "late";
/// A pushed event that needs no delivery.
const NEEDLESS: &str = "needless";

/// Marks, kept beside the checkpoint as identities are.
pub struct Counterparts {
    marks: Identities,
    fresh: Vec<(Identity, DateTime<Utc>)>,
    fresh_marks: HashSet<Identity>,
}

impl Counterparts {
    /// With the marks that were stored below `folder`.
    pub async fn load(store: Arc<dyn Store>, folder: Key) -> Result<Self, StoreError> {
        Ok(Self {
            marks: Identities::load(store, folder).await?,
            fresh: Vec::new(),
            fresh_marks: HashSet::new(),
        })
    }

    /// A pushed event that was not seen before: true if it is to be delivered.
    pub fn take_pushed(&mut self, common: Identity, own: Identity, time: DateTime<Utc>) -> bool {
        if self.knows(mark(NEEDLESS, own, 0)) {
            return false;
        }
        let late = self.first_free(LATE, common);
        if self.knows(mark(READ, common, late)) {
            self.add(mark(LATE, common, late), time);
            self.add(mark(NEEDLESS, own, 0), time);
            return false;
        }
        let number = self.first_free(PUSHED, common);
        self.add(mark(PUSHED, common, number), time);
        true
    }

    /// True if a pushed event was found needless before: the same event for another table.
    pub fn is_needless(&self, own: Identity) -> bool {
        self.knows(mark(NEEDLESS, own, 0))
    }

    /// An event that was read and not seen before: true if it is to be delivered.
    pub fn take_read(&mut self, common: Identity, time: DateTime<Utc>) -> bool {
        let matched = self.first_free(MATCHED, common);
        if self.knows(mark(PUSHED, common, matched)) {
            self.add(mark(MATCHED, common, matched), time);
            return false;
        }
        let number = self.first_free(READ, common);
        self.add(mark(READ, common, number), time);
        true
    }

    /// Stores the new marks. It must be done before the events are delivered or remembered: after a crash an event
    /// then comes once more rather than not at all.
    pub async fn save(&mut self) -> Result<(), StoreError> {
        self.fresh_marks.clear();
        self.marks.append(std::mem::take(&mut self.fresh)).await
    }

    /// Forgets the marks of events before `from`.
    pub async fn compact(&mut self, from: DateTime<Utc>) -> Result<(), StoreError> {
        self.marks.compact(from).await
    }

    fn first_free(&self, kind: &str, common: Identity) -> u32 {
        (0..)
            .find(|number| !self.knows(mark(kind, common, *number)))
            .unwrap_or(u32::MAX)
    }

    fn knows(&self, mark: Identity) -> bool {
        self.fresh_marks.contains(&mark) || self.marks.contains(&mark)
    }

    fn add(&mut self, mark: Identity, time: DateTime<Utc>) {
        self.fresh_marks.insert(mark);
        self.fresh.push((mark, time));
    }
}

fn mark(kind: &str, identity: Identity, number: u32) -> Identity {
    Identity::of_parts(&[kind, &identity.hex(), &number.to_string()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::LocalStore;
    use crate::time::SystemClock;
    use proptest::prelude::*;

    fn own(number: usize) -> Identity {
        Identity::of_parts(&["own", &number.to_string()])
    }

    /// True: pushed, false: read; both of one common key. How many were delivered.
    async fn delivered(order: &[bool], restart_every: usize) -> usize {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> =
            Arc::new(LocalStore::open(folder.path().to_owned(), Arc::new(SystemClock)).unwrap());
        let time = DateTime::UNIX_EPOCH;
        let common = Identity::of_parts(&["common"]);
        let load = async || Counterparts::load(store.clone(), Key::new(["marks"])).await.unwrap();
        let mut counterparts = load().await;
        let mut delivered = 0;
        for (number, is_pushed) in order.iter().enumerate() {
            let takes = if *is_pushed {
                counterparts.take_pushed(common, own(number), time)
            } else {
                counterparts.take_read(common, time)
            };
            delivered += usize::from(takes);
            if number % restart_every == 0 {
                counterparts.save().await.unwrap();
                counterparts = load().await;
            }
        }
        delivered
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn of_equal_events_as_many_are_delivered_as_the_longer_side_has(
            order in proptest::collection::vec(any::<bool>(), 0..12), restart_every in 1_usize..4
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let pushed = order.iter().filter(|is_pushed| **is_pushed).count();
            let expected = pushed.max(order.len() - pushed);
            prop_assert_eq!(runtime.block_on(delivered(&order, restart_every)), expected);
        }
    }

    #[tokio::test]
    async fn a_needless_push_is_needless_for_every_table() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(LocalStore::open(folder.path().to_owned(), Arc::new(SystemClock)).unwrap());
        let mut counterparts = Counterparts::load(store, Key::new(["marks"])).await.unwrap();
        let (common, time) = (Identity::of_parts(&["common"]), DateTime::UNIX_EPOCH);
        assert!(counterparts.take_read(common, time));
        assert!(!counterparts.take_pushed(common, own(1), time));
        assert!(counterparts.is_needless(own(1)) && !counterparts.is_needless(own(2)));
    }
}
