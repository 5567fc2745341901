use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// The shutdown signal of the process. Code that works in steps checks it before each step; code that waits can wait
/// for it too. Clones share it.
#[derive(Clone, Debug)]
pub struct Shutdown(Arc<watch::Sender<Option<Instant>>>);

impl Default for Shutdown {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }
}

impl Shutdown {
    /// Requests the shutdown. Only the first call counts.
    pub fn trigger(&self) {
        self.0.send_if_modified(|requested_at| {
            let is_first = requested_at.is_none();
            requested_at.get_or_insert_with(Instant::now);
            is_first
        });
    }

    /// True once the shutdown was requested.
    pub fn is_requested(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// Waits until the shutdown is requested.
    pub async fn requested(&self) {
        self.grace_elapsed(Duration::ZERO).await;
    }

    /// Waits until `grace` has passed since the request, so that work in progress can finish.
    pub async fn grace_elapsed(&self, grace: Duration) {
        // The sender lives as long as we do, so waiting cannot fail.
        let requested_at = match self.0.subscribe().wait_for(Option::is_some).await {
            Ok(requested_at) => *requested_at,
            Err(_) => None,
        };
        if let Some(requested_at) = requested_at {
            tokio::time::sleep_until(requested_at + grace).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_grace_counts_from_the_word_for_everybody() {
        let stop = Shutdown::default();
        assert!(!stop.is_requested());
        stop.clone().trigger();
        tokio::time::advance(Duration::from_secs(2)).await;
        stop.trigger();
        let start = Instant::now();
        stop.requested().await;
        stop.grace_elapsed(Duration::from_secs(3)).await;
        assert_eq!(start.elapsed(), Duration::from_secs(1));
        stop.grace_elapsed(Duration::from_secs(1)).await;
        assert_eq!(start.elapsed(), Duration::from_secs(1));
    }
}
