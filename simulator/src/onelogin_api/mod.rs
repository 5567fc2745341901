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
use rows::Row;
use state::List;

pub use crate::service::{Fault, RecordedRequest};
pub use options::{AccountOptions, OneLoginFault};
pub use state::Account;

/// A running OneLogin account.
pub type OneLoginApi = Server<Account>;

impl Service for Account {
    type Fault = Fault<OneLoginFault>;

    fn controls(&mut self) -> &mut Controls<Fault<OneLoginFault>> {
        &mut self.controls
    }

    fn reply(&mut self, request: &Request, now: DateTime<Utc>) -> Reply {
        self.look_for_secrets(request);
        let reply = if request.path == token::PATH {
            token::reply(self, request, now)
        } else if let Some(list) = List::of_path(&request.path) {
            list::reply(self, list, request, now)
        } else {
            self.controls
                .violation(format!("{} {}: no such path", request.method, request.path));
            Err(error(404, "There is nothing at this path"))
        };
        reply.unwrap_or_else(|refusal| refusal)
    }
}

impl Simulation<Account> {
    /// Adds events.
    pub fn publish_events(&self, events: impl IntoIterator<Item = ApiEvent>) {
        let mut account = self.lock();
        for event in events {
            let row = Row {
                created_at: event.created_at,
                event_type_id: Some(event.event_type_id),
                json: event.json.clone(),
            };
            account.events.show(event.id, row);
            account.published_events.push(event);
        }
    }

    /// Adds users, or newer versions of them.
    pub fn publish_users(&self, users: impl IntoIterator<Item = User>) {
        let mut account = self.lock();
        for user in users {
            let row = Row {
                created_at: user.created_at,
                event_type_id: None,
                json: user.json.clone(),
            };
            account.users.show(user.id, row);
            account.published_users.push(user);
        }
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
        let account = self.lock();
        let is_current = |user: &&User| account.users.get(user.id).is_some_and(|row| row.json == user.json);
        let mut users: Vec<User> = account.published_users.iter().filter(is_current).cloned().collect();
        users.sort_by_key(|user| user.id);
        users.dedup_by_key(|user| user.id);
        users
    }
}

#[cfg(test)]
mod tests;
