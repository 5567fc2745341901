//! Takes replies from the vendor: an intent first, then the reply into the spool, then to the table.

use std::time::Duration;

use super::delivery::{ReplyDelivery, SpooledReply};
use super::progress::{ConsumeProgress, say_possible_loss};
use super::spool_fallback::{DirectDelivery, deliver_directly};
use crate::delivery::{GRACE_FOR_A_PAGE, StreamContext};
use crate::jobs::plan::ConsumePlan;
use crate::report::{Cause, ErrorCode, Problem};
use crate::sources::{ConsumedReply, ParsedReply, ReadOutcome, SourceError};
use crate::state::{EntryKind, Intent, Key, SpoolEntry, SpoolError, StoreError};

/// The time a reply gets; half of the whole run where that is less. None is asked for when less is left.
const TIME_FOR_A_REPLY: Duration = Duration::from_secs(60);
/// What is longer is spooled before it is looked at.
const LONGEST_NOTHING: usize = 64;

const NO_WHOLE_REPLY: &str = "no whole reply came, and the vendor may have given events away";
const TORN_REPLY: &str = "a reply came that is no whole list of events; its whole events are delivered, what is left of \
                          it is set aside, and the vendor may have given more away";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Brought {
    /// Events that did not come before; there may be more.
    Events,
    /// The vendor has nothing more.
    Nothing,
    /// What came before, or something else, which is kept.
    NoEvent,
}

/// Where a reply is once it was taken. Without the spool the run ends with the spool's error.
enum Kept {
    Spooled(Key),
    /// The destination has its events.
    Delivered(StoreError),
    /// The destination does not have all of them.
    InPart(StoreError),
}

pub struct ReplyTaker<'a, 'd> {
    pub plan: &'a ConsumePlan,
    pub context: &'a StreamContext<'a>,
    /// Of the request that is under way.
    pub intent: &'d Intent,
    pub delivery: &'d mut ReplyDelivery<'a>,
    pub progress: &'d mut ConsumeProgress<'a>,
}

impl ReplyTaker<'_, '_> {
    /// Until the vendor has none, or the time is over.
    pub async fn take_all(&mut self) -> Result<(), StoreError> {
        let deadline = self.context.deadline;
        let timeout = TIME_FOR_A_REPLY.min(deadline.whole() / 2);
        loop {
            if !self.may_ask(timeout).await? {
                return Ok(());
            }
            let prepared = tokio::select! {
                biased;
                () = self.context.shutdown.grace_elapsed(GRACE_FOR_A_PAGE) => continue,
                prepared = self.plan.stream.prepare(deadline) => prepared,
            };
            if let Err(error) = prepared {
                let problem = error.of(self.context.stream).problem();
                self.progress.report.problems.push(problem);
                return Ok(());
            }
            self.context.lease.require()?;
            self.intent.declare(self.context.clock.now()).await?;
            match self.plan.stream.take(timeout, deadline).await {
                ReadOutcome::Reply(reply) => {
                    let at = reply.at;
                    match self.keep(reply, None).await? {
                        Brought::Events => {}
                        Brought::Nothing => {
                            self.progress.emptied_at = Some(at);
                            return Ok(());
                        }
                        Brought::NoEvent => return Ok(()),
                    }
                }
                ReadOutcome::Nothing(error) => {
                    self.intent.clear().await?;
                    let problem = error.of(self.context.stream).problem();
                    self.progress.report.problems.push(problem);
                    return Ok(());
                }
                ReadOutcome::PerhapsLost { error, begun } => {
                    self.note_lost(&error, begun).await?;
                    return Ok(());
                }
            }
        }
    }

    /// A reply that is cut off by the end of the run is lost, and so is one that the spool has no room for.
    async fn may_ask(&mut self, timeout: Duration) -> Result<bool, StoreError> {
        let stream = self.context.stream;
        if self.context.shutdown.is_requested() {
            self.progress
                .report
                .end_early(SourceError::Stopped.of(stream).to_string());
            return Ok(false);
        }
        if self.context.deadline.remaining() < timeout {
            self.progress.note_out_of_time("there was still something to take");
            return Ok(false);
        }
        match self.plan.spool.require_room(0).await {
            Ok(()) => Ok(true),
            Err(SpoolError::Store(error)) => Err(error),
            Err(full @ SpoolError::Full { .. }) => {
                let message = format!("{stream}: nothing is taken from the vendor: {full}");
                self.progress.report.problems.push(full.problem_saying(message));
                Ok(false)
            }
        }
    }

