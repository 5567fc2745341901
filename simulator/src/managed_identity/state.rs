//! Everything an identity remembers, and its answers.

use std::collections::HashMap;
use std::convert::Infallible;

use chrono::{DateTime, Utc};
use rand::rngs::StdRng;
use serde_json::json;

use super::token;
use crate::query::{only_value, pairs, unexpected_names};
use crate::random;
use crate::service::{Controls, Request};

/// How long a token lives, as told to the client. Nothing here expires.
const LIFETIME_SECONDS: i64 = 24 * 3600;

const VERSION: &str = "2019-08-01";

/// One managed identity.
#[derive(Debug)]
pub struct Identity {
    pub(super) controls: Controls<Infallible>,
    pub(super) header: String,
    /// Token to audience.
    pub(super) valid: HashMap<String, String>,
    /// The `client_id` of each token given out.
    pub(super) client_ids: Vec<Option<String>>,
    pub(super) failing: bool,
    rng: StdRng,
}

impl Identity {
    pub(super) fn new() -> Self {
        let mut rng = random::for_one_server();
        Identity {
            controls: Controls::default(),
            header: random::uuid(&mut rng),
            valid: HashMap::new(),
            client_ids: Vec::new(),
            failing: false,
            rng,
        }
    }

    /// The body with a new token, or why there is none.
    pub(super) fn answer(&mut self, request: &Request, now: DateTime<Utc>) -> Result<String, (u16, &'static str)> {
        if request.method != "GET" {
            return Err((405, "Tokens are asked with GET"));
        }
        match request.header("x-identity-header") {
            None => return Err((401, "X-IDENTITY-HEADER is missing")),
            Some(shown) if shown != self.header => return Err((403, "X-IDENTITY-HEADER is wrong")),
            Some(_) => {}
        }
        if self.failing {
            return Err((500, "The request failed on purpose"));
        }
        let query = pairs(&request.query);
        if only_value(&query, "api-version") != Some(VERSION) {
            return Err((400, "The api-version is not supported"));
        }
        let Some(resource) = only_value(&query, "resource") else {
            return Err((400, "The resource is missing"));
        };
        if !resource.starts_with("https://") || resource.ends_with("/.default") {
            return Err((400, "The resource is no audience"));
        }
        if !unexpected_names(&query, &["api-version", "resource", "client_id"]).is_empty() {
            return Err((400, "There is an unknown parameter"));
        }
        let client_id = only_value(&query, "client_id");
        let token = self.issue(resource, now);
        self.client_ids.push(client_id.map(str::to_owned));
        let body = json!({
            "access_token": token,
            "expires_on": (now.timestamp() + LIFETIME_SECONDS).to_string(),
            "resource": resource,
            "token_type": "Bearer",
            "client_id": client_id.unwrap_or("5f1c3f6a-8f1b-4c7e-9f55-b1f0c2d9a704"),
        });
        Ok(body.to_string())
    }

    pub(super) fn issue(&mut self, audience: &str, now: DateTime<Utc>) -> String {
        let now = now.timestamp();
        let token = token::sign(audience, now, now + LIFETIME_SECONDS, &mut self.rng);
        self.valid.insert(token.clone(), without_slash(audience).to_owned());
        token
    }

    pub(super) fn is_valid(&self, token: &str, audience: &str) -> bool {
        let of_token = self.valid.get(token);
        of_token.is_some_and(|of_token| of_token == without_slash(audience))
    }
}

/// One slash at the end makes no other audience.
fn without_slash(audience: &str) -> &str {
    audience.strip_suffix('/').unwrap_or(audience)
}
