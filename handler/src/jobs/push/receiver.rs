//! One push, from its bytes to its answer.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use tokio::sync::watch;

use super::body::{BodyError, GZIP_MAGIC, text_of};
use super::classify::{Classified, Classifier};
use super::dedupe::{Claim, Dedupe, Fate, Parcel, fate_of};
use super::group_commit::{Cargo, Lane};
use super::inflight_budget::{InflightBudget, kib};
use super::lane_context::Room;
use super::plan::{PushAnswer, PushPlan, PushRequest, PushRoute};
use super::shipment::Verdict;
use super::split::{MOST_EVENTS, SplitError, split};
use crate::delivery::NoRow;
use crate::delivery::OLD_AFTER;
use crate::json::repair_surrogates;
use crate::state::{Counts, DeadLetter, DeadLetters, StoreError};
use crate::tables::{RowContext, RowNotes};
use crate::time::{Clock, Deadline};

/// Dead letters of one body that are in memory, and in one file.
const LETTERS_AT_ONCE: usize = 1000;
const TOO_LARGE: &str = "the body is larger than 16 MiB, inflated";

/// Receives the pushes of one vendor.
pub struct PushReceiver {
    /// The instances; the token picks one.
    pub plans: Vec<PushPlan>,
    /// True if an instance is off or its token is not known yet: an unknown token may be right.
    pub has_unresolved_tokens: bool,
    /// What was stored before.
    pub memory: Arc<Dedupe>,
    /// Where dead letters go.
    pub dead_letters: DeadLetters,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Memory for bodies on their way.
    pub room: InflightBudget,
}

impl PushReceiver {
    /// Writes what was counted since the last time into the state.
    pub async fn save_ledgers(&self) -> Result<(), StoreError> {
        for (number, plan) in self.plans.iter().enumerate() {
            let tables: Vec<_> = plan.road.targets().iter().map(|target| target.table.name()).collect();
            let on_their_way = |table: &str| {
                let target = tables.iter().position(|name| &**name == table);
                target.map_or(0, |target| self.memory.on_their_way(number, target))
            };
            plan.ledger.save(on_their_way).await?;
        }
        Ok(())
    }

    /// Nothing is on its way, every event is accounted for, and all memory is given back.
    #[cfg(test)]
    pub fn assert_at_rest(&self) {
        for (number, plan) in self.plans.iter().enumerate() {
            for (target, of) in plan.road.targets().iter().enumerate() {
                let table = of.table.name();
                assert_eq!(self.memory.on_their_way(number, target), 0, "{table}");
                assert_eq!(plan.ledger.counts(&table).check(), Ok(()), "{table}");
            }
        }
        assert!(self.room.is_free(), "memory of pushes was not given back");
    }

    /// Answers when the rows are stored, or at the deadline: no later than [`super::LONGEST_WAIT`] after the request came.
    pub async fn receive(&self, request: PushRequest, deadline: Deadline) -> PushAnswer {
        let plan = match self.plan_of(request.authorization.as_deref()) {
            Ok(plan) => plan,
            Err(answer) => return answer,
        };
        match tokio::time::timeout(deadline.remaining(), self.store(plan, request, deadline)).await {
            Ok(answer) => answer,
            Err(_) => PushAnswer::Unavailable("the rows were not stored in time; send them again".to_owned()),
        }
    }

    /// Every token is compared, each in constant time: the answer's time tells nothing about them.
    fn plan_of(&self, authorization: Option<&[u8]>) -> Result<usize, PushAnswer> {
        let Some(candidate) = authorization.and_then(bearer) else {
            return Err(PushAnswer::Unauthorized(
                "the header Authorization: Bearer <token> is missing",
            ));
        };
        let mut matching = None;
        for (number, plan) in self.plans.iter().enumerate() {
            for token in &plan.tokens {
                if token.matches(candidate) {
                    matching = Some(number);
                }
            }
        }
        match matching {
            Some(number) => Ok(number),
            None if self.has_unresolved_tokens => Err(PushAnswer::Unavailable(
                "an instance that takes these pushes is switched off at present, and its token may be the one that was \
                 sent; handler check and the status say why"
                    .to_owned(),
            )),
            None => Err(PushAnswer::Unauthorized("the bearer token is not the expected one")),
        }
    }

