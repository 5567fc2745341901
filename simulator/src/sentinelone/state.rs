//! Everything the console remembers, and the way from a request to its endpoint.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use serde_json::{Value, json};

use super::catalogue::Catalogue;
use super::contract::{Stream, text_at};
use super::cursor::Cursor;
use super::published::{Publishable, Published, Record};
use super::{Fault, Options, token_details};
use crate::service::{Incoming, RecordedRequest, Reply, Service};

/// A cursor that was given out.
#[derive(Clone, Debug)]
pub(super) struct Issued {
    /// The filters and the sort of its page.
    pub(super) parameters: BTreeMap<String, String>,
    pub(super) cursor: Cursor,
}

/// The state behind the lock.
#[derive(Debug)]
pub(super) struct State {
    pub(super) options: Options,
    pub(super) token_is_valid: bool,
    pub(super) faults: VecDeque<Fault>,
    pub(super) stream_faults: BTreeMap<Stream, VecDeque<Fault>>,
    pub(super) requests: Vec<RecordedRequest>,
    pub(super) violations: Vec<String>,
    pub(super) published: Published,
    pub(super) issued: HashMap<(Stream, String), Issued>,
    catalogues: BTreeMap<Stream, Catalogue>,
    /// Versions that the answer in the making shows for the first time.
    newly_shown: Vec<usize>,
    /// The same of each request whose answer is not on its way yet.
    underway: HashMap<usize, Vec<usize>>,
}

impl Service for State {
    fn answer(&mut self, incoming: &Incoming) -> Reply {
        let reply = self.judged(incoming).unwrap_or_else(|refusal| refusal);
        let number = self.requests.len();
        self.requests.push(incoming.recorded(reply.status));
        let marked = std::mem::take(&mut self.newly_shown);
        self.underway.insert(number, marked);
        Reply {
            tag: Some(number),
            ..reply
        }
    }

    fn answered(&mut self, tag: Option<usize>, sent: bool) {
        let marked = tag.and_then(|number| self.underway.remove(&number)).unwrap_or_default();
        // The client gave up before its answer was due.
        for number in marked.into_iter().filter(|_| !sent) {
            self.published.records[number].shown = false;
        }
    }
}

impl State {
    pub(super) fn new(options: Options) -> Self {
        State {
            options,
            token_is_valid: true,
            faults: VecDeque::new(),
            stream_faults: BTreeMap::new(),
            requests: Vec::new(),
            violations: Vec::new(),
            published: Published::default(),
            issued: HashMap::new(),
            catalogues: BTreeMap::new(),
            newly_shown: Vec::new(),
            underway: HashMap::new(),
        }
    }

    pub(super) fn publish<P: Publishable>(&mut self, objects: impl IntoIterator<Item = P>) {
        for object in objects {
            self.publish_raw(P::STREAM, object.json());
            object.keep(&mut self.published);
        }
    }

    pub(super) fn publish_raw(&mut self, stream: Stream, json: &str) {
        let contract = stream.contract();
        let value: Value = serde_json::from_str(json).expect("what is published is JSON");
        let text = |pointer| text_at(&value, pointer).unwrap_or_default().to_owned();
        let json: Arc<str> = json.into();
        let number = self.published.records.len();
        self.published.records.push(Record {
            stream,
            id: text(contract.id),
            updated_at: text(contract.updated_at),
            json: Arc::clone(&json),
            shown: false,
            current: true,
        });
        let replaced = self.catalogue(stream).show(contract, &value, json, number);
        if let Some(replaced) = replaced {
            self.published.records[replaced].current = false;
        }
    }

    pub(super) fn catalogue(&mut self, stream: Stream) -> &mut Catalogue {
        self.catalogues.entry(stream).or_default()
    }

    pub(super) fn mark_shown(&mut self, versions: &[usize]) {
        for number in versions {
            let record = &mut self.published.records[*number];
            if !record.shown {
                record.shown = true;
                self.newly_shown.push(*number);
            }
        }
    }

    pub(super) fn violation(&mut self, stream: Stream, problem: &str) {
        self.violations.push(format!("{stream:?}: {problem}"));
    }

    /// 400 for a request that is the client's mistake.
    pub(super) fn refused(&mut self, stream: Stream, problem: &str) -> Reply {
        self.violation(stream, problem);
        error(400, problem)
    }

    fn judged(&mut self, incoming: &Incoming) -> Result<Reply, Reply> {
        if incoming.url().contains(&self.options.api_token) {
            self.violations.push("the API token stands in a URL".to_owned());
        }
        if incoming.path == token_details::PATH {
            return Ok(self.token_details(incoming));
        }
        let Some(stream) = Stream::of_path(&incoming.path) else {
            self.violations
                .push(format!("{} {}: no such path", incoming.method, incoming.path));
            return Err(error(404, "There is nothing at this path"));
        };
        let is_graphql = stream == Stream::UnifiedAlerts;
        if incoming.method != if is_graphql { "POST" } else { "GET" } {
            self.violation(stream, &format!("asked with {}", incoming.method));
            return Err(error(405, "The method is not allowed here"));
        }
        let fault = self.next_fault(stream);
        match &fault {
            Some(Fault::Reset) => return Err(Reply::cut()),
            Some(Fault::HtmlPage) => return Err(Reply::html()),
            Some(Fault::Status { status, retry_after }) => {
                return Err(Reply {
                    retry_after: *retry_after,
                    ..error(*status, "The request failed on purpose")
                });
            }
            Some(Fault::RevokeToken) => self.token_is_valid = false,
            _ => {}
        }
        self.check_token(stream, incoming)?;
        if self.options.unavailable.contains(&stream) {
            return Err(error(404, "This console does not have it"));
        }
        let reply = if is_graphql {
            self.graphql(incoming, fault.as_ref())?
        } else {
            self.list(stream, incoming, fault.as_ref())?
        };
        Ok(match fault {
            Some(Fault::TruncatedJson) => reply.truncated(),
            Some(Fault::Delay(delay)) => Reply {
                delay: Some(delay),
                ..reply
            },
            _ => reply,
        })
    }

    fn next_fault(&mut self, stream: Stream) -> Option<Fault> {
        let own = self.stream_faults.get_mut(&stream).and_then(VecDeque::pop_front);
        own.or_else(|| self.faults.pop_front())
    }

    /// `Authorization: ApiToken <token>`; the vendor's own clients differ in the case of the scheme.
    fn check_token(&mut self, stream: Stream, incoming: &Incoming) -> Result<(), Reply> {
        let shown = incoming
            .authorization
            .as_deref()
            .and_then(|header| header.split_once(' '));
        let Some((_, token)) = shown.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("ApiToken")) else {
            self.violation(stream, "asked without Authorization: ApiToken");
            return Err(error(401, "An API token is needed"));
        };
        if !self.token_is_valid || token != self.options.api_token {
            return Err(error(401, "The API token is unknown, expired or revoked"));
        }
        Ok(())
    }
}

/// An error in the vendor's form (swagger; 5000010 seen live).
pub(super) fn error(status: u16, detail: &str) -> Reply {
    let title = match status {
        400 => "Validation Error",
        401 => "Authentication Failed",
        403 => "Insufficient permissions",
        404 => "Not found",
        429 => "Too many requests",
        500.. => "Internal server error",
        _ => "Refused",
    };
    let code = u32::from(status) * 10_000 + 10;
    let body = json!({"errors": [{"code": code, "detail": detail, "title": title}]});
    Reply::json(status, body.to_string())
}
