//! The webhook sender of OneLogin ("Event Broadcaster").
//!
//! Contract as far as it is published: a POST whenever 10 events are waiting or 10 seconds have passed,
//! whichever comes first; the body is a JSON array, NDJSON or one object; authentication is a free header.
//! Retries are documented nowhere, so their number is the test's choice.

mod batcher;
mod sender;

pub use crate::webhook_client::Answer;
pub use batcher::{Batch, Batcher, LARGEST_BATCH, LONGEST_WAIT};
pub use sender::{Delivery, Format, Sender, SenderOptions};
