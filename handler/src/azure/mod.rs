//! The one Azure identity, and the secrets it may read.

mod identity;
mod key_vault;

pub use identity::AzureIdentity;
pub use key_vault::{KeyVault, KeyVaultError, LONGEST_RESOLVING, Resolved};
