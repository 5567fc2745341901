//! `POST /latest/as/token.oauth2`: client credentials in a form body for an access token.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::state::Subscription;
use crate::access_tokens::token_form;
use crate::query::only_value;
use crate::service::{Reply, Request};

/// The path of the token endpoint (vendor: get audit events of a poll subscription).
pub(super) const PATH: &str = "/latest/as/token.oauth2";

pub(super) fn reply(state: &mut Subscription, request: &Request, now: DateTime<Utc>) -> Reply {
    let form = match token_form(request, &mut state.controls) {
        Ok(form) => form,
        Err(refused) => return refusal(refused.status, refused.error),
    };
    let id = only_value(&form, "client_id");
    let secret = only_value(&form, "client_secret");
    if id != Some(&state.options.client_id) || secret != Some(&state.options.client_secret) {
        return refusal(401, "invalid_client");
    }
    state.tokens.reply(now)
}

/// An error of RFC 6749, 5.2.
fn refusal(status: u16, error: &str) -> Reply {
    Reply::json(status, json!({ "error": error }).to_string())
}
