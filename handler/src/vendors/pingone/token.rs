//! Access tokens of a worker application.
//!
//! How the application signs in (Basic header or form body) is a setting of the application, and PingOne refuses the
//! other way. A token lasts an hour.

use std::sync::Arc;

use async_trait::async_trait;
use reqwest::Url;

use super::settings::PingOnePoll;
use crate::event::StreamName;
use crate::http::{HttpClient, Reply, error_code};
use crate::sources::oauth::{
    ClientAuthentication, ClientCredentials, GrantedToken, TokenEndpoint, TokenOutcome, TokenRequest, form_request,
    read_token,
};
use crate::sources::{SourceError, TOKEN_ENDPOINT};
use crate::time::{Clock, Deadline};

/// The token endpoint of one environment.
pub struct EnvironmentTokens {
    /// The client.
    pub http: HttpClient,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The worker application.
    pub settings: PingOnePoll,
}

#[async_trait]
impl TokenEndpoint for EnvironmentTokens {
    const USUAL: ClientAuthentication = ClientAuthentication::BasicHeader;
    const OTHER: Option<ClientAuthentication> = Some(ClientAuthentication::FormBody);

    async fn ask(
        &self,
        stream: &StreamName,
        authentication: ClientAuthentication,
        deadline: Deadline,
    ) -> Result<TokenOutcome, SourceError> {
        let settings = &self.settings;
        let url = format!("{}/{}/as/token", settings.auth.as_str(), settings.auth_environment_id);
        let url = Url::parse(&url).map_err(|_| self.no_address(stream))?;
        let client = ClientCredentials {
            id: &settings.client_id,
            secret: &settings.client_secret,
        };
        let address_settings = format!("{0}REGION (or {0}AUTH_URL)", settings.setting_prefix);
        let request = TokenRequest {
            stream,
            http: &self.http,
            clock: &*self.clock,
            address_settings: Some(&address_settings),
        };
        let form = || form_request(&self.http, url.clone(), &client, authentication);
        match request.send(form, |reply| Ok(read(stream, reply)), deadline).await? {
            Ok(granted) => granted.map(TokenOutcome::Granted),
            Err(refusal) => Ok(TokenOutcome::Refused(refusal)),
        }
    }

    fn refusal(&self, stream: &StreamName, reply: &Reply) -> SourceError {
        let status = reply.status.as_u16();
        SourceError::token_refused(
            stream,
            status,
            error_code(&reply.body),
            remedy(status, &self.settings.setting_prefix),
        )
    }
}

impl EnvironmentTokens {
    fn no_address(&self, stream: &StreamName) -> SourceError {
        let prefix = &self.settings.setting_prefix;
        let remedy = format!("check {prefix}AUTH_URL and {prefix}AUTH_ENVIRONMENT_ID: they make no address");
        SourceError::token_refused(stream, 0, None, remedy)
    }
}

fn read(stream: &StreamName, reply: &Reply) -> Result<GrantedToken, SourceError> {
    read_token(&reply.body).map_err(|reason| SourceError::BadPage {
        stream: stream.clone(),
        asked: TOKEN_ENDPOINT,
        status: reply.status.as_u16(),
        reason,
        excerpt: "[not shown]".to_owned(),
    })
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
