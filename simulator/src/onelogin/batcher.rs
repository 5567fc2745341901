//! When a batch is complete.

use std::time::Duration;

use crate::generate::onelogin::WebhookEvent;

/// So many events at most wait for each other.
pub const LARGEST_BATCH: usize = 10;

/// So long at most the first event of a batch waits.
pub const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Gathers events to batches, which are never empty. It has no clock and no connection of its own.
#[derive(Debug, Default)]
pub struct Batcher {
    waiting: Vec<WebhookEvent>,
    /// When the first of the waiting events came.
    since: Duration,
}

impl Batcher {
    /// A batcher with nothing waiting.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an event; gives the batch that is complete with it. A batch whose time is up goes first, without
    /// the new event.
    pub fn offer(&mut self, event: WebhookEvent, now: Duration) -> Option<Vec<WebhookEvent>> {
        let overdue = self.tick(now);
        if self.waiting.is_empty() {
            self.since = now;
        }
        self.waiting.push(event);
        if overdue.is_some() || self.waiting.len() < LARGEST_BATCH {
            return overdue;
        }
        self.flush()
    }

    /// Gives the batch whose time is up.
    pub fn tick(&mut self, now: Duration) -> Option<Vec<WebhookEvent>> {
        if now.saturating_sub(self.since) < LONGEST_WAIT {
            return None;
        }
        self.flush()
    }

    /// Gives what is waiting, complete or not.
    pub fn flush(&mut self) -> Option<Vec<WebhookEvent>> {
        (!self.waiting.is_empty()).then(|| std::mem::take(&mut self.waiting))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::onelogin::WebhookEvents;

    fn events(count: usize) -> Vec<WebhookEvent> {
        let mut generator = WebhookEvents::new(1, 9_001);
        let time = chrono::DateTime::UNIX_EPOCH;
        (0..count).map(|_| generator.at(time)).collect()
    }

    #[test]
    fn ten_events_are_a_batch_at_once() {
        let mut batcher = Batcher::new();
        let events = events(21);

        let batches: Vec<Vec<WebhookEvent>> = events
            .iter()
            .filter_map(|event| batcher.offer(event.clone(), Duration::ZERO))
            .collect();

        assert_eq!(batches.len(), 2);
        assert_eq!(batches[0], events[..10]);
        assert_eq!(batches[1], events[10..20]);
        assert_eq!(batcher.flush().expect("one is left"), events[20..]);
        assert_eq!(batcher.flush(), None);
    }

    #[test]
    fn the_first_event_waits_ten_seconds_at_most() {
        let mut batcher = Batcher::new();
        let first = Duration::from_secs(5);
        for event in events(2) {
            assert_eq!(batcher.offer(event, first), None);
        }

        assert_eq!(batcher.tick(first + Duration::from_millis(9_999)), None);
        let batch = batcher.tick(first + LONGEST_WAIT).expect("the time is up");
        assert_eq!(batch.len(), 2);
        assert_eq!(batcher.tick(first + LONGEST_WAIT * 2), None);
    }

    #[test]
    fn an_overdue_batch_goes_before_a_new_event_and_the_wait_starts_anew() {
        let mut batcher = Batcher::new();
        let events = events(2);
        batcher.offer(events[0].clone(), Duration::ZERO);

        let late = Duration::from_secs(11);
        let batch = batcher.offer(events[1].clone(), late).expect("overdue");

        assert_eq!(batch, events[..1]);
        assert_eq!(batcher.tick(Duration::from_secs(20)), None);
        assert!(batcher.tick(late + LONGEST_WAIT).is_some());
    }
}
