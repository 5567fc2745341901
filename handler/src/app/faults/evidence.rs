//! What the oracle judges by.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use object_store::memory::InMemory;

use super::fault_kinds::FaultKinds;
use super::world::World;
use crate::report::RunReport;

/// What a scenario leaves behind once everything has settled.
pub struct Evidence<'a> {
    pub seed: u64,
    pub kinds: FaultKinds,
    pub world: &'a World,
    /// The state.
    pub container: &'a InMemory,
    /// When the last push of an event was first acknowledged, by mark.
    pub acknowledged: &'a BTreeMap<String, DateTime<Utc>>,
    /// Marks of pushes that were not acknowledged when their process was killed.
    pub unanswered_at_kills: &'a BTreeSet<String>,
    pub last_run: LastRun,
}

/// The last run of all, without faults.
pub struct LastRun {
    /// Its invocation.
    pub id: String,
    pub report: RunReport,
}
