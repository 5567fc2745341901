//! What all jobs of a process share.

use std::sync::Arc;

use super::housekeeping::Housekeeping;
use super::poll::window::PollRules;
use crate::delivery::StreamContext;
use crate::event::StreamName;
use crate::state::{DeadLetters, Holder, Lease, Leases, Store};
use crate::time::{Clock, Deadline, Shutdown};

pub struct JobContext {
    /// How windows are cut, and how many streams run at the same time.
    pub rules: PollRules,
    pub store: Arc<dyn Leases>,
    pub clock: Arc<dyn Clock>,
    /// Who takes the leases.
    pub holder: Holder,
    /// Triggered when the process is to end.
    pub shutdown: Shutdown,
    pub housekeeping: Housekeeping,
}

impl JobContext {
    /// The state without its leases.
    pub fn state(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    /// What the work on a stream needs, under the lease on its account.
    pub fn context_of<'a>(&'a self, lease: &'a Lease, stream: &'a StreamName, deadline: Deadline) -> StreamContext<'a> {
        let store = lease.guard(self.store.clone());
        StreamContext {
            stream,
            dead_letters: DeadLetters::new(store.clone()),
            store,
            lease,
            clock: self.clock.clone(),
            now: self.clock.now(),
            deadline,
            shutdown: &self.shutdown,
        }
    }
}
