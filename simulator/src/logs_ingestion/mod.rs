//! The Logs Ingestion API of Azure Monitor, version 2023-01-01.
//!
//! Contract after Microsoft's overview and limits pages. The real service takes some bodies it cannot use
//! with a 204 and says nothing; here they are refused or kept as violations.

mod checks;
mod refusal;
mod state;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, rt};
use serde_json::Value;

use crate::loopback::{LoopbackServer, cut_connection};
use crate::managed_identity::ManagedIdentity;
use crate::tables::TableSchema;
use refusal::Refusal;
use state::{Incoming, Reply, State};

/// The largest body in bytes, on the wire and inflated (service limits: 1 MB, counted as 1,048,576).
pub const LARGEST_BODY_BYTES: usize = 1_048_576;

/// The largest inflated body the handler may send: some way below the service's limit.
pub const LARGEST_EXPECTED_BYTES: usize = 1_000_000;

/// The audience of a token for this API in the public cloud.
pub const AUDIENCE: &str = "https://monitor.azure.com";

/// A data collection rule. It holds at most 10 streams.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rule {
    /// The immutable id: `dcr-` and 32 lower-case hexadecimal digits.
    pub rule_id: String,
    /// The tables whose stream `Custom-<table>` the rule takes.
    pub tables: Vec<String>,
}

impl Rule {
    /// A rule whose id holds `number`.
    pub fn numbered(number: u32, tables: &[&str]) -> Self {
        Rule {
            rule_id: format!("dcr-{number:032x}"),
            tables: tables.iter().map(|&table| table.to_owned()).collect(),
        }
    }
}

/// What goes wrong with one call.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fault {
    /// An error of the service.
    Status {
        /// The HTTP status.
        status: u16,
        /// `Retry-After` in seconds.
        retry_after: Option<u64>,
        /// `error.code` of the body.
        code: &'static str,
    },
    /// The rows are taken and the connection is closed without an answer.
    AcceptThenReset,
    /// The connection is closed before the body is read; nothing is taken.
    ResetBeforeReading,
    /// The right answer, after this time. The rows are taken at once.
    Delay(Duration),
    /// 401, and the token that was shown is no longer valid.
    RefuseToken,
}

/// One call as it came in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Call {
    /// The rule of the path.
    pub rule_id: String,
    /// The stream of the path without `Custom-`.
    pub table: String,
    /// The status of the answer; 0 where the connection was cut.
    pub status: u16,
    /// The rows taken.
    pub rows: usize,
    /// The size of the body without its compression, as far as it was read; at most 64 MiB.
    pub uncompressed_bytes: usize,
    /// `x-ms-request-id` of the answer.
    pub request_id: String,
}

/// A running endpoint.
pub struct LogsIngestion {
    server: LoopbackServer,
    state: Arc<Mutex<State>>,
}

impl LogsIngestion {
    /// Starts an endpoint with these rules. Stops the test when a rule could not exist: a bad id, more than
    /// 10 tables, or a table that the project does not define.
    pub fn start(identity: Arc<ManagedIdentity>, rules: Vec<Rule>) -> Self {
        let tables = TableSchema::load_all();
        for rule in &rules {
            check_rule(rule, |table| tables.contains_key(table));
        }
        let state = Arc::new(Mutex::new(State::new(identity, rules, tables)));
        let same_state = Data::from(Arc::clone(&state));
        let server = LoopbackServer::start(move |config: &mut ServiceConfig| {
            config.app_data(same_state.clone()).default_service(web::to(serve));
        });
        LogsIngestion { server, state }
    }

    /// `http://127.0.0.1:<port>`.
    pub fn origin(&self) -> String {
        self.server.origin()
    }

    /// The rows that a table has taken, in order of arrival.
    pub fn rows(&self, table: &str) -> Vec<Value> {
        let state = lock(&self.state);
        state.rows.get(table).cloned().unwrap_or_default()
    }

    /// Every call to a stream so far, in order of arrival.
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.state).calls.clone()
    }

    /// What the client did against the contract, one sentence each.
    pub fn violations(&self) -> Vec<String> {
        lock(&self.state).violations.clone()
    }

    /// The faults of the next calls, one each, in order, after those already waiting.
    pub fn fail_next(&self, faults: impl IntoIterator<Item = Fault>) {
        lock(&self.state).faults.extend(faults);
    }

    /// Faults that no call has met yet.
    pub fn waiting_faults(&self) -> usize {
        lock(&self.state).faults.len()
    }

    /// Whether the identity holds Monitoring Metrics Publisher on the rule; without it, 403.
    pub fn set_access(&self, rule_id: &str, granted: bool) {
        let mut state = lock(&self.state);
        if granted {
            state.denied_rules.remove(rule_id);
        } else {
            state.denied_rules.insert(rule_id.to_owned());
        }
    }

    /// Another limit of the body, in place of [`LARGEST_BODY_BYTES`].
    pub fn set_largest_body(&self, bytes: usize) {
        lock(&self.state).largest_body = bytes;
    }

    /// From now on a call with a row whose JSON text holds `text` is refused entire with 400.
    pub fn refuse_rows_with(&self, text: &str) {
        lock(&self.state).refused_texts.push(text.to_owned());
    }

    /// From now on no row is refused for its text.
    pub fn take_refused_rows(&self) {
        lock(&self.state).refused_texts.clear();
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

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().expect("no request panics while it holds the state")
}

/// More than any body that could be meant seriously; the rest is not read.
const READ_LIMIT_BYTES: usize = 64 * 1024 * 1024;

async fn serve(state: Data<Mutex<State>>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let fault = lock(&state).faults.pop_front();
    if fault == Some(Fault::ResetBeforeReading) {
        lock(&state).record_unread(request.path());
        cut_connection(&request);
        return HttpResponse::NoContent().finish();
    }
    let body = match payload.to_bytes_limited(READ_LIMIT_BYTES).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) | Err(_) => {
            lock(&state).violation("a body could not be read to its end");
            return HttpResponse::BadRequest().finish();
        }
    };
    let incoming = Incoming::new(&request, body.to_vec());
    let reply = lock(&state).answer(&incoming, fault.as_ref());
    match fault {
        Some(Fault::Delay(delay)) => rt::time::sleep(delay).await,
        Some(Fault::AcceptThenReset) => cut_connection(&request),
        _ => {}
    }
    respond(reply)
}

fn respond(reply: Reply) -> HttpResponse {
    let mut response = match reply.refusal {
        None => HttpResponse::NoContent().finish(),
        Some(refusal) => refusal.into_response(),
    };
    let request_id = reply.request_id.parse().expect("a uuid can stand in a header");
    let name = actix_web::http::header::HeaderName::from_static("x-ms-request-id");
    response.headers_mut().insert(name, request_id);
    response
}

#[cfg(test)]
mod tests;
