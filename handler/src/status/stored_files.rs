//! Whether what is stored of a stream can be read, for `check`.

use chrono::{DateTime, Utc};

use super::polled::CLOCKS_AGREE;
use crate::event::StreamName;
use crate::jobs::{JobContext, Plans};
use crate::state::{Checkpoints, StoreError, StreamHealths};

/// What is stored of a stream.
pub struct StoredFiles {
    /// So many files can be read.
    pub files: usize,
    /// Tables whose positions lie in the future, with these.
    pub in_the_future: Vec<(String, DateTime<Utc>)>,
}

/// Reads every file that a run of the stream would read first.
pub async fn read_stored_files(
    plans: &Plans,
    context: &JobContext,
    healths: &StreamHealths,
    name: &StreamName,
) -> Result<StoredFiles, StoreError> {
    let mut stored = StoredFiles {
        files: usize::from(healths.read(&name.to_string()).await?.is_some()),
        in_the_future: Vec::new(),
    };
    if let Some(plan) = plans.stream(name)
        && let Some(checkpoint) = Checkpoints::look(&*context.store, name, plan.account()).await?
    {
        stored.files += 1;
        let present = context.clock.now() + CLOCKS_AGREE;
        let tables = checkpoint.tables.into_iter();
        let ahead = tables.filter(|(_, position)| position.watermark > present);
        stored.in_the_future = ahead.map(|(table, position)| (table, position.watermark)).collect();
    }
    Ok(stored)
}
