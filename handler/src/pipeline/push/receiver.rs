//! One push, from its bytes to its answer.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::body::{BodyError, GZIP_MAGIC, text_of};
use super::delivery::Shipment;
use super::memory::{Claim, Fate, Parcel, PushMemory, fate_of};
use super::plan::{PushAnswer, PushPlan, PushRequest, PushRoad};
use super::room::{PushRoom, kib};
use super::split::{SplitError, split};
use crate::destination::DeliveryError;
use crate::event::StreamName;
use crate::json::{Kind, kind};
use crate::state::{DeadLetter, DeadLetters, Spool, SpoolEntry, SpoolError};
use crate::tables::RowNotes;
use crate::time::{Clock, Deadline};

/// An upload may outlive the answer to its request by this much.
const UPLOAD_TIME: Duration = Duration::from_secs(60);
const TOO_LARGE: &str = "the body is larger than 16 MiB, inflated";
/// Every answer comes within ten seconds, whatever PUSH_DEADLINE says.
const LONGEST_WAIT: Duration = Duration::from_secs(9);

/// Receives the pushes of one vendor.
pub struct PushReceiver {
    /// The instances; the token picks one.
    pub plans: Vec<PushPlan>,
    /// True if the token of some instance is not known yet: an unknown token may be right.
    pub has_unresolved_tokens: bool,
    /// What was stored before.
    pub memory: Arc<PushMemory>,
    /// Where dead letters go.
    pub dead_letters: DeadLetters,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How long a sender waits for its answer.
    pub patience: Duration,
    /// Memory for bodies on their way.
    pub room: PushRoom,
}

