//! A stream where reading consumes: nothing is taken that is not on our disk before it is touched.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::cause::Cause;
use super::last_resort::{Rescued, rescue};
use super::plan::{ConsumePlan, Target};
use super::send::{DELIVERY_RESERVE, GRACE_FOR_A_PAGE};
use super::spool_drain::is_about_one_entry;
use super::table_sink::{SinkContext, SinkError, TableSink};
use super::window::{PollRules, before};
use crate::health::{ErrorCode, Outcome, Problem, StreamReport, TableReport};
use crate::sources::{ConsumedReply, EventKey, Page, SourceError, Taken, Window};
use crate::state::{
    Checkpoints, Counts, DeadLetter, DeadLetters, EntryKind, GuardedSpool, Identities, Intent, Key, Lease, SpoolEntry,
    SpoolError, Store, StoreError,
};
use crate::time::{Clock, Deadline, Stop, rfc3339_millis};

/// The time a reply gets; half of the whole run where that is less. None is asked for when less is left.
const TIME_FOR_A_REPLY: Duration = Duration::from_secs(60);
/// Identities guard an entry that was delivered when a crash kept it in the spool; it is drained long before this.
const IDENTITIES_KEPT: Duration = Duration::from_secs(3600);
const SAVE_UNCHANGED_EVERY: TimeDelta = TimeDelta::minutes(10);

const NO_WHOLE_REPLY: &str = "no whole reply came, and the vendor may have given events away";
const TORN_REPLY: &str = "a reply came that is no whole list of events; its whole events are delivered, what is left of \
                          it is set aside, and the vendor may have given more away";

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
    pub stop: &'a Stop,
    /// False where only what waits in the spool is delivered.
    pub reads: bool,
}

