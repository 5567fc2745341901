//! One endpoint of a vendor: asked until it answers, with the retries, pauses and errors that are the same for all.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{RequestBuilder, Url};
use tokio::time::Instant;

use super::SourceError;
use super::api_client::ApiClient;
use super::page::NoPage;
use crate::config::{Origin, Secret};
use crate::http::{
    Backoff, NoMoreTries, Reply, Retryability, TransportError, Tries, Trouble, excerpt, pause, retry_after,
};
use crate::time::Deadline;

const TIMEOUT: Duration = Duration::from_secs(60);
const PAGE_CAP: usize = 32 * 1024 * 1024;
const TRIES: u32 = 5;
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// See the module.
#[derive(Clone)]
pub struct Endpoint {
    /// The account that it belongs to.
    pub api: Arc<ApiClient>,
    /// What it is, in words, for errors.
    pub asked: &'static str,
}

/// What came of asking.
pub enum AskOutcome<T> {
    /// 2xx, and read.
    Read(T),
    /// No whole answer came before the error; this is what there is of the last that was incomplete.
    Incomplete(T, SourceError),
    /// A status that asking again would bring again.
    Refused(Reply),
    /// Too large or too slow: worth asking for less.
    TooLarge(SourceError),
}

/// A 2xx whose body is not what was asked for. It is asked for again.
#[derive(Debug)]
pub struct Unreadable<T> {
    /// What is wrong with it.
    pub reason: String,
    /// Its beginning, without secrets.
    pub excerpt: String,
    /// What can be read of it, kept in case that no whole answer comes.
    pub part: Option<T>,
}

impl<T> Unreadable<T> {
    /// Of a body that is no page. A server may echo the given secrets.
    pub fn of(no_page: NoPage, secrets: &[&Secret]) -> Self {
        Self {
            excerpt: excerpt(&no_page.body, secrets),
            reason: no_page.reason,
            part: None,
        }
    }

    /// Of a body that may hold a secret.
    pub fn not_shown(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            excerpt: "[not shown]".to_owned(),
            part: None,
        }
    }

    /// Of a body that says itself, or shows, that something of it is missing. Nothing of it is quoted.
    pub fn incomplete(part: T, reason: String) -> Self {
        Self {
            part: Some(part),
            ..Self::not_shown(reason)
        }
    }
}

/// The tries of one request that are left, how the ones before went, and what they brought.
struct RequestState<T> {
    tries: Tries,
    trouble: Trouble,
    deadline: Deadline,
    part: Option<T>,
}

/// `{api}{path}?{name}={value}&...`, the values encoded.
pub fn address(api: &Origin, path: &str, parameters: &[(&str, String)]) -> Option<Url> {
    let mut address = format!("{}{path}", api.as_str());
    for (index, (name, value)) in parameters.iter().enumerate() {
        let mark = if index == 0 { '?' } else { '&' };
        let value = utf8_percent_encode(value, NON_ALPHANUMERIC);
        // Writing to a String cannot fail.
        let _ = write!(address, "{mark}{name}={value}");
    }
    Url::parse(&address).ok()
}

impl Endpoint {
    /// The endpoint `asked` of an account.
    pub fn new(api: Arc<ApiClient>, asked: &'static str) -> Self {
        Self { api, asked }
    }

    /// Sends what `request` builds until `read` makes something of the answer, the vendor refuses, the tries are
    /// used up or the deadline would pass.
    pub async fn ask<T: Send>(
        &self,
        request: impl Fn() -> RequestBuilder + Send + Sync,
        read: impl Fn(Vec<u8>) -> Result<T, Unreadable<T>> + Send + Sync,
        deadline: Deadline,
    ) -> Result<AskOutcome<T>, SourceError> {
        self.ask_unless(request, read, |_| false, deadline).await
    }

    /// The same; `is_final` finds answers that would come again although their status looks like a passing failure.
    pub async fn ask_unless<T: Send>(
        &self,
        request: impl Fn() -> RequestBuilder + Send + Sync,
        read: impl Fn(Vec<u8>) -> Result<T, Unreadable<T>> + Send + Sync,
        is_final: impl Fn(&Reply) -> bool + Send + Sync,
        deadline: Deadline,
    ) -> Result<AskOutcome<T>, SourceError> {
        let mut state = RequestState {
            tries: Tries::new(Backoff::new(Duration::from_millis(500), LONGEST_PAUSE, TRIES), deadline),
            trouble: Trouble::default(),
            deadline,
            part: None,
        };
        let outcome = self.ask_until_answered(request, read, is_final, &mut state).await;
        match (outcome, state.part) {
            (Err(error), Some(part)) => Ok(AskOutcome::Incomplete(part, error)),
            (outcome, _) => outcome,
        }
    }

