//! PingOne for Enterprise: the token endpoint and one poll subscription, on one origin.
//!
//! Contract after the vendor's pages on poll subscriptions and two collectors in use. Reading consumes: what a
//! GET has taken from the queue is gone, whether its answer arrives or not. An expired token is 403.

mod poll;
mod state;
mod token;

use std::time::Duration;

use crate::generate::pingone_enterprise::Event;
use crate::service::Served;
use state::State;

pub use crate::service::RecordedRequest;
pub use poll::{Consumption, Fate};

/// How the poll URL wants to be asked; the other way is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Authentication {
    /// A token of the token endpoint, as `Bearer`.
    Bearer,
    /// User name and password, as `Basic`.
    Basic,
}

/// What the subscription is like.
#[derive(Clone, Debug)]
pub struct Options {
    /// The account in the poll URL.
    pub account_id: String,
    /// The subscription in the poll URL.
    pub subscription_id: String,
    /// The client of the token endpoint.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// The user of the poll URL.
    pub username: String,
    /// The user's password.
    pub password: String,
    /// The one way that the poll URL accepts.
    pub authentication: Authentication,
    /// So many events an answer has, about.
    pub batch_size: usize,
    /// The number may be less or more than the batch size (vendor); `false` makes it exact.
    pub uneven_batches: bool,
    /// So many GETs a token serves; after them it is refused with 403. `None`: no end.
    pub token_uses: Option<usize>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            account_id: "3b0d6a54-1f7e-4a6e-9d07-5c8f1e2b7a10".to_owned(),
            subscription_id: "a94c2e18-6b3f-4d55-8e21-0f6d7b9c3e42".to_owned(),
            client_id: "enterprise-poller".to_owned(),
            client_secret: "gantry_55.copper~fern".to_owned(),
            username: "auditor@example.com".to_owned(),
            password: "slow:river 8".to_owned(),
            authentication: Authentication::Bearer,
            batch_size: 100,
            uneven_batches: true,
            token_uses: None,
        }
    }
}

/// What goes wrong with one GET of the poll URL.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fault {
    /// An error of the service; nothing is consumed. 504 is frequent at the vendor's.
    Status {
        /// The HTTP status.
        status: u16,
        /// `Retry-After` in seconds.
        retry_after: Option<u64>,
    },
    /// 200 with the first half of the body; everything in it is consumed.
    TruncatedJson,
    /// 200 with the Content-Length of the whole body, and the connection is closed after its first half; everything in
    /// it is consumed.
    BreakInBody,
    /// 200 with a page of markup in place of the events, which are consumed.
    NotJson,
    /// The right answer, after this time; the events are consumed at once.
    Delay(Duration),
    /// The events are consumed and the connection is closed without an answer.
    ResetAfterConsuming,
    /// The connection is closed without an answer, and nothing is consumed.
    ResetBeforeConsuming,
    /// 403, and the token that was shown is no longer valid; nothing is consumed.
    ExpireToken,
}

/// A running PingOne for Enterprise.
pub struct PingOneEnterprise {
    served: Served<State>,
}

impl PingOneEnterprise {
    /// Starts a subscription without events.
    pub fn start(options: Options) -> PingOneEnterprise {
        PingOneEnterprise {
            served: Served::start(State::new(options)),
        }
    }

    /// `http://127.0.0.1:<port>`.
    pub fn origin(&self) -> String {
        self.served.origin()
    }

    /// The URL of the token endpoint.
    pub fn token_url(&self) -> String {
        format!("{}{}", self.origin(), token::PATH)
    }

    /// The URL that the console shows for the subscription.
    pub fn poll_url(&self) -> String {
        format!("{}{}", self.origin(), self.served.lock().poll_path())
    }

    /// Puts events at the end of the queue.
    pub fn publish(&self, events: impl IntoIterator<Item = Event>) {
        self.served.lock().publish(events);
    }

    /// Puts an element at the end of the queue that need not be an event, but must be JSON. It has no id in
    /// [`consumed`](Self::consumed) and is not among [`published`](Self::published).
    pub fn publish_raw(&self, json: String) {
        self.served.lock().publish_raw(json);
    }

    /// The faults of the next GETs, one each, in order, after those already waiting.
    pub fn fail_next(&self, faults: impl IntoIterator<Item = Fault>) {
        self.served.lock().faults.extend(faults);
    }

    /// The statuses with which the next token requests fail, one each, in order.
    pub fn fail_next_tokens(&self, statuses: impl IntoIterator<Item = u16>) {
        self.served.lock().token_faults.extend(statuses);
    }

    /// Faults that no request has met yet.
    pub fn waiting_faults(&self) -> usize {
        let state = self.served.lock();
        state.faults.len() + state.token_faults.len()
    }

    /// Makes every token invalid.
    pub fn expire_tokens(&self) {
        self.served.lock().tokens.clear();
    }

    /// How many tokens have been given out.
    pub fn tokens_issued(&self) -> usize {
        self.served.lock().issued_tokens.len()
    }

    /// The events published so far, in order.
    pub fn published(&self) -> Vec<Event> {
        self.served.lock().published.clone()
    }

    /// How many elements nobody has read yet.
    pub fn waiting_events(&self) -> usize {
        self.served.lock().queue.len()
    }

    /// What each GET consumed that got as far as the queue, in order; also those that found it empty.
    pub fn consumed(&self) -> Vec<Consumption> {
        self.served.lock().consumed.clone()
    }

    /// Every request so far, in order of arrival.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.served.lock().requests.clone()
    }

    /// What the client did against the contract, one sentence each. Two GETs at the same time are among it: they
    /// take events from each other.
    pub fn violations(&self) -> Vec<String> {
        self.served.lock().violations.clone()
    }
}

#[cfg(test)]
mod tests;
