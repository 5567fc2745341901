//! Access tokens that are granted to client credentials (RFC 6749, section 4.4): asked for by one at a time, kept until
//! shortly before they end, and renewed after a refusal.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::RequestBuilder;
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::SourceError;
use super::endpoint::{AskOutcome, Endpoint, Unreadable};
use crate::config::Secret;
use crate::http::Reply;
use crate::time::Deadline;

/// Renewed this long before its end, so that it does not end on the way.
const RENEW_BEFORE_END: Duration = Duration::from_secs(60);

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
    /// The way in which most clients show their credentials, and the one that is tried where it is refused.
    fn authentications(&self) -> (ClientAuthentication, Option<ClientAuthentication>);

    /// Asks for a token, with retries.
    async fn ask(&self, authentication: ClientAuthentication, deadline: Deadline) -> Result<TokenOutcome, SourceError>;

    /// Whether a refusal may be about the way in which the credentials were shown.
    fn may_accept_another(&self, refusal: &Reply) -> bool {
        let _ = refusal;
        true
    }

    /// The error of a refusal.
    fn refusal(&self, reply: &Reply) -> SourceError;
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

    /// A token that should be valid; asked for if there is none.
    pub async fn get(&self, deadline: Deadline) -> Result<Arc<Secret>, SourceError> {
        let mut state = self.state.lock().await;
        let is_valid = |cached: &&CachedToken| cached.renew_at.is_none_or(|renew_at| Instant::now() < renew_at);
        if let Some(cached) = state.cached.as_ref().filter(is_valid) {
            return Ok(cached.token.clone());
        }
        let granted = self.sign_in(&mut state, deadline).await?;
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

    /// Asks `endpoint` with a token. One that ends between two pages is renewed, and the same page asked for again.
    pub async fn ask<T: Send>(
        &self,
        endpoint: &Endpoint,
        request: impl Fn(&Secret) -> RequestBuilder + Send + Sync,
        read: impl Fn(Vec<u8>, &Secret) -> Result<T, Unreadable<T>> + Send + Sync,
        deadline: Deadline,
    ) -> Result<AskOutcome<T>, SourceError> {
        let mut renewed = false;
        loop {
            let token = self.get(deadline).await?;
            let outcome = endpoint
                .ask(|| request(&token), |body| read(body, &token), deadline)
                .await?;
            match outcome {
                AskOutcome::Refused(reply) if reply.status.as_u16() == 401 && !renewed => {
                    renewed = true;
                    self.discard(&token).await;
                }
                outcome => return Ok(outcome),
            }
        }
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

    async fn sign_in(&self, state: &mut TokenState, deadline: Deadline) -> Result<GrantedToken, SourceError> {
        let (usual, other) = self.endpoint.authentications();
        let first = state.accepted.unwrap_or(usual);
        let refusal = match self.endpoint.ask(first, deadline).await? {
            TokenOutcome::Granted(granted) => {
                state.accepted = Some(first);
                return Ok(granted);
            }
            TokenOutcome::Refused(reply) => reply,
        };
        let second = if other == Some(first) { Some(usual) } else { other };
        if let Some(second) = second.filter(|_| self.endpoint.may_accept_another(&refusal))
            && let TokenOutcome::Granted(granted) = self.endpoint.ask(second, deadline).await?
        {
            state.accepted = Some(second);
            return Ok(granted);
        }
        // The usual way, or the one that has worked before, says best what is wrong.
        Err(self.endpoint.refusal(&refusal))
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
