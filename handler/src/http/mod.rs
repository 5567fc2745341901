//! Outbound HTTP: one client, capped replies, typed transport errors, retries with backoff, rate limits.
//!
//! Redirects are never followed and every wait is clipped to the caller's deadline.

mod client;
mod connect_failure;
mod excerpt;
mod retry;
mod throttle;

#[cfg(test)]
pub use client::Script;
pub use client::{BrokenReply, HttpClient, Reply, TransportError};
pub use connect_failure::ConnectFailure;
pub use excerpt::{error_code, excerpt};
pub use retry::{Backoff, NoMoreTries, Retryability, Tries, Trouble, pause, retry_after, retryability};
pub use throttle::Throttle;
