//! Replies on their way from the spool into the table.

use std::borrow::Cow;
use std::collections::HashSet;

use chrono::{DateTime, Utc};

use crate::delivery::{ElementClass, IncomingEvent, StreamContext, TableWriteError, TableWriter, opened};
use crate::event::Identity;
use crate::jobs::plan::ConsumePlan;
use crate::sources::{EventKey, Page, ParsedReply, TornRest, Window};
use crate::state::{DeadLetter, GuardedSpool, Identities, Key, SpoolEntry, StoreError};

/// The table's end of the run.
pub struct ReplyDelivery<'a> {
    plan: &'a ConsumePlan,
    context: &'a StreamContext<'a>,
    pub queue: GuardedSpool,
    pub writer: TableWriter<'a>,
    /// Set when the table cannot take more in this run. Replies go on waiting in the spool.
    pub stopped: Option<TableWriteError>,
    /// When the oldest of the replies came that waited when the run began.
    pub oldest_waiting: Option<DateTime<Utc>>,
    /// Replies that go on waiting.
    pub waiting: usize,
    /// Of these, entries of which rows are held by the writer, with the bytes of their bodies.
    doubted: Vec<(Key, usize)>,
    /// Events of replies that were not tried in this run.
    pub untried: u64,
    /// Set when rows were let go of that were in doubt; their entries go on waiting.
    pub let_go: Option<TableWriteError>,
    /// The names of those that came since the table stopped.
    met_untried: HashSet<Identity>,
}

/// A reply that lies in the spool.
pub struct SpooledReply<'e> {
    pub key: &'e Key,
    pub at: DateTime<Utc>,
    pub bytes: usize,
    pub page: Page,
    /// What could not be read of it, and why.
    pub rest: Option<TornRest>,
}

impl<'e> SpooledReply<'e> {
    pub fn parse(plan: &ConsumePlan, key: &'e Key, entry: &SpoolEntry) -> Self {
        let ParsedReply { page, rest } = plan.stream.parse(entry.body.clone());
        Self {
            key,
            at: entry.at,
            bytes: entry.body.len(),
            page,
            rest,
        }
    }
}

impl<'a> ReplyDelivery<'a> {
    /// With what was delivered before.
    pub fn new(plan: &'a ConsumePlan, context: &'a StreamContext<'a>, identities: Identities) -> Self {
        let mut writer = TableWriter::new(&plan.target, identities, context);
        writer.constant_fields = plan.stream.constant_fields();
        writer.leaves_time = true;
        Self {
            plan,
            context,
            queue: plan.spool.guarded(context.store.clone()),
            writer,
            stopped: None,
            oldest_waiting: None,
            waiting: 0,
            doubted: Vec::new(),
            untried: 0,
            let_go: None,
            met_untried: HashSet::new(),
        }
    }

    /// Events that were met so far, tried or not.
    pub fn received(&self) -> u64 {
        self.writer.counts.received + self.untried
    }

    /// True if a reply brings an event that did not come before. Whoever answers with the same, or with what is no
    /// event, has nothing to give, and would be asked until the end of the run.
    pub fn brings_news(&mut self, reply: &SpooledReply<'_>) -> bool {
        let mut brings_news = false;
        for event in reply.page.events() {
            for event in opened_events(self.plan, event, reply.at) {
                brings_news |= self.is_news(&event, reply.at);
            }
            if brings_news && self.stopped.is_none() {
                break;
            }
        }
        brings_news
    }

    fn is_news(&mut self, event: &str, at: DateTime<Utc>) -> bool {
        if class_of(self.plan, event, at) == ElementClass::None {
            return false;
        }
        let identity = self.plan.stream.identity_of(event);
        // What waits untried is known to nobody else.
        let is_untried = self.stopped.is_some();
        !self.writer.knows(&identity) && (!is_untried || self.met_untried.insert(identity))
    }

    /// Delivers an entry, and removes it if everything of it is delivered or set aside.
    pub async fn deliver(&mut self, reply: SpooledReply<'_>) -> Result<(), StoreError> {
        let (key, bytes) = (reply.key.clone(), reply.bytes);
        if self.is_delivered(reply).await? {
            self.queue.remove(&key, bytes).await?;
        }
        self.remove_settled().await
    }

