//! One push, from its bytes to its answer.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, Utc};
use tokio::sync::OwnedSemaphorePermit;

use super::body::{BodyError, GZIP_MAGIC, text_of};
use super::classify::{Classified, Classifier};
use super::inflight_budget::{InflightBudget, kib};
use super::plan::{PushAnswer, PushPlan, PushRequest};
use super::pushed_events::{PushedEvent, PushedEvents};
use super::split::{MOST_EVENTS, SplitError, split};
use crate::state::{DeadLetter, DeadLetters, StoreError};
use crate::tables::RowNotes;
use crate::time::{Clock, Deadline};

/// Every answer comes within ten seconds, whatever PUSH_DEADLINE says.
pub const MAX_ANSWER_TIME: Duration = Duration::from_millis(9300);
/// Dead letters of one body that are in memory, and in one file.
const LETTERS_AT_ONCE: usize = 1000;
const TOO_LARGE: &str = "the body is larger than 16 MiB, inflated";

/// Receives the pushes of one vendor.
pub struct PushReceiver {
    /// The instances; the token picks one.
    pub plans: Vec<PushPlan>,
    /// True if an instance is off or its token is not known yet: an unknown token may be right.
    pub has_unresolved_tokens: bool,
    /// Where dead letters go.
    pub dead_letters: DeadLetters,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Memory for bodies in flight.
    pub budget: InflightBudget,
}

/// The text of a push and the memory that it takes.
struct ReadPush {
    text: String,
    permit: OwnedSemaphorePermit,
}

impl PushReceiver {
    /// Writes what was counted since the last time into the state.
    pub async fn save_ledgers(&self) -> Result<(), StoreError> {
        for plan in &self.plans {
            plan.ledger.save(|table| plan.route.in_flight(table)).await?;
        }
        Ok(())
    }

    /// Nothing is in flight, every event is accounted for, and all memory is given back.
    #[cfg(test)]
    pub fn assert_at_rest(&self) {
        for plan in &self.plans {
            for route in plan.route.tables() {
                let table = route.table.name();
                assert_eq!(plan.route.in_flight(&table), 0, "{table}");
                assert_eq!(plan.ledger.counts(&table).check(), Ok(()), "{table}");
            }
        }
        assert!(self.budget.is_free(), "memory of pushes was not given back");
    }

    /// Answers when the rows are stored, or at the deadline: no later than [`MAX_ANSWER_TIME`] after the request came.
    pub async fn receive(&self, request: PushRequest, deadline: Deadline) -> PushAnswer {
        let plan = match self.plan_of(request.authorization.as_deref()) {
            Ok(plan) => plan,
            Err(answer) => return answer,
        };
        match tokio::time::timeout(deadline.remaining(), self.store(plan, request, deadline)).await {
            Ok(Ok(answer) | Err(answer)) => answer,
            Err(_) => PushAnswer::Unavailable("the rows were not stored in time; send them again".to_owned()),
        }
    }

    /// Every token is compared, each in constant time: the answer's time tells nothing about them.
    fn plan_of(&self, authorization: Option<&[u8]>) -> Result<&PushPlan, PushAnswer> {
        let Some(candidate) = authorization.and_then(bearer) else {
            return Err(PushAnswer::Unauthorized(
                "the header Authorization: Bearer <token> is missing",
            ));
        };
        let mut matching = None;
        for plan in &self.plans {
            for token in &plan.tokens {
                if token.matches(candidate) {
                    matching = Some(plan);
                }
            }
        }
        match matching {
            Some(plan) => Ok(plan),
            None if self.has_unresolved_tokens => Err(PushAnswer::Unavailable(
                "an instance that takes these pushes is switched off at present, and its token may be the one that was \
                 sent; handler check and the status say why"
                    .to_owned(),
            )),
            None => Err(PushAnswer::Unauthorized("the bearer token is not the expected one")),
        }
    }

    async fn store(&self, plan: &PushPlan, request: PushRequest, deadline: Deadline) -> Result<PushAnswer, PushAnswer> {
        let ReadPush { text, mut permit } = self.read(plan, request).await?;
        let elements = self.split(plan, &text).await?;
        // What was taken for the worst case and is not needed goes back.
        let surplus = permit.num_permits().saturating_sub(kib(text.len()) as usize);
        drop(permit.split(surplus));
        let arrival = self.clock.now();
        let Classified { events, others } = self.classify(plan, &elements, arrival).await?;
        let named = events.iter().map(|event| PushedEvent {
            identity: plan.form.key_of(event).identity,
            text: event,
        });
        let push = PushedEvents {
            events: named.collect(),
            arrival,
            deadline,
            permit: Arc::new(permit),
        };
        let stored = plan.route.store(&push).await.map_err(PushAnswer::Unavailable)?;
        // Once the rest is stored: a body that comes again is counted once.
        plan.count_dead_letters(others.len());
        Ok(PushAnswer::Stored {
            stored: events.len(),
            dead_lettered: others.len() + stored.dead_lettered,
            notes: stored.notes,
        })
    }

