//! Access tokens that a service gives out, and how they are asked for.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use rand::rngs::StdRng;
use serde_json::json;

use crate::query::{Query, only_value, pairs};
use crate::random;
use crate::service::{Controls, Reply, Request};

/// Tokens, how long they are valid and what each has served.
#[derive(Debug)]
pub(crate) struct AccessTokens {
    lifetime: TimeDelta,
    /// So many requests a token serves; `None`: no end.
    uses: Option<usize>,
    valid: HashMap<String, ValidToken>,
    /// Every token ever given out, to find one in a URL.
    issued: Vec<String>,
    rng: StdRng,
}

#[derive(Debug)]
struct ValidToken {
    expires: DateTime<Utc>,
    served: usize,
}

impl AccessTokens {
    /// Tokens of one server, none given out yet.
    pub(crate) fn new(lifetime: TimeDelta, uses: Option<usize>) -> Self {
        AccessTokens {
            lifetime,
            uses,
            valid: HashMap::new(),
            issued: Vec::new(),
            rng: random::for_one_server(),
        }
    }

    /// A new token.
    pub(crate) fn issue(&mut self, now: DateTime<Utc>) -> String {
        let token = random::token(&mut self.rng);
        let expires = now + self.lifetime;
        self.valid.insert(token.clone(), ValidToken { expires, served: 0 });
        self.issued.push(token.clone());
        token
    }

    /// The reply with a new token (RFC 6749, 5.1).
    pub(crate) fn reply(&mut self, now: DateTime<Utc>) -> Reply {
        let body = json!({
            "access_token": self.issue(now),
            "expires_in": self.lifetime.num_seconds(),
            "token_type": "Bearer",
        });
        Reply::json(200, body.to_string())
    }

    /// Whether the token serves one more request. One that does not is invalid from now on.
    pub(crate) fn serve(&mut self, token: &str, now: DateTime<Utc>) -> bool {
        match self.valid.get_mut(token) {
            Some(valid) if self.uses != Some(valid.served) && now < valid.expires => {
                valid.served += 1;
                true
            }
            _ => {
                self.revoke(token);
                false
            }
        }
    }

    pub(crate) fn revoke(&mut self, token: &str) {
        self.valid.remove(token);
    }

    pub(crate) fn revoke_all(&mut self) {
        self.valid.clear();
    }

    /// How many have been given out.
    pub(crate) fn issued(&self) -> usize {
        self.issued.len()
    }

    /// Whether any token that was ever given out stands in the text.
    pub(crate) fn is_any_in(&self, text: &str) -> bool {
        self.issued.iter().any(|token| text.contains(token))
    }
}

/// Why a token request is refused (RFC 6749, 5.2).
pub(crate) struct TokenRefusal {
    pub(crate) status: u16,
    pub(crate) error: &'static str,
    pub(crate) description: &'static str,
}

impl TokenRefusal {
    pub(crate) fn new(status: u16, error: &'static str, description: &'static str) -> Self {
        TokenRefusal {
            status,
            error,
            description,
        }
    }
}

/// The form of a request for a token by client credentials. A fault of the test meets it first.
pub(crate) fn token_form<F>(request: &Request, controls: &mut Controls<F>) -> Result<Query, TokenRefusal> {
    let refused = |status, description| TokenRefusal::new(status, "invalid_request", description);
    if let Some(status) = controls.token_faults.pop_front() {
        return Err(TokenRefusal::new(
            status,
            "server_error",
            "The request failed on purpose",
        ));
    }
    if request.method != "POST" {
        controls.violation(format!("the token was asked with {}", request.method));
        return Err(refused(405, "Tokens are asked with POST"));
    }
    if !request.query.is_empty() {
        controls.violation("the token URL has a query; credentials belong into the header or the body");
        return Err(refused(400, "The token URL takes no query"));
    }
    if !request.has_content_type("application/x-www-form-urlencoded") {
        controls.violation("the token request is no form");
        return Err(refused(400, "The body must be a form"));
    }
    let form = pairs(&String::from_utf8_lossy(&request.body));
    if only_value(&form, "grant_type") != Some("client_credentials") {
        return Err(TokenRefusal::new(400, "unsupported_grant_type", "Unknown grant type"));
    }
    Ok(form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_serves_until_its_time_or_its_uses_are_over_or_it_is_revoked() {
        let begin = DateTime::UNIX_EPOCH;
        let mut tokens = AccessTokens::new(TimeDelta::seconds(60), Some(2));
        let [old, used, revoked] = [(); 3].map(|()| tokens.issue(begin));
        let late = begin + TimeDelta::seconds(59);

        assert!(!tokens.serve("unknown", begin));
        assert!(tokens.serve(&used, begin) && tokens.serve(&used, late) && !tokens.serve(&used, late));
        assert!(tokens.serve(&old, late) && !tokens.serve(&old, begin + TimeDelta::seconds(60)));
        assert!(!tokens.serve(&old, late), "it is invalid from then on");
        tokens.revoke(&revoked);
        assert!(!tokens.serve(&revoked, begin));
        assert!(tokens.is_any_in(&format!("?token={old}")));
        assert_eq!(tokens.issued(), 3);
    }
}
