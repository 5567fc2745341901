//! What the work on one stream needs in one run.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::send::GRACE_FOR_A_PAGE;
use crate::event::StreamName;
use crate::sources::{Page, Pages, SourceError};
use crate::state::{DeadLetters, Lease, Store};
use crate::time::{Clock, Deadline, Shutdown};

/// See the module.
pub struct StreamContext<'a> {
    /// The stream.
    pub stream: &'a StreamName,
    /// The state, written only as long as the lease holds.
    pub store: Arc<dyn Store>,
    /// Dead letters in that state.
    pub dead_letters: DeadLetters,
    /// The lease on the account, or on the queue.
    pub lease: &'a Lease,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// When the run began.
    pub now: DateTime<Utc>,
    /// The end of the run.
    pub deadline: Deadline,
    /// Triggered when the process is to end.
    pub shutdown: &'a Shutdown,
}

impl StreamContext<'_> {
    /// The next page; when the process is told to end, only if it comes soon.
    pub async fn next_page(&self, pages: &mut dyn Pages, deadline: Deadline) -> Result<Option<Page>, SourceError> {
        tokio::select! {
            biased;
            () = self.shutdown.grace_elapsed(GRACE_FOR_A_PAGE) => Err(SourceError::Stopped),
            page = pages.next(deadline) => page,
        }
    }
}
