//! PingOne: the token endpoint and the audit activities endpoint of one environment, on one origin.
//!
//! Contract after the vendor's pages on audit activities, worker application tokens and error codes. What is
//! stricter here than documented: a filter holds a time window and nothing else, and a cursor comes alone.

mod activities;
mod events;
mod filter;
mod reply;
mod state;
mod token;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, rt};
use chrono::{DateTime, Utc};

use crate::generate::pingone::Activity;
use crate::loopback::{DateHeader, LoopbackServer, cut_connection};
use reply::Reply;
use state::{Incoming, State};

/// How the application may show its credentials (`tokenEndpointAuthMethod`); the other way is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TokenStyle {
    /// `CLIENT_SECRET_BASIC`: an `Authorization: Basic` header.
    Basic,
    /// `CLIENT_SECRET_POST`: `client_id` and `client_secret` in the form body.
    Body,
}

/// What the environment is like.
#[derive(Clone, Debug)]
pub struct Options {
    /// The environment whose activities are read.
    pub environment_id: String,
    /// The environment in which the worker application lives; it stands in the token URL.
    pub auth_environment_id: String,
    /// The worker application.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// The one way of showing the credentials that is accepted.
    pub token_style: TokenStyle,
    /// The largest `limit` that is accepted. The vendor documents none.
    pub largest_limit: usize,
    /// So many activity requests a token serves; after them it is refused with 401. `None`: no end.
    pub token_uses: Option<usize>,
    /// Newest first is what the vendor does without documenting it.
    pub newest_first: bool,
    /// Older events are left out without a word (vendor: the last 14 days are readable). `None`: all are.
    pub oldest_readable: Option<DateTime<Utc>>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            environment_id: "c0a1f5de-91c4-4a41-8f6e-2d1b6f0f7a01".to_owned(),
            auth_environment_id: "7be2d9aa-30c7-4f4e-9b7c-94b1d3c5e802".to_owned(),
            client_id: "e15c6f7b-6f0a-4b52-8a53-0d4f8a9b6c03".to_owned(),
            client_secret: "spruce~lantern_41.gravel-orbit".to_owned(),
            token_style: TokenStyle::Basic,
            largest_limit: 1000,
            token_uses: None,
            newest_first: true,
            oldest_readable: None,
        }
    }
}

/// What goes wrong with one activities request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fault {
    /// An error of the service, with an error body of the vendor's form.
    Status {
        /// The HTTP status.
        status: u16,
        /// `Retry-After` in seconds.
        retry_after: Option<u64>,
    },
    /// 200 with the first half of the right body.
    TruncatedJson,
    /// The right page, with a byte that is no UTF-8 in the description of its first activity.
    InvalidUtf8,
    /// 200 with a page of markup, as a proxy in between would send.
    HtmlPage,
    /// The right answer, after this time.
    Delay(Duration),
    /// The connection is closed without an answer.
    Reset,
    /// 401, and the token that was shown is no longer valid.
    RevokeToken,
    /// The right page, whose `next` link points to this origin.
    ForeignNext(String),
    /// The right page, led by the last event of the page before.
    RepeatLastOfPreviousPage,
    /// 400 where the asked `limit` is over 100, else the right answer.
    NextPageSizeRefused,
}

/// One request as it came in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RecordedRequest {
    /// The HTTP method.
    pub method: String,
    /// The path as sent.
    pub path: String,
    /// The query string as sent, without the question mark.
    pub query: String,
    /// The status of the answer; 0 where the connection was cut.
    pub status: u16,
}

/// A running PingOne.
pub struct PingOne {
    server: LoopbackServer,
    state: Arc<Mutex<State>>,
}

impl PingOne {
    /// Starts an environment without activities.
    pub fn start(options: Options) -> PingOne {
        let state = Arc::new(Mutex::new(State::new(options)));
        let same_state = Data::from(Arc::clone(&state));
        let server = LoopbackServer::start(move |config: &mut ServiceConfig| {
            config.app_data(same_state.clone()).default_service(web::to(serve));
        });
        lock(&state).origin = server.origin();
        PingOne { server, state }
    }

    /// `http://127.0.0.1:<port>`, the origin of both the token and the activities endpoint.
    pub fn origin(&self) -> String {
        self.server.origin()
    }

    /// Sets what the `Date` header of every answer says from now on.
    pub fn set_date(&self, header: DateHeader) {
        self.server.date().set(header);
    }

    /// Adds activities.
    pub fn publish(&self, activities: impl IntoIterator<Item = Activity>) {
        let mut state = lock(&self.state);
        for activity in activities {
            state.events.add(activity);
        }
    }

    /// Adds an element of the list that need not be an activity at all, but must be JSON; it stands in the
    /// order of `recorded_at` and is not among [`published`](Self::published).
    pub fn publish_raw(&self, recorded_at: DateTime<Utc>, json: String) {
        lock(&self.state).events.add_raw(recorded_at, json);
    }

    /// The faults of the next activities requests, one each, in order, after those already waiting.
    pub fn fail_next(&self, faults: impl IntoIterator<Item = Fault>) {
        lock(&self.state).faults.extend(faults);
    }

    /// The statuses with which the next token requests fail, one each, in order.
    pub fn fail_next_tokens(&self, statuses: impl IntoIterator<Item = u16>) {
        lock(&self.state).token_faults.extend(statuses);
    }

    /// Faults that no request has met yet.
    pub fn waiting_faults(&self) -> usize {
        let state = lock(&self.state);
        state.faults.len() + state.token_faults.len()
    }

    /// Makes every token invalid.
    pub fn revoke_tokens(&self) {
        lock(&self.state).tokens.clear();
    }

    /// Gives the application another secret; the old one is refused from now on, tokens stay valid.
    pub fn rotate_secret(&self, client_secret: &str) {
        lock(&self.state).options.client_secret = client_secret.to_owned();
    }

    /// The activities published so far, oldest first.
    pub fn published(&self) -> Vec<Activity> {
        lock(&self.state).events.activities()
    }

    /// Every request so far, in order of arrival.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        lock(&self.state).requests.clone()
    }

    /// What the client did against the contract, one sentence each.
    pub fn violations(&self) -> Vec<String> {
        lock(&self.state).violations.clone()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().expect("no request panics while it holds the state")
}

/// A form body is small; more is not read.
const LARGEST_FORM_BYTES: usize = 64 * 1024;

async fn serve(state: Data<Mutex<State>>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let body = match payload.to_bytes_limited(LARGEST_FORM_BYTES).await {
        Ok(Ok(body)) => body.to_vec(),
        Ok(Err(_)) | Err(_) => Vec::new(),
    };
    let incoming = Incoming::new(&request, body);
    let reply = {
        let mut state = lock(&state);
        let reply = state.answer(&incoming);
        // Before the delay: a client that gives up meanwhile ends this future.
        state.record(&incoming, &reply);
        reply
    };
    if let Some(delay) = reply.delay {
        rt::time::sleep(delay).await;
    }
    respond(&request, reply)
}

fn respond(request: &HttpRequest, reply: Reply) -> HttpResponse {
    if reply.cut {
        cut_connection(request);
    }
    reply.into_response()
}

#[cfg(test)]
mod tests;
