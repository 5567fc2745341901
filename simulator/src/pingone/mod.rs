//! PingOne: the token endpoint and the audit activities endpoint of one environment, on one origin.
//!
//! Contract after the vendor's pages on audit activities, worker application tokens and error codes. What is
//! stricter here than documented: a filter holds a time window and nothing else, and a cursor comes alone.

mod activities;
mod errors;
mod events;
mod filter;
mod options;
mod state;
mod token;

use chrono::{DateTime, Utc};

use crate::generate::pingone::Activity;
use crate::service::{Controls, Reply, Request, Server, Service, Simulation};

pub use crate::service::{Fault, RecordedRequest};
pub use options::{EnvironmentOptions, PingOneFault, TokenStyle};
pub use state::Environment;

/// A running PingOne.
pub type PingOne = Server<Environment>;

impl Service for Environment {
    type Fault = Fault<PingOneFault>;

    fn controls(&mut self) -> &mut Controls<Fault<PingOneFault>> {
        &mut self.controls
    }

    fn reply(&mut self, request: &Request, now: DateTime<Utc>) -> Reply {
        self.look_for_secrets(request);
        let segments: Vec<&str> = request.path.split('/').collect();
        let reply = match segments[..] {
            ["", environment, "as", "token"] => token::reply(self, request, environment, now),
            ["", "v1", "environments", environment, "activities"] => activities::reply(self, request, environment, now),
            _ => {
                self.controls
                    .violation(format!("{} {}: no such path", request.method, request.path));
                Err(self.error(404, "There is nothing at this path", None))
            }
        };
        reply.unwrap_or_else(|refusal| refusal)
    }
}

impl Simulation<Environment> {
    /// Adds activities.
    pub fn publish(&self, activities: impl IntoIterator<Item = Activity>) {
        let mut state = self.lock();
        for activity in activities {
            state.events.add(activity);
        }
    }

    /// Adds an element of the list that need not be an activity at all, but must be JSON; it stands in the
    /// order of `recorded_at` and is not among [`published`](Self::published).
    pub fn publish_raw(&self, recorded_at: DateTime<Utc>, json: String) {
        self.lock().events.add_raw(recorded_at, json);
    }

    /// Makes every token invalid.
    pub fn revoke_tokens(&self) {
        self.lock().tokens.revoke_all();
    }

    /// Gives the application another secret; the old one is refused from now on, tokens stay valid.
    pub fn rotate_secret(&self, client_secret: &str) {
        self.lock().options.client_secret = client_secret.to_owned();
    }

    /// The activities published so far, oldest first.
    pub fn published(&self) -> Vec<Activity> {
        self.lock().events.activities()
    }
}

#[cfg(test)]
mod tests;
