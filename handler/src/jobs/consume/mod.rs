//! A stream where reading consumes: nothing is taken that is not on our disk before it is touched.

mod reply;
mod spool_fallback;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use self::reply::Kept;
use crate::delivery::TableRoute;
use crate::delivery::{DELIVERY_RESERVE, GRACE_FOR_A_PAGE};
use crate::delivery::{SinkError, TableWriter};
use crate::destination::spread;
use crate::event::Identity;
use crate::jobs::drain::spool_drain::{TRIED_BEHIND, is_about_one_entry};
use crate::jobs::plan::ConsumePlan;
use crate::jobs::poll::loading::load_identities;
use crate::jobs::poll::window::{PollRules, before};
use crate::report::Cause;
use crate::report::{ErrorCode, Outcome, Problem, StreamReport, TableReport};
use crate::sources::{SourceError, Taken};
use crate::state::{Checkpoints, Counts, GuardedSpool, Intent, Key, Lease, SpoolError, Store, StoreError};
use crate::time::{Clock, Deadline, Shutdown, rfc3339_millis};

/// The time a reply gets; half of the whole run where that is less. None is asked for when less is left.
const TIME_FOR_A_REPLY: Duration = Duration::from_secs(60);
/// Identities guard an entry that was delivered when a crash kept it in the spool; it is drained long before this.
const IDENTITIES_KEPT: Duration = Duration::from_secs(3600);
const SAVE_UNCHANGED_EVERY: TimeDelta = TimeDelta::minutes(10);

const NO_WHOLE_REPLY: &str = "no whole reply came, and the vendor may have given events away";

/// One run.
pub struct ConsumeRun<'a> {
    /// The stream and its table.
    pub plan: &'a ConsumePlan,
    /// For the first position.
    pub rules: PollRules,
    /// The state, written only as long as the lease holds. The spool takes a reply all the same: nobody else has it.
    pub store: &'a Arc<dyn Store>,
    /// The time.
    pub clock: &'a Arc<dyn Clock>,
    /// The lease on the subscription.
    pub lease: &'a Lease,
    /// The end of the run.
    pub deadline: Deadline,
    /// The word that the process is to end.
    pub stop: &'a Shutdown,
    /// False where only what waits in the spool is delivered.
    pub reads: bool,
}

/// The table's end of the run.
pub struct Delivery<'a> {
    /// Sends and remembers.
    pub sink: TableWriter<'a>,
    /// Set when the table cannot take more in this run. Replies go on waiting in the spool.
    pub stopped: Option<SinkError>,
    /// Replies that go on waiting.
    pub waiting: usize,
    /// Of these, entries of which rows are held by the sink, with the bytes of their bodies.
    pub doubted: Vec<(Key, usize)>,
    /// Their events that were not tried in this run.
    pub untried: u64,
    /// Set when rows were let go of that were in doubt; their entries go on waiting.
    pub let_go: Option<SinkError>,
    /// The names of those that came since the table stopped.
    pub met_untried: HashSet<Identity>,
}

impl Delivery<'_> {
    /// Events that were met so far, tried or not.
    fn received(&self) -> u64 {
        self.sink.counts.received + self.untried
    }
}