    async fn ask_until_answered<T: Send>(
        &self,
        request: impl Fn() -> RequestBuilder + Send + Sync,
        read: impl Fn(Vec<u8>) -> Result<T, Unreadable<T>> + Send + Sync,
        is_final: impl Fn(&Reply) -> bool + Send + Sync,
        state: &mut RequestState<T>,
    ) -> Result<AskOutcome<T>, SourceError> {
        let mut tries = 0;
        loop {
            tries += 1;
            self.admit(state).await?;
            let asked_at = Instant::now();
            let sent = self.send(request(), state.deadline).await;
            let answered_after = asked_at.elapsed();
            let (error, asked_pause) = match sent {
                Err(_) if state.deadline.has_passed() => return Err(self.no_answer_in_time(asked_at, state)),
                Err(error @ (TransportError::TooLarge(_) | TransportError::Timeout(_))) => {
                    return Ok(AskOutcome::TooLarge(self.unavailable(error.to_string(), tries)));
                }
                Err(error) => (self.not_answered(&error, tries), None),
                Ok(reply) => match self.api.retryability(&reply) {
                    Retryability::Success => match read(reply.body) {
                        Ok(read) => {
                            self.api.throttle.note_answer(answered_after);
                            return Ok(AskOutcome::Read(read));
                        }
                        Err(unreadable) => {
                            state.part = unreadable.part.or(state.part.take());
                            (
                                self.bad_page(reply.status.as_u16(), unreadable.reason, unreadable.excerpt),
                                None,
                            )
                        }
                    },
                    Retryability::Throttled => {
                        self.wait_as_told(&reply, state).await?;
                        continue;
                    }
                    Retryability::Transient if !is_final(&reply) => {
                        let what = format!("answered {}", reply.status.as_u16());
                        let asked = retry_after(&reply.headers, self.api.now());
                        (self.unavailable(what, tries), asked)
                    }
                    Retryability::Transient | Retryability::Final => return Ok(AskOutcome::Refused(reply)),
                },
            };
            state.trouble.failed(asked_at);
            self.wait_after_failure(error, asked_pause, state).await?;
        }
    }

    fn not_answered(&self, error: &TransportError, tries: u32) -> SourceError {
        self.unavailable(error.with_advice(&self.api.address_setting), tries)
    }

    async fn send(&self, request: RequestBuilder, deadline: Deadline) -> Result<Reply, TransportError> {
        let sent_at = self.api.now();
        let reply = self.api.http.send(request, PAGE_CAP, TIMEOUT, deadline).await?;
        let received_at = self.api.now();
        self.api.vendor_clock.note(&reply.headers, sent_at, received_at);
        Ok(reply)
    }

    /// Our own rate is no trouble; a pause that the vendor asked for is.
    async fn admit<T>(&self, state: &mut RequestState<T>) -> Result<(), SourceError> {
        self.api.throttle.admit(state.deadline).await.map_err(|_| {
            if self.api.throttle.is_paused() {
                state.trouble.throttled(Instant::now());
            }
            self.out_of_time("waiting for a place in the rate limit", state)
        })
    }

    async fn wait_after_failure<T>(
        &self,
        error: SourceError,
        asked_pause: Option<Duration>,
        state: &mut RequestState<T>,
    ) -> Result<(), SourceError> {
        let waited = state.tries.wait(asked_pause).await;
        waited.map_err(|no_more| match no_more {
            NoMoreTries::UsedUp => error,
            NoMoreTries::OutOfTime => self.out_of_time(&format!("trying again after: {error}"), state),
        })
    }

    /// A used-up rate limit asks for patience, not for giving up: only the deadline ends it.
    async fn wait_as_told<T>(&self, reply: &Reply, state: &mut RequestState<T>) -> Result<(), SourceError> {
        // "Again, in no time" is no answer to what we should do: then our own pauses count.
        let asked = retry_after(&reply.headers, self.api.now()).filter(|asked| !asked.is_zero());
        let wait = asked.or_else(|| state.tries.next_pause()).unwrap_or(LONGEST_PAUSE);
        self.api.throttle.pause_for(wait);
        state.trouble.throttled(Instant::now());
        let status = reply.status.as_u16();
        pause(wait, state.deadline).await.map_err(|_| {
            let doing = format!(
                "waiting {wait:.0?} after {} answered {status} (too many requests)",
                self.asked
            );
            self.out_of_time(&doing, state)
        })
    }

    fn no_answer_in_time<T>(&self, asked_at: Instant, state: &RequestState<T>) -> SourceError {
        let usual = self.api.throttle.slowest_answer();
        SourceError::OutOfTime {
            doing: "waiting for a page".to_owned(),
            kept_failing: state.trouble.is_without_answer(asked_at, usual, state.deadline),
        }
    }

    fn bad_page(&self, status: u16, reason: String, excerpt: String) -> SourceError {
        SourceError::BadPage {
            asked: self.asked,
            status,
            reason,
            excerpt,
        }
    }

    /// [`SourceError::Refused`]
    pub fn refused(&self, status: u16, code: Option<String>, remedy: String) -> SourceError {
        SourceError::Refused {
            asked: self.asked,
            status,
            code,
            remedy,
        }
    }

    /// Why no request can be made.
    pub fn no_address(&self) -> SourceError {
        let remedy = format!("check {}: it makes no address", self.api.address_setting);
        self.refused(0, None, remedy)
    }

    fn unavailable(&self, what: String, tries: u32) -> SourceError {
        SourceError::Unavailable {
            asked: self.asked,
            what,
            tries,
        }
    }

    fn out_of_time<T>(&self, doing: &str, state: &RequestState<T>) -> SourceError {
        SourceError::OutOfTime {
            doing: doing.to_owned(),
            kept_failing: state.trouble.outlasts(state.deadline),
        }
    }
}