    async fn note_lost(&mut self, error: &SourceError, begun: Option<ConsumedReply>) -> Result<(), StoreError> {
        let message = format!("{}; this is a possible loss", error.of(self.context.stream));
        let problem = Problem::new(ErrorCode::PossibleLoss, message);
        self.progress.report.problems.push(problem);
        if let Some(reply) = begun {
            self.keep(reply, Some(NO_WHOLE_REPLY)).await?;
            return Ok(());
        }
        let at = self.context.clock.now();
        self.progress.note_possible_loss(at, NO_WHOLE_REPLY).await?;
        self.intent.clear().await
    }

    /// Spools a reply before it is looked at closely, then delivers it. `loss` says why something may be missing from it,
    /// where that is known already; one that turns out to be torn is a possible loss as well.
    async fn keep(&mut self, reply: ConsumedReply, loss: Option<&str>) -> Result<Brought, StoreError> {
        if loss.is_none() && self.has_nothing_to_give(&reply.text) {
            self.progress.end_unreadable().await?;
            self.intent.clear().await?;
            return Ok(Brought::Nothing);
        }
        self.delivery.writer.counts.replaced_bytes += reply.replaced_bytes;
        let entry = SpoolEntry {
            at: reply.at,
            kind: EntryKind::Reply,
            held_until: None,
            body: reply.text,
        };
        let spooled = self.plan.spool.add(&self.plan.target.table.name(), &entry).await;
        let ParsedReply { page, rest } = self.plan.stream.parse(entry.body.clone());
        let is_unreadable =
            loss.is_none() && rest.as_ref().is_some_and(|rest| !rest.is_of_list) && page.events().next().is_none();
        let loss = loss.or(rest.is_some().then_some(TORN_REPLY));
        let kept = match spooled {
            Ok(place) => Kept::Spooled(place.key),
            Err(error) => self.deliver_unspooled(&entry, error, loss.is_none()).await,
        };
        // The intent is there until the loss is noted: a kill in between reports it as well.
        match (loss, &kept) {
            (Some(_), Kept::Spooled(_)) if is_unreadable => self.progress.note_unreadable(entry.at).await?,
            (Some(what), _) => self.progress.note_possible_loss(entry.at, what).await?,
            (None, _) => self.progress.end_unreadable().await?,
        }
        let key = match kept {
            Kept::Spooled(key) => key,
            Kept::Delivered(error) => {
                self.intent.clear().await?;
                return Err(error);
            }
            Kept::InPart(error) => return Err(error),
        };
        let reply = SpooledReply {
            key: &key,
            at: entry.at,
            bytes: entry.body.len(),
            page,
            rest,
        };
        self.intent.clear().await?;
        let brings_news = self.delivery.brings_news(&reply);
        self.delivery.deliver(reply).await?;
        Ok(if brings_news { Brought::Events } else { Brought::NoEvent })
    }

    /// The ways in which the vendor, or a server before it, says that there is nothing.
    fn has_nothing_to_give(&self, reply: &str) -> bool {
        if reply.len() > LONGEST_NOTHING {
            return false;
        }
        let parsed = self.plan.stream.parse(reply.to_owned());
        parsed.rest.is_none() && parsed.page.events().next().is_none()
    }

    /// Whether the destination has the events is said, and what it has not is a loss.
    async fn deliver_unspooled(&mut self, entry: &SpoolEntry, error: StoreError, is_whole: bool) -> Kept {
        let (accepted, events) = match deliver_directly(self.plan, self.context, entry).await {
            DirectDelivery::Spooled(key) => return Kept::Spooled(key),
            DirectDelivery::Sent { accepted, events } => (accepted, events),
        };
        self.delivery.writer.note_unspooled(events as u64, accepted as u64);
        if accepted < events {
            let what = format!(
                "the spool did not take a reply, and the destination took {accepted} of its {events} events; the others are lost"
            );
            say_possible_loss(self.context, entry.at, &what);
            return Kept::InPart(error);
        }
        let stream = self.context.stream.to_string();
        let nothing_lost = if is_whole { ", and nothing is lost" } else { "" };
        log::warn!(stream = stream.as_str(), delivered = accepted;
            "{stream}: the spool did not take a reply of {events} events; they were delivered to the destination at once{nothing_lost}");
        Kept::Delivered(error)
    }
}
