//! `POST /{environment}/as/token`: client credentials for an access token.

use chrono::{DateTime, Utc};
use percent_encoding::percent_decode_str;

use super::errors::token_error;
use super::options::TokenStyle;
use super::state::Environment;
use crate::access_tokens::{TokenRefusal, token_form};
use crate::query::only_value;
use crate::service::{Reply, Request};

pub(super) fn reply(
    state: &mut Environment,
    request: &Request,
    environment: &str,
    now: DateTime<Utc>,
) -> Result<Reply, Reply> {
    let form = token_form(request, &mut state.controls).map_err(token_error)?;
    if environment != state.options.auth_environment_id {
        return Err(refused("There is no such application in this environment"));
    }
    check_credentials(state, request, &form)?;
    Ok(state.tokens.reply(now))
}

fn check_credentials(state: &mut Environment, request: &Request, form: &[(String, String)]) -> Result<(), Reply> {
    let style = state.options.token_style;
    let shown = match (basic(request), credentials_of(form)) {
        (Some(_), Some(_)) => {
            state
                .controls
                .violation("the credentials were shown in header and body");
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

fn refused(description: &'static str) -> Reply {
    token_error(TokenRefusal::new(401, "invalid_client", description))
}

type Credentials = (String, String);

/// Id and secret of a Basic header, as they stand there and decoded: RFC 6749 has both percent-encoded first,
/// and few clients do so.
fn basic(request: &Request) -> Option<Vec<Credentials>> {
    let (id, secret) = request.basic_credentials()?;
    let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
    Some(vec![(decoded(&id), decoded(&secret)), (id, secret)])
}

fn credentials_of(form: &[(String, String)]) -> Option<Vec<Credentials>> {
    let secret = only_value(form, "client_secret")?;
    let id = only_value(form, "client_id").unwrap_or_default();
    Some(vec![(id.to_owned(), secret.to_owned())])
}
