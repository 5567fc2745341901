//! `POST /latest/as/token.oauth2`: client credentials in a form body for an access token.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::state::{Subscription, TOKEN_LIFETIME_SECONDS};
use crate::query::{only_value, pairs};
use crate::service::{Reply, Request};

/// The path of the token endpoint (vendor: get audit events of a poll subscription).
pub(super) const PATH: &str = "/latest/as/token.oauth2";

pub(super) fn reply(state: &mut Subscription, request: &Request, now: DateTime<Utc>) -> Reply {
    if let Some(status) = state.controls.token_faults.pop_front() {
        return refusal(status, "server_error");
    }
    if request.method != "POST" {
        state.violation(format!("the token was asked with {}", request.method));
        return refusal(405, "invalid_request");
    }
    if !request.query.is_empty() {
        state.violation("the token URL has a query; credentials belong into the body");
        return refusal(400, "invalid_request");
    }
    if !request.has_content_type("application/x-www-form-urlencoded") {
        state.violation("the token request is no form");
        return refusal(400, "invalid_request");
    }
    let form = pairs(&String::from_utf8_lossy(&request.body));
    if only_value(&form, "grant_type") != Some("client_credentials") {
        return refusal(400, "unsupported_grant_type");
    }
    let id = only_value(&form, "client_id");
    let secret = only_value(&form, "client_secret");
    if id != Some(&state.options.client_id) || secret != Some(&state.options.client_secret) {
        return refusal(401, "invalid_client");
    }
    let body = json!({
        "access_token": state.tokens.issue(now),
        "expires_in": TOKEN_LIFETIME_SECONDS,
        "token_type": "Bearer",
    });
    Reply::json(200, body.to_string())
}

/// An error of RFC 6749, 5.2.
fn refusal(status: u16, error: &str) -> Reply {
    Reply::json(status, json!({ "error": error }).to_string())
}
