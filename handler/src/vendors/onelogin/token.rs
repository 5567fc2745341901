//! Access tokens of an API credential.
//!
//! OneLogin documents a header of its own for the credential, and its newer pages the common Basic header.

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{RequestBuilder, Url};

use super::failure::{code_of, token_remedy};
use super::settings::OneLoginApi;
use crate::http::Reply;
use crate::sources::api_client::ApiClient;
use crate::sources::endpoint::{AskOutcome, Endpoint, Unreadable, address};
use crate::sources::oauth::{ClientAuthentication, GrantedToken, TokenEndpoint, TokenOutcome, read_token};
use crate::sources::{SourceError, TOKEN_ENDPOINT};
use crate::time::Deadline;

const BODY: &str = r#"{"grant_type":"client_credentials"}"#;

/// The token endpoint of one account. It has the rate limit of the API.
pub struct CredentialTokens {
    /// The account.
    pub api: Arc<ApiClient>,
    /// The API credential.
    pub settings: OneLoginApi,
}

#[async_trait]
impl TokenEndpoint for CredentialTokens {
    fn authentications(&self) -> (ClientAuthentication, Option<ClientAuthentication>) {
        (
            ClientAuthentication::VendorHeader,
            Some(ClientAuthentication::BasicHeader),
        )
    }

    async fn ask(&self, authentication: ClientAuthentication, deadline: Deadline) -> Result<TokenOutcome, SourceError> {
        let endpoint = self.endpoint();
        let url = address(&self.api.origin, "/auth/oauth2/v2/token", &[]);
        let (url, credentials) = url
            .zip(self.credentials(authentication))
            .ok_or_else(|| endpoint.no_address())?;
        match endpoint
            .ask(|| self.request(&url, &credentials), read, deadline)
            .await?
        {
            AskOutcome::Read(granted) => Ok(TokenOutcome::Granted(granted)),
            AskOutcome::Refused(reply) => Ok(TokenOutcome::Refused(reply)),
            AskOutcome::TooLarge(error) | AskOutcome::Incomplete(_, error) => Err(error),
        }
    }

    fn may_accept_another(&self, refusal: &Reply) -> bool {
        matches!(refusal.status.as_u16(), 400 | 401)
    }

    fn refusal(&self, reply: &Reply) -> SourceError {
        let status = reply.status.as_u16();
        let remedy = token_remedy(status, &self.api.setting_prefix);
        self.endpoint().refused(status, code_of(&reply.body), remedy)
    }
}

impl CredentialTokens {
    fn endpoint(&self) -> Endpoint {
        Endpoint::new(self.api.clone(), TOKEN_ENDPOINT)
    }

    fn credentials(&self, authentication: ClientAuthentication) -> Option<HeaderValue> {
        let (id, secret) = (&self.settings.client_id, self.settings.client_secret.expose());
        let text = match authentication {
            ClientAuthentication::BasicHeader => format!("Basic {}", STANDARD.encode(format!("{id}:{secret}"))),
            _ => format!("client_id:{id}, client_secret:{secret}"),
        };
        let mut value = HeaderValue::try_from(text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    fn request(&self, url: &Url, credentials: &HeaderValue) -> RequestBuilder {
        let request = self.api.http.post(url.clone());
        request
            .header(AUTHORIZATION, credentials.clone())
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/json")
            .body(BODY)
    }
}

fn read(body: Vec<u8>) -> Result<GrantedToken, Unreadable<GrantedToken>> {
    let granted = read_token(&body).map_err(Unreadable::not_shown)?;
    let token = granted.token.expose();
    let is_sendable = token.bytes().all(|byte| byte.is_ascii_graphic());
    match !token.is_empty() && is_sendable {
        true => Ok(granted),
        false => Err(Unreadable::not_shown("its access_token is no token")),
    }
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
