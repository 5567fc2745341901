//! What the holders of a lease note in its text. It is written with the lease anyway, so it costs no write.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::ended_run::EndedRuns;

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct LeaseNotes {
    /// How the last good runs ended.
    pub runs: EndedRuns,
    /// When each stream was last read.
    pub last_read: LastRead,
}

/// When a stream was last read, well or not, by the name of the stream.
pub type LastRead = BTreeMap<String, DateTime<Utc>>;
