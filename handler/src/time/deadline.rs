use std::time::Duration;

use tokio::time::Instant;

/// The instant by which a piece of work must have ended. Copied down the call chain, so that every timeout and
/// every pause can be clipped to what is left.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    end: Instant,
    /// From the beginning to the end.
    whole: Duration,
}

impl Deadline {
    /// A deadline that far from now.
    pub fn after(time: Duration) -> Self {
        Self {
            end: Instant::now() + time,
            whole: time,
        }
    }

    /// The time that the work had at its beginning.
    pub fn whole(self) -> Duration {
        self.whole
    }

    /// True once less is left than `reserve`, or than a quarter of the whole if that is less: too late to begin what
    /// takes its time, early enough to end what was begun.
    pub fn is_within_reserve(self, reserve: Duration) -> bool {
        self.has_passed() || self.remaining() < reserve.min(self.whole / 4)
    }

    /// The same deadline, brought forward by `reserve`.
    pub fn less(self, reserve: Duration) -> Self {
        Self {
            end: self.end.checked_sub(reserve).unwrap_or(self.end),
            ..self
        }
    }

    /// What is left, zero when it has passed.
    pub fn remaining(self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
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

    #[tokio::test(start_paused = true)]
    async fn the_reserve_is_at_most_a_quarter_of_the_whole() {
        for (whole, reserve, begins) in [(240, 20, 220), (8, 20, 6)] {
            let deadline = Deadline::after(Duration::from_secs(whole));
            let reserve = Duration::from_secs(reserve);
            tokio::time::advance(Duration::from_secs(begins)).await;
            assert!(!deadline.is_within_reserve(reserve));
            tokio::time::advance(Duration::from_millis(1)).await;
            assert!(deadline.is_within_reserve(reserve));
            assert_eq!(deadline.whole(), Duration::from_secs(whole));
        }
    }
}
