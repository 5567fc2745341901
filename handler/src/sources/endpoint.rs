//! One endpoint of a vendor: asked until it answers, with the retries, pauses and errors that are the same for all.

use std::time::Duration;

use reqwest::RequestBuilder;
use tokio::time::Instant;

use super::{SourceError, VendorClock};
use crate::event::StreamName;
use crate::http::{
    Backoff, HttpClient, Reply, Retryability, Throttle, TransportError, Trouble, pause, retry_after, retryability,
};
use crate::time::{Clock, Deadline};

const TIMEOUT: Duration = Duration::from_secs(60);
const PAGE_CAP: usize = 32 * 1024 * 1024;
const TRIES: u32 = 5;
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// See the module.
pub struct Endpoint<'a> {
    /// The stream that it is asked for, for errors.
    pub stream: &'a StreamName,
    /// What it is, in words, for errors.
    pub asked: &'static str,
    /// The client.
    pub http: &'a HttpClient,
    /// The time, for `Retry-After`.
    pub clock: &'a dyn Clock,
    /// The setting that its address comes from, for errors.
    pub address_setting: &'a str,
    /// Shared by everybody who asks this account.
    pub throttle: &'a Throttle,
    /// Learns from every reply.
    pub vendor_clock: &'a VendorClock,
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

/// The pauses between tries.
pub fn patience() -> Backoff {
    Backoff::new(Duration::from_millis(500), LONGEST_PAUSE, TRIES)
}

impl Endpoint<'_> {
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
        let mut backoff = patience();
        let mut trouble = Trouble::default();
        let mut tries = 0;
        loop {
            tries += 1;
            self.admit(&mut trouble, deadline).await?;
            let (sent_at, asked_at) = (self.clock.now(), Instant::now());
            let sent = self.http.send(request(), PAGE_CAP, TIMEOUT, deadline).await;
            let answered_after = asked_at.elapsed();
            if let Ok(reply) = &sent {
                self.vendor_clock.note(&reply.headers, sent_at, self.clock.now());
            }
            let (error, asked_pause) = match sent {
                Err(_) if deadline.has_passed() => {
                    let kept_failing = trouble.is_without_answer(asked_at, self.throttle.slowest_answer(), deadline);
                    return Err(self.out_of_time("waiting for a page", kept_failing));
                }
                Err(error @ (TransportError::TooLarge(_) | TransportError::Timeout(_))) => {
                    return Ok(AskOutcome::TooLarge(self.unavailable(error.to_string(), tries)));
                }
                Err(error @ TransportError::Connect(_)) => {
                    let what = format!("{error}; check {} if this lasts", self.address_setting);
                    (self.unavailable(what, tries), None)
                }
                Err(error) => (self.unavailable(error.to_string(), tries), None),
                Ok(reply) => match (retryability(reply.status), reply.status.as_u16()) {
                    (Retryability::Success, status) => match read(reply.body) {
                        Ok(read) => {
                            self.throttle.note_answer(answered_after);
                            return Ok(AskOutcome::Read(read));
                        }
                        Err(unreadable) => (self.bad_page(status, unreadable), None),
                    },
                    (Retryability::Throttled, _) => {
                        self.wait_as_told(&reply, (&mut backoff, &mut trouble), deadline)
                            .await?;
                        continue;
                    }
                    (Retryability::Transient, _) if is_final(&reply) => return Ok(AskOutcome::Refused(reply)),
                    (Retryability::Transient, status) => {
                        let asked = retry_after(&reply.headers, self.clock.now());
                        (self.unavailable(format!("answered {status}"), tries), asked)
                    }
                    (Retryability::Final, _) => return Ok(AskOutcome::Refused(reply)),
                },
            };
            let Some(own_pause) = backoff.next_pause() else {
                return Err(error);
            };
            trouble.failed(asked_at);
            pause(asked_pause.unwrap_or(own_pause), deadline).await.map_err(|_| {
                let doing = format!("trying again after: {error}");
                self.out_of_time(&doing, trouble.outlasts(deadline))
            })?;
        }
    }

    /// Our own rate is no trouble; a pause that the vendor asked for is.
    async fn admit(&self, trouble: &mut Trouble, deadline: Deadline) -> Result<(), SourceError> {
        self.throttle.admit(deadline).await.map_err(|_| {
            if self.throttle.is_paused() {
                trouble.throttled(Instant::now());
            }
            self.out_of_time("waiting for a place in the rate limit", trouble.outlasts(deadline))
        })
    }

    /// 429 asks for patience, not for giving up: only the deadline ends it.
    pub async fn wait_as_told(
        &self,
        reply: &Reply,
        (backoff, trouble): (&mut Backoff, &mut Trouble),
        deadline: Deadline,
    ) -> Result<(), SourceError> {
        // "Again, in no time" is no answer to what we should do: then our own pauses count.
        let asked = retry_after(&reply.headers, self.clock.now()).filter(|asked| !asked.is_zero());
        let wait = asked.or_else(|| backoff.next_pause()).unwrap_or(LONGEST_PAUSE);
        self.throttle.pause_for(wait);
        trouble.throttled(Instant::now());
        let status = reply.status.as_u16();
        pause(wait, deadline).await.map_err(|_| {
            let doing = format!(
                "waiting {wait:.0?} after {} answered {status} (too many requests)",
                self.asked
            );
            self.out_of_time(&doing, trouble.outlasts(deadline))
        })
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

    fn out_of_time(&self, doing: &str, kept_failing: bool) -> SourceError {
        SourceError::OutOfTime {
            stream: self.stream.clone(),
            doing: doing.to_owned(),
            kept_failing,
        }
    }
}
