//! Access tokens that are granted to client credentials (RFC 6749, section 4.4): asked for by one at a time, kept until
//! shortly before they end, and renewed after a refusal.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{RequestBuilder, Url};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::form_urlencoded;

use super::{SourceError, TOKEN_ENDPOINT};
use crate::config::Secret;
use crate::event::StreamName;
use crate::http::{Backoff, HttpClient, NoMoreTries, Reply, Retryability, Tries, retry_after, retryability};
use crate::time::{Clock, Deadline};

/// Renewed this long before its end, so that it does not end on the way.
const RENEW_BEFORE_END: Duration = Duration::from_secs(60);
const TIMEOUT: Duration = Duration::from_secs(30);
const REPLY_CAP: usize = 256 * 1024;
const TRIES: u32 = 4;

/// How a client shows its credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// `Authorization: Basic`.
    BasicHeader,
    /// Members of the form.
    FormBody,
    /// A header of the vendor's own.
    VendorHeader,
}

/// A token as it was granted.
#[derive(Debug)]
pub struct GrantedToken {
    /// The token.
    pub token: Secret,
    /// How long it may be used; until it is refused if that is not known.
    pub lasts: Option<Duration>,
}

/// What came of asking for a token.
#[derive(Debug)]
pub enum TokenOutcome {
    /// It was granted.
    Granted(GrantedToken),
    /// A status that asking again would bring again.
    Refused(Reply),
}

/// Where a vendor grants tokens.
#[async_trait]
pub trait TokenEndpoint: Send + Sync {
    /// The way in which most clients show their credentials.
    const USUAL: ClientAuthentication;
    /// The way that is tried where the usual one is refused.
    const OTHER: Option<ClientAuthentication>;

    /// Asks for a token on behalf of a stream, with retries.
    async fn ask(
        &self,
        stream: &StreamName,
        authentication: ClientAuthentication,
        deadline: Deadline,
    ) -> Result<TokenOutcome, SourceError>;

    /// Whether a refusal may be about the way in which the credentials were shown.
    fn may_accept_another(&self, refusal: &Reply) -> bool {
        let _ = refusal;
        true
    }

    /// The error of a refusal.
    fn refusal(&self, stream: &StreamName, reply: &Reply) -> SourceError;
}

/// The tokens of one client.
pub struct AccessTokens<E> {
    endpoint: E,
    state: Mutex<TokenState>,
}

#[derive(Default)]
struct TokenState {
    cached: Option<CachedToken>,
    /// The way that worked.
    accepted: Option<ClientAuthentication>,
}

struct CachedToken {
    token: Arc<Secret>,
    renew_at: Option<Instant>,
}

impl<E: TokenEndpoint> AccessTokens<E> {
    /// Nothing is asked for yet.
    pub fn new(endpoint: E) -> Self {
        Self {
            endpoint,
            state: Mutex::default(),
        }
    }

    /// A token that should be valid; asked for on behalf of `stream` if there is none.
    pub async fn get(&self, stream: &StreamName, deadline: Deadline) -> Result<Arc<Secret>, SourceError> {
        let mut state = self.state.lock().await;
        let is_valid = |cached: &&CachedToken| cached.renew_at.is_none_or(|renew_at| Instant::now() < renew_at);
        if let Some(cached) = state.cached.as_ref().filter(is_valid) {
            return Ok(cached.token.clone());
        }
        let granted = self.sign_in(stream, &mut state, deadline).await?;
        let token = Arc::new(granted.token);
        let renew_at = granted
            .lasts
            .map(|lasts| Instant::now() + lasts.saturating_sub(RENEW_BEFORE_END));
        state.cached = Some(CachedToken {
            token: token.clone(),
            renew_at,
        });
        Ok(token)
    }

    /// Forgets a token that was refused, unless it has been renewed already.
    pub async fn discard(&self, refused: &Arc<Secret>) {
        let mut state = self.state.lock().await;
        state.cached.take_if(|cached| Arc::ptr_eq(&cached.token, refused));
    }

    /// Forgets the token. False if there was none.
    pub async fn clear(&self) -> bool {
        self.state.lock().await.cached.take().is_some()
    }

    async fn sign_in(
        &self,
        stream: &StreamName,
        state: &mut TokenState,
        deadline: Deadline,
    ) -> Result<GrantedToken, SourceError> {
        let first = state.accepted.unwrap_or(E::USUAL);
        let refusal = match self.endpoint.ask(stream, first, deadline).await? {
            TokenOutcome::Granted(granted) => {
                state.accepted = Some(first);
                return Ok(granted);
            }
            TokenOutcome::Refused(reply) => reply,
        };
        let second = match E::OTHER {
            Some(other) if other == first => Some(E::USUAL),
            other => other,
        };
        if let Some(second) = second.filter(|_| self.endpoint.may_accept_another(&refusal))
            && let TokenOutcome::Granted(granted) = self.endpoint.ask(stream, second, deadline).await?
        {
            state.accepted = Some(second);
            return Ok(granted);
        }
        // The usual way, or the one that has worked before, says best what is wrong.
        Err(self.endpoint.refusal(stream, &refusal))
    }
}

