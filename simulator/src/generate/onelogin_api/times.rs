//! Times in objects.

use chrono::{DateTime, Utc};

/// The API's form of a time: UTC, three digits of fraction, `Z`.
pub(super) fn milliseconds(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
