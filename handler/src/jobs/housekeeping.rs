//! What the state needs now and then so that it does not grow for ever.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::state::{Holder, LeaseAttempt, Leases, ProcessLedger, StoreError};

const EVERY: Duration = Duration::from_secs(3600);
const LEASE: &str = "housekeeping";

/// Sums up the ledgers of processes that are gone.
#[derive(Default)]
pub struct Housekeeping {
    ledgers: Vec<ProcessLedger>,
    done_at: Mutex<Option<Instant>>,
}

impl Housekeeping {
    /// Of the ledgers of everything that is pushed.
    pub fn new(ledgers: Vec<ProcessLedger>) -> Self {
        Self {
            ledgers,
            done_at: Mutex::default(),
        }
    }

    /// Once in an hour, by whoever has the lease. Another time will do if it fails.
    pub async fn run(&self, store: &dyn Leases, holder: &Holder) -> Result<(), StoreError> {
        if self.ledgers.is_empty() || !self.is_due() {
            return Ok(());
        }
        let LeaseAttempt::Taken(lease) = store.try_lease(LEASE, holder).await? else {
            return Ok(());
        };
        let mut outcome = Ok(());
        for ledger in &self.ledgers {
            outcome = outcome.and(ledger.sum_up().await);
        }
        lease.release().await;
        outcome
    }

    fn is_due(&self) -> bool {
        let mut done_at = self.done_at.lock();
        if done_at.is_some_and(|at| at.elapsed() < EVERY) {
            return false;
        }
        *done_at = Some(Instant::now());
        true
    }
}
