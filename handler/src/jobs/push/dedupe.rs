//! Deduplication of pushes within this process: senders repeat themselves when an answer was lost.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::event::Identity;

/// Identities that are remembered, all instances and tables of a vendor together.
const MAX_REMEMBERED: usize = 100_000;
/// Why a batch is not stored that ended without an answer.
pub const NO_ANSWER: &str = "internal error; the log says more";

/// An event on its way into one table of one instance.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DedupKey {
    /// The name of the spool queue of that instance and table.
    pub queue: Arc<str>,
    /// The event.
    pub identity: Identity,
}

/// The events that were stored, and those that are being stored.
#[derive(Debug, Default)]
pub struct Dedupe(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    stored: HashSet<DedupKey>,
    /// Oldest first.
    order: VecDeque<DedupKey>,
    in_flight: HashMap<DedupKey, BatchWatcher>,
}

impl Dedupe {
    /// True if the event was stored before.
    pub fn is_stored(&self, key: &DedupKey) -> bool {
        self.0.lock().stored.contains(key)
    }

    /// These events are stored.
    pub fn remember<'k>(&self, keys: impl IntoIterator<Item = &'k DedupKey>) {
        let mut known = self.0.lock();
        for key in keys {
            known.in_flight.remove(key);
            if known.stored.insert(key.clone()) {
                known.order.push_back(key.clone());
            }
        }
        while known.order.len() > MAX_REMEMBERED {
            if let Some(oldest) = known.order.pop_front() {
                known.stored.remove(&oldest);
            }
        }
    }

    /// How many events of a queue are claimed and not settled.
    pub fn in_flight(&self, queue: &str) -> u64 {
        let known = self.0.lock();
        known.in_flight.keys().filter(|key| &*key.queue == queue).count() as u64
    }
}

/// What to do with an event.
#[derive(Debug)]
pub enum Claim {
    /// Store it: nobody else does.
    Granted,
    /// It was stored before.
    StoredBefore,
    /// It is part of that batch: claim it again when the batch is settled.
    InFlight(BatchWatcher),
}

/// The claimed events of one batch, and the channel that tells what became of it. When this is dropped, what is not
/// stored may be claimed again, and senders who have no answer are told that the batch failed.
#[derive(Debug)]
pub struct Claims {
    dedupe: Arc<Dedupe>,
    keys: Vec<DedupKey>,
    status: watch::Sender<BatchStatus>,
}

#[derive(Debug, Default)]
struct BatchStatus {
    /// What the senders are told: the batch is stored, or why it is not.
    answer: Option<Result<(), String>>,
    /// True if each of its events is stored or may be claimed again. That may be long after the answer.
    is_settled: bool,
}

impl Claims {
    /// Without events.
    pub fn new(dedupe: Arc<Dedupe>) -> Self {
        Self {
            dedupe,
            keys: Vec::new(),
            status: watch::Sender::default(),
        }
    }

    /// Claims an event, unless it is stored or in flight.
    pub fn claim(&mut self, key: &DedupKey) -> Claim {
        {
            let known = self.dedupe.0.lock();
            if known.stored.contains(key) {
                return Claim::StoredBefore;
            }
            if let Some(batch) = known.in_flight.get(key) {
                return Claim::InFlight(batch.clone());
            }
        }
        self.take_over(key.clone());
        Claim::Granted
    }

    /// Takes an event from the claims that hold it; its position is the next one.
    pub fn take_over(&mut self, key: DedupKey) {
        let watcher = self.watcher();
        self.dedupe.0.lock().in_flight.insert(key.clone(), watcher);
        self.keys.push(key);
    }

    /// Tells what becomes of the batch.
    pub fn watcher(&self) -> BatchWatcher {
        BatchWatcher(self.status.subscribe())
    }

    /// The events at these positions are stored.
    pub fn remember(&self, positions: &[usize]) {
        let keys = positions.iter().filter_map(|position| self.keys.get(*position));
        self.dedupe.remember(keys);
    }

