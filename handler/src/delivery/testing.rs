//! A table whose destination takes everything, in small calls.

use std::sync::Arc;

use async_trait::async_trait;

use super::{TableRecord, TableRoute};
use crate::destination::{Batch, Delivery, Destination, ProbeError, StreamFit};
use crate::time::Deadline;

struct TakesAll;

#[async_trait]
impl Destination for TakesAll {
    fn body_limit(&self) -> usize {
        100_000
    }

    async fn deliver(&self, batch: &Batch, _: StreamFit, _: Deadline) -> Delivery {
        Delivery::whole(batch.rows)
    }

    async fn probe(&self, _: &Arc<str>, _: Deadline) -> Result<String, ProbeError> {
        Ok(String::new())
    }
}

pub fn route() -> TableRoute {
    TableRoute {
        table: crate::tables::table("PingOne_AuditActivities_CL").unwrap(),
        destination: Arc::new(TakesAll),
        send_lock: Arc::default(),
        record: TableRecord::default(),
        new_keys: Arc::default(),
    }
}
