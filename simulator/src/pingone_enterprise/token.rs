//! `POST /latest/as/token.oauth2`: client credentials in a form body for an access token.

use serde_json::json;

use super::state::State;
use crate::query::{only_value, pairs};
use crate::service::{Incoming, Reply};

/// The path of the token endpoint (vendor: get audit events of a poll subscription).
pub(super) const PATH: &str = "/latest/as/token.oauth2";

/// The lifetime in seconds that is told to the client; no clock runs here.
const EXPIRES_IN_SECONDS: u64 = 3599;

impl State {
    pub(super) fn answer_token(&mut self, incoming: &Incoming) -> Reply {
        if let Some(status) = self.token_faults.pop_front() {
            return refusal(status, "server_error");
        }
        if incoming.method != "POST" {
            self.violation(format!("the token was asked with {}", incoming.method));
            return refusal(405, "invalid_request");
        }
        if !incoming.query.is_empty() {
            self.violation("the token URL has a query; credentials belong into the body");
            return refusal(400, "invalid_request");
        }
        if !incoming.is_of_type("application/x-www-form-urlencoded") {
            self.violation("the token request is no form");
            return refusal(400, "invalid_request");
        }
        let form = pairs(&String::from_utf8_lossy(&incoming.body));
        if only_value(&form, "grant_type") != Some("client_credentials") {
            return refusal(400, "unsupported_grant_type");
        }
        let id = only_value(&form, "client_id");
        let secret = only_value(&form, "client_secret");
        if id != Some(&self.options.client_id) || secret != Some(&self.options.client_secret) {
            return refusal(401, "invalid_client");
        }
        let body = json!({
            "access_token": self.new_token(),
            "expires_in": EXPIRES_IN_SECONDS,
            "token_type": "Bearer",
        });
        Reply::json(200, body.to_string())
    }
}

/// An error of RFC 6749, 5.2.
fn refusal(status: u16, error: &str) -> Reply {
    Reply::json(status, json!({ "error": error }).to_string())
}
