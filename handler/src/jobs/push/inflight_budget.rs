//! Memory for the bodies of pushes that are in flight.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::body::{BODY_LIMIT, GZIP_MAGIC};

/// KiB of bodies, inflated, that may be in flight at once; further ones wait.
const BUDGET_KIB: u32 = 64 * 1024;

/// Memory that a body in flight takes; given back when the last row of it is settled.
pub type InflightPermit = Arc<OwnedSemaphorePermit>;

/// Memory for the bodies of all receivers of this process, in KiB.
#[derive(Clone, Debug)]
pub struct InflightBudget(Arc<Semaphore>);

impl Default for InflightBudget {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(BUDGET_KIB as usize)))
    }
}

impl InflightBudget {
    /// True if nothing is in flight.
    #[cfg(test)]
    pub fn is_free(&self) -> bool {
        self.0.available_permits() == BUDGET_KIB as usize
    }

    /// Waits until nothing is in flight any more.
    pub async fn emptied(&self) {
        // It is never closed, so waiting cannot fail.
        let _ = self.0.acquire_many(BUDGET_KIB).await;
    }

    /// Memory for a body; for one that may grow when it is inflated, the most that it can become.
    pub async fn acquire(&self, body: &[u8]) -> Option<OwnedSemaphorePermit> {
        let most = if body.starts_with(&GZIP_MAGIC) {
            BODY_LIMIT
        } else {
            body.len()
        };
        self.0.clone().acquire_many_owned(kib(most)).await.ok()
    }
}

/// What a text of so many bytes takes.
pub fn kib(bytes: usize) -> u32 {
    u32::try_from(bytes / 1024 + 1).unwrap_or(BUDGET_KIB).min(BUDGET_KIB)
}
