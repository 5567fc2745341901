//! The API of OneLogin: tokens, events and users of one account.
//!
//! Contract after the vendor's pages on events and query parameters and two collectors in use. `since` and
//! `until` are exclusive and look at `created_at` only. What is stricter here than documented: parameters that
//! narrow a list in other ways are refused like unknown ones. Events come in the order of their ids unless
//! `sort` says otherwise; the default order is documented nowhere.

mod errors;
mod list;
mod options;
mod rows;
mod state;
mod token;

use chrono::{DateTime, Utc};

use crate::generate::onelogin_api::{ApiEvent, User};
use crate::service::{Controls, Reply, Request, Server, Service, Simulation};
use errors::error;
use state::List;

pub use crate::service::RecordedRequest;
pub use options::{Fault, Options};
pub use state::Account;

/// A running OneLogin account.
pub type OneLoginApi = Server<Account>;

impl Service for Account {
    type Fault = Fault;

    fn controls(&mut self) -> &mut Controls<Fault> {
        &mut self.controls
    }

    fn reply(&mut self, request: &Request, now: DateTime<Utc>) -> Reply {
        self.look_for_secrets(request);
        let reply = if request.path == token::PATH {
            token::reply(self, request, now)
        } else if let Some(list) = List::of_path(&request.path) {
            list::reply(self, list, request, now)
        } else {
            self.violation(format!("{} {}: no such path", request.method, request.path));
            Err(error(404, "There is nothing at this path"))
        };
        reply.unwrap_or_else(|refusal| refusal)
    }
}

impl Server<Account> {
    /// Starts a server for an account without events and users.
    pub fn start(options: Options) -> Self {
        Server::serve(Simulation::<Account>::new(options))
    }
}

impl Simulation<Account> {
    /// An account without events and users.
    pub fn new(options: Options) -> Self {
        Simulation::of(Account::new(options))
    }

    /// Adds events.
    pub fn publish_events(&self, events: impl IntoIterator<Item = ApiEvent>) {
        self.lock().publish_events(events);
    }

    /// Adds users, or newer versions of them.
    pub fn publish_users(&self, users: impl IntoIterator<Item = User>) {
        self.lock().publish_users(users);
    }

    /// Makes every token invalid.
    pub fn revoke_tokens(&self) {
        self.lock().tokens.revoke_all();
    }

    /// The events published so far, in order of publication.
    pub fn published_events(&self) -> Vec<ApiEvent> {
        self.lock().published_events.clone()
    }

    /// Every version of every user, in order of publication.
    pub fn published_users(&self) -> Vec<User> {
        self.lock().published_users.clone()
    }

    /// The users as the API shows them now, in the order of their ids.
    pub fn current_users(&self) -> Vec<User> {
        self.lock().current_users()
    }
}

#[cfg(test)]
mod tests;
