//! `POST /{environment}/as/token`: client credentials for an access token.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use percent_encoding::percent_decode_str;
use serde_json::json;

use super::errors::token_error;
use super::options::TokenStyle;
use super::state::{Environment, TOKEN_LIFETIME_SECONDS};
use crate::query::{only_value, pairs};
use crate::service::{Reply, Request};

pub(super) fn reply(
    state: &mut Environment,
    request: &Request,
    environment: &str,
    now: DateTime<Utc>,
) -> Result<Reply, Reply> {
    if let Some(status) = state.controls.token_faults.pop_front() {
        return Err(token_error(status, "server_error", "The request failed on purpose"));
    }
    if request.method != "POST" {
        state.violation(format!("the token was asked with {}", request.method));
        return Err(token_error(405, "invalid_request", "Tokens are asked with POST"));
    }
    if !request.query.is_empty() {
        state.violation("the token URL has a query");
        return Err(token_error(400, "invalid_request", "The token URL takes no query"));
    }
    if !request.has_content_type("application/x-www-form-urlencoded") {
        state.violation("the token request is no form");
        return Err(token_error(400, "invalid_request", "The body must be a form"));
    }
    let form = pairs(&String::from_utf8_lossy(&request.body));
    if only_value(&form, "grant_type") != Some("client_credentials") {
        return Err(token_error(400, "unsupported_grant_type", "Unknown grant type"));
    }
    if environment != state.options.auth_environment_id {
        return Err(refused("There is no such application in this environment"));
    }
    check_credentials(state, request, &form)?;
    let body = json!({
        "access_token": state.tokens.issue(now),
        "expires_in": TOKEN_LIFETIME_SECONDS,
        "token_type": "Bearer",
    });
    Ok(Reply::json(200, body.to_string()))
}

fn check_credentials(state: &mut Environment, request: &Request, form: &[(String, String)]) -> Result<(), Reply> {
    let style = state.options.token_style;
    let shown = match (basic(request.authorization()), credentials_of(form)) {
        (Some(_), Some(_)) => {
            state.violation("the credentials were shown in header and body");
            return Err(refused("More than one way of authentication was used"));
        }
        (Some(shown), None) if style == TokenStyle::Basic => shown,
        (None, Some(shown)) if style == TokenStyle::Body => shown,
        _ => return Err(refused("This application authenticates in another way")),
    };
    let known = (state.options.client_id.clone(), state.options.client_secret.clone());
    if !shown.contains(&known) {
        return Err(refused("Unknown application or wrong secret"));
    }
    Ok(())
}

fn refused(description: &str) -> Reply {
    token_error(401, "invalid_client", description)
}

type Credentials = (String, String);

/// Id and secret of a Basic header, as they stand there and decoded: RFC 6749 has both percent-encoded first,
/// and few clients do so.
fn basic(authorization: &str) -> Option<Vec<Credentials>> {
    let encoded = authorization.strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
    Some(vec![(id.to_owned(), secret.to_owned()), (decoded(id), decoded(secret))])
}

fn credentials_of(form: &[(String, String)]) -> Option<Vec<Credentials>> {
    let secret = only_value(form, "client_secret")?;
    let id = only_value(form, "client_id").unwrap_or_default();
    Some(vec![(id.to_owned(), secret.to_owned())])
}
