use std::fmt;

use async_trait::async_trait;

use crate::config::Secret;
use crate::time::Deadline;

/// Where access tokens come from: the handler's identity, or a test's own.
#[async_trait]
pub trait TokenSource: Send + Sync + fmt::Debug {
    /// A token for `scope` (`https://monitor.azure.com/.default`).
    async fn token(&self, scope: &str, deadline: Deadline) -> Result<Secret, IdentityError>;
    /// Forgets what is cached, a refused token included.
    fn renew(&self);
}

/// No token could be had.
#[derive(Debug, thiserror::Error)]
#[error("no access token for {scope}: {reason}: {remedy}")]
pub struct IdentityError {
    pub(super) scope: String,
    pub(super) reason: String,
    pub(super) remedy: &'static str,
}
