//! What is read, and where it goes.

use std::sync::Arc;

use crate::destination::Destination;
use crate::event::StreamName;
use crate::sources::{ConsumingStream, PullStream};
use crate::tables::Table;

/// A stream of any kind.
#[derive(Clone)]
pub enum StreamPlan {
    /// Asked for by windows of time.
    Windows(PullPlan),
    /// Reading consumes.
    Consumed(ConsumePlan),
}

impl StreamPlan {
    /// The stream's name.
    pub fn name(&self) -> &StreamName {
        match self {
            Self::Windows(plan) => plan.stream.name(),
            Self::Consumed(plan) => plan.stream.name(),
        }
    }

    /// The vendor account that it reads.
    pub fn account(&self) -> &str {
        match self {
            Self::Windows(plan) => plan.stream.account(),
            Self::Consumed(plan) => plan.stream.account(),
        }
    }
}

/// A stream and the tables it goes to.
#[derive(Clone)]
pub struct PullPlan {
    /// The stream.
    pub stream: Arc<dyn PullStream>,
    /// At least one.
    pub targets: Vec<Target>,
}

/// A stream where reading consumes, and the table it goes to.
#[derive(Clone)]
pub struct ConsumePlan {
    /// The stream.
    pub stream: Arc<dyn ConsumingStream>,
    /// The table.
    pub target: Target,
    /// The most bytes that may wait in the spool.
    pub spool_limit: u64,
}

/// A table and where its rows go.
#[derive(Clone)]
pub struct Target {
    /// The table.
    pub table: Arc<Table>,
    /// Its destination.
    pub destination: Arc<dyn Destination>,
}
