use std::sync::Arc;

use tokio::sync::watch;

/// The word that the process is to end. Whoever works in steps asks before each of them; whoever waits may wait for
/// the word as well. Clones share it.
#[derive(Clone, Debug)]
pub struct Stop(Arc<watch::Sender<bool>>);

impl Default for Stop {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Stop {
    /// Says the word.
    pub fn ask(&self) {
        self.0.send_replace(true);
    }

    /// True once it was said.
    pub fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is said.
    pub async fn asked(&self) {
        // The sender lives as long as we do, so waiting cannot fail.
        let _ = self.0.subscribe().wait_for(|is_asked| *is_asked).await;
    }
}
