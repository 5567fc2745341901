//! The token endpoint of an authorization server, as RFC 6749 has it: a form, and no rate limit in common with the API.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{RequestBuilder, Url};
use url::form_urlencoded;

use super::error::answered;
use super::oauth::{ClientAuthentication, GrantedToken, TokenEndpoint, TokenOutcome, read_token};
use super::web_page::web_page_title;
use super::{Remedy, SourceError, TOKEN_ENDPOINT};
use crate::config::Secret;
use crate::http::{
    Backoff, HttpClient, Reply, Retryability, TransportError, Tries, error_code, retry_after, retryability,
};
use crate::time::{Clock, Deadline};

const TIMEOUT: Duration = Duration::from_secs(30);
const REPLY_CAP: usize = 256 * 1024;
const TRIES: u32 = 4;

/// See the module.
pub struct FormTokenEndpoint {
    /// The client.
    pub http: HttpClient,
    /// The time, for `Retry-After`.
    pub clock: Arc<dyn Clock>,
    /// Its address; none if the settings make none.
    pub url: Option<Url>,
    /// The id of the client that asks.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
    /// See [`TokenEndpoint::authentications`].
    pub authentications: (ClientAuthentication, Option<ClientAuthentication>),
    /// What the names of the client's settings start with, for errors.
    pub setting_prefix: String,
    /// The settings to check if there is no answer, or one of somebody else.
    pub address_settings: String,
    /// What to do about a refusal with that status; gets the prefix of the settings.
    pub remedy: fn(u16, &str) -> Remedy,
    /// How an answer is read.
    pub reading: TokenReading,
}

/// How the answers of a token endpoint are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenReading {
    /// The token is renewed before the end that the server says. An answer without a token is an error.
    UntilItsEnd,
    /// The token is used until it is refused. An answer without a token is asked for again.
    UntilRefused,
}

#[async_trait]
impl TokenEndpoint for FormTokenEndpoint {
    fn authentications(&self) -> (ClientAuthentication, Option<ClientAuthentication>) {
        self.authentications
    }

    async fn ask(&self, authentication: ClientAuthentication, deadline: Deadline) -> Result<TokenOutcome, SourceError> {
        let url = self.url.as_ref().ok_or_else(|| self.no_address())?;
        let backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(10), TRIES);
        let mut tries = Tries::new(backoff, deadline);
        let mut sent = 0;
        loop {
            sent += 1;
            let request = self.request(url.clone(), authentication);
            let (failure, asked_pause) = match self.http.send(request, REPLY_CAP, TIMEOUT, deadline).await {
                Err(error) => (unavailable(self.not_answered(&error), sent), None),
                Ok(reply) => match retryability(reply.status) {
                    Retryability::Success => match self.granted(&reply) {
                        Ok(granted) => return Ok(TokenOutcome::Granted(granted)),
                        Err(error) if self.reading == TokenReading::UntilItsEnd => return Err(error),
                        Err(error) => (error, None),
                    },
                    Retryability::Final => return Ok(TokenOutcome::Refused(reply)),
                    Retryability::Throttled | Retryability::Transient => {
                        let asked_pause = retry_after(&reply.headers, self.clock.now());
                        let what = answered(reply.status.as_u16(), asked_pause);
                        (unavailable(what, sent), asked_pause)
                    }
                },
            };
            let waited = tries.wait(asked_pause).await;
            // Only what failed is tried again, so that the time ended with a failure.
            waited.map_err(|no_more| failure.given_up(no_more, true))?;
        }
    }

    fn refusal(&self, reply: &Reply) -> SourceError {
        let status = reply.status.as_u16();
        let remedy = (self.remedy)(status, &self.setting_prefix);
        SourceError::token_refused(status, error_code(&reply.body), remedy)
    }
}

impl FormTokenEndpoint {
    /// The credentials never go into the address.
    fn request(&self, url: Url, authentication: ClientAuthentication) -> RequestBuilder {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        if authentication == ClientAuthentication::FormBody {
            form.append_pair("client_id", &self.client_id);
            form.append_pair("client_secret", self.client_secret.expose());
        }
        let request = self
            .http
            .post(url)
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.finish());
        match authentication {
            ClientAuthentication::BasicHeader => request.basic_auth(&self.client_id, Some(self.client_secret.expose())),
            ClientAuthentication::FormBody | ClientAuthentication::VendorHeader => request,
        }
    }

    fn granted(&self, reply: &Reply) -> Result<GrantedToken, SourceError> {
        let granted = read_token(&reply.body).map_err(|reason| self.no_token(reply, reason))?;
        Ok(match self.reading {
            TokenReading::UntilItsEnd => granted,
            TokenReading::UntilRefused => GrantedToken { lasts: None, ..granted },
        })
    }

    fn no_token(&self, reply: &Reply, reason: String) -> SourceError {
        let status = reply.status.as_u16();
        match web_page_title(&reply.body) {
            Some(title) => SourceError::WebPage {
                asked: TOKEN_ENDPOINT,
                status,
                title,
                remedy: format!("check {} and HTTPS_PROXY", self.address_settings),
                excerpt: None,
            },
            None => SourceError::BadPage {
                asked: TOKEN_ENDPOINT,
                status,
                reason,
                excerpt: "[not shown]".to_owned(),
            },
        }
    }

    fn no_address(&self) -> SourceError {
        let what = self.with_address_settings("its address cannot be used".to_owned());
        SourceError::token_refused(0, None, what.into())
    }

    fn not_answered(&self, error: &TransportError) -> String {
        error.with_advice(&self.address_settings)
    }

    fn with_address_settings(&self, what: String) -> String {
        format!("{what}; check {} if this lasts", self.address_settings)
    }
}

fn unavailable(what: String, tries: u32) -> SourceError {
    SourceError::Unavailable {
        asked: TOKEN_ENDPOINT,
        what,
        tries,
    }
}
