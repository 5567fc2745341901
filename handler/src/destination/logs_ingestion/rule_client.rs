//! What everybody who sends to one data collection rule shares: its rate, its pauses, and what was learned of its tables.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroU32;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;

use super::answer::{remedy, request_id};
use crate::azure::TokenSource;
use crate::destination::{IngestionRule, Refusal};
use crate::http::{HttpClient, Reply, Throttle, error_code};
use crate::time::Clock;

/// A rule takes 12,000 requests a minute. Source: Azure Monitor service limits, Logs Ingestion API.
const CALLS_PER_SECOND: f64 = 180.0;
const CALLS_AT_ONCE: NonZeroU32 = NonZeroU32::new(180).unwrap();

/// Calls of a table that takes no row, to find one that it takes: so many in so long.
const MOST_ISOLATION_CALLS: u32 = 600;
const ISOLATION_CALLS_IN: TimeDelta = TimeDelta::minutes(1);

/// See [`MOST_ISOLATION_CALLS`].
struct IsolationCalls {
    since: DateTime<Utc>,
    calls: u32,
}

/// See the module.
pub struct RuleClient {
    /// The rule.
    pub rule: IngestionRule,
    /// What tokens are asked for.
    pub scope: String,
    /// The client.
    pub http: HttpClient,
    /// The tokens of the identity.
    pub tokens: Arc<dyn TokenSource>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The rate of the rule, and the pauses that it asks for.
    pub throttle: Throttle,
    /// Tables that have refused a call for the time that its rows spanned.
    span_limited_tables: Mutex<HashSet<Arc<str>>>,
    isolation_calls: Mutex<HashMap<Arc<str>, IsolationCalls>>,
}

impl RuleClient {
    /// For the rule in the settings.
    pub fn new(rule: IngestionRule, http: HttpClient, tokens: Arc<dyn TokenSource>, clock: Arc<dyn Clock>) -> Self {
        Self {
            scope: format!("{}/.default", rule.audience),
            rule,
            http,
            tokens,
            clock,
            throttle: Throttle::per_second(CALLS_PER_SECOND, CALLS_AT_ONCE),
            span_limited_tables: Mutex::default(),
            isolation_calls: Mutex::default(),
        }
    }

    /// Rows of a table that the rule does not take.
    pub fn refusal(&self, table: &str, rows: usize, reply: &Reply) -> Refusal {
        let status = reply.status.as_u16();
        Refusal {
            table: table.to_owned(),
            rows,
            status,
            code: error_code(&reply.body),
            remedy: remedy(status, &self.rule, table),
            request_id: request_id(reply),
        }
    }

    /// True if the table was found to limit the span of a call.
    pub fn is_span_limited(&self, table: &Arc<str>) -> bool {
        self.span_limited_tables.lock().contains(table)
    }

    /// The table limits the span of a call.
    pub fn note_span_limited(&self, table: &Arc<str>) {
        self.span_limited_tables.lock().insert(table.clone());
    }

    /// True if another call may be spent on a table of which no row was taken.
    pub fn grant_isolation_call(&self, table: &Arc<str>) -> bool {
        let now = self.clock.now();
        let mut tables = self.isolation_calls.lock();
        let granted = tables
            .entry(table.clone())
            .or_insert(IsolationCalls { since: now, calls: 0 });
        if !(TimeDelta::zero()..ISOLATION_CALLS_IN).contains(&(now - granted.since)) {
            *granted = IsolationCalls { since: now, calls: 0 };
        }
        granted.calls += 1;
        granted.calls <= MOST_ISOLATION_CALLS
    }

    /// Another one in another run, so that other rows of a batch are tried.
    pub fn sample_seed(&self) -> u64 {
        self.clock.now().timestamp().unsigned_abs()
    }
}
