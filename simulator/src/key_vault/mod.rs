//! The secrets of one Azure Key Vault, as its data plane gives them.
//!
//! Contract after the REST reference "Get Secret" and the page on Key Vault's authentication: a request without a
//! token is answered 401 with a challenge that names the audience; then `GET /secrets/{name}/[{version}]` with a token
//! for that audience. The server itself is plain: a [`TlsFront`](crate::tls::TlsFront) with a certificate for
//! `<vault>.vault.azure.net` stands before it, because no client sends a token without TLS.

mod secrets;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::managed_identity::ManagedIdentity;
use crate::query::{only_value, pairs, unexpected_names};
use crate::service::{Incoming, RecordedRequest, Reply, Served, Service};
use secrets::{Found, Secrets};

/// The audience of a token for the vaults of the public cloud.
pub const AUDIENCE: &str = "https://vault.azure.net";

const CHALLENGE: &str = "Bearer authorization=\"https://login.microsoftonline.com/0d5c6b3e-0000-4000-8000-000000000001\", \
     resource=\"https://vault.azure.net\"";

/// The versions of the data plane that answer in this form.
const VERSIONS: [&str; 6] = ["7.2", "7.3", "7.4", "7.5", "7.6", "2025-07-01"];

/// A running vault.
pub struct KeyVault {
    served: Served<State>,
}

struct State {
    identity: Arc<ManagedIdentity>,
    host: String,
    secrets: Secrets,
    refusal: Option<Refusal>,
    delay: Option<Duration>,
    requests: Vec<RecordedRequest>,
    violations: Vec<String>,
}

/// Why every request with a good token is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// The identity has no role on the vault.
    NoRole,
    /// The network of the caller is not let through.
    Firewall,
    /// Too many requests; in one second it may be tried again.
    Throttled,
}

impl KeyVault {
    /// Starts an empty vault, e.g. `my-vault.vault.azure.net`, that takes the tokens of `identity`.
    pub fn start(identity: Arc<ManagedIdentity>, host: &str) -> Self {
        KeyVault {
            served: Served::start(State {
                identity,
                host: host.to_owned(),
                secrets: Secrets::default(),
                refusal: None,
                delay: None,
                requests: Vec::new(),
                violations: Vec::new(),
            }),
        }
    }

    /// `http://127.0.0.1:<port>`: what a TLS front is put before.
    pub fn origin(&self) -> String {
        self.served.origin()
    }

    /// Gives a secret a new version, which is the latest from now on, and returns that version. The value may be
    /// empty: the real service takes that.
    pub fn set(&self, name: &str, value: &str) -> String {
        self.served.lock().secrets.set(name, value)
    }

    /// Disables or enables every version of a secret.
    pub fn set_enabled(&self, name: &str, enabled: bool) {
        self.served.lock().secrets.set_enabled(name, enabled);
    }

    /// From now on every request with a good token is refused, or no longer.
    pub fn refuse(&self, refusal: Option<Refusal>) {
        self.served.lock().refusal = refusal;
    }

    /// From now on every answer comes after this time.
    pub fn delay(&self, delay: Option<Duration>) {
        self.served.lock().delay = delay;
    }

    /// Every request, in order, those without a token included.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.served.lock().requests.clone()
    }

    /// How often the value of a secret was given out or refused to a caller with a good token.
    pub fn lookups(&self, name: &str) -> usize {
        let path = format!("/secrets/{name}/");
        let requests = &self.served.lock().requests;
        let is_lookup = |request: &&RecordedRequest| {
            request.status != 401 && format!("{}/", request.path.trim_end_matches('/')).starts_with(&path)
        };
        requests.iter().filter(is_lookup).count()
    }

    /// What no client of ours may do.
    pub fn violations(&self) -> Vec<String> {
        self.served.lock().violations.clone()
    }
}

impl Service for State {
    fn answer(&mut self, incoming: &Incoming) -> Reply {
        let mut reply = self.judge(incoming);
        reply.delay = self.delay;
        self.requests.push(incoming.recorded(reply.status));
        reply
    }
}

impl State {
    fn judge(&mut self, incoming: &Incoming) -> Reply {
        if !incoming.body.is_empty() {
            self.violations.push("a request to the vault has a body".to_owned());
        }
        let Some(token) = incoming.authorization.as_deref() else {
            return unauthorized("AKV10000: Request is missing a Bearer or PoP token.");
        };
        let token = token.strip_prefix("Bearer ").unwrap_or_default();
        if !self.identity.is_valid(token, AUDIENCE) {
            return unauthorized("AKV10022: Invalid audience, or a token that is not valid.");
        }
        let query = pairs(&incoming.query);
        if !only_value(&query, "api-version").is_some_and(|version| VERSIONS.contains(&version)) {
            return error(400, "BadParameter", "The specified version is not recognized.", None);
        }
        if !unexpected_names(&query, &["api-version"]).is_empty() {
            self.violations.push(format!("unknown parameters: {}", incoming.query));
        }
        if incoming.method != "GET" {
            return error(405, "MethodNotAllowed", "Only GET is simulated.", None);
        }
        match self.refusal {
            None => self.look_up(&incoming.path),
            Some(Refusal::NoRole) => {
                let message = "Caller is not authorized to perform action on resource.";
                error(403, "Forbidden", message, Some("ForbiddenByRbac"))
            }
            Some(Refusal::Firewall) => {
                let message = "Client address is not authorized and caller is not a trusted service.";
                error(403, "Forbidden", message, Some("ForbiddenByFirewall"))
            }
            Some(Refusal::Throttled) => {
                let mut reply = error(
                    429,
                    "Throttled",
                    "Request was not processed because too many were received.",
                    None,
                );
                reply.retry_after = Some(1);
                reply
            }
        }
    }

    fn look_up(&self, path: &str) -> Reply {
        let Some(rest) = path.strip_prefix("/secrets/") else {
            return error(404, "NotFound", "There is nothing at this path.", None);
        };
        // The version may be empty: that is the latest.
        let (name, version) = rest.split_once('/').unwrap_or((rest, ""));
        match self.secrets.find(name, version) {
            Found::Nothing => {
                let message = format!("A secret with (name/id) {rest} was not found in this key vault.");
                error(404, "SecretNotFound", &message, None)
            }
            Found::Disabled => {
                let message = "Operation get is not allowed on a disabled secret.";
                error(403, "Forbidden", message, Some("SecretDisabled"))
            }
            Found::Version { version, value } => {
                let id = format!("https://{}/secrets/{name}/{version}", self.host);
                let attributes = json!({
                    "enabled": true, "created": 1_760_000_000, "updated": 1_760_000_000,
                    "recoveryLevel": "Recoverable+Purgeable", "recoverableDays": 90,
                });
                let body = json!({"value": value, "id": id, "attributes": attributes, "tags": {}});
                Reply::json(200, body.to_string())
            }
        }
    }
}

fn unauthorized(message: &str) -> Reply {
    let mut reply = error(401, "Unauthorized", message, None);
    reply.www_authenticate = Some(CHALLENGE);
    reply
}

fn error(status: u16, code: &str, message: &str, inner: Option<&str>) -> Reply {
    let mut error = json!({"code": code, "message": message});
    if let Some(inner) = inner {
        error["innererror"] = json!({"code": inner});
    }
    Reply::json(status, Value::from_iter([("error", error)]).to_string())
}

#[cfg(test)]
mod tests;
