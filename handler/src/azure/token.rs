use async_trait::async_trait;

use super::IdentityError;
use crate::config::Secret;
use crate::time::Deadline;

/// Where access tokens come from: the handler's identity, or a test's own.
#[async_trait]
pub trait TokenSource: Send + Sync {
    /// A token for `scope` (`https://monitor.azure.com/.default`).
    async fn token(&self, scope: &str, deadline: Deadline) -> Result<Secret, IdentityError>;
    /// Forgets what is cached, a refused token included.
    fn renew(&self);
}
