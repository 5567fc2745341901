//! One push, from its bytes to its answer.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::body::{BodyError, text_of};
use super::delivery::Shipment;
use super::memory::{Claim, Fate, Parcel, PushMemory, fate_of};
use super::split::{SplitError, split};
use crate::json::{Kind, kind};
use crate::pipeline::Target;
use crate::settings::Secret;
use crate::sources::PushForm;
use crate::state::{DeadLetter, DeadLetters, Spool, SpoolEntry, SpoolError};
use crate::time::{Clock, Deadline};

/// An upload may outlive the answer to its request by this much.
const UPLOAD_TIME: Duration = Duration::from_secs(60);
/// Every answer comes within ten seconds, whatever PUSH_DEADLINE says.
const LONGEST_WAIT: Duration = Duration::from_secs(9);

/// One instance that receives pushes.
pub struct PushPlan {
    /// The vendor's form.
    pub form: Arc<dyn PushForm>,
    /// Each of them opens this instance.
    pub tokens: Vec<Secret>,
    /// At least one.
    pub targets: Vec<Target>,
    /// How its events get there.
    pub road: PushRoad,
}

/// How pushed events get to their tables.
pub enum PushRoad {
    /// At once.
    Direct,
    /// Where the same events are polled too: into the spool, and from there through the poller's identities.
    ThroughPoller(Spool),
}

/// What came.
pub struct PushRequest {
    /// The header `Authorization`.
    pub authorization: Option<Vec<u8>>,
    /// The header `Content-Encoding`.
    pub content_encoding: Option<String>,
    /// The raw body; `None` if it is over the limit even as it came.
    pub body: Option<Vec<u8>>,
}

/// What to say.
#[derive(Debug, PartialEq, Eq)]
pub enum PushAnswer {
    /// Everything is stored.
    Stored {
        /// Events in the body.
        events: usize,
        /// Of these, set aside as dead letters.
        dead_lettered: usize,
    },
    /// The body holds no events; says where it breaks.
    Malformed(String),
    /// No token, or not a known one.
    Unauthorized(&'static str),
    /// Over the limit, inflated.
    TooLarge,
    /// A content encoding that we do not know.
    UnknownEncoding,
    /// Not stored: the sender must send it again.
    Unavailable(String),
}

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
            return PushAnswer::TooLarge;
        };
        // Kept only for the dead letter of a body that cannot even be inflated.
        let compressed = body.starts_with(&[0x1f, 0x8b]).then(|| body.clone());
        let text = match text_of(body, request.content_encoding.as_deref()) {
            Ok((text, 0)) => text,
            Ok((text, replaced)) => {
                log::warn!(stream = stream.to_string().as_str(), replaced_bytes = replaced;
                    "{stream}: {replaced} places of a push are not UTF-8 and were replaced");
                text
            }
            Err(BodyError::TooLarge) => return PushAnswer::TooLarge,
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
            Err(SplitError::TooMany) => return PushAnswer::TooLarge,
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
        self.store_events(plan, &text, &events, deadline).await
    }

    async fn store_events(&self, plan: usize, text: &str, events: &[Range<usize>], deadline: Deadline) -> PushAnswer {
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
        let stored = PushAnswer::Stored {
            events: objects.len() + others.len(),
            dead_lettered: others.len(),
        };
        let mut waiting = self.parcels(plan, &objects);
        while !waiting.is_empty() {
            match self.ship(plan, waiting).await {
                Ok(failed_twins) => waiting = failed_twins,
                Err(reason) => return PushAnswer::Unavailable(reason),
            }
            if deadline.has_passed() {
                break;
            }
        }
        if waiting.is_empty() {
            stored
        } else {
            PushAnswer::Unavailable("an equal event sent before was not stored".to_owned())
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
    async fn ship<'a>(&self, plan: usize, parcels: Vec<(Parcel, &'a str)>) -> Result<Vec<(Parcel, &'a str)>, String> {
        let arrival = self.clock.now();
        if let PushRoad::ThroughPoller(spool) = &self.plans[plan].road {
            return self.park(plan, parcels, spool).await;
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
        // Tasks of their own: when the patience ends the uploads go on, and their outcome is remembered.
        let uploads: Vec<_> = shipments
            .into_iter()
            .filter(|shipment| !shipment.is_empty())
            .map(|shipment| tokio::spawn(shipment.send(self.memory.clone(), Deadline::after(UPLOAD_TIME))))
            .collect();
        let stream = self.plans[plan].form.name();
        let mut failure = None;
        for upload in uploads {
            match upload.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => failure = Some(format!("{stream}: {error}")),
                Err(error) => failure = Some(format!("{stream}: internal error ({error})")),
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
        Ok(failed)
    }

    /// Puts what is new into the spool, an entry for each table.
    async fn park<'a>(
        &self,
        plan: usize,
        parcels: Vec<(Parcel, &'a str)>,
        spool: &Spool,
    ) -> Result<Vec<(Parcel, &'a str)>, String> {
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
        failure.map_or(Ok(Vec::new()), Err)
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
