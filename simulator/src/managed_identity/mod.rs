//! The managed identity endpoint of App Service and Functions, protocol version 2019-08-01.
//!
//! Contract: `GET {IDENTITY_ENDPOINT}?api-version=2019-08-01&resource={audience}[&client_id={id}]` with the
//! header `X-IDENTITY-HEADER`; the resource is an audience without `/.default`; `expires_on` is text. A token is a JWT
//! of Microsoft Entra ID in its form, with a signature that nobody can check.

mod state;
mod token;

use std::convert::Infallible;

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::service::{Controls, Reply, Request, Server, Service, Simulation};

pub use state::Identity;

/// The path of the endpoint.
const PATH: &str = "/msi/token";

/// A running identity endpoint.
pub type ManagedIdentity = Server<Identity>;

impl Service for Identity {
    type Fault = Infallible;

    fn controls(&mut self) -> &mut Controls<Infallible> {
        &mut self.controls
    }

    fn reply(&mut self, request: &Request, now: DateTime<Utc>) -> Reply {
        if request.path != PATH {
            return refusal(404, "There is nothing at this path");
        }
        match self.answer(request, now) {
            Ok(body) => Reply::json(200, body),
            Err((status, message)) => refusal(status, message),
        }
    }
}

fn refusal(status: u16, message: &str) -> Reply {
    Reply::json(status, json!({"statusCode": status, "message": message}).to_string())
}

impl Server<Identity> {
    /// Starts an endpoint that has given out no token.
    pub fn start() -> Self {
        Server::serve(Simulation::<Identity>::new())
    }

    /// The value of `IDENTITY_ENDPOINT`.
    pub fn endpoint(&self) -> String {
        format!("{}{PATH}", self.origin())
    }
}

impl Simulation<Identity> {
    /// An endpoint that has given out no token.
    #[allow(clippy::new_without_default, reason = "the other services are made by `new` as well")]
    pub fn new() -> Self {
        Simulation::of(Identity::new())
    }

    /// The value of `IDENTITY_HEADER`.
    pub fn header(&self) -> String {
        self.lock().header.clone()
    }

    /// A new token for `audience`, as a request would get it.
    pub fn issue(&self, audience: &str, now: DateTime<Utc>) -> String {
        self.lock().issue(audience, now)
    }

    /// Whether `token` was given out for `audience` and has not been revoked.
    pub fn is_valid(&self, token: &str, audience: &str) -> bool {
        self.lock().is_valid(token, audience)
    }

    /// Makes one token invalid.
    pub fn revoke(&self, token: &str) {
        self.lock().valid.remove(token);
    }

    /// Makes every token invalid.
    pub fn revoke_all(&self) {
        self.lock().valid.clear();
    }

    /// How many tokens have been given out.
    pub fn issued(&self) -> usize {
        self.lock().client_ids.len()
    }

    /// The `client_id` of each token given out, in order; `None` asks for the system-assigned identity.
    pub fn client_ids(&self) -> Vec<Option<String>> {
        self.lock().client_ids.clone()
    }

    /// Answers every request with 500 until told otherwise.
    pub fn set_failing(&self, failing: bool) {
        self.lock().failing = failing;
    }
}

#[cfg(test)]
mod tests;
