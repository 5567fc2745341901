use std::fmt;

use chrono::{DateTime, Utc};

/// Where "now" comes from. Waiting goes through `tokio::time`, which tests can pause.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The present instant.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// A clock that starts where it is told to and moves with tokio's (paused) time.
#[cfg(test)]
#[derive(Clone, Copy, Debug)]
pub struct VirtualClock {
    start: DateTime<Utc>,
    started: tokio::time::Instant,
}

#[cfg(test)]
impl VirtualClock {
    /// Starts at `start`, an RFC 3339 time.
    pub fn at(start: &str) -> Self {
        Self {
            start: start.parse().unwrap(),
            started: tokio::time::Instant::now(),
        }
    }
}

#[cfg(test)]
impl Clock for VirtualClock {
    fn now(&self) -> DateTime<Utc> {
        self.start + self.started.elapsed()
    }
}
