//! The API of OneLogin: tokens, events and users of one account.
//!
//! Contract after the vendor's pages on events and query parameters and two collectors in use. `since` and
//! `until` are exclusive and look at `created_at` only. What is stricter here than documented: parameters that
//! narrow a list in other ways are refused like unknown ones. Events come in the order of their ids unless
//! `sort` says otherwise; the default order is documented nowhere.

mod list;
mod rows;
mod state;
mod token;

use std::time::Duration;

use crate::generate::onelogin_api::{Event, User};
use crate::loopback::DateHeader;
use crate::service::Served;
use state::State;

pub use crate::service::RecordedRequest;

/// What the account is like.
#[derive(Clone, Debug)]
pub struct Options {
    /// The API credential.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// `account_id` of a token.
    pub account_id: u32,
    /// The largest `limit` that is accepted: the documentation speaks of 50, a collector asks for 1000.
    pub largest_limit: usize,
    /// So many requests a token serves; after them it is refused with 401. `None`: no end.
    pub token_uses: Option<usize>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            client_id: "7d1f0a6be2c94f5b8a3e".to_owned(),
            client_secret: "pier-light~09.sorrel".to_owned(),
            account_id: 70_412,
            largest_limit: 1000,
            token_uses: None,
        }
    }
}

/// What goes wrong with one request for events or users.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fault {
    /// An error with a body of the vendor's form; 429 is one way of saying that the rate is used up.
    Status {
        /// The HTTP status.
        status: u16,
        /// `Retry-After` in seconds.
        retry_after: Option<u64>,
    },
    /// The other way: 400 whose `status.message` is `rate_limit_exceeded` (seen by collectors).
    RateLimitExceeded,
    /// 200 with the first half of the right body.
    TruncatedJson,
    /// 200 with a page of markup, as a proxy in between would send.
    HtmlPage,
    /// The right answer, after this time.
    Delay(Duration),
    /// The connection is closed without an answer.
    Reset,
    /// 401, and the token that was shown is no longer valid.
    RevokeToken,
    /// The right page, whose `next_link` points to this origin.
    ForeignNext(String),
    /// The right page, led by the last object of the page before.
    RepeatLastOfPreviousPage,
}

/// A running OneLogin account.
pub struct OneLoginApi {
    served: Served<State>,
}

impl OneLoginApi {
    /// Starts an account without events and users.
    pub fn start(options: Options) -> OneLoginApi {
        let served = Served::start(State::new(options));
        let origin = served.origin();
        served.lock().origin = origin;
        OneLoginApi { served }
    }

    /// `http://127.0.0.1:<port>`, in place of `https://<subdomain>.onelogin.com`.
    pub fn origin(&self) -> String {
        self.served.origin()
    }

    /// Sets what the `Date` header of every answer says from now on.
    pub fn set_date(&self, header: DateHeader) {
        self.served.set_date(header);
    }

    /// Adds events.
    pub fn publish_events(&self, events: impl IntoIterator<Item = Event>) {
        self.served.lock().publish_events(events);
    }

    /// Adds users, or newer versions of them.
    pub fn publish_users(&self, users: impl IntoIterator<Item = User>) {
        self.served.lock().publish_users(users);
    }

    /// The faults of the next requests for events or users, one each, in order, after those already waiting.
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
    pub fn revoke_tokens(&self) {
        self.served.lock().tokens.clear();
    }

    /// The events published so far, in order of publication.
    pub fn published_events(&self) -> Vec<Event> {
        self.served.lock().published_events.clone()
    }

    /// Every version of every user, in order of publication.
    pub fn published_users(&self) -> Vec<User> {
        self.served.lock().published_users.clone()
    }

    /// The users as the API shows them now, in the order of their ids.
    pub fn current_users(&self) -> Vec<User> {
        self.served.lock().current_users()
    }

    /// Every request so far, in order of arrival.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.served.lock().requests.clone()
    }

    /// What the client did against the contract, one sentence each.
    pub fn violations(&self) -> Vec<String> {
        self.served.lock().violations.clone()
    }
}

#[cfg(test)]
mod tests;
