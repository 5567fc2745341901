//! What is read, and where it goes.

use std::sync::Arc;

use crate::destination::Destination;
use crate::sources::PullStream;
use crate::tables::Table;

/// A stream and the tables it goes to.
#[derive(Clone)]
pub struct PullPlan {
    /// The stream.
    pub stream: Arc<dyn PullStream>,
    /// At least one.
    pub targets: Vec<Target>,
}

/// A table and where its rows go.
#[derive(Clone)]
pub struct Target {
    /// The table.
    pub table: Arc<Table>,
    /// Its destination.
    pub destination: Arc<dyn Destination>,
}