    async fn store(&self, plan: usize, request: PushRequest, deadline: Deadline) -> PushAnswer {
        let stream = self.plans[plan].form.name();
        let Some(body) = request.body else {
            return PushAnswer::TooLarge(TOO_LARGE.to_owned());
        };
        let Some(mut room) = self.room.take(&body).await else {
            return PushAnswer::Unavailable("the handler is ending".to_owned());
        };
        // Kept only for the dead letter of a body that cannot even be inflated.
        let compressed = body.starts_with(&GZIP_MAGIC).then(|| body.clone());
        let text = match text_of(body, request.content_encoding.as_deref()) {
            Ok((text, 0)) => text,
            Ok((text, replaced)) => {
                log::warn!(stream = stream.to_string().as_str(), replaced_bytes = replaced;
                    "{stream}: {replaced} places of a push are not UTF-8 and were replaced");
                text
            }
            Err(BodyError::TooLarge) => return PushAnswer::TooLarge(TOO_LARGE.to_owned()),
            Err(BodyError::UnknownEncoding) => return PushAnswer::UnknownEncoding,
            Err(BodyError::BadGzip(place)) => {
                let reason = format!("the body is not valid gzip ({place})");
                return self
                    .malformed(plan, reason, BASE64_STANDARD.encode(compressed.unwrap_or_default()))
                    .await;
            }
        };
        let events = match split(&text) {
            Ok(events) => events,
            Err(SplitError::TooMany) => return too_many_events(),
            Err(SplitError::Empty) => {
                return PushAnswer::Malformed(
                    "the body is empty (0 bytes of JSON); a chunked body (Transfer-Encoding: chunked) is dropped by the \
                     Functions host unless it proxies requests: send a Content-Length, or switch on \
                     enableProxyingHttpRequest in host.json"
                        .to_owned(),
                );
            }
            Err(SplitError::NotJson(reason)) => return self.malformed(plan, reason, text).await,
        };
        // What was taken for the worst case and is not needed goes back.
        let surplus = room.num_permits().saturating_sub(kib(text.len()) as usize);
        drop(room.split(surplus));
        self.store_events(plan, &text, &events, deadline, &Arc::new(room)).await
    }

    async fn store_events(
        &self,
        plan: usize,
        text: &str,
        events: &[Range<usize>],
        deadline: Deadline,
        room: &Room,
    ) -> PushAnswer {
        let stream = self.plans[plan].form.name();
        let targets = self.plans[plan].road.targets();
        let judge = Classifier {
            form: &*self.plans[plan].form,
            targets: &targets,
            arrival: self.clock.now(),
        };
        let elements = events.iter().filter_map(|range| text.get(range.clone()));
        let Ok(Classified { events, others }) = judge.sort(elements) else {
            return too_many_events();
        };
        for others in others.chunks(LETTERS_AT_ONCE) {
            let kept = self
                .dead_letters
                .keep(stream, &judge.letters(others), self.clock.now())
                .await;
            if let Err(error) = kept {
                return PushAnswer::Unavailable(error.to_string());
            }
        }
        let dead_lettered = others.len();
        if let Some(first) = judge.letters(others.get(..1).unwrap_or_default()).first() {
            log::warn!(stream = stream.to_string().as_str(), dead_lettered = dead_lettered;
                "{stream}: {dead_lettered} of {} elements of a push are no events ({}); they lie in the state store under dead-letters/",
                dead_lettered + events.len(), first.reason);
        }
        let objects: Vec<&str> = events.iter().map(|event| &**event).collect();
        let mut notes = RowNotes::default();
        let mut waiting = self.parcels(plan, &objects);
        while !waiting.is_empty() {
            match self.ship(plan, waiting, room).await {
                Ok((failed_twins, shipped)) => {
                    waiting = failed_twins;
                    notes += shipped;
                }
                Err(reason) => return PushAnswer::Unavailable(reason),
            }
            if deadline.has_passed() && !waiting.is_empty() {
                return PushAnswer::Unavailable("an equal event sent before was not stored".to_owned());
            }
        }
        self.count_dead_letters(plan, dead_lettered as u64);
        PushAnswer::Stored {
            events: objects.len() + dead_lettered,
            dead_lettered,
            notes,
        }
    }

    /// Once the rest is stored: a body that comes again is counted once.
    fn count_dead_letters(&self, plan: usize, letters: u64) {
        let plan = &self.plans[plan];
        if letters == 0 {
            return;
        }
        for target in plan.road.targets() {
            plan.ledger.settled(&target.table.name(), |counts| {
                counts.received += letters;
                counts.dead_lettered += letters;
            });
        }
    }

