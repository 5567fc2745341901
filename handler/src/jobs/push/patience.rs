//! How long senders wait.

use std::time::Duration;

/// Every answer comes within ten seconds, whatever PUSH_DEADLINE says.
pub const LONGEST_WAIT: Duration = Duration::from_millis(9300);
/// The spool must have its time within the longest wait.
pub const LONGEST_PATIENCE: Duration = Duration::from_millis(6500);
/// A spool that takes longer is as good as none for the sender who waits.
pub const SPOOL_TIME: Duration = Duration::from_millis(2500);
