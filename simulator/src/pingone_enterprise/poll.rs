//! `GET /v3/reports/{account}/poll-subscriptions/{subscription}/events`: the destructive read.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand::RngExt;

use super::state::{State, Waiting, error};
use super::{Authentication, Fault};
use crate::service::{Incoming, Reply};

/// What became of the answer with the events.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fate {
    /// It went out whole.
    Sent,
    /// It went out up to its middle.
    Cut,
    /// A page of markup went out instead.
    Replaced,
    /// Nothing went out, or the client had gone away by then.
    Lost,
}

/// What one GET took from the queue.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Consumption {
    /// The ids of the events that are gone from the queue, in order; empty for raw elements.
    pub ids: Vec<String>,
    /// The ids among them that stand whole in what went out.
    pub readable: Vec<String>,
    /// What became of the answer.
    pub fate: Fate,
}

/// A GET that is being answered.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) number: usize,
    /// Its place among the consumptions.
    pub(super) consumption: Option<usize>,
    /// Another GET came meanwhile.
    pub(super) overtaken: bool,
}

impl State {
    pub(super) fn answer_poll(&mut self, incoming: &Incoming) -> Reply {
        if incoming.method != "GET" {
            self.violation(format!("the poll URL was asked with {}", incoming.method));
            return error(405, "Events are asked with GET");
        }
        if !incoming.query.is_empty() {
            self.violation("the poll URL was asked with parameters; it has none");
            return error(400, "There are no parameters here");
        }
        for open in &mut self.open {
            open.overtaken = true;
        }
        self.gets += 1;
        let number = self.gets;
        let consumed_before = self.consumed.len();
        let reply = self.polled(incoming);
        self.open.push(Open {
            number,
            consumption: (self.consumed.len() > consumed_before).then_some(consumed_before),
            overtaken: false,
        });
        Reply {
            tag: Some(number),
            ..reply
        }
    }

    fn polled(&mut self, incoming: &Incoming) -> Reply {
        let fault = self.faults.pop_front();
        match &fault {
            Some(Fault::ResetBeforeConsuming) => return Reply::cut(),
            Some(Fault::Status { status, retry_after }) => {
                return Reply {
                    retry_after: *retry_after,
                    ..error(*status, "The request failed on purpose")
                };
            }
            _ => {}
        }
        if let Err(refusal) = self.check_authentication(incoming, fault == Some(Fault::ExpireToken)) {
            return refusal;
        }
        let batch = self.take_batch();
        let whole = Reply::json(200, body_of(&batch));
        let ids: Vec<String> = batch.iter().map(|waiting| waiting.id.clone()).collect();
        let (reply, fate, readable) = match fault {
            Some(Fault::TruncatedJson) => {
                let reply = whole.truncated();
                let readable = whole_events(&batch, reply.body.len());
                (reply, Fate::Cut, readable)
            }
            Some(Fault::BreakInBody) => {
                let reply = whole.broken();
                let readable = whole_events(&batch, reply.body.len() / 2);
                (reply, Fate::Cut, readable)
            }
            Some(Fault::NotJson) => (Reply::html(), Fate::Replaced, Vec::new()),
            Some(Fault::ResetAfterConsuming) => (Reply::cut(), Fate::Lost, Vec::new()),
            Some(Fault::Delay(delay)) => {
                let delay = Some(delay);
                (Reply { delay, ..whole }, Fate::Sent, ids.clone())
            }
            _ => (whole, Fate::Sent, ids.clone()),
        };
        self.consumed.push(Consumption { ids, readable, fate });
        reply
    }

    /// About as many events as the subscription's batch size, never none of some.
    fn take_batch(&mut self) -> Vec<Waiting> {
        let size = self.options.batch_size.max(1);
        let wanted = if self.options.uneven_batches {
            self.sizes.random_range(size.div_ceil(2)..=size + size / 4)
        } else {
            size
        };
        let wanted = wanted.min(self.queue.len());
        self.queue.drain(..wanted).collect()
    }

    fn check_authentication(&mut self, incoming: &Incoming, expire: bool) -> Result<(), Reply> {
        let header = incoming.authorization.as_deref().unwrap_or_default();
        let (scheme, shown) = header.split_once(' ').unwrap_or_default();
        match (self.options.authentication, scheme) {
            (Authentication::Bearer, "Bearer") => self.check_token(shown, expire),
            (Authentication::Basic, "Basic") if expire => Err(error(403, "Not now")),
            (Authentication::Basic, "Basic") => {
                let known = format!("{}:{}", self.options.username, self.options.password);
                if shown == STANDARD.encode(known) {
                    Ok(())
                } else {
                    Err(error(401, "Unknown user or wrong password"))
                }
            }
            _ => {
                self.violation("the poll URL was asked without the authentication it wants");
                Err(error(401, "The poll URL wants another authentication"))
            }
        }
    }

    fn check_token(&mut self, token: &str, expire: bool) -> Result<(), Reply> {
        if expire {
            self.tokens.remove(token);
        }
        let uses = self.options.token_uses;
        match self.tokens.get_mut(token) {
            Some(served) if uses != Some(*served) => {
                *served += 1;
                Ok(())
            }
            _ => {
                self.tokens.remove(token);
                Err(error(403, "The token is unknown or has expired"))
            }
        }
    }
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
