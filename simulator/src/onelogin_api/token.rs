//! `POST /auth/oauth2/v2/token`: an API credential for an access token.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::state::{State, error};
use crate::service::{Incoming, Reply};
use crate::wall_clock;

/// The path of the token endpoint (vendor: generate tokens).
pub(super) const PATH: &str = "/auth/oauth2/v2/token";

/// The lifetime in seconds that is told to the client; no clock runs here.
const EXPIRES_IN_SECONDS: u64 = 36_000;

impl State {
    pub(super) fn answer_token(&mut self, incoming: &Incoming) -> Reply {
        if let Some(status) = self.token_faults.pop_front() {
            return error(status, "The request failed on purpose");
        }
        if incoming.method != "POST" || !incoming.query.is_empty() {
            self.violation("a token is asked with POST and without a query");
            return error(400, "A token is asked with POST and without a query");
        }
        let body: Value = serde_json::from_slice(&incoming.body).unwrap_or_default();
        if !incoming.is_of_type("application/json") || body["grant_type"] != "client_credentials" {
            self.violation("the token request is no JSON with the grant type client_credentials");
            return error(400, "grant_type is missing");
        }
        let known = (self.options.client_id.clone(), self.options.client_secret.clone());
        let header = incoming.authorization.as_deref().unwrap_or_default();
        match named(header).or_else(|| basic(header)) {
            None => {
                self.violation("the token request shows no credentials in its header");
                error(401, "Authentication Failure")
            }
            Some(shown) if shown == known => self.give_token(),
            Some(_) => error(401, "Authentication Failure"),
        }
    }

    fn give_token(&mut self) -> Reply {
        let body = json!({
            "access_token": self.new_token(),
            "created_at": wall_clock::now().format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
            "expires_in": EXPIRES_IN_SECONDS,
            "refresh_token": self.opaque(),
            "token_type": "bearer",
            "account_id": self.options.account_id,
        });
        Reply::json(200, body.to_string())
    }
}

/// `client_id:<id>, client_secret:<secret>`, the vendor's own scheme.
fn named(header: &str) -> Option<(String, String)> {
    let (id, secret) = header.split_once(',')?;
    let id = id.trim().strip_prefix("client_id:")?.trim();
    let secret = secret.trim().strip_prefix("client_secret:")?.trim();
    Some((id.to_owned(), secret.to_owned()))
}

fn basic(header: &str) -> Option<(String, String)> {
    let encoded = header.strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}
