//! `POST /{environment}/as/token`: client credentials for an access token.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use serde_json::json;

use super::TokenStyle;
use super::reply::Reply;
use super::state::{Incoming, State};
use crate::query::{only_value, pairs};

/// The lifetime in seconds that is told to the client; no clock runs here.
const EXPIRES_IN_SECONDS: u64 = 3600;

impl State {
    pub(super) fn answer_token(&mut self, incoming: &Incoming, environment: &str) -> Reply {
        if let Some(status) = self.token_faults.pop_front() {
            return Reply::token_error(status, "server_error", "The request failed on purpose");
        }
        if incoming.method != "POST" {
            self.violation(format!("the token was asked with {}", incoming.method));
            return Reply::token_error(405, "invalid_request", "Tokens are asked with POST");
        }
        if !incoming.query.is_empty() {
            self.violation("the token URL has a query".to_owned());
            return Reply::token_error(400, "invalid_request", "The token URL takes no query");
        }
        if !is_form(&incoming.content_type) {
            self.violation("the token request is no form".to_owned());
            return Reply::token_error(400, "invalid_request", "The body must be a form");
        }
        let form = pairs(&String::from_utf8_lossy(&incoming.body));
        if only_value(&form, "grant_type") != Some("client_credentials") {
            return Reply::token_error(400, "unsupported_grant_type", "Unknown grant type");
        }
        if environment != self.options.auth_environment_id {
            return refused("There is no such application in this environment");
        }
        let from_header = incoming.authorization.as_deref().and_then(basic);
        let from_body = credentials_of(&form);
        let shown = match (from_header, from_body) {
            (Some(_), Some(_)) => {
                self.violation("the credentials were shown in header and body".to_owned());
                return refused("More than one way of authentication was used");
            }
            (Some(shown), None) if self.options.token_style == TokenStyle::Basic => shown,
            (None, Some(shown)) if self.options.token_style == TokenStyle::Body => shown,
            _ => return refused("This application authenticates in another way"),
        };
        let known = (self.options.client_id.clone(), self.options.client_secret.clone());
        if !shown.contains(&known) {
            return refused("Unknown application or wrong secret");
        }
        self.give_token()
    }

    fn give_token(&mut self) -> Reply {
        let token = self.opaque();
        self.tokens.insert(token.clone(), 0);
        self.issued_tokens.push(token.clone());
        let body = json!({
            "access_token": token,
            "expires_in": EXPIRES_IN_SECONDS,
            "token_type": "Bearer",
        });
        Reply::json(200, body.to_string())
    }
}

fn refused(description: &str) -> Reply {
    Reply::token_error(401, "invalid_client", description)
}

fn is_form(content_type: &str) -> bool {
    content_type
        .split(';')
        .next()
        .is_some_and(|kind| kind.trim() == "application/x-www-form-urlencoded")
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
