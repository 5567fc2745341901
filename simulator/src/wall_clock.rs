//! The time of day, for the few places where the real services write it into an answer.

use chrono::{DateTime, Utc};

/// The time of the machine. Nothing here waits for it or compares with it.
#[allow(
    clippy::disallowed_methods,
    reason = "the program under test compares these stamps with its own clock, so they must be real"
)]
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}
