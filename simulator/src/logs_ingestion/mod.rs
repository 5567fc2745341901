//! The Logs Ingestion API of Azure Monitor, version 2023-01-01.
//!
//! Contract after Microsoft's overview and limits pages. The real service takes some bodies it cannot use
//! with a 204 and says nothing; here they are refused or kept as violations.

mod checks;
mod contract;
mod refusal;
mod state;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::managed_identity::{Identity, ManagedIdentity};
use crate::service::{Controls, Reply, Request, Server, Service, Simulation};
use crate::tables::TableSchema;
use contract::StreamPath;
use refusal::refusal;

pub use contract::{AUDIENCE, Call, IngestionFault, LARGEST_BODY_BYTES, LARGEST_EXPECTED_BYTES, Rule};
pub use state::Endpoint;

/// A running endpoint.
pub type LogsIngestion = Server<Endpoint>;

impl Service for Endpoint {
    type Fault = IngestionFault;

    /// More than any body that could be meant seriously.
    const LARGEST_BODY_BYTES: usize = contract::READ_LIMIT_BYTES;

    fn controls(&mut self) -> &mut Controls<IngestionFault> {
        &mut self.controls
    }

    fn reply(&mut self, request: &Request, _: DateTime<Utc>) -> Reply {
        let fault = self.controls.faults.pop_front();
        let Some(stream) = StreamPath::parse(&request.path) else {
            self.controls.violation(format!("{}: no such path", request.path));
            let refusal = refusal(404, "NotFound", "There is nothing at this path.");
            return refusal.with_header(REQUEST_ID, self.request_id());
        };
        let inflated = checks::inflated(request);
        let uncompressed_bytes = inflated.as_ref().map_or(0, Vec::len);
        let judged = checks::call(self, request, &stream, fault.as_ref())
            .and_then(|()| checks::body(self, request, inflated))
            .and_then(|body| checks::rows(self, &stream.table, &body))
            .map(|rows| checks::declared(self, &stream, rows));
        let (reply, rows) = match judged {
            Ok(rows) => (Reply::empty(204), self.take(&stream.table, rows)),
            Err(refusal) => (refusal, 0),
        };
        let reply = match fault {
            Some(IngestionFault::Delay(delay)) => reply.delayed(delay),
            Some(IngestionFault::AcceptThenReset) => Reply::cut(),
            _ => reply,
        };
        let request_id = self.record(Call {
            status: reply.status,
            rows,
            uncompressed_bytes,
            ..Call::unread(stream)
        });
        reply.with_header(REQUEST_ID, request_id)
    }

    fn cuts_before_body(&mut self, path: &str) -> bool {
        if self.controls.faults.front() != Some(&IngestionFault::ResetBeforeReading) {
            return false;
        }
        self.controls.faults.pop_front();
        self.record(Call::unread(StreamPath::parse(path).unwrap_or_default()));
        true
    }
}

const REQUEST_ID: &str = "x-ms-request-id";

impl Server<Endpoint> {
    /// Starts an endpoint as [`Simulation::new`] makes it.
    pub fn start(identity: Arc<ManagedIdentity>, rules: Vec<Rule>) -> Self {
        Server::serve(Simulation::<Endpoint>::new(identity.simulation(), rules))
    }
}

impl Simulation<Endpoint> {
    /// An endpoint with these rules. Stops the test when a rule could not exist: a bad id, more than 10 tables, or a
    /// table that the project does not define.
    pub fn new(identity: Arc<Simulation<Identity>>, rules: Vec<Rule>) -> Self {
        for rule in &rules {
            check_rule(rule, |table| TableSchema::all().contains_key(table));
        }
        Simulation::of(Endpoint::new(identity, rules))
    }

    /// The rows that a table has taken, in order of arrival.
    pub fn rows(&self, table: &str) -> Vec<Value> {
        let state = self.lock();
        state.rows.get(table).cloned().unwrap_or_default()
    }

    /// Every call to a stream so far, in order of arrival.
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.clone()
    }

    /// Whether the identity holds Monitoring Metrics Publisher on the rule; without it, 403.
    pub fn set_access(&self, rule_id: &str, granted: bool) {
        let mut state = self.lock();
        if granted {
            state.denied_rules.remove(rule_id);
        } else {
            state.denied_rules.insert(rule_id.to_owned());
        }
    }

    /// The rule is one of an older template, or over tables that another connector made: its streams declare none of the
    /// added columns, and what is sent of them is dropped without a word. Source: learn.microsoft.com/azure/azure-monitor/
    /// logs/custom-logs-migrate, fields that the stream does not declare.
    pub fn declare_no_added_columns(&self, rule_id: &str) {
        self.lock().rules_of_older_templates.insert(rule_id.to_owned());
    }

    /// Another limit of the body, in place of [`LARGEST_BODY_BYTES`].
    pub fn set_largest_body(&self, bytes: usize) {
        self.lock().largest_body = bytes;
    }

    /// From now on a call with a row whose JSON text holds `text` is refused entire with 400.
    pub fn refuse_rows_with(&self, text: &str) {
        self.lock().refused_texts.push(text.to_owned());
    }

    /// From now on no row is refused for its text.
    pub fn take_refused_rows(&self) {
        self.lock().refused_texts.clear();
    }
}

fn check_rule(rule: &Rule, is_known: impl Fn(&str) -> bool) {
    let digits = rule.rule_id.strip_prefix("dcr-").unwrap_or_default();
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    assert!(
        digits.len() == 32 && digits.bytes().all(is_digit),
        "{} is no rule id: dcr- and 32 hexadecimal digits",
        rule.rule_id
    );
    assert!(rule.tables.len() <= 10, "a rule holds at most 10 streams");
    for table in &rule.tables {
        assert!(is_known(table), "the project has no table {table}");
    }
}

#[cfg(test)]
mod tests;
