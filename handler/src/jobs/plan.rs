//! What is read, and where it goes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::config::Schedule;
use crate::delivery::TableRoute;
use crate::event::StreamName;
use crate::jobs::disabled_instance::DisabledInstance;
use crate::sources::{CounterpartRule, DestructiveStream, SnapshotStream, WebhookFormat, WindowedStream};
use crate::state::Spool;

/// Everything that is configured.
pub struct Plans {
    pub streams: Vec<StreamPlan>,
    /// The queues of pushed rows.
    pub drains: Vec<DrainPlan>,
    /// What is configured but cannot run; part of every report.
    pub disabled: Vec<DisabledInstance>,
    /// The streams of what is disabled for which something may wait in the spool.
    pub disabled_streams: Vec<StreamName>,
    /// When runs begin.
    pub schedule: Schedule,
}

impl Plans {
    pub fn stream(&self, name: &StreamName) -> Option<&StreamPlan> {
        self.streams.iter().find(|plan| plan.name() == name)
    }

    /// What is pushed and drained by itself, each stream once.
    pub fn push_streams(&self) -> BTreeSet<&StreamName> {
        self.drains.iter().map(|drain| drain.form.name()).collect()
    }

    /// Everything that is configured and runs, in the order of the names.
    pub fn stream_names(&self) -> BTreeSet<&StreamName> {
        let polled = self.streams.iter().map(StreamPlan::name);
        polled.chain(self.push_streams()).collect()
    }

    /// The tables that rows of a stream go to.
    pub fn tables_of(&self, name: &StreamName) -> BTreeSet<Arc<str>> {
        let polled = self.stream(name).into_iter().flat_map(StreamPlan::routes);
        let pushed = self.drains.iter().filter(|drain| drain.form.name() == name);
        let routes = polled.chain(pushed.map(|drain| &drain.target));
        routes.map(|route| route.table.name()).collect()
    }

    /// The queues of the spool (`spool/<table>/<stream>`), each with the stream whose runs empty it.
    pub fn queue_owners(&self) -> BTreeMap<String, &StreamName> {
        let drains = self.drains.iter().map(|drain| (drain.queue(), drain.form.name()));
        let streams = self
            .streams
            .iter()
            .flat_map(|plan| plan.queues().into_iter().map(|queue| (queue, plan.name())));
        // Where both name a queue, the drain has it.
        streams.chain(drains).collect()
    }

    /// The stream whose queue this is, if it is one of what is disabled.
    pub fn disabled_stream_of(&self, queue: &str) -> Option<&StreamName> {
        let mut streams = self.disabled_streams.iter();
        streams.find(|stream| Spool::is_queue_of(queue, stream))
    }
}

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

    /// Where its rows go, and those of what is pushed beside it.
    fn routes(&self) -> Vec<&TableRoute> {
        match self {
            Self::Windows(plan) => {
                let pushed = plan.pushed.iter().flat_map(|pushed| &pushed.targets);
                plan.targets.iter().chain(pushed).collect()
            }
            Self::Snapshot(plan) => plan.targets.iter().collect(),
            Self::Consumed(plan) => vec![&plan.target],
        }
    }

    /// The queues of the spool that its runs empty.
    pub fn queues(&self) -> Vec<String> {
        match self {
            Self::Windows(plan) => plan.pushed.iter().flat_map(PushedPlan::queues).collect(),
            Self::Snapshot(_) => Vec::new(),
            Self::Consumed(plan) => vec![plan.spool.queue_of(&plan.target.table.name())],
        }
    }
}

/// A stream and the tables it goes to.
#[derive(Clone)]
pub struct PullPlan {
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
    pub stream: Arc<dyn SnapshotStream>,
    /// At least one.
    pub targets: Vec<TableRoute>,
}

/// Events that are pushed beside a stream that is polled.
#[derive(Clone)]
pub struct PushedPlan {
    /// Where they wait.
    pub spool: Spool,
    pub form: Arc<WebhookFormat>,
    pub targets: Vec<TableRoute>,
}

impl PushedPlan {
    /// The queues of the spool, one for each table.
    pub fn queues(&self) -> impl Iterator<Item = String> {
        let targets = self.targets.iter();
        targets.map(|target| self.spool.queue_of(&target.table.name()))
    }
}

/// A stream where reading consumes, and the table it goes to.
#[derive(Clone)]
pub struct ConsumePlan {
    pub stream: Arc<dyn DestructiveStream>,
    pub target: TableRoute,
    /// Where replies wait.
    pub spool: Spool,
}

/// What was pushed, answered 200 and not yet taken by the destination: one queue of rows, drained under a lease of its
/// own.
#[derive(Clone)]
pub struct DrainPlan {
    pub form: Arc<WebhookFormat>,
    /// Where they wait.
    pub spool: Spool,
    /// The table of this queue.
    pub target: TableRoute,
}

impl DrainPlan {
    /// The queue of the spool that its runs empty.
    pub fn queue(&self) -> String {
        self.spool.queue_of(&self.target.table.name())
    }
}
