//! The secrets of one Azure Key Vault, as its data plane gives them.
//!
//! Contract after the REST reference "Get Secret" and the page on Key Vault's authentication: a request without a
//! token is answered 401 with a challenge that names the audience; then `GET /secrets/{name}/[{version}]` with a token
//! for that audience. The server itself is plain: a [`TlsFront`](crate::tls::TlsFront) with a certificate for
//! `<vault>.vault.azure.net` stands before it, because no client sends a token without TLS.

mod secrets;
mod state;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::managed_identity::ManagedIdentity;
use crate::service::{Controls, RecordedRequest, Reply, Request, Server, Service, Simulation};

pub use state::{AUDIENCE, Refusal, Vault};

/// A running vault.
pub type KeyVault = Server<Vault>;

impl Service for Vault {
    type Fault = Infallible;

    fn controls(&mut self) -> &mut Controls<Infallible> {
        &mut self.controls
    }

    fn reply(&mut self, request: &Request, _: DateTime<Utc>) -> Reply {
        let delay = self.delay;
        Reply {
            delay,
            ..self.answer(request)
        }
    }
}

impl Server<Vault> {
    /// Starts an empty vault, e.g. `my-vault.vault.azure.net`, that takes the tokens of `identity`. A TLS front is put
    /// before its origin.
    pub fn start(identity: Arc<ManagedIdentity>, host: &str) -> Self {
        Server::serve(Simulation::of(Vault::new(identity.simulation(), host)))
    }
}

impl Simulation<Vault> {
    /// Gives a secret a new version, which is the latest from now on, and returns that version. The value may be
    /// empty: the real service takes that.
    pub fn set(&self, name: &str, value: &str) -> String {
        self.lock().secrets.set(name, value)
    }

    /// Disables or enables every version of a secret.
    pub fn set_enabled(&self, name: &str, enabled: bool) {
        self.lock().secrets.set_enabled(name, enabled);
    }

    /// From now on every request with a good token is refused, or no longer.
    pub fn refuse(&self, refusal: Option<Refusal>) {
        self.lock().refusal = refusal;
    }

    /// From now on every answer comes after this time.
    pub fn delay(&self, delay: Option<Duration>) {
        self.lock().delay = delay;
    }

    /// How often the value of a secret was given out or refused to a caller with a good token.
    pub fn lookups(&self, name: &str) -> usize {
        let path = format!("/secrets/{name}/");
        let requests = self.requests();
        let is_lookup = |request: &&RecordedRequest| {
            request.status != 401 && format!("{}/", request.path.trim_end_matches('/')).starts_with(&path)
        };
        requests.iter().filter(is_lookup).count()
    }
}

#[cfg(test)]
mod tests;
