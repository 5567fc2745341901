//! One reply of a consuming read, or one entry of its spool: into the spool, to the table, or aside.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::spool_fallback::{Rescued, rescue};
use crate::delivery::SinkContext;
use crate::delivery::why_no_row;
use crate::delivery::{Standing, opened};
use crate::event::Identity;
use crate::jobs::consume::{ConsumeRun, Delivery};
use crate::report::{ErrorCode, Problem, StreamReport};
use crate::sources::{ConsumedReply, EventKey, Page, Window};
use crate::state::{
    Checkpoints, DeadLetter, DeadLetters, EntryKind, GuardedSpool, Intent, Key, SpoolEntry, StoreError,
};
use crate::time::{Deadline, rfc3339_millis};

/// Events in one wrapper; one that holds more is set aside whole.
const MOST_WRAPPED: usize = 50_000;

const TORN_REPLY: &str = "a reply came that is no whole list of events; its whole events are delivered, what is left of \
                          it is set aside, and the vendor may have given more away";

const NO_LIST: &str =
    "a reply came that is no list of events; it is set aside, and the vendor may have given events away";

/// What a reply brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Events that did not come before; there may be more.
    Events,
    /// The vendor has nothing more.
    Nothing,
    /// What came before, or something else, which is kept.
    NoEvent,
}

/// What is longer is spooled before it is looked at.
const LONGEST_NOTHING: usize = 64;

