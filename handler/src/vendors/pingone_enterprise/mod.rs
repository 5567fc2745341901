//! PingOne for Enterprise: the events of a poll subscription.
//!
//! Facts about the vendor: reading consumes (the server keeps the position and there is no way back); the batch size
//! is a setting of the subscription; `[]` means nothing is waiting; an expired token is refused with 403; 504 is
//! frequent and means "try again"; unread events are kept for 7 days; the day and the month of a time may be swapped.
//! Sources: "Poll subscriptions" in the PingOne for Enterprise documentation, and parsers of other products.

mod build;
mod event;
mod poll_url;
mod reply;
mod settings;
mod sign_in;
mod subscription;
mod torn;

pub use build::VENDOR;
#[cfg(test)]
pub use settings::{EnterpriseSignIn, PingOneEnterprise};
