use std::time::Duration;

use tokio::time::Instant;

/// The instant by which a piece of work must have ended. Copied down the call chain, so that every timeout and
/// every pause can be clipped to what is left.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// A deadline that far from now.
    pub fn after(time: Duration) -> Self {
        Self(Instant::now() + time)
    }

    /// The same deadline, brought forward by `reserve`.
    pub fn less(self, reserve: Duration) -> Self {
        Self(self.0.checked_sub(reserve).unwrap_or(self.0))
    }

    /// What is left, zero when it has passed.
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// True once nothing is left.
    pub fn has_passed(self) -> bool {
        self.remaining().is_zero()
    }

    /// `timeout`, or what is left if that is less.
    pub fn clip(self, timeout: Duration) -> Duration {
        timeout.min(self.remaining())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn timeouts_are_clipped_to_what_is_left() {
        let deadline = Deadline::after(Duration::from_secs(10));
        tokio::time::advance(Duration::from_secs(7)).await;
        assert_eq!(deadline.clip(Duration::from_secs(60)), Duration::from_secs(3));
        assert_eq!(deadline.clip(Duration::from_secs(1)), Duration::from_secs(1));
        assert!(deadline.less(Duration::from_secs(3)).has_passed());
        tokio::time::advance(Duration::from_secs(7)).await;
        assert!(deadline.has_passed());
    }
}
