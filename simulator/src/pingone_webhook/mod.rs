//! The webhook sender of PingOne ("subscriptions").
//!
//! Contract after the vendor's pages and SDK: a POST with up to 500 activities, as a JSON array or NDJSON, with
//! the customer's own headers. A batch is repeated until HTTP 200 exactly, and what comes behind it waits: the
//! order is kept. The vendor goes on for 7 days; here the number of tries is the test's choice.

use std::collections::VecDeque;

use crate::generate::pingone::Activity;
use crate::webhook::{BodyFormat, Delivery, WebhookClient, WebhookOptions};

/// So many activities at most stand in one body (vendor: `EVENTS_PER_PAYLOAD`).
pub const LARGEST_BATCH: usize = 500;

/// Posts activities to a webhook, in order.
pub struct PingOneSender {
    webhook: WebhookClient,
    batch_size: usize,
    /// The batch that is being tried. It is the same at every try, also when more activities wait by then.
    current: Vec<Activity>,
    waiting: VecDeque<Activity>,
    accepted: Vec<Activity>,
}

impl PingOneSender {
    /// A sender with nothing waiting, whose batches have 1 to [`LARGEST_BATCH`] activities. Stops the test where the
    /// options are none of the vendor's.
    pub fn new(options: WebhookOptions, batch_size: usize) -> Self {
        let is_possible = options.format != BodyFormat::Single && !options.gzip;
        assert!(is_possible, "PingOne sends lists that are not compressed");
        PingOneSender {
            webhook: WebhookClient::new(options, |status| status == 200),
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

    /// Posts batch after batch until nothing waits, or until one is not accepted in all its tries; that one and
    /// all behind it go on waiting for the next call.
    pub async fn deliver(&mut self) -> Delivery {
        let mut delivery = Delivery {
            accepted: true,
            answers: Vec::new(),
        };
        while delivery.accepted && self.waiting() > 0 {
            if self.current.is_empty() {
                let size = self.batch_size.min(self.waiting.len());
                self.current.extend(self.waiting.drain(..size));
            }
            let texts = self.current.iter().map(|activity| activity.json.as_str());
            let of_batch = self.webhook.deliver(texts).await;
            delivery.accepted = of_batch.accepted;
            delivery.answers.extend(of_batch.answers);
            if of_batch.accepted {
                self.accepted.append(&mut self.current);
            }
        }
        delivery
    }

    /// The activities whose batches were answered with 200, in order.
    pub fn accepted(&self) -> &[Activity] {
        &self.accepted
    }

    /// How many activities have not been accepted yet.
    pub fn waiting(&self) -> usize {
        self.current.len() + self.waiting.len()
    }
}

#[cfg(test)]
mod tests;
