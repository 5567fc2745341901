//! Where rows go: the Logs Ingestion API, or a local directory. It knows tables by name and rows as bytes, and no
//! vendor.

mod batch;
mod delivery;
mod directory;
mod error;
mod logs_ingestion;
mod settings;
mod spread;

use std::sync::Arc;

use async_trait::async_trait;

pub use self::batch::{Batch, BatchBuilder, CallLimits};
pub use self::delivery::{Delivery, RefusedRow, StreamFit};
pub use self::directory::DirectoryDestination;
pub use self::error::{CallFailure, DeliveryError, ProbeError, Refusal};
pub use self::logs_ingestion::{LogsIngestion, RuleClient};
pub use self::settings::{DestinationChoice, DestinationReader, IngestionRule, SourceDestinations, read_directory};
use crate::time::Deadline;
pub use spread::spread;

/// The Logs Ingestion API's limit is 1 MB for the compressed and the uncompressed body alike; it counts 1,048,576 bytes,
/// its documentation says 1 MB. Source: Azure Monitor service limits.
pub const BODY_LIMIT: usize = 1_000_000;

/// Takes whole batches.
#[async_trait]
pub trait Destination: Send + Sync {
    /// The largest body of a call, uncompressed, brackets and commas counted.
    fn body_limit(&self) -> usize {
        BODY_LIMIT
    }
    /// Returns when the outcome of every row is known, or the deadline has passed. Rows that are neither accepted nor
    /// refused may be there all the same, if an answer was lost.
    async fn deliver(&self, batch: &Batch, fit: StreamFit, deadline: Deadline) -> Delivery;
    /// Tries, without a row, whether rows of a table could be taken: what that proves and what it does not, or what is
    /// wrong and what to do. For `check` alone.
    async fn probe(&self, table: &Arc<str>, deadline: Deadline) -> Result<String, ProbeError>;
}
