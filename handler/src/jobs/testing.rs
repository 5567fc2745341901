//! A consumed stream, a destination and the context of a run, for tests of single pieces.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use serde_json::Value;

use crate::delivery::{StreamContext, TableRecord, TableRoute};
use crate::destination::{Batch, Delivery, DeliveryError, Destination, Refusal, StreamFit};
use crate::event::{Identity, StreamName};
use crate::jobs::plan::ConsumePlan;
use crate::sources::page::elements;
use crate::sources::{DestructiveStream, Page, ParsedReply, ReadOutcome, SourceError};
use crate::state::{DeadLetters, Holder, Lease, LeaseAttempt, Leases, LocalStore, Spool, SpoolQuota, Store};
use crate::tables::table;
use crate::time::{Clock, Deadline, Shutdown, VirtualClock};

pub const CONSUMED_TABLE: &str = "PingOneEnterprise_AuditEvents_CL";

/// Remembers the rows that it accepted, or takes none.
#[derive(Default)]
pub struct RowKeeper {
    pub rows: Mutex<Vec<Value>>,
    pub takes_nothing: bool,
}

#[async_trait]
impl Destination for RowKeeper {
    async fn deliver(&self, batch: &Batch, _: StreamFit, _: Deadline) -> Delivery {
        if self.takes_nothing {
            return Delivery::failed(DeliveryError::NothingTaken(Refusal {
                table: batch.table.to_string(),
                rows: batch.rows,
                status: 400,
                code: None,
                remedy: String::new(),
                request_id: None,
            }));
        }
        let rows: Vec<Value> = serde_json::from_slice(&batch.body).unwrap();
        self.rows.lock().extend(rows);
        Delivery::whole(batch.rows)
    }

    async fn probe(&self, _: &Arc<str>, _: Deadline) -> Result<String, String> {
        Ok(String::new())
    }
}

pub fn route(table_name: &str, destination: Arc<dyn Destination>) -> TableRoute {
    TableRoute {
        table: table(table_name).unwrap(),
        destination,
        send_lock: Arc::default(),
        record: TableRecord::default(),
    }
}

/// Gives every event the account; nothing can be taken from it.
pub struct Subscription {
    name: StreamName,
    constant_fields: Vec<(&'static str, String)>,
}

#[async_trait]
impl DestructiveStream for Subscription {
    fn name(&self) -> &StreamName {
        &self.name
    }

    fn account(&self) -> &str {
        "the account"
    }

    fn constant_fields(&self) -> &[(&'static str, String)] {
        &self.constant_fields
    }

    async fn probe(&self, _: Deadline) -> Result<&'static str, SourceError> {
        Ok("")
    }

    async fn prepare(&self, _: Deadline) -> Result<(), SourceError> {
        Ok(())
    }

    async fn take(&self, _: Duration, _: Deadline) -> ReadOutcome {
        ReadOutcome::Nothing(SourceError::Stopped)
    }

    fn parse(&self, text: String) -> ParsedReply {
        let events = elements(&text, &text);
        ParsedReply {
            page: Page::new(text, events, 0),
            rest: None,
        }
    }

    fn identity_of(&self, event: &str) -> Identity {
        let event: Value = serde_json::from_str(event).unwrap();
        let id = event["id"].as_str();
        id.map_or_else(
            || Identity::of_content(&event.to_string()),
            |id| Identity::of_parts(&[id]),
        )
    }
}

/// A store in a folder of its own, and a lease on it.
pub struct TestRun {
    _folder: tempfile::TempDir,
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub stream: StreamName,
    pub spool: Spool,
    lease: Lease,
    shutdown: Shutdown,
}

impl TestRun {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(VirtualClock::at("2026-11-20T12:00:00Z"));
        let store = Arc::new(LocalStore::open(folder.path().to_owned(), clock.clone()).unwrap());
        let stream = StreamName {
            source: "model",
            instance: "default".to_owned(),
            stream: "events",
        };
        let holder = Holder::of_command("test");
        let LeaseAttempt::Taken(lease) = store.try_lease("lease", &holder).await.unwrap() else {
            panic!("nobody else has it")
        };
        Self {
            _folder: folder,
            spool: Spool::new(&SpoolQuota::new(store.clone(), 1 << 20), &stream),
            store,
            clock,
            stream,
            lease,
            shutdown: Shutdown::default(),
        }
    }

    pub fn context(&self) -> StreamContext<'_> {
        StreamContext {
            stream: &self.stream,
            store: self.store.clone(),
            dead_letters: DeadLetters::new(self.store.clone()),
            lease: &self.lease,
            clock: self.clock.clone(),
            now: self.clock.now(),
            deadline: Deadline::after(Duration::from_secs(600)),
            shutdown: &self.shutdown,
        }
    }

    pub fn consume_plan(&self, destination: Arc<dyn Destination>) -> ConsumePlan {
        let stream = Subscription {
            name: self.stream.clone(),
            constant_fields: vec![("$account_id", "the account".to_owned())],
        };
        ConsumePlan {
            stream: Arc::new(stream),
            target: route(CONSUMED_TABLE, destination),
            spool: self.spool.clone(),
        }
    }
}