impl ConsumeRun<'_> {
    /// Drains what waits, then takes replies until the vendor has none.
    pub async fn run(&self) -> StreamReport {
        let mut report = StreamReport::new(self.plan.stream.name().to_string());
        if let Err(error) = self.run_into(&mut report).await {
            let message = format!("{}: {error}", report.stream);
            report.problems.push(error.problem_saying(message));
        }
        if !report.problems.is_empty() {
            report.outcome = Outcome::Failed;
        }
        report
    }

    async fn run_into(&self, report: &mut StreamReport) -> Result<(), StoreError> {
        let (stream, now) = (&self.plan.stream, self.clock.now());
        let intent = Intent::new(self.store.clone(), stream.name());
        let mut checkpoints = self.load(now).await?;
        if let Some(at) = intent.unfinished().await? {
            let what = "a reply was being taken when the process ended, and it is not known whether the vendor gave \
                        events away";
            self.note_possible_loss(at, what, &mut checkpoints, report).await?;
            intent.clear().await?;
        }
        let table = self.plan.target.table.name();
        let identities = load_identities(self.store, checkpoints.identities_of(&table), self.deadline).await?;
        let spool = &self.plan.spool;
        let queue = spool.guarded(self.store.clone());
        let mut delivery = Delivery {
            sink: TableWriter::new(&self.plan.target, identities),
            stopped: None,
            waiting: 0,
            doubted: Vec::new(),
            untried: 0,
            let_go: None,
            met_untried: HashSet::new(),
        };

        let waiting = queue.waiting(&table).await?;
        let mut tried_behind: Option<HashSet<usize>> = None;
        for (number, key) in waiting.iter().enumerate() {
            // A reply that is not looked at counts as one event.
            let unread = (waiting.len() - number) as u64;
            if self.stop.is_requested() {
                delivery.untried += unread;
                break;
            }
            if self.deadline.is_within_reserve(DELIVERY_RESERVE) {
                delivery.untried += unread;
                self.end_early("replies still wait in the spool", report);
                break;
            }
            if delivery.let_go.is_some() && delivery.stopped.is_none() {
                let chosen = tried_behind.get_or_insert_with(|| {
                    let numbers = spread(waiting.len() - number, TRIED_BEHIND, now.timestamp().unsigned_abs());
                    numbers.into_iter().map(|behind| number + behind).collect()
                });
                if !chosen.contains(&number) {
                    delivery.untried += 1;
                    delivery.waiting += 1;
                    continue;
                }
            }
            let entry = match queue.read(key).await {
                Ok(Some((entry, _))) => entry,
                Ok(None) => continue,
                Err(error) if is_about_one_entry(&error) => {
                    let message = format!("{}: {error}", report.stream);
                    report.problems.push(error.problem_saying(message));
                    delivery.untried += 1;
                    continue;
                }
                Err(error) => return Err(error),
            };
            if self.deliver(key, &entry, &mut delivery).await? {
                queue.remove(key, entry.body.len()).await?;
            }
            self.remove_settled(&queue, &mut delivery).await?;
        }
        let before_reading = (delivery.received(), delivery.sink.counts.seen_before);
        let taken = if self.reads {
            self.take_replies(&queue, &intent, &mut delivery, (&mut checkpoints, report))
                .await
        } else {
            Ok(None)
        };
        self.settle_doubts(&mut delivery).await;
        let removed = self.remove_settled(&queue, &mut delivery).await;
        let emptied_at = taken.as_ref().ok().copied().flatten();
        // What was counted is saved also where taking ended with an error.
        let saved = self
            .save(&mut checkpoints, delivery, (emptied_at, before_reading), now, report)
            .await;
        taken?;
        removed?;
        saved
    }

    /// At once, and not with the report of the run: a run that is killed before its end has said it.
    pub fn say_possible_loss(&self, at: DateTime<Utc>, what: &str) {
        let (stream, at) = (self.plan.stream.name().to_string(), rfc3339_millis(at));
        log::warn!(stream = stream.as_str(), at = at.as_str(); "{stream}: possible loss at {at}: {what}");
    }

    pub async fn note_possible_loss(
        &self,
        at: DateTime<Utc>,
        what: &str,
        checkpoints: &mut Checkpoints,
        report: &mut StreamReport,
    ) -> Result<(), StoreError> {
        self.say_possible_loss(at, what);
        report.possible_losses.push(at);
        checkpoints.current.note_possible_loss(at);
        checkpoints.save(self.lease, self.clock.now()).await
    }

    async fn load(&self, now: DateTime<Utc>) -> Result<Checkpoints, StoreError> {
        let stream = &self.plan.stream;
        let mut checkpoints = Checkpoints::load(self.store.clone(), stream.name(), stream.account(), now).await?;
        let table = self.plan.target.table.name();
        if !checkpoints.current.tables.contains_key(&*table) {
            checkpoints
                .current
                .tables
                .insert(table.to_string(), self.rules.first_position(now));
            checkpoints.save(self.lease, now).await?;
        }
        Ok(checkpoints)
    }

    /// Gives the time at which the vendor had nothing more.
    async fn take_replies(
        &self,
        queue: &GuardedSpool,
        intent: &Intent,
        delivery: &mut Delivery<'_>,
        (checkpoints, report): (&mut Checkpoints, &mut StreamReport),
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        let timeout = TIME_FOR_A_REPLY.min(self.deadline.whole() / 2);
        loop {
            if self.stop.is_requested() {
                let stream = self.plan.stream.name().clone();
                report.outcome = Outcome::BudgetEnded;
                report.notices.push(SourceError::Stopped { stream }.to_string());
                return Ok(None);
            }
            // A reply that is cut off by the end of the run is lost.
            if self.deadline.remaining() < timeout {
                self.end_early("there was still something to take", report);
                return Ok(None);
            }
            match self.plan.spool.require_room(0).await {
                Ok(()) => {}
                Err(SpoolError::Store(error)) => return Err(error),
                Err(full @ SpoolError::Full { .. }) => {
                    let message = format!("{}: nothing is taken from the vendor: {full}", report.stream);
                    report.problems.push(full.problem_saying(message));
                    return Ok(None);
                }
            }
            let prepared = tokio::select! {
                biased;
                () = self.stop.grace_elapsed(GRACE_FOR_A_PAGE) => continue,
                prepared = self.plan.stream.prepare(self.deadline) => prepared,
            };
            if let Err(error) = prepared {
                report.problems.push(error.problem());
                return Ok(None);
            }
            self.lease.require()?;
            intent.declare(self.clock.now()).await?;
            match self.plan.stream.take(timeout, self.deadline).await {
                Taken::Reply(reply) => {
                    let at = reply.at;
                    let state = (&mut *checkpoints, &mut *report);
                    match self.keep(reply, None, (queue, intent), delivery, state).await? {
                        Kept::Events => {}
                        Kept::Nothing => return Ok(Some(at)),
                        Kept::NoEvent => return Ok(None),
                    }
                }
                Taken::Nothing(error) => {
                    intent.clear().await?;
                    report.problems.push(error.problem());
                    return Ok(None);
                }
                Taken::PerhapsLost { error, begun } => {
                    let message = format!("{error}; this is a possible loss");
                    report.problems.push(Problem::new(ErrorCode::PossibleLoss, message));
                    if let Some(reply) = begun {
                        self.keep(
                            reply,
                            Some(NO_WHOLE_REPLY),
                            (queue, intent),
                            delivery,
                            (checkpoints, report),
                        )
                        .await?;
                        return Ok(None);
                    }
                    let at = self.clock.now();
                    self.note_possible_loss(at, NO_WHOLE_REPLY, checkpoints, report).await?;
                    intent.clear().await?;
                    return Ok(None);
                }
            }
        }
    }

    fn end_early(&self, doing: &str, report: &mut StreamReport) {
        let error = SourceError::OutOfTime {
            stream: self.plan.stream.name().clone(),
            doing: doing.to_owned(),
            kept_failing: false,
        };
        report.outcome = Outcome::BudgetEnded;
        report.notices.push(error.to_string());
    }

    async fn save(
        &self,
        checkpoints: &mut Checkpoints,
        mut delivery: Delivery<'_>,
        (emptied_at, (taken_up, seen_again)): (Option<DateTime<Utc>>, (u64, u64)),
        now: DateTime<Utc>,
        report: &mut StreamReport,
    ) -> Result<(), StoreError> {
        let TableRoute { table, .. } = &self.plan.target;
        let left = delivery.sink.final_counts();
        // What is not delivered is still in the spool.
        let counts = Counts {
            received: delivery.received() - taken_up,
            taken_up,
            spooled: left.in_flight + delivery.untried,
            in_flight: 0,
            ..left
        };
        let Some(position) = checkpoints.current.tables.get_mut(&*table.name()) else {
            return Ok(());
        };
        position.watermark = emptied_at.unwrap_or(position.watermark);
        // What is seen again in a reply that waited was counted when it was delivered.
        position.counts.add_run(Counts {
            seen_before: counts.seen_before - seen_again,
            ..counts
        });
        let watermark = position.watermark;
        report.read_to.insert(table.name().to_string(), watermark);
        report.tables.push(TableReport {
            table: table.name().to_string(),
            counts,
            watermark,
        });
        if let Some(error) = delivery.stopped {
            let message = format!(
                "{} -> {}: {error}; {} replies wait in the spool",
                report.stream,
                table.name(),
                delivery.waiting
            );
            report.problems.push(error.problem_saying(message));
        }
        let is_due = now - checkpoints.current.saved_at >= SAVE_UNCHANGED_EVERY;
        if counts.received + counts.taken_up > 0 || is_due {
            checkpoints.save(self.lease, now).await?;
            delivery.sink.compact(before(now, IDENTITIES_KEPT)).await?;
        }
        Ok(())
    }
}
