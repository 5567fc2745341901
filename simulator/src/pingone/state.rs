//! Everything the server remembers, and the way from a request to its endpoint.

use std::collections::{HashMap, VecDeque};

use actix_web::HttpRequest;
use rand::rngs::StdRng;

use super::events::{Events, Selection};
use super::reply::Reply;
use super::{Fault, Options, RecordedRequest};
use crate::random;

/// A request, read to its end.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) authorization: Option<String>,
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
}

impl Incoming {
    pub(super) fn new(request: &HttpRequest, body: Vec<u8>) -> Self {
        let header = |name: &str| {
            let value = request.headers().get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        Incoming {
            method: request.method().to_string(),
            path: request.path().to_owned(),
            query: request.query_string().to_owned(),
            authorization: header("Authorization"),
            content_type: header("Content-Type").unwrap_or_default(),
            body,
        }
    }
}

/// The state behind the lock.
#[derive(Debug)]
pub(super) struct State {
    pub(super) options: Options,
    pub(super) origin: String,
    pub(super) events: Events,
    /// Valid tokens and how many activity requests each has served.
    pub(super) tokens: HashMap<String, usize>,
    /// Every token ever given out, to find one in a URL.
    pub(super) issued_tokens: Vec<String>,
    pub(super) cursors: HashMap<String, Selection>,
    pub(super) faults: VecDeque<Fault>,
    pub(super) token_faults: VecDeque<u16>,
    pub(super) requests: Vec<RecordedRequest>,
    pub(super) violations: Vec<String>,
    rng: StdRng,
}

impl State {
    pub(super) fn new(options: Options) -> Self {
        State {
            options,
            origin: String::new(),
            events: Events::default(),
            tokens: HashMap::new(),
            issued_tokens: Vec::new(),
            cursors: HashMap::new(),
            faults: VecDeque::new(),
            token_faults: VecDeque::new(),
            requests: Vec::new(),
            violations: Vec::new(),
            rng: random::for_one_server(),
        }
    }

    /// The answer to a request.
    pub(super) fn answer(&mut self, incoming: &Incoming) -> Reply {
        self.look_for_secrets(incoming);
        let segments: Vec<&str> = incoming.path.split('/').collect();
        match segments[..] {
            ["", environment, "as", "token"] => self.answer_token(incoming, environment),
            ["", "v1", "environments", environment, "activities"] => self.answer_activities(incoming, environment),
            _ => {
                self.violation(format!("{} {}: no such path", incoming.method, incoming.path));
                self.error(404, "There is nothing at this path", None)
            }
        }
    }

    pub(super) fn record(&mut self, incoming: &Incoming, reply: &Reply) {
        self.requests.push(RecordedRequest {
            method: incoming.method.clone(),
            path: incoming.path.clone(),
            query: incoming.query.clone(),
            status: reply.status,
        });
    }

    pub(super) fn violation(&mut self, sentence: String) {
        self.violations.push(sentence);
    }

    /// An error of the management API with an id of its own.
    pub(super) fn error(&mut self, status: u16, message: &str, target: Option<&str>) -> Reply {
        let id = random::uuid(&mut self.rng);
        Reply::error(&id, status, message, target)
    }

    /// A new opaque token or cursor.
    pub(super) fn opaque(&mut self) -> String {
        random::token(&mut self.rng)
    }

    fn look_for_secrets(&mut self, incoming: &Incoming) {
        let url = format!("{}?{}", incoming.path, incoming.query);
        if self.issued_tokens.iter().any(|token| url.contains(token)) {
            self.violation("an access token stands in a URL".to_owned());
        }
        if url.contains(&self.options.client_secret) {
            self.violation("the client secret stands in a URL".to_owned());
        }
    }
}
