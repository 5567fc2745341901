//! The one Azure identity.

mod identity;
mod token;

pub use identity::{AzureIdentity, IdentityError};
pub use token::TokenSource;
