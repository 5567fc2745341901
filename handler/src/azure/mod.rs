//! The one Azure identity.

mod identity;

pub use identity::AzureIdentity;
