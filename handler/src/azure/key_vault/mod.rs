//! The secrets behind Key Vault references, through Microsoft's client and with the handler's own identity.
//!
//! The app needs the role Key Vault Secrets User on the vault. Which hosts may be a vault is the affair of
//! [`Reference`]: the client's own check, that the audience asked for belongs to the host, comes on top.

mod error;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use azure_core::http::{ClientOptions, ExponentialRetryOptions, RetryOptions};
use azure_security_keyvault_secrets::models::SecretClientGetSecretOptions;
use azure_security_keyvault_secrets::{SecretClient, SecretClientOptions};
use futures_util::future::join_all;

pub use self::error::KeyVaultError;
use self::error::{LONGEST_RESOLVING, LookupFault};
use super::AzureIdentity;
use crate::config::{Reference, Secret};

/// The client's own tries end before that, so that its last answer can be told.
const TRIES_END_AFTER_SECONDS: i64 = 7;
const TRIES: u32 = 4;

/// What every reference gave.
pub type Resolved = HashMap<Reference, Result<Secret, KeyVaultError>>;

/// See the module.
#[derive(Debug)]
pub struct KeyVault {
    identity: Arc<AzureIdentity>,
}

impl KeyVault {
    /// Asks with this identity.
    pub fn new(identity: Arc<AzureIdentity>) -> Self {
        Self { identity }
    }

    /// Looks every reference up once, all at the same time, within [`LONGEST_RESOLVING`]. One that fails does not
    /// hold up the others.
    pub async fn resolve(&self, references: HashSet<Reference>) -> Resolved {
        let mut clients: HashMap<String, Result<Arc<SecretClient>, LookupFault>> = HashMap::new();
        let lookups = references.into_iter().map(|reference| {
            let vault = reference.vault().as_str();
            let client = || self.client(vault).map(Arc::new).map_err(|error| self.fault_of(&error));
            let client = clients.entry(vault.to_owned()).or_insert_with(client).clone();
            async move {
                let look_up = async { self.look_up(client?.as_ref(), &reference).await };
                let found = tokio::time::timeout(LONGEST_RESOLVING, look_up).await;
                let found = found.unwrap_or(Err(LookupFault::NoAnswer));
                let found = found.map_err(|fault| KeyVaultError::new(&reference, fault));
                (reference, found)
            }
        });
        let lookups: Vec<_> = lookups.collect();
        join_all(lookups).await.into_iter().collect()
    }

    /// A client of its own for every start and vault: it keeps no token that was refused.
    fn client(&self, vault: &str) -> azure_core::Result<SecretClient> {
        let retry = RetryOptions::exponential(ExponentialRetryOptions {
            max_retries: TRIES - 1,
            max_total_elapsed: azure_core::time::Duration::seconds(TRIES_END_AFTER_SECONDS),
            max_delay: azure_core::time::Duration::seconds(2),
            ..Default::default()
        });
        let options = SecretClientOptions {
            client_options: ClientOptions {
                retry,
                ..Default::default()
            },
            ..Default::default()
        };
        SecretClient::new(vault, self.identity.credential()?, Some(options))
    }

    async fn look_up(&self, client: &SecretClient, reference: &Reference) -> Result<Secret, LookupFault> {
        let options = SecretClientGetSecretOptions {
            secret_version: reference.version().map(str::to_owned),
            ..Default::default()
        };
        let answer = client.get_secret(reference.secret_name(), Some(options)).await;
        let answer = answer.map_err(|error| self.fault_of(&error))?;
        // What cannot be read may hold the secret: nothing of it is shown.
        let secret = answer.into_model().map_err(|_| LookupFault::Unreadable)?;
        let is_disabled = secret
            .attributes
            .is_some_and(|attributes| attributes.enabled == Some(false));
        if is_disabled {
            return Err(LookupFault::Disabled);
        }
        match secret.value {
            Some(value) if !value.trim_ascii().is_empty() => Ok(Secret::new(value)),
            _ => Err(LookupFault::Empty),
        }
    }

    fn fault_of(&self, error: &azure_core::Error) -> LookupFault {
        LookupFault::of(error, |reason| {
            self.identity.error("https://vault.azure.net", reason).to_string()
        })
    }
}
