//! How the poll request is signed in: an access token, or the user name and password themselves.

use std::sync::Arc;

use reqwest::RequestBuilder;

use super::settings::EnterpriseSignIn;
use crate::config::Secret;
use crate::http::HttpClient;
use crate::sources::form_tokens::{FormTokenEndpoint, TokenReading};
use crate::sources::oauth::{AccessTokens, ClientAuthentication};
use crate::sources::{Remedy, SourceError};
use crate::time::{Clock, Deadline};

/// See the module.
pub enum PollSignIn {
    /// With a token for an API client.
    Token(Box<AccessTokens<FormTokenEndpoint>>),
    /// With a user name and a password.
    Password { username: String, password: Secret },
}

impl PollSignIn {
    /// As the settings that begin with `setting_prefix` say.
    pub fn new(settings: &EnterpriseSignIn, setting_prefix: &str, http: HttpClient, clock: Arc<dyn Clock>) -> Self {
        match settings.clone() {
            EnterpriseSignIn::Basic { username, password } => Self::Password { username, password },
            EnterpriseSignIn::Client {
                client_id,
                client_secret,
                token_url,
            } => Self::Token(Box::new(AccessTokens::new(FormTokenEndpoint {
                http,
                clock,
                url: Some(token_url),
                client_id,
                client_secret,
                authentications: (ClientAuthentication::FormBody, None),
                setting_prefix: setting_prefix.to_owned(),
                address_settings: format!("{setting_prefix}TOKEN_URL"),
                remedy: |status, prefix| match status {
                    300..=399 => format!("redirects are not followed; check {prefix}TOKEN_URL").into(),
                    _ => client_remedy(prefix),
                },
                // Asking for another one must not stand between the intent and the reply.
                reading: TokenReading::UntilRefused,
            }))),
        }
    }

    /// Adds what the vendor asks for to a request.
    pub async fn sign(&self, request: RequestBuilder, deadline: Deadline) -> Result<RequestBuilder, SourceError> {
        match self {
            Self::Password { username, password } => Ok(request.basic_auth(username, Some(password.expose()))),
            Self::Token(tokens) => Ok(request.bearer_auth(tokens.get(deadline).await?.expose())),
        }
    }

    /// False where user name and password are shown themselves.
    pub fn has_token(&self) -> bool {
        matches!(self, Self::Token(_))
    }

    /// Forgets the token. False if there is nothing that could be renewed.
    pub async fn forget(&self) -> bool {
        match self {
            Self::Token(tokens) => tokens.clear().await,
            Self::Password { .. } => false,
        }
    }

    /// What to check when the vendor refuses.
    pub fn remedy(&self, setting_prefix: &str) -> Remedy {
        match self {
            Self::Token(_) => client_remedy(setting_prefix),
            Self::Password { .. } => Remedy::renew(format!("{setting_prefix}PASSWORD"), |setting| {
                format!(
                    "check {setting_prefix}USERNAME and {setting}; the user needs the role Audit & Report Administrator"
                )
            }),
        }
    }
}

fn client_remedy(prefix: &str) -> Remedy {
    Remedy::renew(format!("{prefix}CLIENT_SECRET"), |setting| {
        format!(
            "check {prefix}CLIENT_ID and {setting}, and that the client may read the subscription in {prefix}POLL_URL"
        )
    })
}
