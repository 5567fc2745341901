//! `POST /auth/oauth2/v2/token`: an API credential for an access token.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::errors::error;
use super::state::{Account, TOKEN_LIFETIME_SECONDS};
use crate::service::{Reply, Request};
use crate::times::milliseconds;

/// The path of the token endpoint (vendor: generate tokens).
pub(super) const PATH: &str = "/auth/oauth2/v2/token";

pub(super) fn reply(account: &mut Account, request: &Request, now: DateTime<Utc>) -> Result<Reply, Reply> {
    if let Some(status) = account.controls.token_faults.pop_front() {
        return Err(error(status, "The request failed on purpose"));
    }
    if request.method != "POST" || !request.query.is_empty() {
        account
            .controls
            .violation("a token is asked with POST and without a query");
        return Err(error(400, "A token is asked with POST and without a query"));
    }
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    if !request.has_content_type("application/json") || body["grant_type"] != "client_credentials" {
        account
            .controls
            .violation("the token request is no JSON with the grant type client_credentials");
        return Err(error(400, "grant_type is missing"));
    }
    let known = (account.options.client_id.clone(), account.options.client_secret.clone());
    match named(request.authorization()).or_else(|| request.basic_credentials()) {
        None => {
            account
                .controls
                .violation("the token request shows no credentials in its header");
            Err(error(401, "Authentication Failure"))
        }
        Some(shown) if shown == known => Ok(issue(account, now)),
        Some(_) => Err(error(401, "Authentication Failure")),
    }
}

fn issue(account: &mut Account, now: DateTime<Utc>) -> Reply {
    let body = json!({
        "access_token": account.tokens.issue(now),
        "created_at": milliseconds(now),
        "expires_in": TOKEN_LIFETIME_SECONDS,
        "refresh_token": account.opaque(),
        "token_type": "bearer",
        "account_id": account.options.account_id,
    });
    Reply::json(200, body.to_string())
}

/// `client_id:<id>, client_secret:<secret>`, the vendor's own scheme.
fn named(header: &str) -> Option<(String, String)> {
    let (id, secret) = header.split_once(',')?;
    let id = id.trim().strip_prefix("client_id:")?.trim();
    let secret = secret.trim().strip_prefix("client_secret:")?.trim();
    Some((id.to_owned(), secret.to_owned()))
}
