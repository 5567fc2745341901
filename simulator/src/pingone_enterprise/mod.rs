//! PingOne for Enterprise: the token endpoint and one poll subscription, on one origin.
//!
//! Contract after the vendor's pages on poll subscriptions and two collectors in use. Reading consumes: what a
//! GET has taken from the queue is gone, whether its answer arrives or not. An expired token is 403.

mod consumption;
mod options;
mod poll;
mod state;
mod token;

use chrono::{DateTime, Utc};

use crate::generate::pingone_enterprise::SubscriptionEvent;
use crate::service::{Controls, Reply, Request, Server, Service, Simulation};
use consumption::Waiting;
use state::error;

pub use crate::service::RecordedRequest;
pub use consumption::{Consumption, Fate};
pub use options::{Authentication, SubscriptionFault, SubscriptionOptions};
pub use state::Subscription;

/// A running PingOne for Enterprise.
pub type PingOneEnterprise = Server<Subscription>;

impl Service for Subscription {
    type Fault = SubscriptionFault;

    fn controls(&mut self) -> &mut Controls<SubscriptionFault> {
        &mut self.controls
    }

    fn reply(&mut self, request: &Request, now: DateTime<Utc>) -> Reply {
        self.look_for_secrets(request);
        if request.path == token::PATH {
            return token::reply(self, request, now);
        }
        if request.path == self.poll_path() {
            return poll::reply(self, request, now);
        }
        self.controls
            .violation(format!("{} {}: no such path", request.method, request.path));
        error(404, "There is nothing at this path")
    }

    fn finish(&mut self, tag: Option<usize>, sent: bool) {
        if self.reads.finish(tag, sent) {
            self.controls.violation("two GETs of the poll URL at the same time");
        }
    }
}

impl Server<Subscription> {
    /// The URL of the token endpoint.
    pub fn token_url(&self) -> String {
        format!("{}{}", self.origin(), token::PATH)
    }

    /// The URL that the console shows for the subscription.
    pub fn poll_url(&self) -> String {
        format!("{}{}", self.origin(), self.lock().poll_path())
    }
}

impl Simulation<Subscription> {
    /// Puts events at the end of the queue.
    pub fn publish(&self, events: impl IntoIterator<Item = SubscriptionEvent>) {
        let mut subscription = self.lock();
        for event in events {
            subscription.queue.push_back(Waiting {
                id: event.id.clone(),
                json: event.json.clone(),
            });
            subscription.published.push(event);
        }
    }

    /// Puts an element at the end of the queue that need not be an event, but must be JSON. It has no id in
    /// [`consumed`](Self::consumed) and is not among [`published`](Self::published).
    pub fn publish_raw(&self, json: String) {
        let id = String::new();
        self.lock().queue.push_back(Waiting { id, json });
    }

    /// Makes every token invalid.
    pub fn expire_tokens(&self) {
        self.lock().tokens.revoke_all();
    }

    /// How many tokens have been given out.
    pub fn tokens_issued(&self) -> usize {
        self.lock().tokens.issued()
    }

    /// The events published so far, in order.
    pub fn published(&self) -> Vec<SubscriptionEvent> {
        self.lock().published.clone()
    }

    /// How many elements nobody has read yet.
    pub fn waiting_events(&self) -> usize {
        self.lock().queue.len()
    }

    /// What each GET consumed that got as far as the queue, in order; also those that found it empty.
    pub fn consumed(&self) -> Vec<Consumption> {
        self.lock().reads.consumed.clone()
    }
}

#[cfg(test)]
mod tests;
