//! How much the spool holds, all queues of the store together.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::key::Key;
use super::store::{Store, StoreError};

/// The spool is counted anew after this long: others add to it and take from it.
const COUNT_EVERY: Duration = Duration::from_secs(20);
/// And before somebody is refused, but not more often than this.
const COUNT_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Why an entry was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Over the limit.
    #[error(
        "the spool holds {used} bytes and takes no more than {limit} (SPOOL_MAX_BYTES); it empties as the destination takes rows"
    )]
    Full {
        /// Bytes that wait.
        used: u64,
        /// The setting.
        limit: u64,
    },
}

/// The limit of the spool, and what is known of its size. Shared by everybody in this process who adds to it.
#[derive(Clone, Debug)]
pub struct SpoolQuota {
    store: Arc<dyn Store>,
    limit: u64,
    counted: Arc<Mutex<Option<SpoolSize>>>,
    counting: Arc<AtomicBool>,
}

#[derive(Clone, Copy, Debug)]
struct SpoolSize {
    bytes: u64,
    at: Instant,
}

impl SpoolQuota {
    /// With the most bytes that may wait.
    pub fn new(store: Arc<dyn Store>, limit: u64) -> Self {
        Self {
            store,
            limit,
            counted: Arc::default(),
            counting: Arc::default(),
        }
    }

    /// The store that the spool lies in.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Fails unless `bytes` more find room, and counts them in.
    pub async fn require(&self, bytes: u64) -> Result<(), SpoolError> {
        let mut known = self.counted.lock().await;
        let mut counted = match *known {
            Some(counted) => counted,
            None => self.count().await?,
        };
        if counted.at.elapsed() >= COUNT_EVERY {
            self.count_aside();
        }
        let is_full = |counted: SpoolSize| counted.bytes.saturating_add(bytes) > self.limit;
        if is_full(counted) && counted.at.elapsed() >= COUNT_AGAIN_AFTER {
            counted = self.count().await?;
        }
        if is_full(counted) {
            *known = Some(counted);
            return Err(SpoolError::Full {
                used: counted.bytes,
                limit: self.limit,
            });
        }
        counted.bytes += bytes;
        *known = Some(counted);
        Ok(())
    }

    /// An entry of so many bytes is gone.
    pub async fn release(&self, bytes: u64) {
        if let Some(counted) = &mut *self.counted.lock().await {
            counted.bytes = counted.bytes.saturating_sub(bytes);
        }
    }

    /// Counting a long queue takes longer than a sender waits; what was counted last serves in the meantime.
    fn count_aside(&self) {
        if self.counting.swap(true, Ordering::AcqRel) {
            return;
        }
        let quota = self.clone();
        tokio::spawn(async move {
            // A store that does not answer is said by those who must write into it.
            if let Ok(counted) = quota.count().await {
                *quota.counted.lock().await = Some(counted);
            }
            quota.counting.store(false, Ordering::Release);
        });
    }

    async fn count(&self) -> Result<SpoolSize, StoreError> {
        let waiting = self.store.list(&Key::new(["spool"])).await?;
        Ok(SpoolSize {
            bytes: waiting.iter().map(|listed| listed.bytes).sum(),
            at: Instant::now(),
        })
    }
}
