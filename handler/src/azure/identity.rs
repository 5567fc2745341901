use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::credentials::TokenCredential;
use azure_identity::{
    DeveloperToolsCredential, ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId,
};
use parking_lot::Mutex;

use super::token::{IdentityError, TokenSource};
use crate::config::{Environment, Secret};
use crate::time::Deadline;

/// Asking for a token takes no longer than this.
const TIMEOUT: Duration = Duration::from_secs(20);
const LONGEST_REASON: usize = 300;

/// The handler's identity: the managed identity where the platform offers one (`IDENTITY_ENDPOINT` and
/// `IDENTITY_HEADER`; `AZURE_CLIENT_ID` picks a user-assigned one), else the developer's own credentials.
pub struct AzureIdentity {
    kind: IdentityKind,
    /// Caches its tokens, a refused one included: after a refusal it is built anew.
    credential: Mutex<Option<Arc<dyn TokenCredential>>>,
}

#[derive(Debug)]
enum IdentityKind {
    Managed { client_id: Option<String> },
    Developer,
}

impl AzureIdentity {
    /// Picks the kind; nothing is asked for yet.
    pub fn from_environment(environment: &Environment) -> Self {
        let given = |name: &str| environment.get(name).filter(|value| !value.trim().is_empty());
        let kind = if given("IDENTITY_ENDPOINT").is_some() && given("IDENTITY_HEADER").is_some() {
            IdentityKind::Managed {
                client_id: given("AZURE_CLIENT_ID").map(str::to_owned),
            }
        } else {
            IdentityKind::Developer
        };
        Self {
            kind,
            credential: Mutex::new(None),
        }
    }

    /// The credential itself, for Microsoft's clients.
    pub(super) fn credential(&self) -> azure_core::Result<Arc<dyn TokenCredential>> {
        let mut present = self.credential.lock();
        if let Some(credential) = &*present {
            return Ok(credential.clone());
        }
        let credential: Arc<dyn TokenCredential> = match &self.kind {
            IdentityKind::Managed { client_id } => {
                ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
                    user_assigned_id: client_id.clone().map(UserAssignedId::ClientId),
                    ..Default::default()
                }))?
            }
            IdentityKind::Developer => DeveloperToolsCredential::new(None)?,
        };
        *present = Some(credential.clone());
        Ok(credential)
    }

    pub(super) fn error(&self, scope: &str, reason: &str) -> IdentityError {
        let (reason, remedy) = match self.kind {
            IdentityKind::Managed { .. } => (
                format!("the managed identity gave none: {}", first_line(reason)),
                "check that an identity is assigned to the function app, and AZURE_CLIENT_ID if it is a user-assigned one",
            ),
            IdentityKind::Developer => (
                format!(
                    "there is no managed identity here (IDENTITY_ENDPOINT), and neither az nor azd gave one{}",
                    refusal_of_entra(reason)
                ),
                "sign in with az login, or run where a managed identity is available",
            ),
        };
        IdentityError {
            scope: scope.to_owned(),
            reason,
            remedy,
        }
    }
}

fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.chars().take(LONGEST_REASON).collect()
}

/// What the tools print is of use only where they were signed in and Microsoft Entra ID refused, which it says with a
/// number that begins so.
fn refusal_of_entra(reason: &str) -> String {
    let refusal = reason.find("AADSTS").map(|at| first_line(&reason[at..]));
    refusal.map(|refusal| format!(" ({refusal})")).unwrap_or_default()
}

#[async_trait]
impl TokenSource for AzureIdentity {
    async fn token(&self, scope: &str, deadline: Deadline) -> Result<Secret, IdentityError> {
        let credential = self
            .credential()
            .map_err(|error| self.error(scope, &error.to_string()))?;
        let scopes = [scope];
        match tokio::time::timeout(deadline.clip(TIMEOUT), credential.get_token(&scopes, None)).await {
            Ok(Ok(token)) => Ok(Secret::new(token.token.secret())),
            Ok(Err(error)) => Err(self.error(scope, &error.to_string())),
            Err(_) => Err(self.error(scope, "no answer in time")),
        }
    }

    fn renew(&self) {
        *self.credential.lock() = None;
    }
}

impl fmt::Debug for AzureIdentity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AzureIdentity")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(environment: &Environment, reason: &str) -> String {
        let identity = AzureIdentity::from_environment(environment);
        identity.error("https://monitor.azure.com/.default", reason).to_string()
    }

    #[test]
    fn what_the_tools_print_is_left_out_but_for_a_refusal() {
        let nothing_there =
            "Multiple errors were encountered while attempting to authenticate:\nAzure CLI not found on path";
        assert_eq!(
            message(&Environment::default(), nothing_there),
            "no access token for https://monitor.azure.com/.default: there is no managed identity here \
             (IDENTITY_ENDPOINT), and neither az nor azd gave one: sign in with az login, or run where a managed identity \
             is available"
        );
        let refused = message(
            &Environment::default(),
            "Multiple errors:\nERROR: AADSTS50076: use MFA.\nTrace ID: 1",
        );
        assert!(
            refused.contains("gave one (AADSTS50076: use MFA.): sign in"),
            "{refused}"
        );
    }

    #[test]
    fn what_a_managed_identity_answers_is_quoted() {
        let environment = Environment::from([("IDENTITY_ENDPOINT", "http://127.0.0.1:1"), ("IDENTITY_HEADER", "h")]);
        let message = message(&environment, "400: no identity\nsecond line");
        assert!(
            message.contains("the managed identity gave none: 400: no identity: check that"),
            "{message}"
        );
    }
}
