//! Which activities are sent next. It has no connection and no clock of its own.

use std::collections::VecDeque;

use crate::generate::pingone::Activity;

/// So many activities at most stand in one body (vendor: `EVENTS_PER_PAYLOAD`).
pub const LARGEST_BATCH: usize = 500;

/// Activities in the order in which they are sent.
#[derive(Debug)]
pub struct Queue {
    batch_size: usize,
    /// The batch that is being tried. It is the same at every try, also when more activities wait by then.
    current: Vec<Activity>,
    waiting: VecDeque<Activity>,
    accepted: Vec<Activity>,
}

impl Queue {
    /// A queue with nothing waiting, whose batches have 1 to [`LARGEST_BATCH`] activities.
    pub fn new(batch_size: usize) -> Self {
        Queue {
            batch_size: batch_size.clamp(1, LARGEST_BATCH),
            current: Vec::new(),
            waiting: VecDeque::new(),
            accepted: Vec::new(),
        }
    }

    /// Puts activities behind those that wait.
    pub fn offer(&mut self, activities: impl IntoIterator<Item = Activity>) {
        self.waiting.extend(activities);
    }

    /// The batch that is to be sent, the same until it is accepted; `None` where nothing waits.
    pub fn batch(&mut self) -> Option<&[Activity]> {
        if self.current.is_empty() {
            let size = self.batch_size.min(self.waiting.len());
            self.current.extend(self.waiting.drain(..size));
        }
        (!self.current.is_empty()).then_some(&self.current)
    }

    /// The batch was answered with 200.
    pub fn accept(&mut self) {
        self.accepted.append(&mut self.current);
    }

    /// The activities whose batches were accepted, in order.
    pub fn accepted(&self) -> &[Activity] {
        &self.accepted
    }

    /// How many activities have not been accepted yet.
    pub fn waiting(&self) -> usize {
        self.current.len() + self.waiting.len()
    }
}
