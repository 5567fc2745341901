//! A table and where its rows go.

use std::sync::Arc;

use tokio::sync::Mutex;

use super::new_keys::NewKeys;
use super::table_record::TableRecord;
use crate::destination::{BatchBuilder, CallLimits, Destination};
use crate::tables::Table;

/// A table and where its rows go.
#[derive(Clone)]
pub struct TableRoute {
    /// The table.
    pub table: Arc<Table>,
    /// Its destination.
    pub destination: Arc<dyn Destination>,
    /// Held from before a batch is sent until what was accepted is remembered, by everybody in this process who sends
    /// to the table: a kill doubles one batch of it, not one of every job.
    pub send_lock: Arc<Mutex<()>>,
    /// Whether the table takes rows.
    pub record: TableRecord,
    /// Where keys are noted that the table's definition does not know.
    pub new_keys: Arc<NewKeys>,
}

impl TableRoute {
    /// Whether the table takes rows is asked anew.
    pub fn begin_run(&mut self) {
        self.record = self.record.of_new_run();
    }

    /// An empty batch of its rows.
    pub fn batch(&self) -> BatchBuilder {
        let limits = CallLimits {
            body: self.destination.body_limit(),
            span: self.table.longest_span(),
        };
        BatchBuilder::new(self.table.name(), limits)
    }
}
