//! How the poll request is signed in: an access token, or the user name and password themselves.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{RequestBuilder, Url};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::form_urlencoded;

use super::subscription::ASKED_TOKEN;
use crate::config::{EnterpriseSignIn, Secret};
use crate::event::StreamName;
use crate::http::{Backoff, HttpClient, Retryability, error_code, pause, retry_after, retryability};
use crate::sources::SourceError;
use crate::time::{Clock, Deadline};

const TIMEOUT: Duration = Duration::from_secs(30);
const REPLY_CAP: usize = 256 * 1024;
const TRIES: u32 = 4;

/// See the module.
pub struct SignIn {
    pub stream: StreamName,
    pub http: HttpClient,
    pub clock: Arc<dyn Clock>,
    pub way: EnterpriseSignIn,
    pub setting_prefix: String,
    pub token: Mutex<Option<Arc<Secret>>>,
}

#[derive(Deserialize)]
struct TokenReply {
    access_token: String,
}

impl SignIn {
    /// Adds what the vendor asks for to a request.
    pub async fn sign(&self, request: RequestBuilder, deadline: Deadline) -> Result<RequestBuilder, SourceError> {
        match &self.way {
            EnterpriseSignIn::Basic { username, password } => Ok(request.basic_auth(username, Some(password.expose()))),
            EnterpriseSignIn::Client {
                client_id,
                client_secret,
                token_url,
            } => {
                let mut token = self.token.lock().await;
                let present = match &*token {
                    Some(present) => present.clone(),
                    None => {
                        let fresh = Arc::new(self.ask((client_id, client_secret, token_url), deadline).await?);
                        *token = Some(fresh.clone());
                        fresh
                    }
                };
                Ok(request.bearer_auth(present.expose()))
            }
        }
    }

    /// False where user name and password are shown themselves.
    pub fn has_token(&self) -> bool {
        matches!(self.way, EnterpriseSignIn::Client { .. })
    }

    /// Forgets the token. False if there is nothing that could be renewed.
    pub async fn forget(&self) -> bool {
        self.token.lock().await.take().is_some()
    }

    /// What to check when the vendor refuses.
    pub fn remedy(&self) -> String {
        let prefix = &self.setting_prefix;
        match self.way {
            EnterpriseSignIn::Client { .. } => {
                format!(
                    "check {prefix}CLIENT_ID and {prefix}CLIENT_SECRET, and that the client may read the subscription in {prefix}POLL_URL"
                )
            }
            EnterpriseSignIn::Basic { .. } => format!(
                "check {prefix}USERNAME and {prefix}PASSWORD; the user needs the role Audit & Report Administrator"
            ),
        }
    }

    async fn ask(&self, client: (&str, &Secret, &Url), deadline: Deadline) -> Result<Secret, SourceError> {
        let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(10), TRIES);
        loop {
            let what = match self.http.send(self.request(client), REPLY_CAP, TIMEOUT, deadline).await {
                Err(error) => (error.to_string(), None),
                Ok(reply) => match retryability(reply.status) {
                    Retryability::Success => match serde_json::from_slice::<TokenReply>(&reply.body) {
                        Ok(granted) => return Ok(Secret::new(granted.access_token)),
                        Err(_) => ("answered without an access token".to_owned(), None),
                    },
                    Retryability::Final => {
                        let (status, code) = (reply.status.as_u16(), error_code(&reply.body));
                        let (stream, remedy) = (self.stream.clone(), self.remedy());
                        return Err(SourceError::Refused {
                            stream,
                            asked: ASKED_TOKEN,
                            status,
                            code,
                            remedy,
                        });
                    }
                    _ => (
                        format!("answered {}", reply.status.as_u16()),
                        retry_after(&reply.headers, self.clock.now()),
                    ),
                },
            };
            let (what, asked_pause) = what;
            let stream = self.stream.clone();
            let doing = format!("signing in ({ASKED_TOKEN} {what})");
            if deadline.has_passed() {
                return Err(out_of_time(stream, doing));
            }
            let Some(own_pause) = backoff.next_pause() else {
                return Err(SourceError::Unavailable {
                    stream,
                    asked: ASKED_TOKEN,
                    what,
                    tries: TRIES,
                });
            };
            pause(asked_pause.unwrap_or(own_pause), deadline)
                .await
                .map_err(|_| out_of_time(stream, doing))?;
        }
    }

    /// The credentials go in the body, never into the address.
    fn request(&self, (client_id, client_secret, token_url): (&str, &Secret, &Url)) -> RequestBuilder {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        form.append_pair("client_id", client_id);
        form.append_pair("client_secret", client_secret.expose());
        let request = self.http.post(token_url.clone()).header(ACCEPT, "application/json");
        request
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.finish())
    }
}

/// Only what failed is tried again, so that the time ended with a failure.
fn out_of_time(stream: StreamName, doing: String) -> SourceError {
    SourceError::OutOfTime {
        stream,
        doing,
        kept_failing: true,
    }
}
