//! Everything the endpoint remembers, and the judgement of a call.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use actix_web::HttpRequest;
use rand::rngs::StdRng;
use serde_json::Value;

use super::checks::inflated;
use super::{Call, Fault, LARGEST_BODY_BYTES, Refusal, Rule};
use crate::managed_identity::ManagedIdentity;
use crate::random;
use crate::tables::TableSchema;

/// A call, read to its end.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) authorization: String,
    pub(super) content_type: String,
    pub(super) content_encoding: String,
    pub(super) body: Vec<u8>,
}

impl Incoming {
    pub(super) fn new(request: &HttpRequest, body: Vec<u8>) -> Self {
        let header = |name: &str| match request.headers().get(name) {
            Some(value) => String::from_utf8_lossy(value.as_bytes()).into_owned(),
            None => String::new(),
        };
        Incoming {
            method: request.method().to_string(),
            path: request.path().to_owned(),
            query: request.query_string().to_owned(),
            authorization: header("Authorization"),
            content_type: header("Content-Type"),
            content_encoding: header("Content-Encoding"),
            body,
        }
    }
}

/// An answer: 204 without a refusal.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) refusal: Option<Refusal>,
    pub(super) request_id: String,
}

/// The state behind the lock.
pub(super) struct State {
    pub(super) rows: BTreeMap<String, Vec<Value>>,
    pub(super) calls: Vec<Call>,
    pub(super) violations: Vec<String>,
    pub(super) faults: VecDeque<Fault>,
    pub(super) denied_rules: BTreeSet<String>,
    pub(super) refused_texts: Vec<String>,
    pub(super) largest_body: usize,
    pub(super) identity: Arc<ManagedIdentity>,
    pub(super) rules: Vec<Rule>,
    pub(super) tables: BTreeMap<String, TableSchema>,
    rng: StdRng,
}

impl State {
    pub(super) fn new(identity: Arc<ManagedIdentity>, rules: Vec<Rule>, tables: BTreeMap<String, TableSchema>) -> Self {
        State {
            rows: BTreeMap::new(),
            calls: Vec::new(),
            violations: Vec::new(),
            faults: VecDeque::new(),
            denied_rules: BTreeSet::new(),
            refused_texts: Vec::new(),
            largest_body: LARGEST_BODY_BYTES,
            identity,
            rules,
            tables,
            rng: random::for_one_server(),
        }
    }

    pub(super) fn violation(&mut self, sentence: impl Into<String>) {
        self.violations.push(sentence.into());
    }

    /// Remembers a call whose connection was cut before its body was read.
    pub(super) fn record_unread(&mut self, path: &str) {
        let (rule_id, table) = names_of(path).unwrap_or_default();
        self.record(&rule_id, &table, 0, 0, 0);
    }

    /// Judges the call, takes its rows where it is good, and remembers it.
    pub(super) fn answer(&mut self, incoming: &Incoming, fault: Option<&Fault>) -> Reply {
        let Some((rule_id, table)) = names_of(&incoming.path) else {
            self.violation(format!("{}: no such path", incoming.path));
            return Reply {
                refusal: Some(Refusal::new(404, "NotFound", "There is nothing at this path.")),
                request_id: random::uuid(&mut self.rng),
            };
        };
        let inflated = inflated(incoming);
        let bytes = inflated.as_ref().map_or(0, Vec::len);
        let judged = self
            .check_call(incoming, &rule_id, &table, fault)
            .and_then(|()| self.check_body(incoming, inflated))
            .and_then(|body| self.check_rows(&table, &body));
        let (refusal, taken) = match judged {
            Ok(rows) => {
                let taken = rows.len();
                self.rows.entry(table.clone()).or_default().extend(rows);
                (None, taken)
            }
            Err(refusal) => (Some(refusal), 0),
        };
        let status = match (&refusal, fault) {
            (_, Some(Fault::AcceptThenReset)) => 0,
            (Some(refusal), _) => refusal.status,
            (None, _) => 204,
        };
        let request_id = self.record(&rule_id, &table, status, taken, bytes);
        Reply { refusal, request_id }
    }

    fn record(&mut self, rule_id: &str, table: &str, status: u16, rows: usize, uncompressed_bytes: usize) -> String {
        let request_id = random::uuid(&mut self.rng);
        self.calls.push(Call {
            rule_id: rule_id.to_owned(),
            table: table.to_owned(),
            status,
            rows,
            uncompressed_bytes,
            request_id: request_id.clone(),
        });
        request_id
    }
}

/// Rule id and table of `/dataCollectionRules/{rule}/streams/Custom-{table}`.
fn names_of(path: &str) -> Option<(String, String)> {
    let segments: Vec<&str> = path.split('/').collect();
    match segments[..] {
        ["", "dataCollectionRules", rule_id, "streams", stream] => {
            let table = stream.strip_prefix("Custom-")?;
            Some((rule_id.to_owned(), table.to_owned()))
        }
        _ => None,
    }
}
