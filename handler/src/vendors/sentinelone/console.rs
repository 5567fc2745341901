//! One console with one token: what all its streams share.

use std::sync::Arc;

use parking_lot::Mutex;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{RequestBuilder, Url};

use super::settings::SentinelOne;
use crate::config::Secret;
use crate::http::{HttpClient, Reply, Throttle};
use crate::sources::SourceError;
use crate::sources::api_client::ApiClient;
use crate::sources::endpoint::{Endpoint, Unreadable};
use crate::sources::page::NoPage;
use crate::time::Clock;
use crate::vendors::sentinelone::failure;

/// See the module.
pub struct Console {
    /// Its API. No rate of our own, only the pauses that a 429 asks for.
    pub api: Arc<ApiClient>,
    token: Secret,
}

impl Console {
    /// Of one instance.
    pub fn new(settings: &SentinelOne, http: HttpClient, clock: Arc<dyn Clock>) -> Self {
        Self {
            api: Arc::new(ApiClient {
                account: format!("console {}", settings.console.host()),
                origin: settings.console.clone(),
                setting_prefix: settings.setting_prefix.clone(),
                address_setting: format!("{}URL", settings.setting_prefix),
                http,
                clock,
                rate_setting: None,
                throttle: Throttle::unlimited(),
                last_throttling: Mutex::default(),
                vendor_clock: Arc::default(),
                is_rate_limit: |_| false,
            }),
            token: settings.api_token.clone(),
        }
    }

    /// An endpoint of its API.
    pub fn endpoint(&self, asked: &'static str) -> Endpoint {
        Endpoint::new(self.api.clone(), asked)
    }

    /// A GET with the token.
    pub fn get(&self, url: Url) -> RequestBuilder {
        self.signed(self.api.http.get(url))
    }

    /// A POST of JSON with the token.
    pub fn post(&self, url: Url, json: String) -> RequestBuilder {
        let request = self.api.http.post(url).header(CONTENT_TYPE, "application/json");
        self.signed(request).body(json)
    }

    fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        let value = HeaderValue::try_from(format!("ApiToken {}", self.token.expose()));
        // Settings take only tokens that fit a header; without one the console says 401, and that has a remedy.
        let mut value = value.unwrap_or_else(|_| HeaderValue::from_static("ApiToken"));
        value.set_sensitive(true);
        request.header(AUTHORIZATION, value).header(ACCEPT, "application/json")
    }

    /// The question when the token ends: it goes in the body.
    pub fn ask_about_token(&self, url: Url) -> RequestBuilder {
        let body = serde_json::json!({"data": {"apiToken": self.token.expose()}});
        self.post(url, body.to_string())
    }

    /// The setting that holds the token.
    pub fn token_setting(&self) -> String {
        format!("{}API_TOKEN", self.api.setting_prefix)
    }

    /// Why `endpoint` refused.
    pub fn refusal(&self, endpoint: &Endpoint, reply: &Reply) -> SourceError {
        let status = reply.status.as_u16();
        let remedy = failure::remedy(status, &self.api.setting_prefix);
        endpoint.refused(status, failure::code_of(reply), remedy)
    }

    /// The console's GraphQL does not know a field without which nothing can be read.
    pub fn schema_lacks(&self, endpoint: &Endpoint, holds: &str, field: &str) -> SourceError {
        let prefix = &self.api.setting_prefix;
        let remedy = format!(
            "this console does not know {field} of {holds}, and without it they cannot be read; update the console, or \
             leave the stream out of {prefix}STREAMS"
        );
        endpoint.refused(200, Some("unknown field".to_owned()), remedy)
    }

    /// A body that is no page, for an error: without the token, and not at all if it may show a group's secret or
    /// the parameters of an error.
    pub fn unreadable<T>(&self, no_page: NoPage) -> Unreadable<T> {
        let mut unreadable = Unreadable::of(no_page, &[&self.token]);
        let tells_too_much = ["egistrationToken", "\\u00", "\"errors\""];
        if tells_too_much.iter().any(|word| unreadable.excerpt.contains(word)) {
            unreadable.excerpt = "[not shown]".to_owned();
        }
        unreadable
    }
}
