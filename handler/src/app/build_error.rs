//! Why there is nothing to run although the settings are right.

use crate::destination::DeliveryError;
use crate::state::StoreError;
use crate::tables::TableError;

/// What cannot be set up with settings that are right by themselves.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The state directory.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The local destination.
    #[error(transparent)]
    Destination(#[from] DeliveryError),
    /// A table that a stream is to be delivered to.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The HTTPS client.
    #[error("{0}")]
    Http(String),
    /// The client of the blob container.
    #[error("STATE_URL: the container {container} cannot be used: {reason}")]
    Blob {
        /// Its address.
        container: String,
        /// The client's word.
        reason: String,
    },
}
