//! What the status of a stream is made from.

use chrono::{DateTime, Utc};

use super::model::QueueStatus;
use crate::jobs::{JobContext, Plans};
use crate::state::StreamHealths;

#[derive(Clone, Copy)]
pub struct StatusInputs<'a> {
    pub plans: &'a Plans,
    /// The store and the rules of polling.
    pub context: &'a JobContext,
    /// How the last runs went.
    pub healths: &'a StreamHealths,
    /// The time of the status.
    pub now: DateTime<Utc>,
    /// What waits in the spool.
    pub spool: &'a [QueueStatus],
}