    async fn is_delivered(&mut self, reply: SpooledReply<'_>) -> Result<bool, StoreError> {
        if self.stopped.is_some() {
            self.waiting += 1;
            self.untried += reply.page.events().count() as u64;
            return Ok(false);
        }
        if let Err(error) = self.offer_all(&reply).await {
            self.waiting += 1;
            match error.is_doubt() && self.writer.is_in_doubt() {
                // One bad entry does not hold up those behind it, and one of them may show that the stream fits. What
                // is left of a torn reply is set aside by the next run, which meets the entry again.
                true if reply.rest.is_none() => self.doubted.push((reply.key.clone(), reply.bytes)),
                true => {}
                // More rows are in doubt than can be held: these entries stay, and those behind them are tried.
                false if error.is_doubt() => {
                    self.doubted.clear();
                    self.let_go = Some(error);
                }
                false => self.stopped = Some(error),
            }
            return Ok(false);
        }
        if let Some(TornRest {
            reason, text: content, ..
        }) = reply.rest
        {
            let letters = [DeadLetter::of_event(reason, content)];
            let StreamContext {
                dead_letters, stream, ..
            } = self.context;
            dead_letters.keep(stream, &letters, reply.at).await?;
            self.writer.counts.received += 1;
            self.writer.counts.dead_lettered += 1;
        }
        Ok(true)
    }

    /// Everything of a reply is delivered or set aside, or an error says why not.
    async fn offer_all(&mut self, reply: &SpooledReply<'_>) -> Result<(), TableWriteError> {
        let (at, mut identities) = (reply.at, Vec::new());
        let mut events = reply.page.events();
        let mut outcome = Ok(());
        for event in events.by_ref() {
            for event in opened_events(self.plan, event, at) {
                if outcome.is_ok() {
                    let key = key_of(self.plan, &event);
                    identities.push(key.identity);
                    let event = IncomingEvent {
                        text: &event,
                        key,
                        window: Window { from: at, to: at },
                        arrival: at,
                    };
                    outcome = self.writer.offer(event).await;
                }
            }
            if outcome.is_err() {
                break;
            }
        }
        if outcome.is_ok() {
            outcome = self.writer.flush().await;
            let is_in_doubt = |error: &TableWriteError| error.is_doubt() && self.writer.is_in_doubt();
            let holds_any = || identities.iter().any(|identity| self.writer.holds(identity));
            if outcome.as_ref().is_err_and(is_in_doubt) && !holds_any() {
                // Rows of other entries are in doubt, and none of this one.
                outcome = Ok(());
            }
        }
        if outcome.is_err() {
            self.untried += events.count() as u64;
        }
        outcome
    }

    /// Entries whose rows were held go once a row of the table was taken: by then their rows are set aside.
    pub async fn remove_settled(&mut self) -> Result<(), StoreError> {
        if self.stopped.is_some() || self.writer.is_in_doubt() {
            return Ok(());
        }
        for (key, bytes) in std::mem::take(&mut self.doubted) {
            self.queue.remove(&key, bytes).await?;
            self.waiting -= 1;
        }
        Ok(())
    }

    /// The end of the run: what is still held goes on waiting, and that is a failure.
    pub async fn settle_doubts(&mut self) {
        if self.stopped.is_some() {
            return;
        }
        self.stopped = match self.writer.is_in_doubt() {
            true => self.writer.flush().await.err().or(self.let_go.take()),
            false => self.let_go.take(),
        };
    }
}

/// The event, or what it wraps.
pub fn opened_events<'e>(plan: &ConsumePlan, event: &'e str, at: DateTime<Utc>) -> Vec<Cow<'e, str>> {
    opened(event, &|event| class_of(plan, event, at))
}

fn class_of(plan: &ConsumePlan, event: &str, at: DateTime<Utc>) -> ElementClass {
    let tables = std::slice::from_ref(&plan.target);
    ElementClass::in_tables(event, tables, at, |event| key_of(plan, event))
}

fn key_of(plan: &ConsumePlan, event: &str) -> EventKey {
    EventKey {
        identity: plan.stream.identity_of(event),
        time: None,
    }
}
