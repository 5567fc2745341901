//! One account with one API credential: what its streams share.

use std::sync::Arc;

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use reqwest::{RequestBuilder, Url};

use super::page::ListPage;
use super::rate_limit::ask_patiently;
use super::token::Tokens;
use crate::config::{OneLoginApi, Origin, Secret};
use crate::event::StreamName;
use crate::http::{HttpClient, Reply, Throttle, excerpt};
use crate::sources::endpoint::{AskOutcome, Endpoint, Unreadable};
use crate::sources::{Page, SourceError, VendorClock};
use crate::time::{Clock, Deadline};
use crate::vendors::onelogin::token;
use crate::vendors::onelogin::{failure, page};

/// See the module.
pub struct Account {
    /// The address of its API.
    pub origin: Origin,
    /// What positions belong to.
    pub text: String,
    client_secret: Secret,
    setting_prefix: String,
    address_setting: String,
    http: HttpClient,
    clock: Arc<dyn Clock>,
    tokens: Tokens,
    /// No rate of our own: the pauses that OneLogin asks for, kept by every stream.
    throttle: Throttle,
    /// The account's, learned from the replies to all its streams.
    pub vendor_clock: VendorClock,
}

impl Account {
    /// Of one instance.
    pub fn new(settings: &OneLoginApi, setting_prefix: &str, http: HttpClient, clock: Arc<dyn Clock>) -> Self {
        Self {
            origin: settings.url.clone(),
            text: format!("account {}", settings.url.host()),
            client_secret: settings.client_secret.clone(),
            setting_prefix: setting_prefix.to_owned(),
            address_setting: format!("{setting_prefix}URL"),
            http,
            clock,
            tokens: Tokens::new(settings.clone(), setting_prefix.to_owned()),
            throttle: Throttle::unlimited(),
            vendor_clock: VendorClock::default(),
        }
    }

    /// One of its endpoints, for a stream.
    pub fn endpoint<'a>(&'a self, stream: &'a StreamName, asked: &'static str) -> Endpoint<'a> {
        Endpoint {
            stream,
            asked,
            http: &self.http,
            clock: &*self.clock,
            address_setting: &self.address_setting,
            throttle: &self.throttle,
            vendor_clock: &self.vendor_clock,
        }
    }

    /// One page and the cursor behind it, with retries until `whole` takes it. A token that ends between two pages is
    /// renewed and the same page asked for again.
    pub async fn page(
        &self,
        endpoint: &Endpoint<'_>,
        url: &Url,
        whole: impl Fn(ListPage) -> Result<(Page, Option<String>), Unreadable> + Send + Sync,
        deadline: Deadline,
    ) -> Result<AskOutcome<(Page, Option<String>)>, SourceError> {
        let sign_in = self.endpoint(endpoint.stream, token::ASKED);
        let mut renewed = false;
        loop {
            let token = self.tokens.get(&sign_in, deadline).await?;
            let request = || self.get(url, &token);
            let read = |body| whole(page::parse(body).map_err(|no_page| self.unreadable(no_page, &token))?);
            match ask_patiently(endpoint, request, read, deadline).await? {
                AskOutcome::Refused(reply) if reply.status.as_u16() == 401 && !renewed => {
                    renewed = true;
                    self.tokens.refused(&token).await;
                }
                answer => return Ok(answer),
            }
        }
    }

    /// Why `endpoint`, which gives what `holds` says, refused.
    pub fn refusal(&self, endpoint: &Endpoint<'_>, holds: &str, reply: &Reply) -> SourceError {
        let status = reply.status.as_u16();
        let remedy = failure::remedy(status, &self.setting_prefix, holds);
        endpoint.refused(status, failure::code_of(&reply.body), remedy)
    }

    /// Why no request can be made.
    pub fn no_address(&self, endpoint: &Endpoint<'_>) -> SourceError {
        endpoint.refused(0, None, failure::no_address(&self.setting_prefix))
    }

    /// OneLogin writes `bearer:<token>`, with a colon.
    fn get(&self, url: &Url, token: &Secret) -> RequestBuilder {
        let value = HeaderValue::try_from(format!("bearer:{}", token.expose()));
        // Only tokens that fit a header were taken; without one the answer is 401, and that has a remedy.
        let mut value = value.unwrap_or_else(|_| HeaderValue::from_static("bearer:"));
        value.set_sensitive(true);
        let request = self.http.get(url.clone()).header(AUTHORIZATION, value);
        request.header(ACCEPT, "application/json")
    }

    fn unreadable(&self, (reason, body): (String, Vec<u8>), token: &Secret) -> Unreadable {
        Unreadable {
            reason,
            excerpt: excerpt(&body, &[token, &self.client_secret]),
        }
    }
}
