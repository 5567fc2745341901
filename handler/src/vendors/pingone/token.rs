//! Access tokens of a worker application.
//!
//! How the application signs in (Basic header or form body) is a setting of the application, and PingOne refuses the
//! other way: both are tried once, and the one that worked is remembered. A token lasts an hour and is renewed when
//! it is about to end, or when it was refused.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{RequestBuilder, Url};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::form_urlencoded;

use crate::config::{PingOnePoll, Secret};
use crate::event::StreamName;
use crate::http::{
    Backoff, HttpClient, Reply, Retryability, TransportError, error_code, pause, retry_after, retryability,
};
use crate::sources::SourceError;
use crate::sources::error::TOKEN_ENDPOINT;
use crate::sources::token_lifetime::lifetime;
use crate::time::{Clock, Deadline};

const ASKED: &str = TOKEN_ENDPOINT;
const TIMEOUT: Duration = Duration::from_secs(30);
const REPLY_CAP: usize = 256 * 1024;
const TRIES: u32 = 4;
/// Renewed this long before its end, so that it does not end on the way.
const RENEW_BEFORE_END: Duration = Duration::from_secs(60);

/// The tokens of one worker application.
pub struct Tokens {
    stream: StreamName,
    http: HttpClient,
    clock: Arc<dyn Clock>,
    settings: PingOnePoll,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<(Arc<Secret>, Instant)>,
    works: Option<SignIn>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SignIn {
    BasicHeader,
    FormBody,
}

#[derive(Deserialize)]
struct TokenReply {
    access_token: String,
    /// Seconds; some servers write them as text.
    expires_in: Option<serde_json::Value>,
}

impl Tokens {
    /// For the worker application in `settings`.
    pub fn new(stream: StreamName, http: HttpClient, clock: Arc<dyn Clock>, settings: PingOnePoll) -> Self {
        Self {
            stream,
            http,
            clock,
            settings,
            state: Mutex::default(),
        }
    }

    /// A token that should be valid; asked for if there is none.
    pub async fn get(&self, deadline: Deadline) -> Result<Arc<Secret>, SourceError> {
        let mut state = self.state.lock().await;
        if let Some((token, ends)) = &state.token
            && Instant::now() < *ends
        {
            return Ok(token.clone());
        }
        let (token, lasts) = self.sign_in(&mut state.works, deadline).await?;
        let token = Arc::new(token);
        state.token = Some((token.clone(), Instant::now() + lasts.saturating_sub(RENEW_BEFORE_END)));
        Ok(token)
    }

    /// Forgets a token that was refused, unless it has been renewed already.
    pub async fn refused(&self, refused: &Arc<Secret>) {
        let mut state = self.state.lock().await;
        state.token.take_if(|(token, _)| Arc::ptr_eq(token, refused));
    }

    async fn sign_in(&self, works: &mut Option<SignIn>, deadline: Deadline) -> Result<(Secret, Duration), SourceError> {
        let ways = match *works {
            Some(SignIn::FormBody) => [SignIn::FormBody, SignIn::BasicHeader],
            _ => [SignIn::BasicHeader, SignIn::FormBody],
        };
        let mut refusal = None;
        for way in ways {
            let reply = self.ask(way, deadline).await?;
            if retryability(reply.status) == Retryability::Success {
                let granted = self.read(&reply)?;
                *works = Some(way);
                return Ok(granted);
            }
            refusal.get_or_insert(reply);
        }
        Err(self.refusal(refusal))
    }

    /// One way of signing in, with retries; the reply is a success or a refusal.
    async fn ask(&self, way: SignIn, deadline: Deadline) -> Result<Reply, SourceError> {
        let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(10), TRIES);
        loop {
            let sent = self.http.send(self.request(way)?, REPLY_CAP, TIMEOUT, deadline).await;
            let (what, asked_pause) = match sent {
                Ok(reply) => match retryability(reply.status) {
                    Retryability::Success | Retryability::Final => return Ok(reply),
                    Retryability::Throttled | Retryability::Transient => (
                        format!("answered {}", reply.status.as_u16()),
                        retry_after(&reply.headers, self.clock.now()),
                    ),
                },
                Err(error) => (self.unreachable(&error), None),
            };
            if deadline.has_passed() {
                return Err(self.out_of_time(&what));
            }
            let Some(own_pause) = backoff.next_pause() else {
                let stream = self.stream.clone();
                return Err(SourceError::Unavailable {
                    stream,
                    asked: ASKED,
                    what,
                    tries: TRIES,
                });
            };
            pause(asked_pause.unwrap_or(own_pause), deadline)
                .await
                .map_err(|_| self.out_of_time(&what))?;
        }
    }

