//! How the poll request is signed in: an access token, or the user name and password themselves.

use std::sync::Arc;

use async_trait::async_trait;
use reqwest::{RequestBuilder, Url};

use super::settings::EnterpriseSignIn;
use crate::config::Secret;
use crate::event::StreamName;
use crate::http::{HttpClient, Reply, error_code};
use crate::sources::SourceError;
use crate::sources::oauth::{
    AccessTokens, ClientAuthentication, ClientCredentials, GrantedToken, TokenEndpoint, TokenOutcome, TokenRequest,
    form_request, read_token,
};
use crate::time::{Clock, Deadline};

/// See the module.
pub enum PollSignIn {
    /// With a token for an API client.
    Token(Box<AccessTokens<AdminTokens>>),
    /// With a user name and a password.
    Password { username: String, password: Secret },
}

/// The token endpoint of the admin API.
pub struct AdminTokens {
    http: HttpClient,
    clock: Arc<dyn Clock>,
    client_id: String,
    client_secret: Secret,
    token_url: Url,
    setting_prefix: String,
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
            } => Self::Token(Box::new(AccessTokens::new(AdminTokens {
                http,
                clock,
                client_id,
                client_secret,
                token_url,
                setting_prefix: setting_prefix.to_owned(),
            }))),
        }
    }

    /// Adds what the vendor asks for to a request.
    pub async fn sign(
        &self,
        request: RequestBuilder,
        stream: &StreamName,
        deadline: Deadline,
    ) -> Result<RequestBuilder, SourceError> {
        match self {
            Self::Password { username, password } => Ok(request.basic_auth(username, Some(password.expose()))),
            Self::Token(tokens) => Ok(request.bearer_auth(tokens.get(stream, deadline).await?.expose())),
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
    pub fn remedy(&self, setting_prefix: &str) -> String {
        match self {
            Self::Token(_) => client_remedy(setting_prefix),
            Self::Password { .. } => format!(
                "check {setting_prefix}USERNAME and {setting_prefix}PASSWORD; the user needs the role Audit & Report Administrator"
            ),
        }
    }
}

#[async_trait]
impl TokenEndpoint for AdminTokens {
    const USUAL: ClientAuthentication = ClientAuthentication::FormBody;
    const OTHER: Option<ClientAuthentication> = None;

    async fn ask(
        &self,
        stream: &StreamName,
        authentication: ClientAuthentication,
        deadline: Deadline,
    ) -> Result<TokenOutcome, SourceError> {
        let client = ClientCredentials {
            id: &self.client_id,
            secret: &self.client_secret,
        };
        let request = TokenRequest {
            stream,
            http: &self.http,
            clock: &*self.clock,
            address_settings: None,
        };
        let form = || form_request(&self.http, self.token_url.clone(), &client, authentication);
        Ok(match request.send(form, read, deadline).await? {
            Ok(granted) => TokenOutcome::Granted(granted),
            Err(refusal) => TokenOutcome::Refused(refusal),
        })
    }

    fn refusal(&self, stream: &StreamName, reply: &Reply) -> SourceError {
        let (status, code) = (reply.status.as_u16(), error_code(&reply.body));
        SourceError::token_refused(stream, status, code, client_remedy(&self.setting_prefix))
    }
}

/// A token is used until it is refused: asking for another one must not stand between the intent and the reply.
fn read(reply: &Reply) -> Result<GrantedToken, String> {
    let granted = read_token(&reply.body).map_err(|_| "answered without an access token".to_owned())?;
    Ok(GrantedToken { lasts: None, ..granted })
}

fn client_remedy(prefix: &str) -> String {
    format!(
        "check {prefix}CLIENT_ID and {prefix}CLIENT_SECRET, and that the client may read the subscription in {prefix}POLL_URL"
    )
}
