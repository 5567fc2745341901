//! Where rows go: the Logs Ingestion API, or a local directory. It knows tables by name and rows as bytes; it has
//! never heard of a vendor.

mod batch;
mod directory;
mod error;
mod logs_ingestion;

use async_trait::async_trait;

pub use self::batch::{Batch, BatchBuilder};
pub use self::directory::DirectoryDestination;
pub use self::error::DeliveryError;
pub use self::logs_ingestion::LogsIngestion;
use crate::time::Deadline;

/// Takes whole batches.
#[async_trait]
pub trait Destination: Send + Sync {
    /// Returns when the rows are safe. On an error they may be there all the same, if the answer was lost.
    async fn deliver(&self, batch: &Batch, deadline: Deadline) -> Result<(), DeliveryError>;
}
