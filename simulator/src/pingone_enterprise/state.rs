//! Everything the subscription remembers, and the way from a request to its endpoint.

use std::collections::{HashMap, VecDeque};

use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::json;

use super::poll::{Consumption, Fate, Open};
use super::{Fault, Options, token};
use crate::generate::pingone_enterprise::Event;
use crate::random;
use crate::service::{Incoming, RecordedRequest, Reply, Service};

/// An element of the queue.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    /// Empty for a raw element.
    pub(super) id: String,
    pub(super) json: String,
}

/// The state behind the lock.
#[derive(Debug)]
pub(super) struct State {
    pub(super) options: Options,
    pub(super) queue: VecDeque<Waiting>,
    pub(super) published: Vec<Event>,
    pub(super) consumed: Vec<Consumption>,
    /// GETs whose answers are not on their way yet.
    pub(super) open: Vec<Open>,
    pub(super) gets: usize,
    /// Valid tokens and how many GETs each has served.
    pub(super) tokens: HashMap<String, usize>,
    /// Every token ever given out, to find one in a URL.
    pub(super) issued_tokens: Vec<String>,
    pub(super) faults: VecDeque<Fault>,
    pub(super) token_faults: VecDeque<u16>,
    pub(super) requests: Vec<RecordedRequest>,
    pub(super) violations: Vec<String>,
    /// Sizes of batches: the same for every server.
    pub(super) sizes: StdRng,
    rng: StdRng,
}

impl Service for State {
    fn answer(&mut self, incoming: &Incoming) -> Reply {
        let reply = self.judged(incoming);
        self.requests.push(incoming.recorded(reply.status));
        reply
    }

    fn answered(&mut self, tag: Option<usize>, sent: bool) {
        let Some(place) = self.open.iter().position(|open| Some(open.number) == tag) else {
            return;
        };
        let ended = self.open.swap_remove(place);
        if sent && ended.overtaken {
            self.violation("two GETs of the poll URL at the same time");
        }
        // A GET whose client went away while the answer was due is no overlap, but what it took is gone.
        if !sent && let Some(consumption) = ended.consumption.and_then(|place| self.consumed.get_mut(place)) {
            consumption.fate = Fate::Lost;
            consumption.readable.clear();
        }
    }
}

impl State {
    pub(super) fn new(options: Options) -> Self {
        State {
            options,
            queue: VecDeque::new(),
            published: Vec::new(),
            consumed: Vec::new(),
            open: Vec::new(),
            gets: 0,
            tokens: HashMap::new(),
            issued_tokens: Vec::new(),
            faults: VecDeque::new(),
            token_faults: VecDeque::new(),
            requests: Vec::new(),
            violations: Vec::new(),
            sizes: StdRng::seed_from_u64(17),
            rng: random::for_one_server(),
        }
    }

    pub(super) fn publish(&mut self, events: impl IntoIterator<Item = Event>) {
        for event in events {
            self.queue.push_back(Waiting {
                id: event.id.clone(),
                json: event.json.clone(),
            });
            self.published.push(event);
        }
    }

    pub(super) fn publish_raw(&mut self, json: String) {
        let id = String::new();
        self.queue.push_back(Waiting { id, json });
    }

    pub(super) fn poll_path(&self) -> String {
        let (account, subscription) = (&self.options.account_id, &self.options.subscription_id);
        format!("/v3/reports/{account}/poll-subscriptions/{subscription}/events")
    }

    pub(super) fn violation(&mut self, sentence: impl Into<String>) {
        self.violations.push(sentence.into());
    }

    pub(super) fn new_token(&mut self) -> String {
        let token = random::token(&mut self.rng);
        self.tokens.insert(token.clone(), 0);
        self.issued_tokens.push(token.clone());
        token
    }

    fn judged(&mut self, incoming: &Incoming) -> Reply {
        self.look_for_secrets(incoming);
        if incoming.path == token::PATH {
            return self.answer_token(incoming);
        }
        if incoming.path == self.poll_path() {
            return self.answer_poll(incoming);
        }
        self.violation(format!("{} {}: no such path", incoming.method, incoming.path));
        error(404, "There is nothing at this path")
    }

    fn look_for_secrets(&mut self, incoming: &Incoming) {
        let url = incoming.url();
        let options = &self.options;
        let mut secrets = [&options.client_secret, &options.password]
            .into_iter()
            .chain(&self.issued_tokens);
        let leaked = secrets.any(|secret| url.contains(secret));
        drop(secrets);
        if leaked {
            self.violation("a secret stands in a URL");
        }
    }
}

/// An error of the poll URL. Its form is not documented.
pub(super) fn error(status: u16, message: &str) -> Reply {
    Reply::json(status, json!({"status": status, "message": message}).to_string())
}
