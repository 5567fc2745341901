//! The events of one push on their way to the tables of an instance.

use chrono::{DateTime, Utc};

use super::inflight_budget::InflightPermit;
use crate::event::Identity;
use crate::tables::RowNotes;
use crate::time::Deadline;

/// The events of one push.
pub struct PushedEvents<'a> {
    /// In the order of the body. Each is a row of at least one table.
    pub events: Vec<PushedEvent<'a>>,
    /// When they came.
    pub arrival: DateTime<Utc>,
    /// When the sender must be answered.
    pub deadline: Deadline,
    /// Memory that they take.
    pub permit: InflightPermit,
}

/// One event.
pub struct PushedEvent<'a> {
    /// By the vendor's key.
    pub identity: Identity,
    /// A JSON value.
    pub text: &'a str,
}

/// What became of the events of a push that is stored.
#[derive(Clone, Copy, Debug, Default)]
pub struct StoredPush {
    /// Dead letters that were written: events of which a table can show nothing.
    pub dead_lettered: usize,
    /// What was not carried over as it came.
    pub notes: RowNotes,
}
