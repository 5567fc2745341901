//! What pushes brought before, in this process: senders repeat themselves when an answer was lost.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::event::Identity;

/// Identities that are remembered, all instances and tables together.
const MOST_REMEMBERED: usize = 100_000;

/// An event on its way into one table of one instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Parcel {
    /// The number of the instance.
    pub plan: usize,
    /// The number of its table.
    pub target: usize,
    /// The event.
    pub identity: Identity,
}

/// What becomes of a parcel that is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Not known yet.
    Open,
    /// Stored: a twin needs nothing.
    Stored,
    /// Not stored: a twin must go itself.
    Failed,
}

/// What to do with a parcel.
#[derive(Debug)]
pub enum Claim {
    /// Deliver it, and report with [`Dedupe::settle`].
    Ours,
    /// It was stored before.
    StoredBefore,
    /// A twin is on its way: wait for its fate.
    OnItsWay(watch::Receiver<Fate>),
}

/// See the module.
#[derive(Debug, Default)]
pub struct Dedupe(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    stored: HashSet<Parcel>,
    /// Oldest first.
    order: VecDeque<Parcel>,
    on_their_way: HashMap<Parcel, watch::Sender<Fate>>,
}

impl Dedupe {
    /// Claims a parcel for the caller, unless it was stored or is on its way.
    pub fn claim(&self, parcel: Parcel) -> Claim {
        let mut known = self.lock();
        if known.stored.contains(&parcel) {
            return Claim::StoredBefore;
        }
        if let Some(fate) = known.on_their_way.get(&parcel) {
            return Claim::OnItsWay(fate.subscribe());
        }
        known.on_their_way.insert(parcel, watch::Sender::new(Fate::Open));
        Claim::Ours
    }

    /// Ends the way of claimed parcels. Only what is stored is remembered.
    pub fn settle(&self, parcels: &[Parcel], fate: Fate) {
        let mut known = self.lock();
        for parcel in parcels {
            if fate == Fate::Stored && known.stored.insert(*parcel) {
                known.order.push_back(*parcel);
            }
            if let Some(waiting) = known.on_their_way.remove(parcel) {
                waiting.send_replace(fate);
            }
        }
        while known.order.len() > MOST_REMEMBERED {
            if let Some(oldest) = known.order.pop_front() {
                known.stored.remove(&oldest);
            }
        }
    }

    /// How many parcels of one table of an instance are on their way.
    pub fn on_their_way(&self, plan: usize, target: usize) -> u64 {
        let known = self.lock();
        let parcels = known.on_their_way.keys();
        parcels
            .filter(|parcel| parcel.plan == plan && parcel.target == target)
            .count() as u64
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until the fate is known. A sender that vanished without a word failed.
pub async fn fate_of(mut waiting: watch::Receiver<Fate>) -> Fate {
    match waiting.wait_for(|fate| *fate != Fate::Open).await {
        Ok(fate) => *fate,
        Err(_) => Fate::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parcel(number: usize) -> Parcel {
        Parcel {
            plan: 0,
            target: 0,
            identity: Identity::of_parts(&[&number.to_string()]),
        }
    }

    #[tokio::test]
    async fn a_twin_waits_for_the_fate_of_the_first() {
        let memory = Dedupe::default();
        for (fate, then_stored) in [(Fate::Failed, false), (Fate::Stored, true)] {
            assert!(matches!(memory.claim(parcel(1)), Claim::Ours));
            let Claim::OnItsWay(waiting) = memory.claim(parcel(1)) else {
                panic!("claimed twice")
            };
            memory.settle(&[parcel(1)], fate);
            assert_eq!(fate_of(waiting).await, fate);
            if then_stored {
                assert!(matches!(memory.claim(parcel(1)), Claim::StoredBefore));
            }
        }
    }

    #[test]
    fn the_memory_is_bounded_and_forgets_the_oldest() {
        let memory = Dedupe::default();
        for number in 0..=MOST_REMEMBERED {
            memory.settle(&[parcel(number)], Fate::Stored);
        }
        assert!(matches!(memory.claim(parcel(0)), Claim::Ours));
        assert!(matches!(memory.claim(parcel(1)), Claim::StoredBefore));
        assert_eq!(memory.lock().stored.len(), MOST_REMEMBERED);
    }
}