    /// What was not remembered may be claimed again.
    pub fn settle(&self) {
        let own = self.watcher();
        let mut known = self.dedupe.0.lock();
        for key in &self.keys {
            // Somebody else may have claimed it since.
            if known.in_flight.get(key).is_some_and(|batch| batch.is_same(&own)) {
                known.in_flight.remove(key);
            }
        }
        drop(known);
        self.status.send_modify(|status| status.is_settled = true);
    }

    /// Answers the senders. Only the first answer is kept.
    pub fn answer(&self, answer: Result<(), String>) {
        self.status.send_modify(|status| {
            status.answer.get_or_insert(answer);
        });
    }
}

impl Drop for Claims {
    fn drop(&mut self) {
        self.settle();
        self.answer(Err(NO_ANSWER.to_owned()));
    }
}

/// Waits for what becomes of a batch.
#[derive(Clone, Debug)]
pub struct BatchWatcher(watch::Receiver<BatchStatus>);

impl BatchWatcher {
    /// The answer for the senders; an error says why the batch is not stored.
    pub async fn answered(mut self) -> Result<(), String> {
        let status = self.0.wait_for(|status| status.answer.is_some()).await;
        let answer = status.ok().and_then(|status| status.answer.clone());
        answer.unwrap_or_else(|| Err(NO_ANSWER.to_owned()))
    }

    /// Returns when each event of the batch is stored or may be claimed again.
    pub async fn settled(mut self) {
        // A batch that is gone is settled.
        let _ = self.0.wait_for(|status| status.is_settled).await;
    }

    /// True if both watch the same batch.
    pub fn is_same(&self, other: &Self) -> bool {
        self.0.same_channel(&other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> DedupKey {
        DedupKey {
            queue: Arc::from("spool/T_CL/onelogin-default-push"),
            identity: Identity::of_parts(&[&number.to_string()]),
        }
    }

    #[tokio::test]
    async fn a_duplicate_waits_until_the_batch_is_settled_and_claims_again() {
        let dedupe = Arc::new(Dedupe::default());
        for is_stored in [false, true] {
            let mut first = Claims::new(dedupe.clone());
            assert!(matches!(first.claim(&key(1)), Claim::Granted));
            let mut second = Claims::new(dedupe.clone());
            let Claim::InFlight(batch) = second.claim(&key(1)) else {
                panic!("claimed twice")
            };
            // An answer alone does not settle it.
            first.answer(Err("the spool is slow".to_owned()));
            assert_eq!(
                first.watcher().answered().await,
                Err("the spool is slow".to_owned()),
                "{is_stored}"
            );
            assert!(matches!(second.claim(&key(1)), Claim::InFlight(_)));
            if is_stored {
                first.remember(&[0]);
            }
            first.settle();
            batch.settled().await;
            let claim = second.claim(&key(1));
            assert_eq!(matches!(claim, Claim::StoredBefore), is_stored, "{claim:?}");
            assert_eq!(matches!(claim, Claim::Granted), !is_stored, "{claim:?}");
        }
        assert_eq!(dedupe.in_flight(&key(1).queue), 0);
    }

    #[tokio::test]
    async fn dropped_claims_are_free_and_their_senders_are_answered() {
        let dedupe = Arc::new(Dedupe::default());
        let mut first = Claims::new(dedupe.clone());
        let mut batch = Claims::new(dedupe.clone());
        for number in 0..2 {
            assert!(matches!(first.claim(&key(number)), Claim::Granted));
        }
        batch.take_over(key(1));
        let of_first = first.watcher();
        drop(first);
        assert!(of_first.clone().answered().await.is_err());
        of_first.settled().await;
        // What another batch took over stays claimed.
        assert_eq!(dedupe.in_flight(&key(1).queue), 1);
        batch.remember(&[0]);
        drop(batch);
        assert!(dedupe.is_stored(&key(1)) && !dedupe.is_stored(&key(0)));
        assert_eq!(dedupe.in_flight(&key(1).queue), 0);
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_oldest_is_forgotten() {
        let dedupe = Dedupe::default();
        let keys: Vec<DedupKey> = (0..=MAX_REMEMBERED).map(key).collect();
        dedupe.remember(&keys);
        assert!(!dedupe.is_stored(&keys[0]) && dedupe.is_stored(&keys[1]));
        assert_eq!(dedupe.0.lock().stored.len(), MAX_REMEMBERED);
    }
}
