//! How pushes are received.

use std::time::Duration;

use crate::config::{Reader, duration};

/// How every push is received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushSettings {
    /// How long rows wait for others to share their batch: `PUSH_LINGER`; may be zero.
    pub linger: Duration,
    /// How long a push waits for the destination before it is spooled: `PUSH_DEADLINE`.
    pub deadline: Duration,
}

impl PushSettings {
    /// Reads `PUSH_*`.
    pub fn read(reader: &mut Reader) -> Option<Self> {
        Some(Self {
            linger: reader.program("PUSH_LINGER", duration::zero_or_more)?,
            deadline: reader.program("PUSH_DEADLINE", duration::above_zero)?,
        })
    }
}
