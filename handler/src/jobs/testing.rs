//! A consumed stream, a destination and the context of a run, for tests of single pieces.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use serde_json::Value;

use crate::delivery::{StreamContext, TableRecord, TableRoute};
use crate::destination::{Batch, Delivery, DeliveryError, Destination, ProbeError, Refusal, StreamFit};
use crate::event::{Identity, StreamName};
use crate::jobs::plan::ConsumePlan;
use crate::sources::page::elements;
use crate::sources::{ConsumedReply, DestructiveStream, Page, ParsedReply, ReadOutcome, SourceError, TornRest};
use crate::state::{
    DeadLetters, Expected, Holder, Key, Lease, LeaseAttempt, Leases, Listed, LocalStore, Spool, SpoolQuota, Store,
    StoreError, Stored, Version,
};
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

    async fn probe(&self, _: &Arc<str>, _: Deadline) -> Result<String, ProbeError> {
        Ok(String::new())
    }
}

pub fn route(table_name: &str, destination: Arc<dyn Destination>) -> TableRoute {
    TableRoute {
        table: table(table_name).unwrap(),
        destination,
        send_lock: Arc::default(),
        record: TableRecord::default(),
        new_keys: Arc::default(),
    }
}

/// Gives every event the account, and its reply once, where it has one.
pub struct Subscription {
    name: StreamName,
    constant_fields: Vec<(&'static str, String)>,
    reply: Mutex<Option<ConsumedReply>>,
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
        match self.reply.lock().take() {
            Some(reply) => ReadOutcome::Reply(reply),
            None => ReadOutcome::Nothing(SourceError::Stopped),
        }
    }

    fn parse(&self, text: String) -> ParsedReply {
        let events = elements(&text, &text);
        let end = events.last().map_or(0, |event| event.end);
        let rest = (!text.ends_with(']')).then(|| TornRest {
            reason: "it broke off".to_owned(),
            text: text[end..].to_owned(),
            is_of_list: text.starts_with('['),
        });
        ParsedReply {
            page: Page::new(text, events, 0),
            rest,
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

/// A store that cannot read or write what begins with certain words.
#[derive(Debug)]
pub struct FailingStore {
    store: LocalStore,
    unreadable: Mutex<Vec<String>>,
    unwritable: Mutex<Vec<String>>,
}

impl FailingStore {
    pub fn stop_reading(&self, prefix: &str) {
        self.unreadable.lock().push(prefix.to_owned());
    }

    pub fn stop_writing(&self, prefix: &str) {
        self.unwritable.lock().push(prefix.to_owned());
    }

    fn require(prefixes: &Mutex<Vec<String>>, action: &'static str, key: &Key) -> Result<(), StoreError> {
        let fails = prefixes.lock().iter().any(|prefix| key.as_str().starts_with(prefix));
        match fails {
            false => Ok(()),
            true => Err(StoreError::Backend {
                action,
                key: key.to_string(),
                reason: "no space left".to_owned(),
                place: "here".to_owned(),
            }),
        }
    }
}

#[async_trait]
impl Store for FailingStore {
    async fn read(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        Self::require(&self.unreadable, "read", key)?;
        self.store.read(key).await
    }

    async fn write(&self, key: &Key, bytes: Vec<u8>, expected: Expected) -> Result<Version, StoreError> {
        Self::require(&self.unwritable, "write", key)?;
        self.store.write(key, bytes, expected).await
    }

    async fn remove(&self, key: &Key) -> Result<(), StoreError> {
        self.store.remove(key).await
    }

    async fn list(&self, prefix: &Key) -> Result<Vec<Listed>, StoreError> {
        self.store.list(prefix).await
    }
}

/// A store in a folder of its own, and a lease on it.
pub struct TestRun {
    _folder: tempfile::TempDir,
    pub store: Arc<FailingStore>,
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
        let store = LocalStore::open(folder.path().to_owned(), clock.clone()).unwrap();
        let stream = StreamName {
            source: "model",
            instance: "default".to_owned(),
            stream: "events",
        };
        let holder = Holder::of_command("test");
        let LeaseAttempt::Taken(lease) = store.try_lease("lease", &holder).await.unwrap() else {
            panic!("nobody else has it")
        };
        let store = Arc::new(FailingStore {
            store,
            unreadable: Mutex::default(),
            unwritable: Mutex::default(),
        });
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
        self.plan_of_reply(destination, None)
    }

    /// With what the vendor gives when it is asked.
    pub fn plan_of_reply(&self, destination: Arc<dyn Destination>, reply: Option<&str>) -> ConsumePlan {
        let reply = reply.map(|text| ConsumedReply {
            text: text.to_owned(),
            replaced_bytes: 0,
            at: self.clock.now(),
        });
        let stream = Subscription {
            name: self.stream.clone(),
            constant_fields: vec![("$account_id", "the account".to_owned())],
            reply: Mutex::new(reply),
        };
        ConsumePlan {
            stream: Arc::new(stream),
            target: route(CONSUMED_TABLE, destination),
            spool: self.spool.clone(),
        }
    }
}