impl PushReceiver {
    /// Answers when the rows are stored, or when the patience ends.
    pub async fn receive(&self, request: PushRequest) -> PushAnswer {
        let plan = match self.plan_of(request.authorization.as_deref()) {
            Ok(plan) => plan,
            Err(answer) => return answer,
        };
        let deadline = Deadline::after(self.patience.min(LONGEST_WAIT));
        match tokio::time::timeout(deadline.remaining(), self.store(plan, request, deadline)).await {
            Ok(answer) => answer,
            Err(_) => {
                PushAnswer::Unavailable("the destination has not taken the rows in time; send them again".to_owned())
            }
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
                "the expected token is a Key Vault reference that is not resolved".to_owned(),
            )),
            None => Err(PushAnswer::Unauthorized("the bearer token is not the expected one")),
        }
    }

    async fn store(&self, plan: usize, request: PushRequest, deadline: Deadline) -> PushAnswer {
        let stream = self.plans[plan].form.name();
        let Some(body) = request.body else {
            return PushAnswer::TooLarge(TOO_LARGE);
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
            Err(BodyError::TooLarge) => return PushAnswer::TooLarge(TOO_LARGE),
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
            Err(SplitError::TooMany) => return PushAnswer::TooLarge("the body holds more than 1,000,000 events"),
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
        room: &Arc<OwnedSemaphorePermit>,
    ) -> PushAnswer {
        let stream = self.plans[plan].form.name();
        let events = events.iter().filter_map(|range| text.get(range.clone()));
        let (objects, others): (Vec<&str>, Vec<&str>) = events.partition(|event| kind(event) == Kind::Object);
        let letters: Vec<DeadLetter> = others
            .iter()
            .map(|event| DeadLetter {
                reason: "the element is not a JSON object".to_owned(),
                content: (*event).to_owned(),
            })
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
        PushAnswer::Stored {
            events: objects.len() + others.len(),
            dead_lettered: others.len(),
            notes,
        }
    }

    fn parcels<'a>(&self, plan: usize, objects: &[&'a str]) -> Vec<(Parcel, &'a str)> {
        let plan_of = &self.plans[plan];
        let mut parcels = Vec::with_capacity(objects.len() * plan_of.targets.len());
        for event in objects {
            let identity = plan_of.form.key_of(event).identity;
            parcels.extend((0..plan_of.targets.len()).map(|target| (Parcel { plan, target, identity }, *event)));
        }
        parcels
    }

    /// Sends what nobody else is sending and waits for all. Gives back the parcels whose twins failed.
    async fn ship<'a>(
        &self,
        plan: usize,
        parcels: Vec<(Parcel, &'a str)>,
        room: &Arc<OwnedSemaphorePermit>,
    ) -> Result<(Vec<(Parcel, &'a str)>, RowNotes), String> {
        let arrival = self.clock.now();
        if let PushRoad::ThroughPoller(spool) = &self.plans[plan].road {
            return self
                .park(plan, parcels, spool)
                .await
                .map(|()| (Vec::new(), RowNotes::default()));
        }
        let mut shipments: Vec<_> = self.plans[plan].targets.iter().cloned().map(Shipment::new).collect();
        let mut claimed = std::collections::HashSet::new();
        let mut twins = Vec::new();
        for (parcel, event) in parcels {
            match self.memory.claim(parcel) {
                Claim::Ours => {
                    claimed.insert(parcel);
                    shipments[parcel.target].load(event, parcel, arrival);
                }
                Claim::StoredBefore => {}
                // The same event twice in one body.
                Claim::OnItsWay(_) if claimed.contains(&parcel) => {}
                Claim::OnItsWay(fate) => twins.push((parcel, event, fate)),
            }
        }
        let notes = shipments.iter().fold(RowNotes::default(), |mut sum, shipment| {
            sum += shipment.notes;
            sum
        });
        let stream = self.plans[plan].form.name();
        let shipments = shipments.into_iter().filter(|shipment| !shipment.is_empty());
        let uploads: Vec<_> = shipments
            .map(|shipment| self.upload(shipment, stream, room.clone()))
            .collect();
        let mut failure = None;
        for upload in uploads {
            match upload.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => failure = Some(format!("{stream}: {error}")),
                Err(_) => failure = Some(format!("{stream}: internal error; the log says more")),
            }
        }
        if let Some(failure) = failure {
            return Err(failure);
        }
        let mut failed = Vec::new();
        for (parcel, event, fate) in twins {
            if fate_of(fate).await == Fate::Failed {
                failed.push((parcel, event));
            }
        }
        Ok((failed, notes))
    }

    /// A task of its own: when the patience ends the upload goes on, and its outcome is remembered. Nobody hears of a
    /// failure then, so the task logs it itself.
    fn upload(
        &self,
        shipment: Shipment,
        stream: &StreamName,
        room: Arc<OwnedSemaphorePermit>,
    ) -> oneshot::Receiver<Result<(), DeliveryError>> {
        let (tell, told) = oneshot::channel();
        let (memory, stream) = (self.memory.clone(), stream.to_string());
        tokio::spawn(async move {
            let outcome = shipment.send(memory, Deadline::after(UPLOAD_TIME)).await;
            drop(room);
            if let Err(Err(error)) = tell.send(outcome) {
                log::error!(stream = stream.as_str(); "{stream}: a push that was answered 503 was not stored in the end: {error}");
            }
        });
        told
    }

    /// Puts what is new into the spool, an entry for each table.
    async fn park(&self, plan: usize, parcels: Vec<(Parcel, &str)>, spool: &Spool) -> Result<(), String> {
        let targets = &self.plans[plan].targets;
        let mut fresh: Vec<(Vec<Parcel>, Vec<&str>)> = vec![Default::default(); targets.len()];
        for (parcel, event) in parcels {
            // A twin on its way is parked as well: the poller's identities tell them apart.
            if !matches!(self.memory.claim(parcel), Claim::StoredBefore) {
                fresh[parcel.target].0.push(parcel);
                fresh[parcel.target].1.push(event);
            }
        }
        let mut failure = None;
        for (target, (parcels, events)) in targets.iter().zip(fresh) {
            if parcels.is_empty() {
                continue;
            }
            let entry = SpoolEntry {
                at: self.clock.now(),
                body: format!("[{}]", events.join(",")),
            };
            let parked = match spool.require_room(entry.body.len() as u64).await {
                Ok(()) => spool
                    .add(&target.table.name(), &entry)
                    .await
                    .map(|_| ())
                    .map_err(SpoolError::Store),
                Err(error) => Err(error),
            };
            let fate = if parked.is_ok() { Fate::Stored } else { Fate::Failed };
            self.memory.settle(&parcels, fate);
            failure = parked.err().map(|error| error.to_string()).or(failure);
        }
        failure.map_or(Ok(()), Err)
    }

    /// Sets the whole body aside before it is refused.
    async fn malformed(&self, plan: usize, reason: String, content: String) -> PushAnswer {
        let form = &self.plans[plan].form;
        let (stream, repeats) = (form.name(), form.repeats_what_is_refused());
        let letter = DeadLetter {
            reason: reason.clone(),
            content,
        };
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

fn bearer(authorization: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = authorization.split_at_checked(7)?;
    let token = token.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"bearer ") && !token.is_empty()).then_some(token)
}
