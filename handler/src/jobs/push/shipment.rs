//! A batch of pushed rows, complete, and what its senders learn of it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::sync::watch;

use super::dedupe::Parcel;
use super::lane_context::Room;
use crate::destination::Batch;
use crate::time::Deadline;

/// What senders learn of their rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Not known yet.
    Open,
    /// They are stored.
    Stored,
    /// They are not: the senders must repeat them. Says why.
    Failed(String),
}

/// A batch that is complete.
pub struct Shipment {
    /// The rows.
    pub batch: Arc<Batch>,
    /// The events that they were, in the same order.
    pub parcels: Vec<Parcel>,
    /// Memory that they take, until the end of the way.
    pub _rooms: Vec<Room>,
    /// When its first row came.
    pub at: DateTime<Utc>,
    /// When the first sender's patience ends.
    pub deadline: Deadline,
    /// Where its senders wait.
    pub verdict: watch::Sender<Verdict>,
}
