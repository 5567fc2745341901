use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// The word that the process is to end. Whoever works in steps asks before each of them; whoever waits may wait for
/// the word as well. Clones share it.
#[derive(Clone, Debug)]
pub struct Stop(Arc<watch::Sender<Option<Instant>>>);

impl Default for Stop {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }
}

impl Stop {
    /// Says the word.
    pub fn ask(&self) {
        self.0.send_if_modified(|asked_at| {
            let is_first = asked_at.is_none();
            asked_at.get_or_insert_with(Instant::now);
            is_first
        });
    }

    /// True once it was said.
    pub fn is_asked(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// Waits until it is said.
    pub async fn asked(&self) {
        self.over(Duration::ZERO).await;
    }

    /// Waits until it was said so long ago: what is under way may come to its end in that time.
    pub async fn over(&self, grace: Duration) {
        // The sender lives as long as we do, so waiting cannot fail.
        let asked_at = match self.0.subscribe().wait_for(Option::is_some).await {
            Ok(asked_at) => *asked_at,
            Err(_) => None,
        };
        if let Some(asked_at) = asked_at {
            tokio::time::sleep_until(asked_at + grace).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_grace_counts_from_the_word_for_everybody() {
        let stop = Stop::default();
        assert!(!stop.is_asked());
        stop.clone().ask();
        tokio::time::advance(Duration::from_secs(2)).await;
        stop.ask();
        let start = Instant::now();
        stop.asked().await;
        stop.over(Duration::from_secs(3)).await;
        assert_eq!(start.elapsed(), Duration::from_secs(1));
        stop.over(Duration::from_secs(1)).await;
        assert_eq!(start.elapsed(), Duration::from_secs(1));
    }
}
