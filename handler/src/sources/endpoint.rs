//! One endpoint of a vendor: asked until it answers, with the retries, pauses and errors that are the same for all.

use std::time::Duration;

use reqwest::RequestBuilder;
use tokio::time::Instant;

use super::SourceError;
use super::api_client::ApiClient;
use super::page::NoPage;
use crate::config::Secret;
use crate::event::StreamName;
use crate::http::{
    Backoff, NoMoreTries, Reply, Retryability, TransportError, Tries, Trouble, excerpt, pause, retry_after,
    retryability,
};
use crate::time::Deadline;

const TIMEOUT: Duration = Duration::from_secs(60);
const PAGE_CAP: usize = 32 * 1024 * 1024;
const TRIES: u32 = 5;
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// See the module.
#[derive(Clone, Copy)]
pub struct Endpoint<'a> {
    /// The stream that it is asked for, for errors.
    pub stream: &'a StreamName,
    /// What it is, in words, for errors.
    pub asked: &'static str,
    /// The account that it belongs to.
    pub api: &'a ApiClient,
}

/// What came of asking.
pub enum AskOutcome<T> {
    /// 2xx, and read.
    Read(T),
    /// A status that asking again would bring again.
    Refused(Reply),
    /// Too large or too slow: worth asking for less.
    TooLarge(SourceError),
}

/// A 2xx whose body is not what was asked for. It is asked for again.
#[derive(Debug)]
pub struct Unreadable {
    /// What is wrong with it.
    pub reason: String,
    /// Its beginning, without secrets.
    pub excerpt: String,
}

impl Unreadable {
    /// Of a body that is no page. A server may echo the given secrets.
    pub fn of(no_page: NoPage, secrets: &[&Secret]) -> Self {
        Self {
            excerpt: excerpt(&no_page.body, secrets),
            reason: no_page.reason,
        }
    }

    /// Of a body that may hold a secret.
    pub fn not_shown(reason: String) -> Self {
        Self {
            reason,
            excerpt: "[not shown]".to_owned(),
        }
    }
}

/// The tries of one request that are left, and how the ones before went.
pub struct RequestState {
    tries: Tries,
    trouble: Trouble,
    deadline: Deadline,
}

impl RequestState {
    /// Of a request that is to end before the deadline.
    pub fn new(deadline: Deadline) -> Self {
        Self {
            tries: Tries::new(Backoff::new(Duration::from_millis(500), LONGEST_PAUSE, TRIES), deadline),
            trouble: Trouble::default(),
            deadline,
        }
    }
}

impl<'a> Endpoint<'a> {
    /// The endpoint `asked` of an account, for a stream.
    pub fn new(api: &'a ApiClient, stream: &'a StreamName, asked: &'static str) -> Self {
        Self { stream, asked, api }
    }

    /// Sends what `request` builds until `read` makes something of the answer, the vendor refuses, the tries are
    /// used up or the deadline would pass.
    pub async fn ask<T>(
        &self,
        request: impl Fn() -> RequestBuilder + Send + Sync,
        read: impl Fn(Vec<u8>) -> Result<T, Unreadable> + Send + Sync,
        deadline: Deadline,
    ) -> Result<AskOutcome<T>, SourceError> {
        self.ask_unless(request, read, |_| false, deadline).await
    }

