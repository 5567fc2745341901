//! OneLogin objects as its API gives them (vendor: Get Events, Get Users; shapes as seen in real pages), and the
//! webhook form of the same event.
//!
//! The API and the webhook have no common key: ids are integers here and uuids there, times have milliseconds
//! here and seconds there.

mod events;
mod users;

use chrono::{DateTime, Utc};

pub use events::{Event, Events, webhook_twin};
pub use users::{User, Users};

/// The API's form of a time: UTC, three digits of fraction, `Z`.
fn milliseconds(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

#[cfg(test)]
mod tests;
