//! Pushes whose destination and spool are slow or fail.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;

use super::batch_upload::UploadContext;
use super::dedupe::Dedupe;
use super::direct::store;
use super::group_commit::{GroupCommit, GroupCommitConfig};
use super::inflight_budget::InflightBudget;
use super::ledger::PushLedger;
use super::pushed_events::{PushedEvent, PushedEvents};
use crate::delivery::{TableRecord, TableRoute};
use crate::destination::{Batch, Delivery, DeliveryError, Destination, ProbeError, StreamFit};
use crate::event::{Identity, StreamName};
use crate::state::{
    BlobStore, Counts, DeadLetters, Expected, Key, Listed, ProcessLedger, Spool, SpoolQuota, Store, StoreError, Stored,
    Version,
};
use crate::time::{Clock, Deadline, Shutdown, VirtualClock};

const TABLE: &str = "PingOne_AuditActivities_CL";
const EVENT: &str = r#"{"id":"a","recordedAt":"2026-11-20T11:59:00Z"}"#;

/// Takes this long for each batch, and then takes it or does not.
#[derive(Default)]
struct Scripted {
    answers: Mutex<VecDeque<(Duration, bool)>>,
    rows_taken: Mutex<usize>,
}

#[async_trait]
impl Destination for Scripted {
    async fn deliver(&self, batch: &Batch, _: StreamFit, _: Deadline) -> Delivery {
        let (takes, is_taken) = self.answers.lock().pop_front().expect("one call too many");
        tokio::time::sleep(takes).await;
        if is_taken {
            *self.rows_taken.lock() += batch.rows;
            return Delivery::whole(batch.rows);
        }
        Delivery::failed(DeliveryError::OutOfTime {
            table: batch.table.to_string(),
            rows: batch.rows,
            last: None,
        })
    }

    async fn probe(&self, _: &Arc<str>, _: Deadline) -> Result<String, ProbeError> {
        Ok(String::new())
    }
}

/// A store that is slow to write entries of the spool and cannot remove them.
#[derive(Debug)]
struct SlowSpool(Arc<dyn Store>);

#[async_trait]
impl Store for SlowSpool {
    async fn read(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        self.0.read(key).await
    }

    async fn write(&self, key: &Key, bytes: Vec<u8>, expected: Expected) -> Result<Version, StoreError> {
        tokio::time::sleep(Duration::from_secs(3)).await;
        self.0.write(key, bytes, expected).await
    }

    async fn remove(&self, key: &Key) -> Result<(), StoreError> {
        Err(StoreError::Backend {
            action: "remove",
            key: key.to_string(),
            reason: "it hangs".to_owned(),
            place: "here".to_owned(),
        })
    }

    async fn list(&self, prefix: &Key) -> Result<Vec<Listed>, StoreError> {
        self.0.list(prefix).await
    }
}

struct World {
    queue: GroupCommit,
    destination: Arc<Scripted>,
    ledger: Arc<PushLedger>,
    spool: Spool,
    budget: InflightBudget,
    clock: Arc<dyn Clock>,
}

impl World {
    fn new(is_slow: bool, spool_bytes: u64, answers: &[(Duration, bool)]) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(VirtualClock::at("2026-11-20T12:00:00Z"));
        let objects = Arc::new(object_store::memory::InMemory::new());
        let mut state: Arc<dyn Store> = Arc::new(BlobStore::new(objects, "memory", clock.clone(), None));
        if is_slow {
            state = Arc::new(SlowSpool(state));
        }
        let stream = StreamName {
            source: "pingone",
            instance: "default".to_owned(),
            stream: "push",
        };
        let destination = Arc::new(Scripted::default());
        destination.answers.lock().extend(answers);
        let file = ProcessLedger::new(state.clone(), clock.clone(), &stream, "a");
        let ledger = Arc::new(PushLedger::new(&stream, file, Arc::default()));
        let spool = Spool::new(&SpoolQuota::new(state.clone(), spool_bytes), &stream);
        let context = UploadContext {
            route: TableRoute {
                table: crate::tables::table(TABLE).unwrap(),
                destination: destination.clone(),
                send_lock: Arc::default(),
                record: TableRecord::default(),
                new_keys: Arc::default(),
            },
            spool: spool.clone(),
            dead_letters: DeadLetters::new(state),
            dedupe: Arc::new(Dedupe::default()),
            ledger: ledger.clone(),
            clock: clock.clone(),
            shutdown: Shutdown::default(),
            stream,
        };
        let config = GroupCommitConfig {
            linger: Duration::ZERO,
            upload_wait: Duration::from_secs(2),
        };
        Self {
            queue: GroupCommit::new(context, config),
            destination,
            ledger,
            spool,
            budget: InflightBudget::default(),
            clock,
        }
    }

    /// The same event every time.
    async fn push(&self) -> Result<(), String> {
        let push = PushedEvents {
            events: vec![PushedEvent {
                identity: Identity::of_parts(&["a"]),
                text: EVENT,
            }],
            arrival: self.clock.now(),
            deadline: Deadline::after(Duration::from_secs(300)),
            permit: Arc::new(self.budget.acquire(EVENT.as_bytes()).await.unwrap()),
        };
        store(&self.queue, &push).await.map(|_| ())
    }

    /// When nothing is in flight any more.
    async fn at_rest(&self) -> Counts {
        self.budget.emptied().await;
        assert_eq!(self.queue.in_flight(), 0);
        let counts = self.ledger.counts(TABLE);
        assert_eq!(counts.check(), Ok(()));
        counts
    }
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_came_too_late_and_cannot_be_removed_is_known_when_its_sender_repeats_it() {
    let world = World::new(true, 1_000_000, &[(Duration::from_secs(50), false)]);
    let answer = world.push().await;
    assert!(answer.is_err_and(|reason| reason.contains("in time")));
    // It waits until the entry is there to stay, and sends nothing.
    assert_eq!(world.push().await, Ok(()));
    assert_eq!(world.spool.waiting(TABLE).await.unwrap().len(), 1);
    let counts = world.at_rest().await;
    assert_eq!((counts.received, counts.spooled, counts.seen_before), (2, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_of_an_event_that_could_not_be_stored_is_stored_itself() {
    // The spool has room for nothing.
    let answers = [(Duration::from_secs(1), false), (Duration::from_secs(1), true)];
    let world = World::new(false, 1, &answers);
    let (first, second) = tokio::join!(world.push(), world.push());
    assert!(first.is_err_and(|reason| reason.contains("SPOOL_MAX_BYTES")));
    assert_eq!(second, Ok(()));
    assert_eq!(*world.destination.rows_taken.lock(), 1);
    let counts = world.at_rest().await;
    assert_eq!((counts.received, counts.delivered, counts.in_flight), (2, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_is_taken_after_its_senders_were_answered_leaves_the_spool() {
    let world = World::new(false, 1_000_000, &[(Duration::from_secs(5), true)]);
    assert_eq!(world.push().await, Ok(()));
    assert_eq!(world.ledger.counts(TABLE).spooled, 1);
    assert_eq!(world.ledger.counts(TABLE).check(), Ok(()));
    let counts = world.at_rest().await;
    assert_eq!((counts.received, counts.delivered, counts.spooled), (1, 1, 0));
    assert!(world.spool.waiting(TABLE).await.unwrap().is_empty());
}
