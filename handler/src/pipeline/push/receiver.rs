//! One push, from its bytes to its answer.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use tokio::sync::watch;

use super::body::{BodyError, GZIP_MAGIC, text_of};
use super::lane::Cargo;
use super::lane_context::Room;
use super::memory::{Claim, Fate, Parcel, PushMemory, fate_of};
use super::plan::{PushAnswer, PushPlan, PushRequest, PushRoad};
use super::room::{PushRoom, kib};
use super::shipment::Verdict;
use super::split::{MOST_EVENTS, SplitError, split};
use crate::json::{Kind, kind, repair_surrogates};
use crate::pipeline::Target;
use crate::pipeline::table_sink::OLD_AFTER;
use crate::state::{Counts, DeadLetter, DeadLetters, EntryKind, Spool, SpoolEntry, SpoolError, StoreError};
use crate::tables::{RowContext, RowNotes};
use crate::time::{Clock, Deadline};

const TOO_LARGE: &str = "the body is larger than 16 MiB, inflated";

/// Receives the pushes of one vendor.
pub struct PushReceiver {
    /// The instances; the token picks one.
    pub plans: Vec<PushPlan>,
    /// True if an instance is off or its token is not known yet: an unknown token may be right.
    pub has_unresolved_tokens: bool,
    /// What was stored before.
    pub memory: Arc<PushMemory>,
    /// Where dead letters go.
    pub dead_letters: DeadLetters,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Memory for bodies on their way.
    pub room: PushRoom,
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
            Err(SplitError::TooMany) => {
                return PushAnswer::TooLarge(format!("the body holds more than {MOST_EVENTS} events"));
            }
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
        let events = events.iter().filter_map(|range| text.get(range.clone()));
        let (objects, others): (Vec<&str>, Vec<&str>) = events.partition(|event| kind(event) == Kind::Object);
        let letters: Vec<DeadLetter> = others
            .iter()
            .map(|event| DeadLetter::of_event("the element is not a JSON object".to_owned(), (*event).to_owned()))
            .collect();
        if let Err(error) = self.dead_letters.keep(stream, &letters, self.clock.now()).await {
            return PushAnswer::Unavailable(error.to_string());
        }
        if !letters.is_empty() {
            log::warn!(stream = stream.to_string().as_str(), dead_lettered = letters.len();
                "{stream}: {} elements of a push are no JSON objects; they lie in the state store under dead-letters/", letters.len());
        }
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
        self.count_dead_letters(plan, others.len() as u64);
        PushAnswer::Stored {
            events: objects.len() + others.len(),
            dead_lettered: others.len(),
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
            PushRoad::Direct(lanes) => lanes,
            PushRoad::ThroughPoller { spool, targets } => {
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

    /// Puts what is new into the spool, an entry for each table. In a task of its own: an entry that is written late
    /// must be known when the sender repeats itself.
    async fn park(
        &self,
        plan: usize,
        parcels: Vec<(Parcel, &str)>,
        (spool, targets): (&Spool, &[Target]),
        room: &Room,
    ) -> Result<(), String> {
        let ledger = &self.plans[plan].ledger;
        let mut fresh: Vec<(Vec<Parcel>, Vec<&str>)> = vec![Default::default(); targets.len()];
        for (parcel, event) in parcels {
            let table = targets[parcel.target].table.name();
            // A twin on its way is parked as well: the poller's identities tell them apart.
            if matches!(self.memory.claim(parcel), Claim::StoredBefore) {
                ledger.settled(&table, seen_once_more);
                continue;
            }
            fresh[parcel.target].0.push(parcel);
            fresh[parcel.target].1.push(event);
        }
        let mut entries = Vec::new();
        for (target, (parcels, events)) in targets.iter().zip(fresh) {
            if parcels.is_empty() {
                continue;
            }
            let entry = SpoolEntry {
                at: self.clock.now(),
                kind: EntryKind::Events,
                held_until: None,
                body: format!("[{}]", events.join(",")),
            };
            entries.push((target.table.name(), parcels, entry));
        }
        let (spool, memory, ledger, room) = (spool.clone(), self.memory.clone(), ledger.clone(), room.clone());
        let parking = tokio::spawn(async move {
            let _room = room;
            let mut failure = None;
            for (table, parcels, entry) in entries {
                let rows = parcels.len() as u64;
                let parked = park_one(&spool, &table, &entry).await;
                let fate = if parked.is_ok() { Fate::Stored } else { Fate::Failed };
                memory.settle(&parcels, fate);
                ledger.settled(&table, |counts| {
                    counts.received += rows;
                    match fate {
                        Fate::Stored => counts.spooled += rows,
                        _ => counts.in_flight += rows,
                    }
                });
                failure = parked.err().map(|error| error.to_string()).or(failure);
            }
            failure.map_or(Ok(()), Err)
        });
        parking
            .await
            .unwrap_or_else(|_| Err("internal error; the log says more".to_owned()))
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

async fn park_one(spool: &Spool, table: &str, entry: &SpoolEntry) -> Result<(), SpoolError> {
    spool.require_room(entry.body.len() as u64).await?;
    spool.add(table, entry).await?;
    Ok(())
}

fn seen_once_more(counts: &mut Counts) {
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