/// The table's end of the run.
struct Delivery<'a> {
    sink: TableSink<'a>,
    /// Set when the table cannot take more in this run. Replies go on waiting in the spool.
    stopped: Option<SinkError>,
    waiting: usize,
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
        let identities = Identities::load(self.store.clone(), checkpoints.identities_of(&table)).await?;
        let spool = &self.plan.spool;
        let queue = spool.guarded(self.store.clone());
        let mut delivery = Delivery {
            sink: TableSink::new(&self.plan.target, identities),
            stopped: None,
            waiting: 0,
        };

        for key in queue.waiting(&table).await? {
            if self.stop.is_asked() {
                break;
            }
            if self.deadline.is_within_reserve(DELIVERY_RESERVE) {
                self.end_early("replies still wait in the spool", report);
                break;
            }
            let entry = match queue.read(&key).await {
                Ok(Some((entry, _))) => entry,
                Ok(None) => continue,
                Err(error) if is_about_one_entry(&error) => {
                    let message = format!("{}: {error}", report.stream);
                    report.problems.push(error.problem_saying(message));
                    continue;
                }
                Err(error) => return Err(error),
            };
            if self.deliver(&entry, &mut delivery).await? {
                queue.remove(&key, entry.body.len()).await?;
            }
        }
        let taken = if self.reads {
            self.take_replies(&queue, &intent, &mut delivery, (&mut checkpoints, report))
                .await
        } else {
            Ok(None)
        };
        let emptied_at = taken.as_ref().ok().copied().flatten();
        // What was counted is saved also where taking ended with an error.
        let saved = self.save(&mut checkpoints, delivery, emptied_at, now, report).await;
        taken?;
        saved
    }

    /// At once, and not with the report of the run: a run that is killed before its end has said it.
    fn say_possible_loss(&self, at: DateTime<Utc>, what: &str) {
        let (stream, at) = (self.plan.stream.name().to_string(), rfc3339_millis(at));
        log::warn!(stream = stream.as_str(), at = at.as_str(); "{stream}: possible loss at {at}: {what}");
    }

    async fn note_possible_loss(
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
            if self.stop.is_asked() {
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
                () = self.stop.over(GRACE_FOR_A_PAGE) => continue,
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
                    if !self
                        .keep(
                            reply,
                            None,
                            (queue, intent),
                            delivery,
                            (&mut *checkpoints, &mut *report),
                        )
                        .await?
                    {
                        return Ok(Some(at));
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
        };
        report.outcome = Outcome::BudgetEnded;
        report.notices.push(error.to_string());
    }

    /// Spools a reply before it is parsed, then delivers it. False if it was empty. `loss` says why something may be
    /// missing from it, where that is known already; one that turns out to be torn is a possible loss as well.
    async fn keep(
        &self,
        reply: ConsumedReply,
        loss: Option<&str>,
        (queue, intent): (&GuardedSpool, &Intent),
        delivery: &mut Delivery<'_>,
        (checkpoints, report): (&mut Checkpoints, &mut StreamReport),
    ) -> Result<bool, StoreError> {
        if reply.text.trim_ascii() == "[]" && loss.is_none() {
            intent.clear().await?;
            return Ok(false);
        }
        delivery.sink.counts.replaced_bytes += reply.replaced_bytes;
        let entry = SpoolEntry {
            at: reply.at,
            kind: EntryKind::Reply,
            held_until: None,
            body: reply.text,
        };
        let spooled = match self.plan.spool.add(&self.plan.target.table.name(), &entry).await {
            Ok(place) => Ok(place.key),
            Err(error) => self.rescue(&entry, error, intent, delivery).await,
        };
        let parsed = self.plan.stream.parse(entry.body.clone());
        // The intent is there until the loss is noted: a kill in between reports it as well.
        if let Some(what) = loss.or(parsed.1.is_some().then_some(TORN_REPLY)) {
            self.note_possible_loss(entry.at, what, checkpoints, report).await?;
        }
        let key = spooled?;
        intent.clear().await?;
        if self.deliver_parsed(&entry, parsed, delivery).await? {
            queue.remove(&key, entry.body.len()).await?;
        }
        Ok(true)
    }

    /// Gives the entry's key if the spool takes it after all. Else the run ends with the spool's error: whether the
    /// destination has the events is said, and what it has not is a loss.
    async fn rescue(
        &self,
        entry: &SpoolEntry,
        error: StoreError,
        intent: &Intent,
        delivery: &mut Delivery<'_>,
    ) -> Result<Key, StoreError> {
        let (accepted, events) = match rescue(self, entry).await {
            Rescued::Spooled(key) => return Ok(key),
            Rescued::Sent { accepted, events } => (accepted, events),
        };
        delivery.sink.note_unspooled(events as u64, accepted as u64);
        let stream = self.plan.stream.name().to_string();
        if accepted < events {
            let what = format!(
                "the spool did not take a reply, and the destination took {accepted} of its {events} events; the others are lost"
            );
            self.say_possible_loss(entry.at, &what);
            return Err(error);
        }
        log::warn!(stream = stream.as_str(), delivered = accepted;
            "{stream}: the spool did not take a reply of {events} events; they were delivered to the destination at once, and nothing is lost");
        intent.clear().await?;
        Err(error)
    }

    /// True if everything of the entry is delivered or set aside.
    async fn deliver(&self, entry: &SpoolEntry, delivery: &mut Delivery<'_>) -> Result<bool, StoreError> {
        let parsed = self.plan.stream.parse(entry.body.clone());
        self.deliver_parsed(entry, parsed, delivery).await
    }

    async fn deliver_parsed(
        &self,
        entry: &SpoolEntry,
        (page, rest): (Page, Option<(String, String)>),
        delivery: &mut Delivery<'_>,
    ) -> Result<bool, StoreError> {
        if delivery.stopped.is_some() {
            delivery.waiting += 1;
            return Ok(false);
        }
        let dead_letters = DeadLetters::new(self.store.clone());
        let stream = &self.plan.stream;
        let context = SinkContext {
            stream: stream.name(),
            lease: self.lease,
            dead_letters: &dead_letters,
            arrival: entry.at,
            given: stream.given(),
            deadline: self.deadline,
            stop: self.stop,
        };
        let window = Window {
            from: entry.at,
            to: entry.at,
        };
        let mut outcome = Ok(());
        for event in page.events() {
            let key = EventKey {
                identity: stream.identity_of(event),
                time: None,
            };
            outcome = delivery.sink.offer(event, key, window, &context).await;
            if outcome.is_err() {
                break;
            }
        }
        if outcome.is_ok() {
            outcome = delivery.sink.flush(&context).await;
        }
        if let Err(error) = outcome {
            delivery.stopped = Some(error);
            delivery.waiting += 1;
            return Ok(false);
        }
        if let Some((reason, content)) = rest {
            dead_letters
                .keep(stream.name(), &[DeadLetter::of_event(reason, content)], entry.at)
                .await?;
            delivery.sink.counts.received += 1;
            delivery.sink.counts.dead_lettered += 1;
        }
        Ok(true)
    }

    async fn save(
        &self,
        checkpoints: &mut Checkpoints,
        mut delivery: Delivery<'_>,
        emptied_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
        report: &mut StreamReport,
    ) -> Result<(), StoreError> {
        let Target { table, .. } = &self.plan.target;
        let left = delivery.sink.final_counts();
        // What is not delivered is still in the spool.
        let counts = Counts {
            spooled: left.in_flight,
            in_flight: 0,
            ..left
        };
        let Some(position) = checkpoints.current.tables.get_mut(&*table.name()) else {
            return Ok(());
        };
        position.watermark = emptied_at.unwrap_or(position.watermark);
        position.counts += counts;
        let watermark = position.watermark;
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
        if counts.received > 0 || is_due {
            checkpoints.save(self.lease, now).await?;
            delivery.sink.compact(before(now, IDENTITIES_KEPT)).await?;
        }
        Ok(())
    }
}
