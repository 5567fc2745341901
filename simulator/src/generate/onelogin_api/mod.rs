//! OneLogin objects as its API gives them (vendor: Get Events, Get Users; shapes as seen in real pages), and the
//! webhook form of the same event.
//!
//! The API and the webhook have no common key: ids are integers here and uuids there, times have milliseconds
//! here and seconds there.

mod events;
mod users;

pub use events::{ApiEvent, ApiEvents, webhook_twin};
pub use users::{User, Users};

#[cfg(test)]
mod tests;
