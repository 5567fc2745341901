//! `POST users/api-token-details`: when a token was made and when it ends (swagger of the API).

use serde_json::{Value, json};

use super::state::{State, error};
use crate::service::{Incoming, Reply};

pub(super) const PATH: &str = "/web/api/v2.1/users/api-token-details";

impl State {
    /// The token stands in the header and in the body. It is no stream, so no fault meets it.
    pub(super) fn token_details(&mut self, incoming: &Incoming) -> Reply {
        if incoming.method != "POST" || !incoming.is_of_type("application/json") {
            self.violations
                .push("the token's details are asked for with a POST of JSON".to_owned());
            return error(400, "The request is not understood");
        }
        let token = self.options.api_token.clone();
        let header = format!("ApiToken {token}");
        if !self.token_is_valid || incoming.authorization.as_deref() != Some(header.as_str()) {
            return error(401, "The API token is unknown, expired or revoked");
        }
        let body: Value = serde_json::from_slice(&incoming.body).unwrap_or_default();
        if body != json!({"data": {"apiToken": token}}) {
            self.violations
                .push("the body that asks for the token's details does not hold it".to_owned());
            return error(400, "There is no such token");
        }
        match self.options.token_ends {
            Some(end) => {
                let data = json!({"createdAt": "2026-01-05T08:00:00.000000Z", "expiresAt": end.to_rfc3339()});
                Reply::json(200, json!({"data": data}).to_string())
            }
            None => error(403, "This user may not ask"),
        }
    }
}
