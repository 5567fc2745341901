//! `POST users/api-token-details`: when a token was made and when it ends (swagger of the API).

use serde_json::{Value, json};

use super::errors::error;
use super::state::Console;
use crate::service::{Reply, Request};

pub(super) const PATH: &str = "/web/api/v2.1/users/api-token-details";

/// The token stands in the header and in the body. It is no stream, so no fault meets it.
pub(super) fn reply(console: &mut Console, request: &Request) -> Result<Reply, Reply> {
    if request.method != "POST" || !request.has_content_type("application/json") {
        let problem = "the token's details are asked for with a POST of JSON";
        console.controls.violation(problem);
        return Err(error(400, "The request is not understood"));
    }
    let token = &console.options.api_token;
    if !console.token_is_valid || request.credentials("ApiToken") != Some(token) {
        return Err(error(401, "The API token is unknown, expired or revoked"));
    }
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    if body != json!({"data": {"apiToken": token}}) {
        let problem = "the body that asks for the token's details does not hold it";
        console.controls.violation(problem);
        return Err(error(400, "There is no such token"));
    }
    let Some(end) = console.options.token_ends else {
        return Err(error(403, "This user may not ask"));
    };
    let data = json!({"createdAt": "2026-01-05T08:00:00.000000Z", "expiresAt": end.to_rfc3339()});
    Ok(Reply::json(200, json!({"data": data}).to_string()))
}
