//! The one Azure identity, and the secrets it may read.

mod identity;
mod key_vault;

pub use identity::AzureIdentity;
#[cfg(test)]
pub use key_vault::KeyVaultError;
pub use key_vault::{KeyVault, Resolved};
