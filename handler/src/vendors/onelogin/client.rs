//! One account with one API credential: what its streams share.

use std::sync::Arc;

use parking_lot::Mutex;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use reqwest::{RequestBuilder, Url};

use super::page::ListPageInfo;
use super::settings::OneLoginApi;
use super::token::CredentialTokens;
use crate::config::Secret;
use crate::http::{HttpClient, Reply, Throttle};
use crate::sources::SourceError;
use crate::sources::api_client::ApiClient;
use crate::sources::cursor_pages::CompletePage;
use crate::sources::endpoint::{AskOutcome, Endpoint, Unreadable};
use crate::sources::oauth::AccessTokens;
use crate::sources::page::ParsedPage;
use crate::time::{Clock, Deadline};
use crate::vendors::onelogin::{failure, page};

/// See the module.
pub struct OneLoginClient {
    /// Its API. No rate of our own, only the pauses that OneLogin asks for.
    pub api: Arc<ApiClient>,
    tokens: AccessTokens<CredentialTokens>,
    client_secret: Secret,
}

impl OneLoginClient {
    /// Of one instance.
    pub fn new(settings: &OneLoginApi, setting_prefix: &str, http: HttpClient, clock: Arc<dyn Clock>) -> Self {
        let api = Arc::new(ApiClient {
            origin: settings.url.clone(),
            account: format!("account {}", settings.url.host()),
            setting_prefix: setting_prefix.to_owned(),
            address_setting: format!("{setting_prefix}URL"),
            http,
            clock,
            rate_setting: None,
            throttle: Throttle::unlimited(),
            last_throttling: Mutex::default(),
            vendor_clock: Arc::default(),
            is_rate_limit: failure::is_rate_limit,
        });
        Self {
            tokens: AccessTokens::new(CredentialTokens {
                api: api.clone(),
                settings: settings.clone(),
            }),
            api,
            client_secret: settings.client_secret.clone(),
        }
    }

    /// One page, with retries until `whole` takes it.
    pub async fn page(
        &self,
        endpoint: &Endpoint,
        url: &Url,
        whole: impl Fn(ParsedPage<ListPageInfo>) -> Result<CompletePage, Unreadable<CompletePage>> + Send + Sync,
        deadline: Deadline,
    ) -> Result<AskOutcome<CompletePage>, SourceError> {
        let read = |body, token: &Secret| {
            let secrets = [token, &self.client_secret];
            whole(page::parse(body).map_err(|no_page| Unreadable::of(no_page, &secrets))?)
        };
        let get = |token: &Secret| self.get(url, token);
        self.tokens.ask(endpoint, get, read, deadline).await
    }

    /// Why `endpoint` refused.
    pub fn refusal(&self, endpoint: &Endpoint, reply: &Reply) -> SourceError {
        let status = reply.status.as_u16();
        let remedy = failure::remedy(status, &self.api.setting_prefix);
        endpoint.refused(status, failure::code_of(&reply.body), remedy)
    }

    /// OneLogin writes `bearer:<token>`, with a colon.
    fn get(&self, url: &Url, token: &Secret) -> RequestBuilder {
        let value = HeaderValue::try_from(format!("bearer:{}", token.expose()));
        // Only tokens that fit a header were taken; without one the answer is 401, and that has a remedy.
        let mut value = value.unwrap_or_else(|_| HeaderValue::from_static("bearer:"));
        value.set_sensitive(true);
        let request = self.api.http.get(url.clone()).header(AUTHORIZATION, value);
        request.header(ACCEPT, "application/json")
    }
}
