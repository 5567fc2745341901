//! `GET /v3/reports/{account}/poll-subscriptions/{subscription}/events`: the destructive read.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};

use super::consumption::{Fate, Waiting, ids_of};
use super::options::{Authentication, SubscriptionFault};
use super::state::{Subscription, error};
use crate::service::{Reply, Request};

pub(super) fn reply(state: &mut Subscription, request: &Request, now: DateTime<Utc>) -> Reply {
    if request.method != "GET" {
        state
            .controls
            .violation(format!("the poll URL was asked with {}", request.method));
        return error(405, "Events are asked with GET");
    }
    if !request.query.is_empty() {
        state
            .controls
            .violation("the poll URL was asked with parameters; it has none");
        return error(400, "There are no parameters here");
    }
    let number = state.reads.begin();
    Reply {
        tag: Some(number),
        ..read(state, request, now).unwrap_or_else(|refusal| refusal)
    }
}

fn read(state: &mut Subscription, request: &Request, now: DateTime<Utc>) -> Result<Reply, Reply> {
    let fault = state.controls.faults.pop_front();
    match &fault {
        Some(SubscriptionFault::ResetBeforeConsuming) => return Err(Reply::cut()),
        Some(SubscriptionFault::Status { status, retry_after }) => {
            let error = error(*status, "The request failed on purpose");
            return Err(error.with_retry_after(*retry_after));
        }
        _ => {}
    }
    match fault {
        Some(SubscriptionFault::ExpireToken) => check_expired(state, request)?,
        _ => check_authentication(state, request, now)?,
    }
    let batch = state.take_batch();
    let whole = Reply::json(200, body_of(&batch));
    let (reply, fate, readable) = match fault {
        Some(SubscriptionFault::TruncatedJson) => {
            let reply = whole.truncated();
            let readable = whole_events(&batch, reply.body.len());
            (reply, Fate::Cut, readable)
        }
        Some(SubscriptionFault::BreakInBody) => {
            let readable = whole_events(&batch, whole.body.len() / 2);
            (whole.broken(), Fate::Cut, readable)
        }
        Some(SubscriptionFault::NotJson) => (Reply::html(), Fate::Replaced, Vec::new()),
        Some(SubscriptionFault::ResetAfterConsuming) => (Reply::cut(), Fate::Lost, Vec::new()),
        Some(SubscriptionFault::Delay(delay)) => (whole.delayed(delay), Fate::Sent, ids_of(&batch)),
        _ => (whole, Fate::Sent, ids_of(&batch)),
    };
    state.reads.consume(&batch, fate, readable);
    Ok(reply)
}

fn check_authentication(state: &mut Subscription, request: &Request, now: DateTime<Utc>) -> Result<(), Reply> {
    match state.options.authentication {
        Authentication::Bearer => {
            let token = credentials(state, request, "Bearer")?;
            if state.tokens.serve(token, now) {
                return Ok(());
            }
            Err(error(403, "The token is unknown or has expired"))
        }
        Authentication::Basic => {
            let known = format!("{}:{}", state.options.username, state.options.password);
            if credentials(state, request, "Basic")? == STANDARD.encode(known) {
                return Ok(());
            }
            Err(error(401, "Unknown user or wrong password"))
        }
    }
}

/// Refuses the request, and makes the token that it shows invalid.
fn check_expired(state: &mut Subscription, request: &Request) -> Result<(), Reply> {
    if state.options.authentication == Authentication::Bearer {
        let token = credentials(state, request, "Bearer")?;
        state.tokens.revoke(token);
    }
    Err(error(403, "The token is unknown or has expired"))
}

fn credentials<'a>(state: &mut Subscription, request: &'a Request, scheme: &str) -> Result<&'a str, Reply> {
    request.credentials(scheme).ok_or_else(|| {
        state
            .controls
            .violation("the poll URL was asked without the authentication it wants");
        error(401, "The poll URL wants another authentication")
    })
}

/// A bare list; the events stand in it byte for byte as they were published.
fn body_of(batch: &[Waiting]) -> String {
    let texts: Vec<&str> = batch.iter().map(|waiting| waiting.json.as_str()).collect();
    format!("[{}]", texts.join(","))
}

/// The ids of the events that end within so many bytes of the body.
fn whole_events(batch: &[Waiting], bytes: usize) -> Vec<String> {
    let mut end = 0;
    batch
        .iter()
        .take_while(|waiting| {
            // The bracket or comma before it.
            end += 1 + waiting.json.len();
            end <= bytes
        })
        .map(|waiting| waiting.id.clone())
        .collect()
}
