//! Access tokens of an API credential.
//!
//! OneLogin documents a header of its own for the credential, and its newer pages the common Basic header: where the
//! one is refused the other is tried once, and the one that worked is remembered.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{RequestBuilder, Url};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::failure::{code_of, no_address, token_remedy};
use super::rate_limit::ask_patiently;
use crate::config::{OneLoginApi, Secret};
use crate::http::Reply;
use crate::sources::SourceError;
use crate::sources::endpoint::{AskOutcome, Endpoint, Unreadable};
use crate::sources::error::TOKEN_ENDPOINT;
use crate::sources::token_lifetime::lifetime;
use crate::time::Deadline;

/// What is asked for tokens, in words, for errors.
pub const ASKED: &str = TOKEN_ENDPOINT;
const BODY: &str = r#"{"grant_type":"client_credentials"}"#;
/// Renewed this long before its end, so that it does not end on the way.
const RENEW_BEFORE_END: Duration = Duration::from_secs(60);

/// The tokens of one API credential.
pub struct Tokens {
    settings: OneLoginApi,
    setting_prefix: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<(Arc<Secret>, Instant)>,
    works: Option<SignIn>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SignIn {
    NamedHeader,
    BasicHeader,
}

#[derive(Deserialize)]
struct TokenReply {
    access_token: String,
    /// Seconds; some servers write them as text.
    expires_in: Option<serde_json::Value>,
}

impl Tokens {
    /// For the API credential in `settings`.
    pub fn new(settings: OneLoginApi, setting_prefix: String) -> Self {
        Self {
            settings,
            setting_prefix,
            state: Mutex::default(),
        }
    }

    /// A token that should be valid; asked for at `endpoint` if there is none.
    pub async fn get(&self, endpoint: &Endpoint<'_>, deadline: Deadline) -> Result<Arc<Secret>, SourceError> {
        let mut state = self.state.lock().await;
        if let Some((token, ends)) = &state.token
            && Instant::now() < *ends
        {
            return Ok(token.clone());
        }
        let (token, lasts) = self.sign_in(endpoint, &mut state.works, deadline).await?;
        let token = Arc::new(token);
        state.token = Some((token.clone(), Instant::now() + lasts.saturating_sub(RENEW_BEFORE_END)));
        Ok(token)
    }

    /// Forgets a token that was refused, unless it has been renewed already.
    pub async fn refused(&self, refused: &Arc<Secret>) {
        let mut state = self.state.lock().await;
        state.token.take_if(|(token, _)| Arc::ptr_eq(token, refused));
    }

    async fn sign_in(
        &self,
        endpoint: &Endpoint<'_>,
        works: &mut Option<SignIn>,
        deadline: Deadline,
    ) -> Result<(Secret, Duration), SourceError> {
        let ways = match *works {
            Some(SignIn::BasicHeader) => [SignIn::BasicHeader, SignIn::NamedHeader],
            _ => [SignIn::NamedHeader, SignIn::BasicHeader],
        };
        let mut refusal = None;
        for way in ways {
            let (url, credentials) = self.address().zip(self.credentials(way)).ok_or_else(|| {
                let remedy = no_address(&self.setting_prefix);
                endpoint.refused(0, None, remedy)
            })?;
            let request = || self.request(endpoint, &url, &credentials);
            match ask_patiently(endpoint, request, read, deadline).await? {
                AskOutcome::Read(granted) => {
                    *works = Some(way);
                    return Ok(granted);
                }
                AskOutcome::TooLarge(error) => return Err(error),
                AskOutcome::Refused(reply) => {
                    let may_be_the_header = matches!(reply.status.as_u16(), 400 | 401);
                    let error = self.refusal(endpoint, &reply);
                    // The way that is documented, or that has worked before, says best what is wrong.
                    refusal.get_or_insert(error);
                    if !may_be_the_header {
                        break;
                    }
                }
            }
        }
        Err(refusal.unwrap_or_else(|| endpoint.refused(401, None, token_remedy(401, &self.setting_prefix))))
    }

    fn address(&self) -> Option<Url> {
        Url::parse(&format!("{}/auth/oauth2/v2/token", self.settings.url.as_str())).ok()
    }

    fn credentials(&self, way: SignIn) -> Option<HeaderValue> {
        let (id, secret) = (&self.settings.client_id, self.settings.client_secret.expose());
        let text = match way {
            SignIn::NamedHeader => format!("client_id:{id}, client_secret:{secret}"),
            SignIn::BasicHeader => format!("Basic {}", STANDARD.encode(format!("{id}:{secret}"))),
        };
        let mut value = HeaderValue::try_from(text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    fn request(&self, endpoint: &Endpoint<'_>, url: &Url, credentials: &HeaderValue) -> RequestBuilder {
        let request = endpoint.http.post(url.clone());
        request
            .header(AUTHORIZATION, credentials.clone())
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/json")
            .body(BODY)
    }

    fn refusal(&self, endpoint: &Endpoint<'_>, reply: &Reply) -> SourceError {
        let status = reply.status.as_u16();
        endpoint.refused(status, code_of(&reply.body), token_remedy(status, &self.setting_prefix))
    }
}

fn read(body: Vec<u8>) -> Result<(Secret, Duration), Unreadable> {
    let unreadable = |reason: String| Unreadable {
        reason,
        // It holds a token, or repeats what we sent: nothing of it is shown.
        excerpt: "[not shown]".to_owned(),
    };
    let parsed: TokenReply = serde_json::from_slice(&body)
        .map_err(|error| unreadable(format!("{:?} error at line {}", error.classify(), error.line())))?;
    let is_sendable = parsed.access_token.bytes().all(|byte| byte.is_ascii_graphic());
    if parsed.access_token.is_empty() || !is_sendable {
        return Err(unreadable("its access_token is no token".to_owned()));
    }
    let lasts = lifetime(parsed.expires_in.as_ref());
    Ok((Secret::new(parsed.access_token), lasts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_without_a_token_shows_nothing_of_itself() {
        for body in [
            "<html>",
            r#"{"access_token":"","x":"s3cret"}"#,
            r#"{"access_token":"s3 cret"}"#,
            r#"{"access_token":7}"#,
            r#"{"status":{"error":false},"data":[{"access_token":"s3cret"}]}"#,
        ] {
            let unreadable = read(body.into()).unwrap_err();
            assert_eq!(unreadable.excerpt, "[not shown]");
            assert!(!unreadable.reason.contains("cret"), "{body}: {}", unreadable.reason);
        }
    }
}
