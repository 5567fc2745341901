//! What a receiver is given, what it is asked, and what it answers.

use std::sync::Arc;

use super::group_commit::Lane;
use super::ledger::PushLedger;
use crate::config::Secret;
use crate::delivery::TableRoute;
use crate::sources::WebhookFormat;
use crate::state::Spool;
use crate::tables::RowNotes;

/// One instance that receives pushes.
pub struct PushPlan {
    /// The vendor's form.
    pub form: Arc<dyn WebhookFormat>,
    /// Each of them opens this instance.
    pub tokens: Vec<Secret>,
    /// How its events get to their tables.
    pub road: PushRoute,
    /// What became of them.
    pub ledger: Arc<PushLedger>,
}

/// How pushed events get to their tables.
pub enum PushRoute {
    /// At once, a lane for each table.
    Direct(Vec<Lane>),
    /// Where the same events are polled too: into the spool, and from there through the poller's identities.
    ThroughPoller {
        /// Where they wait.
        spool: Spool,
        /// The tables, at least one.
        targets: Vec<TableRoute>,
    },
}

impl PushRoute {
    /// The tables, at least one.
    pub fn targets(&self) -> Vec<&TableRoute> {
        match self {
            Self::Direct(lanes) => lanes.iter().map(|lane| &lane.context().target).collect(),
            Self::ThroughPoller { targets, .. } => targets.iter().collect(),
        }
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
        /// Events in the body.
        events: usize,
        /// Of these, set aside as dead letters.
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