/// Asks an authorization server that has no rate limit in common with the API.
pub struct TokenRequest<'a> {
    /// For errors.
    pub stream: &'a StreamName,
    /// The client.
    pub http: &'a HttpClient,
    /// The time, for `Retry-After`.
    pub clock: &'a dyn Clock,
    /// The settings to check if there is no answer.
    pub address_settings: Option<&'a str>,
}

impl TokenRequest<'_> {
    /// Sends what `request` builds until `read` makes something of the answer or the server refuses: then the refusal.
    /// `read` says why an answer is asked for again.
    pub async fn send<T>(
        &self,
        request: impl Fn() -> RequestBuilder + Send + Sync,
        read: impl Fn(&Reply) -> Result<T, String> + Send + Sync,
        deadline: Deadline,
    ) -> Result<Result<T, Reply>, SourceError> {
        let backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(10), TRIES);
        let mut tries = Tries::new(backoff, deadline);
        loop {
            let (what, asked_pause) = match self.http.send(request(), REPLY_CAP, TIMEOUT, deadline).await {
                Err(error) => (self.with_address_settings(error.to_string()), None),
                Ok(reply) => match retryability(reply.status) {
                    Retryability::Success => match read(&reply) {
                        Ok(read) => return Ok(Ok(read)),
                        Err(what) => (what, None),
                    },
                    Retryability::Final => return Ok(Err(reply)),
                    Retryability::Throttled | Retryability::Transient => (
                        format!("answered {}", reply.status.as_u16()),
                        retry_after(&reply.headers, self.clock.now()),
                    ),
                },
            };
            tries
                .wait(asked_pause)
                .await
                .map_err(|no_more| self.given_up(no_more, what))?;
        }
    }

    fn with_address_settings(&self, what: String) -> String {
        match self.address_settings {
            Some(settings) => format!("{what}; check {settings} if this lasts"),
            None => what,
        }
    }

    fn given_up(&self, no_more: NoMoreTries, what: String) -> SourceError {
        let stream = self.stream.clone();
        match no_more {
            NoMoreTries::UsedUp => SourceError::Unavailable {
                stream,
                asked: TOKEN_ENDPOINT,
                what,
                tries: TRIES,
            },
            // Only what failed is tried again, so that the time ended with a failure.
            NoMoreTries::OutOfTime => SourceError::OutOfTime {
                stream,
                doing: format!("signing in ({TOKEN_ENDPOINT} {what})"),
                kept_failing: true,
            },
        }
    }
}

/// The credentials of a client.
pub struct ClientCredentials<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its secret.
    pub secret: &'a Secret,
}

/// The request of a form, as RFC 6749 has it. The credentials never go into the address.
pub fn form_request(
    http: &HttpClient,
    url: Url,
    client: &ClientCredentials<'_>,
    authentication: ClientAuthentication,
) -> RequestBuilder {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials");
    if authentication == ClientAuthentication::FormBody {
        form.append_pair("client_id", client.id);
        form.append_pair("client_secret", client.secret.expose());
    }
    let request = http
        .post(url)
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(form.finish());
    match authentication {
        ClientAuthentication::BasicHeader => request.basic_auth(client.id, Some(client.secret.expose())),
        ClientAuthentication::FormBody | ClientAuthentication::VendorHeader => request,
    }
}

#[derive(Deserialize)]
struct TokenReply {
    access_token: String,
    /// Seconds; some servers write them as text.
    expires_in: Option<serde_json::Value>,
}

/// Reads the answer of a token endpoint. The error says why it is none and shows nothing of it: it holds a token, or
/// repeats what was sent.
pub fn read_token(body: &[u8]) -> Result<GrantedToken, String> {
    let parsed: TokenReply = serde_json::from_slice(body)
        .map_err(|error| format!("{:?} error at line {}", error.classify(), error.line()))?;
    Ok(GrantedToken {
        token: Secret::new(parsed.access_token),
        lasts: Some(lifetime(parsed.expires_in.as_ref())),
    })
}

/// An hour if the server does not say, and never more than a day.
fn lifetime(expires_in: Option<&serde_json::Value>) -> Duration {
    let seconds = match expires_in {
        Some(serde_json::Value::String(text)) => text.trim().parse::<f64>().ok(),
        Some(value) => value.as_f64(),
        None => None,
    };
    let seconds = seconds.filter(|seconds| !seconds.is_nan()).unwrap_or(3600.0);
    Duration::from_secs_f64(seconds.clamp(0.0, 86_400.0))
}

#[cfg(test)]
mod tests;
