//! Everything a vault remembers, and its answers.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::secrets::{Found, Secrets};
use crate::managed_identity::Identity;
use crate::query::{only_value, pairs, unexpected_names};
use crate::service::{Controls, Reply, Request, Simulation};

/// The audience of a token for the vaults of the public cloud.
pub const AUDIENCE: &str = "https://vault.azure.net";

const CHALLENGE: &str = "Bearer authorization=\"https://login.microsoftonline.com/0d5c6b3e-0000-4000-8000-000000000001\", \
     resource=\"https://vault.azure.net\"";

/// The versions of the data plane that answer in this form.
const VERSIONS: [&str; 6] = ["7.2", "7.3", "7.4", "7.5", "7.6", "2025-07-01"];

/// One vault.
#[derive(Debug)]
pub struct Vault {
    pub(super) controls: Controls<Infallible>,
    pub(super) secrets: Secrets,
    pub(super) refusal: Option<Refusal>,
    pub(super) delay: Option<Duration>,
    identity: Arc<Simulation<Identity>>,
    host: String,
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

impl Vault {
    pub(super) fn new(identity: Arc<Simulation<Identity>>, host: &str) -> Self {
        Vault {
            controls: Controls::default(),
            secrets: Secrets::default(),
            refusal: None,
            delay: None,
            identity,
            host: host.to_owned(),
        }
    }

    pub(super) fn answer(&mut self, request: &Request) -> Reply {
        if !request.body.is_empty() {
            self.controls.violation("a request to the vault has a body");
        }
        if request.authorization().is_empty() {
            return unauthorized("AKV10000: Request is missing a Bearer or PoP token.");
        }
        let token = request.credentials("Bearer").unwrap_or_default();
        if !self.identity.is_valid(token, AUDIENCE) {
            return unauthorized("AKV10022: Invalid audience, or a token that is not valid.");
        }
        let query = pairs(&request.query);
        if !only_value(&query, "api-version").is_some_and(|version| VERSIONS.contains(&version)) {
            return error(400, "BadParameter", "The specified version is not recognized.", None);
        }
        if !unexpected_names(&query, &["api-version"]).is_empty() {
            self.controls
                .violation(format!("unknown parameters: {}", request.query));
        }
        if request.method != "GET" {
            return error(405, "MethodNotAllowed", "Only GET is simulated.", None);
        }
        match self.refusal {
            None => self.look_up(&request.path),
            Some(Refusal::NoRole) => {
                let message = "Caller is not authorized to perform action on resource.";
                error(403, "Forbidden", message, Some("ForbiddenByRbac"))
            }
            Some(Refusal::Firewall) => {
                let message = "Client address is not authorized and caller is not a trusted service.";
                error(403, "Forbidden", message, Some("ForbiddenByFirewall"))
            }
            Some(Refusal::Throttled) => {
                let message = "Request was not processed because too many were received.";
                error(429, "Throttled", message, None).with_retry_after(Some(1))
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
    error(401, "Unauthorized", message, None).with_header("WWW-Authenticate", CHALLENGE)
}

fn error(status: u16, code: &str, message: &str, inner: Option<&str>) -> Reply {
    let mut error = json!({"code": code, "message": message});
    if let Some(inner) = inner {
        error["innererror"] = json!({"code": inner});
    }
    Reply::json(status, Value::from_iter([("error", error)]).to_string())
}
