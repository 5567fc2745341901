//! Everything the account remembers, and the way from a request to its endpoint.

use std::collections::{HashMap, VecDeque};

use rand::rngs::StdRng;
use serde_json::json;

use super::rows::{Row, Rows, Selection};
use super::{Fault, Options, token};
use crate::generate::onelogin_api::{Event, User};
use crate::random;
use crate::service::{Incoming, RecordedRequest, Reply, Service};

/// The lists of the API.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum List {
    Events,
    Users,
}

impl List {
    pub(super) fn path(self) -> &'static str {
        match self {
            List::Events => "/api/1/events",
            List::Users => "/api/1/users",
        }
    }
}

/// The state behind the lock.
#[derive(Debug)]
pub(super) struct State {
    pub(super) options: Options,
    pub(super) origin: String,
    pub(super) events: Rows,
    pub(super) users: Rows,
    pub(super) published_events: Vec<Event>,
    pub(super) published_users: Vec<User>,
    /// Cursors given out and what they go on with.
    pub(super) cursors: HashMap<(List, String), Selection>,
    /// Valid tokens and how many requests each has served.
    pub(super) tokens: HashMap<String, usize>,
    issued_tokens: Vec<String>,
    pub(super) faults: VecDeque<Fault>,
    pub(super) token_faults: VecDeque<u16>,
    pub(super) requests: Vec<RecordedRequest>,
    pub(super) violations: Vec<String>,
    rng: StdRng,
}

impl Service for State {
    fn answer(&mut self, incoming: &Incoming) -> Reply {
        let reply = self.judged(incoming).unwrap_or_else(|refusal| refusal);
        self.requests.push(incoming.recorded(reply.status));
        reply
    }
}

impl State {
    pub(super) fn new(options: Options) -> Self {
        State {
            options,
            origin: String::new(),
            events: Rows::default(),
            users: Rows::default(),
            published_events: Vec::new(),
            published_users: Vec::new(),
            cursors: HashMap::new(),
            tokens: HashMap::new(),
            issued_tokens: Vec::new(),
            faults: VecDeque::new(),
            token_faults: VecDeque::new(),
            requests: Vec::new(),
            violations: Vec::new(),
            rng: random::for_one_server(),
        }
    }

    pub(super) fn publish_events(&mut self, events: impl IntoIterator<Item = Event>) {
        for event in events {
            let row = Row {
                created_at: event.created_at,
                event_type_id: Some(event.event_type_id),
                json: event.json.clone(),
            };
            self.events.show(event.id, row);
            self.published_events.push(event);
        }
    }

    pub(super) fn publish_users(&mut self, users: impl IntoIterator<Item = User>) {
        for user in users {
            let row = Row {
                created_at: user.created_at,
                event_type_id: None,
                json: user.json.clone(),
            };
            self.users.show(user.id, row);
            self.published_users.push(user);
        }
    }

    pub(super) fn current_users(&self) -> Vec<User> {
        let is_current = |user: &&User| self.users.get(user.id).is_some_and(|row| row.json == user.json);
        let mut users: Vec<User> = self.published_users.iter().filter(is_current).cloned().collect();
        users.sort_by_key(|user| user.id);
        users.dedup_by_key(|user| user.id);
        users
    }

    pub(super) fn violation(&mut self, sentence: impl Into<String>) {
        self.violations.push(sentence.into());
    }

    /// A new opaque cursor.
    pub(super) fn opaque(&mut self) -> String {
        random::token(&mut self.rng)
    }

    pub(super) fn new_token(&mut self) -> String {
        let token = self.opaque();
        self.tokens.insert(token.clone(), 0);
        self.issued_tokens.push(token.clone());
        token
    }

    fn judged(&mut self, incoming: &Incoming) -> Result<Reply, Reply> {
        self.look_for_secrets(incoming);
        let list = match incoming.path.as_str() {
            token::PATH => return Ok(self.answer_token(incoming)),
            path if path == List::Events.path() => List::Events,
            path if path == List::Users.path() => List::Users,
            path => {
                self.violation(format!("{} {path}: no such path", incoming.method));
                return Err(error(404, "There is nothing at this path"));
            }
        };
        if incoming.method != "GET" {
            self.violation(format!("{} was asked with {}", incoming.path, incoming.method));
            return Err(error(405, "Lists are asked with GET"));
        }
        let fault = self.faults.pop_front();
        match &fault {
            Some(Fault::Reset) => return Err(Reply::cut()),
            Some(Fault::HtmlPage) => return Err(Reply::html()),
            Some(Fault::RateLimitExceeded) => return Err(error(400, "rate_limit_exceeded")),
            Some(Fault::Status { status, retry_after }) => {
                return Err(Reply {
                    retry_after: *retry_after,
                    ..error(*status, "The request failed on purpose")
                });
            }
            _ => {}
        }
        self.check_token(incoming, fault == Some(Fault::RevokeToken))?;
        let reply = self.list(list, incoming, fault.as_ref())?;
        Ok(match fault {
            Some(Fault::TruncatedJson) => reply.truncated(),
            Some(Fault::Delay(delay)) => Reply {
                delay: Some(delay),
                ..reply
            },
            _ => reply,
        })
    }

    /// `Authorization: bearer:<token>` as documented, or the common `Bearer <token>`.
    fn check_token(&mut self, incoming: &Incoming, revoke: bool) -> Result<(), Reply> {
        let header = incoming.authorization.as_deref().unwrap_or_default();
        let shown = header.split_once([':', ' ']);
        let Some((_, token)) = shown.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")) else {
            self.violation(format!("{} was asked without a bearer token", incoming.path));
            return Err(error(401, "A bearer token is needed"));
        };
        let token = token.trim();
        if revoke {
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
                Err(error(401, "The token is unknown or has expired"))
            }
        }
    }

    fn look_for_secrets(&mut self, incoming: &Incoming) {
        let url = incoming.url();
        let secret = &self.options.client_secret;
        if url.contains(secret) || self.issued_tokens.iter().any(|token| url.contains(token)) {
            self.violation("a secret stands in a URL");
        }
    }
}

/// An error in the vendor's form: everything about it under `status`.
pub(super) fn error(status: u16, message: &str) -> Reply {
    let kind = match status {
        400 => "bad request",
        401 => "Unauthorized",
        404 => "not found",
        429 => "too many requests",
        _ => "error",
    };
    let status_part = json!({"error": true, "code": status, "type": kind, "message": message});
    Reply::json(status, json!({ "status": status_part }).to_string())
}
