//! The one Azure identity, and the secrets it may read.

mod identity;
mod key_vault;
mod token;

pub use identity::AzureIdentity;
#[cfg(test)]
pub use key_vault::KeyVaultError;
pub use key_vault::{KeyVault, Resolved};
#[cfg(test)]
pub use token::IdentityError;
pub use token::TokenSource;
