//! What a receiver is given, what it is asked, and what it answers.

use std::sync::Arc;

use futures_util::future::try_join_all;

use super::direct;
use super::group_commit::GroupCommit;
use super::ledger::PushLedger;
use super::poller_queues::PollerQueues;
use super::pushed_events::{PushedEvents, StoredPush};
use crate::config::Secret;
use crate::delivery::TableRoute;
use crate::sources::WebhookFormat;
use crate::tables::RowNotes;

/// One instance that receives pushes.
pub struct PushPlan {
    /// The vendor's form.
    pub form: Arc<WebhookFormat>,
    /// Each of them opens this instance.
    pub tokens: Vec<Secret>,
    /// How its events get to their tables.
    pub route: PushRoute,
    /// What became of them.
    pub ledger: Arc<PushLedger>,
}

impl PushPlan {
    /// Counts what is no event, in every table.
    pub fn count_dead_letters(&self, letters: usize) {
        if letters == 0 {
            return;
        }
        let letters = letters as u64;
        for route in self.route.tables() {
            self.ledger.count(&route.table.name(), |counts| {
                counts.received += letters;
                counts.dead_lettered += letters;
            });
        }
    }
}

/// How pushed events get to their tables.
pub enum PushRoute {
    /// At once, a queue for each table.
    Direct(Vec<GroupCommit>),
    /// Where the same events are polled too: into the spool, and from there through the poller's identities.
    ThroughPoller(PollerQueues),
}

impl PushRoute {
    /// The tables, at least one.
    pub fn tables(&self) -> Vec<&TableRoute> {
        match self {
            Self::Direct(queues) => queues.iter().map(|queue| &queue.context.route).collect(),
            Self::ThroughPoller(queues) => queues.routes.iter().collect(),
        }
    }

    /// Stores events in every table.
    ///
    /// # Errors
    /// Says why not all of them are stored: the sender must repeat the push.
    pub async fn store(&self, push: &PushedEvents<'_>) -> Result<StoredPush, String> {
        let mut stored = StoredPush::default();
        match self {
            Self::Direct(queues) => {
                let tables = queues.iter().map(|queue| direct::store(queue, push));
                for of_table in try_join_all(tables).await? {
                    stored.dead_lettered += of_table.dead_lettered;
                    stored.notes += of_table.notes;
                }
            }
            Self::ThroughPoller(queues) => queues.store(push).await?,
        }
        Ok(stored)
    }

    /// How many events of a table are not settled yet.
    pub fn in_flight(&self, table: &str) -> u64 {
        let Self::Direct(queues) = self else { return 0 };
        let of_table = queues.iter().find(|queue| &*queue.context.route.table.name() == table);
        of_table.map_or(0, GroupCommit::in_flight)
    }
}

/// What came.
pub struct PushRequest {
    /// The header `Authorization`.
    pub authorization: Option<Vec<u8>>,
    /// The header `Content-Encoding`.
    pub content_encoding: Option<String>,
    /// The raw body; `None` if it is over the limit even as it came.
    pub body: Option<Vec<u8>>,
}

/// What to say.
#[derive(Debug, PartialEq, Eq)]
pub enum PushAnswer {
    /// Everything is stored.
    Stored {
        /// Events that are stored in at least one table, those that were stored before included.
        stored: usize,
        /// Dead letters: what is no event, and events of which one of the tables can show nothing.
        dead_lettered: usize,
        /// What was not carried over as it came.
        notes: RowNotes,
    },
    /// The body holds no events; says where it breaks.
    Malformed(String),
    /// No token, or not a known one.
    Unauthorized(&'static str),
    /// Over a limit; says which.
    TooLarge(String),
    /// A content encoding that we do not know.
    UnknownEncoding,
    /// Not stored: the sender must send it again.
    Unavailable(String),
}
