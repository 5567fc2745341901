//! The webhook sender of OneLogin ("Event Broadcaster").
//!
//! Contract as far as it is published: a POST whenever 10 events are waiting or 10 seconds have passed,
//! whichever comes first; the body is a JSON array, NDJSON or one object; authentication is a free header.
//! Retries are documented nowhere, so their number is the test's choice.

mod batcher;

use crate::generate::onelogin::WebhookEvent;
use crate::webhook::{Delivery, WebhookClient, WebhookOptions};

pub use batcher::{Batcher, LARGEST_BATCH, LONGEST_WAIT};

/// Posts batches to a webhook.
pub struct OneLoginSender {
    webhook: WebhookClient,
}

impl OneLoginSender {
    /// A sender that takes a body for stored at any 2xx.
    pub fn new(options: WebhookOptions) -> Self {
        OneLoginSender {
            webhook: WebhookClient::new(options, |status| (200..300).contains(&status)),
        }
    }

    /// Posts the batch until it is accepted or the tries are used up.
    pub async fn send(&self, batch: &[WebhookEvent]) -> Delivery {
        self.webhook
            .deliver(batch.iter().map(|event| event.json.as_str()))
            .await
    }
}

#[cfg(test)]
mod tests;
