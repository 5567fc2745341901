use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;

use super::dedupe::Dedupe;
use super::ledger::PushLedger;
use crate::delivery::TableRoute;
use crate::event::StreamName;
use crate::state::{DeadLetters, Spool};
use crate::time::{Clock, Shutdown};

/// Memory that a body on its way takes; given back when the last row of it is settled.
pub type Room = Arc<OwnedSemaphorePermit>;

/// What everything on its way into one table needs.
pub struct LaneContext {
    /// The stream that the events came by.
    pub stream: StreamName,
    /// The table and its destination.
    pub target: TableRoute,
    /// Where rows wait that the destination does not take in time.
    pub spool: Spool,
    /// Where rows go that it never takes.
    pub dead_letters: DeadLetters,
    /// What was stored before.
    pub memory: Arc<Dedupe>,
    /// What became of everything.
    pub ledger: Arc<PushLedger>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The word that the process is to end.
    pub stop: Shutdown,
    /// How long rows wait for others to share their call.
    pub linger: Duration,
    /// How long a sender waits before its rows go into the spool.
    pub patience: Duration,
}