impl ConsumeRun<'_> {
    /// Spools a reply before it is looked at closely, then delivers it. One that gave no event ends the turn.
    /// `loss` says why something may be missing from it, where that is known already; one that turns out to be
    /// torn is a possible loss as well.
    pub async fn keep(
        &self,
        reply: ConsumedReply,
        loss: Option<&str>,
        (queue, intent): (&GuardedSpool, &Intent),
        delivery: &mut Delivery<'_>,
        (checkpoints, report): (&mut Checkpoints, &mut StreamReport),
    ) -> Result<Kept, StoreError> {
        if loss.is_none() && self.has_nothing_to_give(&reply.text) {
            self.end_of_unreadable(checkpoints).await?;
            intent.clear().await?;
            return Ok(Kept::Nothing);
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
        let has_events = parsed.0.events().next().is_some();
        // The intent is there until the loss is noted: a kill in between reports it as well.
        match loss.or(parsed.1.is_some().then_some(TORN_REPLY)) {
            Some(_) if loss.is_none() && !has_events => self.note_unreadable(entry.at, checkpoints, report).await?,
            Some(what) => self.note_possible_loss(entry.at, what, checkpoints, report).await?,
            None => self.end_of_unreadable(checkpoints).await?,
        }
        let key = spooled?;
        intent.clear().await?;
        let brings_news = self.brings_news(&parsed.0, entry.at, delivery);
        if self.deliver_parsed(&key, &entry, parsed, delivery).await? {
            queue.remove(&key, entry.body.len()).await?;
        }
        self.remove_settled(queue, delivery).await?;
        Ok(if brings_news { Kept::Events } else { Kept::NoEvent })
    }

    /// The ways in which the vendor, or a server before it, says that there is nothing.
    fn has_nothing_to_give(&self, reply: &str) -> bool {
        if reply.len() > LONGEST_NOTHING {
            return false;
        }
        let (page, rest) = self.plan.stream.parse(reply.to_owned());
        rest.is_none() && page.events().next().is_none()
    }

    /// A page that is no list of events, while the vendor is being worked on for example, may have cost events. As
    /// long as such pages follow each other they are one possible loss: true ones must stay in sight.
    async fn note_unreadable(
        &self,
        at: DateTime<Utc>,
        checkpoints: &mut Checkpoints,
        report: &mut StreamReport,
    ) -> Result<(), StoreError> {
        let Some(since) = checkpoints.current.unreadable_since else {
            checkpoints.current.unreadable_since = Some(at);
            return self.note_possible_loss(at, NO_LIST, checkpoints, report).await;
        };
        let message = format!(
            "{}: the poll subscription still answers with what is no list of events, since {}; it is set aside, and may \
             have cost events",
            report.stream,
            rfc3339_millis(since)
        );
        let remedy =
            "look at the dead letters of the stream for what the vendor says, and check POLL_URL if this lasts";
        report
            .problems
            .push(Problem::new(ErrorCode::VendorBadPage, message).with_remedy(Some(remedy)));
        Ok(())
    }

    async fn end_of_unreadable(&self, checkpoints: &mut Checkpoints) -> Result<(), StoreError> {
        if checkpoints.current.unreadable_since.take().is_some() {
            checkpoints.save(self.lease, self.clock.now()).await?;
        }
        Ok(())
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
    pub async fn deliver(
        &self,
        key: &Key,
        entry: &SpoolEntry,
        delivery: &mut Delivery<'_>,
    ) -> Result<bool, StoreError> {
        let parsed = self.plan.stream.parse(entry.body.clone());
        self.deliver_parsed(key, entry, parsed, delivery).await
    }

    /// The event, or what it wraps.
    pub fn opened<'e>(&self, event: &'e str, at: DateTime<Utc>) -> Vec<Cow<'e, str>> {
        opened(event, &|event| self.standing(event, at), MOST_WRAPPED)
    }

    fn standing(&self, event: &str, at: DateTime<Utc>) -> Standing {
        let (table, stream) = (&self.plan.target.table, &self.plan.stream);
        let reading = table.read(event, at);
        let is_named = || stream.identity_of(event) != Identity::of_content(event);
        Standing::of(reading, why_no_row(event, reading, is_named))
    }

    /// True if a reply brings an event that did not come before. Whoever answers with the same, or with what is no
    /// event, has nothing to give, and would be asked until the end of the run.
    fn brings_news(&self, page: &Page, at: DateTime<Utc>, delivery: &mut Delivery<'_>) -> bool {
        let is_news = |event: &str, delivery: &mut Delivery<'_>| {
            if self.standing(event, at) == Standing::None {
                return false;
            }
            let identity = self.plan.stream.identity_of(event);
            // What waits untried is known to nobody else.
            let is_untried = delivery.stopped.is_some();
            !delivery.sink.knows(&identity) && (!is_untried || delivery.met_untried.insert(identity))
        };
        let mut brings_news = false;
        for event in page.events() {
            for event in self.opened(event, at) {
                brings_news |= is_news(&event, delivery);
            }
            if brings_news && delivery.stopped.is_none() {
                break;
            }
        }
        brings_news
    }

    /// Entries whose rows were held go once a row of the table was taken: by then their rows are set aside.
    pub async fn remove_settled(&self, queue: &GuardedSpool, delivery: &mut Delivery<'_>) -> Result<(), StoreError> {
        if delivery.stopped.is_some() || delivery.sink.is_in_doubt() {
            return Ok(());
        }
        for (key, bytes) in std::mem::take(&mut delivery.doubted) {
            queue.remove(&key, bytes).await?;
            delivery.waiting -= 1;
        }
        Ok(())
    }

    /// The end of the run: what is still held goes on waiting, and that is a failure.
    pub async fn settle_doubts(&self, delivery: &mut Delivery<'_>) {
        if delivery.stopped.is_some() {
            return;
        }
        if !delivery.sink.is_in_doubt() {
            delivery.stopped = delivery.let_go.take();
            return;
        }
        let dead_letters = DeadLetters::new(self.store.clone());
        let context = self.context(&dead_letters, self.clock.now());
        delivery.stopped = delivery.sink.flush(&context).await.err().or(delivery.let_go.take());
    }

    /// A destination that does not answer takes its time once, and leaves some to take replies into the spool.
    fn context<'c>(&'c self, dead_letters: &'c DeadLetters, arrival: DateTime<Utc>) -> SinkContext<'c> {
        SinkContext {
            stream: self.plan.stream.name(),
            lease: self.lease,
            dead_letters,
            arrival,
            given: self.plan.stream.given(),
            deadline: Deadline::after(self.deadline.clip(self.deadline.whole() * 2 / 3)),
            stop: self.stop,
        }
    }

    async fn deliver_parsed(
        &self,
        key: &Key,
        entry: &SpoolEntry,
        (page, rest): (Page, Option<(String, String)>),
        delivery: &mut Delivery<'_>,
    ) -> Result<bool, StoreError> {
        if delivery.stopped.is_some() {
            delivery.waiting += 1;
            delivery.untried += page.events().count() as u64;
            return Ok(false);
        }
        let dead_letters = DeadLetters::new(self.store.clone());
        let stream = &self.plan.stream;
        let window = Window {
            from: entry.at,
            to: entry.at,
        };
        let mut outcome = Ok(());
        let mut events = page.events();
        for event in events.by_ref() {
            for event in self.opened(event, entry.at) {
                let key = EventKey {
                    identity: stream.identity_of(&event),
                    time: None,
                };
                if outcome.is_ok() {
                    outcome = delivery
                        .sink
                        .offer(&event, key, window, &self.context(&dead_letters, entry.at))
                        .await;
                }
            }
            if outcome.is_err() {
                break;
            }
        }
        if outcome.is_ok() {
            outcome = delivery.sink.flush(&self.context(&dead_letters, entry.at)).await;
        }
        if let Err(error) = outcome {
            delivery.untried += events.count() as u64;
            delivery.waiting += 1;
            match error.is_doubt() && delivery.sink.is_in_doubt() {
                // One bad entry does not hold up those behind it, and one of them may show that the stream fits. What
                // is left of a torn reply is set aside by the next run, which meets the entry again.
                true if rest.is_none() => delivery.doubted.push((key.clone(), entry.body.len())),
                true => {}
                // More rows are in doubt than can be held: these entries stay, and those behind them are tried.
                false if error.is_doubt() => {
                    delivery.doubted.clear();
                    delivery.let_go = Some(error);
                }
                false => delivery.stopped = Some(error),
            }
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
}