    fn request(&self, way: SignIn) -> Result<RequestBuilder, SourceError> {
        let settings = &self.settings;
        let url = format!("{}/{}/as/token", settings.auth.as_str(), settings.auth_environment_id);
        let url = Url::parse(&url).map_err(|_| self.refused_address())?;
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        if way == SignIn::FormBody {
            form.append_pair("client_id", &settings.client_id);
            form.append_pair("client_secret", settings.client_secret.expose());
        }
        let request = self
            .http
            .post(url)
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.finish());
        Ok(match way {
            SignIn::BasicHeader => request.basic_auth(&settings.client_id, Some(settings.client_secret.expose())),
            SignIn::FormBody => request,
        })
    }

    fn read(&self, reply: &Reply) -> Result<(Secret, Duration), SourceError> {
        let parsed: TokenReply = serde_json::from_slice(&reply.body).map_err(|error| SourceError::BadPage {
            stream: self.stream.clone(),
            asked: ASKED,
            status: reply.status.as_u16(),
            reason: format!("{:?} error at line {}", error.classify(), error.line()),
            // It holds a token, or repeats what we sent: nothing of it is shown.
            excerpt: "[not shown]".to_owned(),
        })?;
        let lasts = lifetime(parsed.expires_in.as_ref());
        Ok((Secret::new(parsed.access_token), lasts))
    }

    fn refusal(&self, reply: Option<Reply>) -> SourceError {
        let prefix = &self.settings.setting_prefix;
        let status = reply.as_ref().map_or(401, |reply| reply.status.as_u16());
        let code = reply.and_then(|reply| error_code(&reply.body));
        SourceError::Refused {
            stream: self.stream.clone(),
            asked: ASKED,
            status,
            code,
            remedy: remedy(status, prefix),
        }
    }

    fn refused_address(&self) -> SourceError {
        let prefix = &self.settings.setting_prefix;
        let remedy = format!("check {prefix}AUTH_URL and {prefix}AUTH_ENVIRONMENT_ID: they make no address");
        SourceError::Refused {
            stream: self.stream.clone(),
            asked: ASKED,
            status: 0,
            code: None,
            remedy,
        }
    }

    fn unreachable(&self, error: &TransportError) -> String {
        let prefix = &self.settings.setting_prefix;
        format!("{error}; check {prefix}REGION (or {prefix}AUTH_URL) if this lasts")
    }

    fn out_of_time(&self, last: &str) -> SourceError {
        let doing = format!("signing in ({ASKED} {last})");
        SourceError::OutOfTime {
            stream: self.stream.clone(),
            doing,
            kept_failing: true,
        }
    }
}

/// The address is made of region and environment, so that a wrong one of them is met here first, in various forms.
fn remedy(status: u16, prefix: &str) -> String {
    let credential = format!(
        "{prefix}CLIENT_ID and {prefix}CLIENT_SECRET are those of a worker application that is enabled, and that \
         {prefix}AUTH_ENVIRONMENT_ID is set if the application lives in another environment than the activities"
    );
    match status {
        401 | 403 => format!(
            "check that {credential}; a wrong {prefix}ENVIRONMENT_ID or {prefix}REGION may be answered like this too"
        ),
        _ => format!(
            "there is no such environment in that region: check {prefix}REGION (com, ca, eu, com.au, sg or asia) and \
             {prefix}ENVIRONMENT_ID (the id in the environment's properties, not its name); then check that {credential}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_names_the_region_and_the_environment() {
        for status in [400, 401, 403, 404, 410] {
            let remedy = remedy(status, "PINGONE__ACME__");
            for setting in ["REGION", "ENVIRONMENT_ID", "CLIENT_SECRET", "AUTH_ENVIRONMENT_ID"] {
                assert!(
                    remedy.contains(&format!("PINGONE__ACME__{setting}")),
                    "{status} {setting}: {remedy}"
                );
            }
        }
    }
}
