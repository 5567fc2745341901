//! How pushes are received.

use std::time::Duration;

use crate::config::duration;
use crate::config::reader::Reader;

/// How every push is received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// How long rows wait for others to share their batch: `PUSH_LINGER`, default 100 ms; may be
    /// zero.
    pub linger: Duration,
    /// How long a push waits for the destination before it is set aside: `PUSH_DEADLINE`, default
    /// 5 seconds.
    pub deadline: Duration,
}

impl Push {
    /// Reads `PUSH_*`.
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            linger: reader.read_or("PUSH_LINGER", Duration::from_millis(100), duration::zero_or_more),
            deadline: reader.read_or("PUSH_DEADLINE", Duration::from_secs(5), duration::above_zero),
        }
    }
}