    /// The same; `is_final` finds answers that would come again although their status looks like a passing failure.
    pub async fn ask_unless<T>(
        &self,
        request: impl Fn() -> RequestBuilder + Send + Sync,
        read: impl Fn(Vec<u8>) -> Result<T, Unreadable> + Send + Sync,
        is_final: impl Fn(&Reply) -> bool + Send + Sync,
        deadline: Deadline,
    ) -> Result<AskOutcome<T>, SourceError> {
        let mut state = RequestState::new(deadline);
        let mut tries = 0;
        loop {
            tries += 1;
            self.admit(&mut state).await?;
            let asked_at = Instant::now();
            let sent = self.send(request(), deadline).await;
            let answered_after = asked_at.elapsed();
            let (error, asked_pause) = match sent {
                Err(_) if deadline.has_passed() => return Err(self.no_answer_in_time(asked_at, &state)),
                Err(error @ (TransportError::TooLarge(_) | TransportError::Timeout(_))) => {
                    return Ok(AskOutcome::TooLarge(self.unavailable(error.to_string(), tries)));
                }
                Err(error @ TransportError::Connect(_)) => {
                    let what = format!("{error}; check {} if this lasts", self.api.address_setting);
                    (self.unavailable(what, tries), None)
                }
                Err(error) => (self.unavailable(error.to_string(), tries), None),
                Ok(reply) => match (retryability(reply.status), reply.status.as_u16()) {
                    (Retryability::Success, status) => match read(reply.body) {
                        Ok(read) => {
                            self.api.throttle.note_answer(answered_after);
                            return Ok(AskOutcome::Read(read));
                        }
                        Err(unreadable) => (self.bad_page(status, unreadable), None),
                    },
                    (Retryability::Throttled, _) => {
                        self.wait_as_told(&reply, &mut state).await?;
                        continue;
                    }
                    (Retryability::Transient, _) if is_final(&reply) => return Ok(AskOutcome::Refused(reply)),
                    (Retryability::Transient, status) => {
                        let asked = retry_after(&reply.headers, self.api.now());
                        (self.unavailable(format!("answered {status}"), tries), asked)
                    }
                    (Retryability::Final, _) => return Ok(AskOutcome::Refused(reply)),
                },
            };
            state.trouble.failed(asked_at);
            self.wait_after_failure(error, asked_pause, &mut state).await?;
        }
    }

    async fn send(&self, request: RequestBuilder, deadline: Deadline) -> Result<Reply, TransportError> {
        let sent_at = self.api.now();
        let reply = self.api.http.send(request, PAGE_CAP, TIMEOUT, deadline).await?;
        let received_at = self.api.now();
        self.api.vendor_clock.note(&reply.headers, sent_at, received_at);
        Ok(reply)
    }

    /// Our own rate is no trouble; a pause that the vendor asked for is.
    async fn admit(&self, state: &mut RequestState) -> Result<(), SourceError> {
        self.api.throttle.admit(state.deadline).await.map_err(|_| {
            if self.api.throttle.is_paused() {
                state.trouble.throttled(Instant::now());
            }
            self.out_of_time("waiting for a place in the rate limit", state)
        })
    }

    async fn wait_after_failure(
        &self,
        error: SourceError,
        asked_pause: Option<Duration>,
        state: &mut RequestState,
    ) -> Result<(), SourceError> {
        let waited = state.tries.wait(asked_pause).await;
        waited.map_err(|no_more| match no_more {
            NoMoreTries::UsedUp => error,
            NoMoreTries::OutOfTime => self.out_of_time(&format!("trying again after: {error}"), state),
        })
    }

    /// 429 asks for patience, not for giving up: only the deadline ends it.
    pub async fn wait_as_told(&self, reply: &Reply, state: &mut RequestState) -> Result<(), SourceError> {
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

    fn no_answer_in_time(&self, asked_at: Instant, state: &RequestState) -> SourceError {
        let usual = self.api.throttle.slowest_answer();
        SourceError::OutOfTime {
            stream: self.stream.clone(),
            doing: "waiting for a page".to_owned(),
            kept_failing: state.trouble.is_without_answer(asked_at, usual, state.deadline),
        }
    }

    /// [`SourceError::BadPage`]
    pub fn bad_page(&self, status: u16, unreadable: Unreadable) -> SourceError {
        SourceError::BadPage {
            stream: self.stream.clone(),
            asked: self.asked,
            status,
            reason: unreadable.reason,
            excerpt: unreadable.excerpt,
        }
    }

    /// [`SourceError::Refused`]
    pub fn refused(&self, status: u16, code: Option<String>, remedy: String) -> SourceError {
        SourceError::Refused {
            stream: self.stream.clone(),
            asked: self.asked,
            status,
            code,
            remedy,
        }
    }

    fn unavailable(&self, what: String, tries: u32) -> SourceError {
        SourceError::Unavailable {
            stream: self.stream.clone(),
            asked: self.asked,
            what,
            tries,
        }
    }

    fn out_of_time(&self, doing: &str, state: &RequestState) -> SourceError {
        SourceError::OutOfTime {
            stream: self.stream.clone(),
            doing: doing.to_owned(),
            kept_failing: state.trouble.outlasts(state.deadline),
        }
    }
}