    fn parcels<'a>(&self, plan: usize, objects: &[&'a str]) -> Vec<(Parcel, &'a str)> {
        let plan_of = &self.plans[plan];
        let targets = plan_of.road.targets().len();
        let mut parcels = Vec::with_capacity(objects.len() * targets);
        for event in objects {
            let identity = plan_of.form.key_of(event).identity;
            parcels.extend((0..targets).map(|target| (Parcel { plan, target, identity }, *event)));
        }
        parcels
    }

    /// Sends what nobody else is sending and waits for all. Gives back the parcels whose twins failed.
    async fn ship<'a>(
        &self,
        plan: usize,
        parcels: Vec<(Parcel, &'a str)>,
        room: &Room,
    ) -> Result<(Vec<(Parcel, &'a str)>, RowNotes), String> {
        let lanes = match &self.plans[plan].road {
            PushRoute::Direct(lanes) => lanes,
            PushRoute::ThroughPoller { spool, targets } => {
                self.park(plan, parcels, (spool, targets), room).await?;
                return Ok((Vec::new(), RowNotes::default()));
            }
        };
        let arrival = self.clock.now();
        let ledger = &self.plans[plan].ledger;
        let mut notes = RowNotes::default();
        let mut cargo: Vec<Vec<Cargo>> = lanes.iter().map(|_| Vec::new()).collect();
        let mut claimed = HashSet::new();
        let mut twins = Vec::new();
        let mut elsewhere = Vec::new();
        for (parcel, event) in parcels {
            let lane = &lanes[parcel.target];
            let table = lane.context().target.table.name();
            match self.memory.claim(parcel) {
                Claim::Ours => {
                    claimed.insert(parcel);
                    let mut row = Vec::with_capacity(event.len() + 64);
                    let context = RowContext { arrival, given: &[] };
                    let projected = lane
                        .context()
                        .target
                        .table
                        .project(&repair_surrogates(event), context, &mut row);
                    if !projected.reading.fills_a_column {
                        // An event for another table of this instance.
                        elsewhere.push((parcel, event));
                        continue;
                    }
                    notes += projected.notes;
                    let time = projected.time;
                    ledger.settled(&table, |counts| {
                        counts.received += 1;
                        counts.unfit_values += projected.notes.unfit;
                        counts.cut_values += projected.notes.cut;
                        counts.old_rows += u64::from(arrival - time > OLD_AFTER);
                    });
                    cargo[parcel.target].push(Cargo { row, time, parcel });
                }
                Claim::OnItsWay(fate) if !claimed.contains(&parcel) => twins.push((parcel, event, fate)),
                // Stored before, or the same event twice in one body.
                Claim::StoredBefore | Claim::OnItsWay(_) => ledger.settled(&table, seen_once_more),
            }
        }
        self.set_aside_elsewhere(plan, lanes, elsewhere).await?;
        let mut verdicts = Vec::new();
        for (lane, cargo) in lanes.iter().zip(cargo) {
            verdicts.extend(lane.load(cargo, room));
        }
        for verdict in verdicts {
            if let Verdict::Failed(reason) = verdict_of(verdict).await {
                return Err(format!("{}: {reason}", self.plans[plan].form.name()));
            }
        }
        let mut failed = Vec::new();
        for (parcel, event, fate) in twins {
            if fate_of(fate).await == Fate::Failed {
                failed.push((parcel, event));
            } else {
                ledger.settled(&lanes[parcel.target].context().target.table.name(), seen_once_more);
            }
        }
        Ok((failed, notes))
    }

    /// What only another table of the instance can show is a dead letter of this one.
    async fn set_aside_elsewhere(
        &self,
        plan: usize,
        lanes: &[Lane],
        parcels: Vec<(Parcel, &str)>,
    ) -> Result<(), String> {
        for (parcel, event) in parcels {
            let table = lanes[parcel.target].context().target.table.name();
            let letter = DeadLetter::of_event(NoRow::NoColumn.reason(&table), event.to_owned());
            let stream = self.plans[plan].form.name();
            let kept = self.dead_letters.keep(stream, &[letter], self.clock.now()).await;
            let fate = if kept.is_ok() { Fate::Stored } else { Fate::Failed };
            self.memory.settle(&[parcel], fate);
            self.plans[plan].ledger.settled(&table, |counts| {
                counts.received += 1;
                match fate {
                    Fate::Stored => counts.dead_lettered += 1,
                    _ => counts.in_flight += 1,
                }
            });
            kept.map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Sets the whole body aside before it is refused.
    async fn malformed(&self, plan: usize, reason: String, content: String) -> PushAnswer {
        let form = &self.plans[plan].form;
        let (stream, repeats) = (form.name(), form.repeats_what_is_refused());
        let letter = DeadLetter::of_event(reason.clone(), content);
        match self.dead_letters.keep(stream, &[letter], self.clock.now()).await {
            Ok(()) if repeats => PushAnswer::Stored {
                events: 1,
                dead_lettered: 1,
                notes: RowNotes::default(),
            },
            Ok(()) => PushAnswer::Malformed(reason),
            Err(error) => PushAnswer::Unavailable(error.to_string()),
        }
    }
}

fn too_many_events() -> PushAnswer {
    PushAnswer::TooLarge(format!("the body holds more than {MOST_EVENTS} events"))
}

pub fn seen_once_more(counts: &mut Counts) {
    counts.received += 1;
    counts.seen_before += 1;
}

/// Waits for the word. A batch that vanished without one was not stored.
async fn verdict_of(mut waiting: watch::Receiver<Verdict>) -> Verdict {
    match waiting.wait_for(|verdict| *verdict != Verdict::Open).await {
        Ok(verdict) => verdict.clone(),
        Err(_) => Verdict::Failed("internal error; the log says more".to_owned()),
    }
}

fn bearer(authorization: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = authorization.split_at_checked(7)?;
    let token = token.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"bearer ") && !token.is_empty()).then_some(token)
}
