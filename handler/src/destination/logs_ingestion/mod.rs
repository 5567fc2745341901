//! The Logs Ingestion API of Azure Monitor.
//!
//! `POST {endpoint}/dataCollectionRules/{rule id}/streams/Custom-{Table}?api-version=2023-01-01`, a JSON array,
//! always gzip, 204 when it is taken. Source: "Logs Ingestion API in Azure Monitor".

mod answer;
mod batch_splitter;
mod call;
mod call_failure;
mod probe;
mod rule_client;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;

use self::batch_splitter::BatchSplitter;
pub use self::rule_client::RuleClient;
use super::{Batch, Delivery, Destination, ProbeError, StreamFit};
use crate::time::Deadline;

/// One data collection rule.
pub struct LogsIngestion {
    /// Reaches it.
    pub client: RuleClient,
    /// The largest body in bytes.
    pub body_limit: usize,
}

#[async_trait]
impl Destination for LogsIngestion {
    fn body_limit(&self) -> usize {
        self.body_limit
    }

    async fn deliver(&self, batch: &Batch, fit: StreamFit, deadline: Deadline) -> Delivery {
        BatchSplitter::new(&self.client, batch, fit).deliver(deadline).await
    }

    async fn probe(&self, table: &Arc<str>, deadline: Deadline) -> Result<String, ProbeError> {
        probe::probe(&self.client, table, deadline).await
    }
}
