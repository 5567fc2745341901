//! Spans of vendor time.

use chrono::{DateTime, TimeDelta, Utc};

/// A span of vendor time, half open: `from` belongs to it, `to` does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Inclusive.
    pub from: DateTime<Utc>,
    /// Exclusive.
    pub to: DateTime<Utc>,
}

/// Windows are not cut into shorter ones.
pub const SHORTEST_WINDOW: TimeDelta = TimeDelta::seconds(1);

impl Window {
    /// True if the window cannot be halved any more.
    pub fn is_shortest(self) -> bool {
        self.to - self.from < SHORTEST_WINDOW * 2
    }
}
