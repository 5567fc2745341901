//! One service, shared.

use std::collections::VecDeque;
#[expect(
    clippy::disallowed_types,
    reason = "a request that panics must stop the test too, and poison does that"
)]
use std::sync::Mutex;
use std::sync::MutexGuard;

use chrono::{DateTime, Utc};

use super::{RecordedRequest, Reply, Request};

/// Replies to requests, one at a time.
pub trait Service: Send + 'static {
    /// What can go wrong with one request.
    type Fault;

    /// More of a request body is not read.
    const LARGEST_BODY_BYTES: usize = 1024 * 1024;

    /// What a test sets and reads.
    fn controls(&mut self) -> &mut Controls<Self::Fault>;

    /// The reply; the state already holds what follows from it.
    fn reply(&mut self, request: &Request, now: DateTime<Utc>) -> Reply;

    /// Called when the reply, after its delay, is on its way (`sent`), or when its client went away before.
    fn finish(&mut self, tag: Option<usize>, sent: bool) {
        let _ = (tag, sent);
    }

    /// Whether the connection of a request to this path is cut before its body is read.
    fn cuts_before_body(&mut self, path: &str) -> bool {
        let _ = path;
        false
    }
}

/// A service that needs nothing but its options to start.
pub trait Configured: Service {
    /// What a test can choose of it.
    type Options;

    /// A service without content.
    fn new(options: Self::Options) -> Self;
}

/// What a test sets and reads of any service.
#[derive(Debug)]
pub struct Controls<F> {
    pub(crate) faults: VecDeque<F>,
    /// Statuses with which the next token requests fail.
    pub(crate) token_faults: VecDeque<u16>,
    pub(crate) requests: Vec<RecordedRequest>,
    pub(crate) violations: Vec<String>,
}

impl<F> Default for Controls<F> {
    fn default() -> Self {
        Controls {
            faults: VecDeque::new(),
            token_faults: VecDeque::new(),
            requests: Vec::new(),
            violations: Vec::new(),
        }
    }
}

impl<F> Controls<F> {
    pub(crate) fn violation(&mut self, sentence: impl Into<String>) {
        self.violations.push(sentence.into());
    }

    /// Keeps it as a violation where the URL of a request holds a secret.
    pub(crate) fn look_for_secrets(&mut self, request: &Request, is_secret_in: impl FnOnce(&str) -> bool) {
        if is_secret_in(&request.decoded_url()) {
            self.violation("a secret stands in a URL");
        }
    }
}

/// A service, shared between those who carry its requests and a test.
#[derive(Debug)]
pub struct Simulation<S> {
    #[expect(
        clippy::disallowed_types,
        reason = "a request that panics must stop the test too, and poison does that"
    )]
    service: Mutex<S>,
}

impl<S: Configured> Simulation<S> {
    /// A service without content.
    pub fn new(options: S::Options) -> Self {
        Simulation::of(S::new(options))
    }
}

impl<S: Service> Simulation<S> {
    /// Shares a service.
    pub(crate) fn of(service: S) -> Self {
        Simulation {
            service: service.into(),
        }
    }

    /// The reply to a request at that time. Whoever carries it calls [`finish`](Self::finish) at its end.
    pub fn reply(&self, request: &Request, now: DateTime<Utc>) -> Reply {
        let mut service = self.lock();
        let reply = service.reply(request, now);
        service.controls().requests.push(request.recorded(reply.status));
        reply
    }

    /// Tells that the reply with this tag is on its way (`sent`), or that its client went away before.
    pub fn finish(&self, tag: Option<usize>, sent: bool) {
        self.lock().finish(tag, sent);
    }

    /// The faults of the next requests, one each, in order, after those already waiting.
    pub fn fail_next(&self, faults: impl IntoIterator<Item: Into<S::Fault>>) {
        let faults = faults.into_iter().map(Into::into);
        self.lock().controls().faults.extend(faults);
    }

    /// The statuses with which the next token requests fail, one each, in order.
    pub fn fail_next_tokens(&self, statuses: impl IntoIterator<Item = u16>) {
        self.lock().controls().token_faults.extend(statuses);
    }

    /// Faults that no request has met yet.
    pub fn waiting_faults(&self) -> usize {
        let mut service = self.lock();
        let controls = service.controls();
        controls.faults.len() + controls.token_faults.len()
    }

    /// Every request so far, in order of arrival.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.lock().controls().requests.clone()
    }

    /// What the client did against the contract, one sentence each.
    pub fn violations(&self) -> Vec<String> {
        self.lock().controls().violations.clone()
    }

    /// The state, for as long as the guard lives.
    pub(crate) fn lock(&self) -> MutexGuard<'_, S> {
        self.service.lock().expect("no request panics while it holds the state")
    }
}
