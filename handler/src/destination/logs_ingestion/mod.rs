//! The Logs Ingestion API of Azure Monitor.
//!
//! `POST {endpoint}/dataCollectionRules/{rule id}/streams/Custom-{Table}?api-version=2023-01-01`, a JSON array,
//! always gzip, 204 when it is taken. Source: "Logs Ingestion API in Azure Monitor".

mod answer;
mod batch_splitter;
mod call;
mod probe;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use self::batch_splitter::BatchSplitter;
use super::{Batch, Delivery, Destination, StreamFit};
use crate::azure::TokenSource;
use crate::config::IngestionRule;
use crate::http::{HttpClient, Throttle};
use crate::time::{Clock, Deadline};

/// A rule takes 12,000 requests a minute. Source: Azure Monitor service limits, Logs Ingestion API.
const CALLS_PER_SECOND: f64 = 180.0;
const CALLS_AT_ONCE: NonZeroU32 = NonZeroU32::new(180).unwrap();

/// Calls of a table that takes no row, to find one that it takes: so many in so long.
const MOST_DOUBTED_CALLS: u32 = 600;
const DOUBTED_CALLS_IN: TimeDelta = TimeDelta::minutes(1);

/// See [`MOST_DOUBTED_CALLS`].
struct DoubtedCalls {
    since: DateTime<Utc>,
    calls: u32,
}

/// One data collection rule. Everybody who sends to it shares its rate and its pauses.
pub struct LogsIngestion {
    rule: IngestionRule,
    scope: String,
    http: HttpClient,
    tokens: Arc<dyn TokenSource>,
    clock: Arc<dyn Clock>,
    throttle: Throttle,
    body_limit: usize,
    /// Tables that have refused a call for the time that its rows spanned.
    narrow_tables: Mutex<HashSet<Arc<str>>>,
    doubted_calls: Mutex<HashMap<Arc<str>, DoubtedCalls>>,
}

impl LogsIngestion {
    /// For the rule in the settings, with bodies of at most so many bytes.
    pub fn new(
        rule: IngestionRule,
        http: HttpClient,
        tokens: Arc<dyn TokenSource>,
        clock: Arc<dyn Clock>,
        body_limit: usize,
    ) -> Self {
        let scope = format!("{}/.default", rule.audience);
        Self {
            rule,
            scope,
            http,
            tokens,
            clock,
            throttle: Throttle::per_second(CALLS_PER_SECOND, CALLS_AT_ONCE),
            body_limit,
            narrow_tables: Mutex::default(),
            doubted_calls: Mutex::default(),
        }
    }

    fn is_narrow(&self, table: &Arc<str>) -> bool {
        let tables = self.narrow_tables.lock().unwrap_or_else(PoisonError::into_inner);
        tables.contains(table)
    }

    /// True if another call may be spent on a table of which no row was taken.
    fn grant_doubted_call(&self, table: &Arc<str>) -> bool {
        let now = self.clock.now();
        let mut tables = self.doubted_calls.lock().unwrap_or_else(PoisonError::into_inner);
        let doubted = tables
            .entry(table.clone())
            .or_insert(DoubtedCalls { since: now, calls: 0 });
        if !(TimeDelta::zero()..DOUBTED_CALLS_IN).contains(&(now - doubted.since)) {
            *doubted = DoubtedCalls { since: now, calls: 0 };
        }
        doubted.calls += 1;
        doubted.calls <= MOST_DOUBTED_CALLS
    }

    /// Other rows of a batch are tried in another run.
    fn turn(&self) -> u64 {
        self.clock.now().timestamp().unsigned_abs()
    }

    fn note_narrow(&self, table: &Arc<str>) {
        let mut tables = self.narrow_tables.lock().unwrap_or_else(PoisonError::into_inner);
        tables.insert(table.clone());
    }
}

#[async_trait]
impl Destination for LogsIngestion {
    fn body_limit(&self) -> usize {
        self.body_limit
    }

    async fn deliver(&self, batch: &Batch, fit: StreamFit, deadline: Deadline) -> Delivery {
        BatchSplitter::new(self, batch, fit).deliver(deadline).await
    }

    async fn probe(&self, table: &Arc<str>, deadline: Deadline) -> Result<String, String> {
        probe::probe(self, table, deadline).await
    }
}