    async fn read(&self, plan: &PushPlan, request: PushRequest) -> Result<ReadPush, PushAnswer> {
        let Some(body) = request.body else {
            return Err(PushAnswer::TooLarge(TOO_LARGE.to_owned()));
        };
        let Some(permit) = self.budget.acquire(&body).await else {
            return Err(PushAnswer::Unavailable("the handler is ending".to_owned()));
        };
        // Kept only for the dead letter of a body that cannot even be inflated.
        let compressed = body.starts_with(&GZIP_MAGIC).then(|| body.clone());
        match text_of(body, request.content_encoding.as_deref()) {
            Ok((text, replaced)) => {
                if replaced > 0 {
                    let stream = plan.form.name();
                    log::warn!(stream = stream.to_string().as_str(), replaced_bytes = replaced;
                        "{stream}: {replaced} places of a push are not UTF-8 and were replaced");
                }
                Ok(ReadPush { text, permit })
            }
            Err(BodyError::TooLarge) => Err(PushAnswer::TooLarge(TOO_LARGE.to_owned())),
            Err(BodyError::UnknownEncoding) => Err(PushAnswer::UnknownEncoding),
            Err(BodyError::BadGzip(place)) => {
                let reason = format!("the body is not valid gzip ({place})");
                let content = BASE64_STANDARD.encode(compressed.unwrap_or_default());
                Err(self.malformed(plan, reason, content).await)
            }
        }
    }

    async fn split<'t>(&self, plan: &PushPlan, text: &'t str) -> Result<Vec<&'t str>, PushAnswer> {
        match split(text) {
            Ok(events) => Ok(events),
            Err(SplitError::TooMany) => Err(too_many_events()),
            Err(SplitError::Empty) => Err(PushAnswer::Malformed(
                "the body is empty (0 bytes of JSON); a chunked body (Transfer-Encoding: chunked) is dropped by the \
                 Functions host unless it proxies requests: send a Content-Length, or switch on \
                 enableProxyingHttpRequest in host.json"
                    .to_owned(),
            )),
            Err(SplitError::NotJson(reason)) => Err(self.malformed(plan, reason, text.to_owned()).await),
        }
    }

    /// Tells events from what is none, which is set aside.
    async fn classify<'t>(
        &self,
        plan: &PushPlan,
        elements: &[&'t str],
        arrival: DateTime<Utc>,
    ) -> Result<Classified<'t>, PushAnswer> {
        let stream = plan.form.name();
        let tables = plan.route.tables();
        let classifier = Classifier {
            form: &plan.form,
            tables: &tables,
            arrival,
        };
        let Ok(classified) = classifier.sort(elements) else {
            return Err(too_many_events());
        };
        let Classified { events, others } = &classified;
        for others in others.chunks(LETTERS_AT_ONCE) {
            let letters = classifier.letters(others);
            let kept = self.dead_letters.keep(stream, &letters, self.clock.now()).await;
            kept.map_err(|error| PushAnswer::Unavailable(error.to_string()))?;
        }
        if let Some(first) = classifier.letters(others.get(..1).unwrap_or_default()).first() {
            let dead_lettered = others.len();
            log::warn!(stream = stream.to_string().as_str(), dead_lettered = dead_lettered;
                "{stream}: {dead_lettered} of {} elements of a push are no events ({}); they lie in the state store under dead-letters/",
                dead_lettered + events.len(), first.reason);
        }
        Ok(classified)
    }

    /// Sets the whole body aside before it is refused.
    async fn malformed(&self, plan: &PushPlan, reason: String, content: String) -> PushAnswer {
        let letter = DeadLetter::of_event(reason.clone(), content);
        let stream = plan.form.name();
        match self.dead_letters.keep(stream, &[letter], self.clock.now()).await {
            Ok(()) if plan.form.repeats_what_is_refused => PushAnswer::Stored {
                stored: 0,
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

fn bearer(authorization: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = authorization.split_at_checked(7)?;
    let token = token.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"bearer ") && !token.is_empty()).then_some(token)
}
