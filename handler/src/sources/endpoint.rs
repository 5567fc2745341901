//! One endpoint of a vendor: asked until it answers, with the retries, pauses and errors that are the same for all.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{RequestBuilder, Url};
use tokio::time::Instant;

use super::api_client::{ApiClient, Throttling};
use super::error::{TimeEnd, answered, duration_text};
use super::page::NoPage;
use super::web_page::web_page_title;
use super::{Remedy, SourceError};
use crate::config::{Origin, Secret};
use crate::http::{
    Backoff, NoMoreTries, Reply, Retryability, TransportError, Tries, Trouble, excerpt, pause, retry_after,
};
use crate::time::Deadline;

const TIMEOUT: Duration = Duration::from_secs(60);
const PAGE_CAP: usize = 32 * 1024 * 1024;
const TRIES: u32 = 5;
const LONGEST_PAUSE: Duration = Duration::from_secs(20);
/// A vendor that is silent for less has not shown that it does not answer.
const SHORTEST_SILENCE: Duration = Duration::from_secs(1);
/// The excerpt of a body that may not be shown.
const NOT_SHOWN: &str = "[not shown]";

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
            excerpt: NOT_SHOWN.to_owned(),
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
    /// How often it was sent.
    sent: u32,
    /// Of the last try that failed.
    last_failure: Option<SourceError>,
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
            sent: 0,
            last_failure: None,
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
        loop {
            self.admit(state).await?;
            state.sent += 1;
            let asked_at = Instant::now();
            let sent = self.send(request(), state.deadline).await;
            let answered_after = asked_at.elapsed();
            let (error, asked_pause) = match sent {
                Err(_) if state.deadline.has_passed() => return Err(self.no_answer_in_time(asked_at, state)),
                Err(error @ (TransportError::TooLarge(_) | TransportError::Timeout(_))) => {
                    return Ok(AskOutcome::TooLarge(self.unavailable(error.to_string(), state.sent)));
                }
                Err(error) => (self.not_answered(&error, state.sent), None),
                Ok(reply) => match self.api.retryability(&reply) {
                    Retryability::Success => match self.read(reply, &read, state) {
                        Ok(read) => {
                            self.api.throttle.note_answer(answered_after);
                            return Ok(AskOutcome::Read(read));
                        }
                        Err(error) => (error, None),
                    },
                    Retryability::Throttled => {
                        self.wait_as_told(&reply, state).await?;
                        continue;
                    }
                    Retryability::Transient if !is_final(&reply) => {
                        let asked = retry_after(&reply.headers, self.api.now());
                        let what = answered(reply.status.as_u16(), asked);
                        (self.unavailable(what, state.sent), asked)
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

    fn read<T>(
        &self,
        reply: Reply,
        read: impl Fn(Vec<u8>) -> Result<T, Unreadable<T>>,
        state: &mut RequestState<T>,
    ) -> Result<T, SourceError> {
        let status = reply.status.as_u16();
        let web_page = web_page_title(&reply.body);
        read(reply.body).map_err(|unreadable| {
            state.part = unreadable.part.or(state.part.take());
            let Unreadable { reason, excerpt, .. } = unreadable;
            match web_page {
                Some(title) => SourceError::WebPage {
                    asked: self.asked,
                    status,
                    title,
                    remedy: format!("check {} and HTTPS_PROXY", self.api.address_setting),
                    excerpt: Some(excerpt).filter(|excerpt| excerpt != NOT_SHOWN),
                },
                None => self.bad_page(status, reason, excerpt),
            }
        })
    }

    /// Our own rate is no trouble; a pause that the vendor asked for is.
    async fn admit<T>(&self, state: &mut RequestState<T>) -> Result<(), SourceError> {
        self.api.throttle.admit(state.deadline).await.map_err(|_| {
            let throttling = *self.api.last_throttling.lock();
            match throttling.filter(|_| self.api.throttle.is_paused()) {
                Some(throttling) => {
                    state.trouble.throttled(Instant::now());
                    self.throttled(throttling, state)
                }
                None => self.out_of_time("waiting for a place in the rate limit", state),
            }
        })
    }

    async fn wait_after_failure<T>(
        &self,
        error: SourceError,
        asked_pause: Option<Duration>,
        state: &mut RequestState<T>,
    ) -> Result<(), SourceError> {
        match state.tries.wait(asked_pause).await {
            Ok(()) => {
                state.last_failure = Some(error);
                Ok(())
            }
            Err(no_more) => Err(error.given_up(no_more, state.trouble.outlasts(state.deadline))),
        }
    }

    /// A used-up rate limit asks for patience, not for giving up: only the deadline ends it.
    async fn wait_as_told<T>(&self, reply: &Reply, state: &mut RequestState<T>) -> Result<(), SourceError> {
        // "Again, in no time" is no answer to what we should do: then our own pauses count.
        let asked = retry_after(&reply.headers, self.api.now()).filter(|asked| !asked.is_zero());
        let wait = asked.or_else(|| state.tries.next_pause()).unwrap_or(LONGEST_PAUSE);
        let throttling = Throttling {
            status: reply.status.as_u16(),
            wait: asked,
        };
        *self.api.last_throttling.lock() = Some(throttling);
        self.api.throttle.pause_for(wait);
        state.trouble.throttled(Instant::now());
        let paused = pause(wait, state.deadline).await;
        paused.map_err(|_| self.throttled(throttling, state))
    }

    fn throttled<T>(&self, throttling: Throttling, state: &RequestState<T>) -> SourceError {
        let whose = "see who else uses the account";
        let error = SourceError::Throttled {
            asked: self.asked,
            status: throttling.status,
            wait: throttling.wait,
            remedy: match &self.api.rate_setting {
                Some(rate) => format!("lower {rate}, or {whose}"),
                None => whose.to_owned(),
            },
        };
        error.given_up(NoMoreTries::OutOfTime, state.trouble.outlasts(state.deadline))
    }

    /// An answer that is cut off by the end of a run is no failure, unless the vendor's answers usually come earlier.
    fn no_answer_in_time<T>(&self, asked_at: Instant, state: &mut RequestState<T>) -> SourceError {
        let usual = self.api.throttle.slowest_answer();
        if !state.trouble.is_without_answer(asked_at, usual, state.deadline) {
            return SourceError::OutOfTime {
                end: TimeEnd::While("waiting for a page".to_owned()),
                kept_failing: false,
            };
        }
        let silent_for = asked_at.elapsed();
        // A try that the end of the run cut short says less than the one before.
        let before = state.last_failure.take().filter(|_| silent_for < SHORTEST_SILENCE);
        if let Some(failure) = before {
            return failure.given_up(NoMoreTries::OutOfTime, true);
        }
        let what = format!(
            "did not answer within {}: check that {} can be reached from here",
            duration_text(silent_for),
            self.api.address_setting
        );
        self.unavailable(what, state.sent)
            .given_up(NoMoreTries::OutOfTime, true)
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
    pub fn refused(&self, status: u16, code: Option<String>, remedy: impl Into<Remedy>) -> SourceError {
        SourceError::Refused {
            asked: self.asked,
            status,
            code,
            remedy: remedy.into(),
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
            end: TimeEnd::While(doing.to_owned()),
            kept_failing: state.trouble.outlasts(state.deadline),
        }
    }
}
