//! What is read, and where it goes.

use std::sync::Arc;
use std::time::Duration;

use crate::delivery::TableRoute;
use crate::event::{Identity, StreamName};
use crate::sources::{DestructiveStream, SnapshotStream, WebhookFormat, WindowedStream};
use crate::state::Spool;

/// A stream of any kind.
#[derive(Clone)]
pub enum StreamPlan {
    /// Asked for by windows of time.
    Windows(PullPlan),
    /// Read whole in every scan.
    Snapshot(SnapshotPlan),
    /// Reading consumes.
    Consumed(ConsumePlan),
}

impl StreamPlan {
    /// The stream's name.
    pub fn name(&self) -> &StreamName {
        match self {
            Self::Windows(plan) => plan.stream.name(),
            Self::Snapshot(plan) => plan.stream.name(),
            Self::Consumed(plan) => plan.stream.name(),
        }
    }

    /// The vendor account that it reads.
    pub fn account(&self) -> &str {
        match self {
            Self::Windows(plan) => plan.stream.account(),
            Self::Snapshot(plan) => plan.stream.account(),
            Self::Consumed(plan) => plan.stream.account(),
        }
    }

    /// Whether a table takes rows is asked anew in every run.
    pub fn begin_run(&mut self) {
        match self {
            Self::Windows(plan) => {
                let pushed = plan.pushed.iter_mut().flat_map(|pushed| &mut pushed.targets);
                plan.targets.iter_mut().chain(pushed).for_each(TableRoute::begin_run);
            }
            Self::Snapshot(plan) => plan.targets.iter_mut().for_each(TableRoute::begin_run),
            Self::Consumed(plan) => plan.target.begin_run(),
        }
    }

    /// True if something may wait in the spool for its runs.
    pub fn has_spool(&self) -> bool {
        !self.queues().is_empty()
    }

    /// The queues of the spool that its runs empty.
    pub fn queues(&self) -> Vec<String> {
        match self {
            Self::Windows(plan) => {
                let pushed = plan.pushed.iter();
                pushed
                    .flat_map(|pushed| {
                        let tables = pushed.targets.iter();
                        tables.map(|target| pushed.spool.queue_of(&target.table.name()))
                    })
                    .collect()
            }
            Self::Snapshot(_) => Vec::new(),
            Self::Consumed(plan) => vec![plan.spool.queue_of(&plan.target.table.name())],
        }
    }
}

/// A stream and the tables it goes to.
#[derive(Clone)]
pub struct PullPlan {
    /// The stream.
    pub stream: Arc<dyn WindowedStream>,
    /// At least one.
    pub targets: Vec<TableRoute>,
    /// Pushes of the same events, which wait for this stream's run.
    pub pushed: Option<PushedPlan>,
    /// How a pushed event is known again when it is read, where the two share no key.
    pub counterparts: Option<CounterpartRule>,
}

/// A stream that is read whole in every scan, and the tables it goes to.
#[derive(Clone)]
pub struct SnapshotPlan {
    /// The stream.
    pub stream: Arc<dyn SnapshotStream>,
    /// At least one.
    pub targets: Vec<TableRoute>,
}

/// Events that are pushed beside a stream that is polled.
#[derive(Clone)]
pub struct PushedPlan {
    /// Where they wait.
    pub spool: Spool,
    /// Names them.
    pub form: Arc<dyn WebhookFormat>,
    /// Where they go.
    pub targets: Vec<TableRoute>,
}

/// A vendor gives one key to an event that it pushes and another to the same event when it is read.
#[derive(Clone, Copy)]
pub struct CounterpartRule {
    /// What both forms of an event have in common.
    pub key_of: fn(&str) -> Identity,
    /// How long a pushed event may take: what is read is held back so long.
    pub patience: Duration,
}

/// A stream where reading consumes, and the table it goes to.
#[derive(Clone)]
pub struct ConsumePlan {
    /// The stream.
    pub stream: Arc<dyn DestructiveStream>,
    /// The table.
    pub target: TableRoute,
    /// Where replies wait.
    pub spool: Spool,
}

/// What was pushed, answered 200 and not yet taken by the destination: one queue of rows, drained under a lease of its
/// own.
#[derive(Clone)]
pub struct DrainPlan {
    /// Names the events that were pushed.
    pub form: Arc<dyn WebhookFormat>,
    /// Where they wait.
    pub spool: Spool,
    /// The table of this queue.
    pub target: TableRoute,
}
