//! A store that takes positions and leases, and refuses to remember what was delivered.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::jobs::run::tests::*;
use crate::state::{
    EndedRuns, Expected, Key, LastRead, LeaseAttempt, Leases, Listed, Store, StoreError, Stored, Version,
};

#[derive(Debug)]
struct Forgetful {
    store: LocalStore,
    is_failing: AtomicBool,
}

#[async_trait]
impl Store for Forgetful {
    async fn read(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        self.store.read(key).await
    }

    async fn write(&self, key: &Key, bytes: Vec<u8>, expected: Expected) -> Result<Version, StoreError> {
        if self.is_failing.load(Ordering::Relaxed) && key.as_str().ends_with(".ids") {
            return Err(StoreError::Backend {
                action: "write",
                key: key.to_string(),
                reason: "no space left".to_owned(),
                place: "here".to_owned(),
            });
        }
        self.store.write(key, bytes, expected).await
    }

    async fn remove(&self, key: &Key) -> Result<(), StoreError> {
        self.store.remove(key).await
    }

    async fn list(&self, prefix: &Key) -> Result<Vec<Listed>, StoreError> {
        self.store.list(prefix).await
    }
}

#[async_trait]
impl Leases for Forgetful {
    async fn try_lease(&self, name: &str, holder: &Holder) -> Result<LeaseAttempt, StoreError> {
        self.store.try_lease(name, holder).await
    }

    async fn ended_runs(&self, name: &str) -> Result<EndedRuns, StoreError> {
        self.store.ended_runs(name).await
    }

    async fn last_read(&self, name: &str) -> Result<LastRead, StoreError> {
        self.store.last_read(name).await
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_remembered_is_sent_once_more_in_all_and_not_once_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(VirtualClock::at("2026-11-20T12:00:00Z"));
    let name = StreamName::of("model", "default", "events");
    let vendor = Arc::new(Vendor {
        base: StreamBase::of(name, "the vendor", "the account".to_owned()),
        events: Mutex::default(),
        page_size: 10,
        failing_page: Mutex::default(),
    });
    let memory = Arc::new(Memory::default());
    let target = TableRoute {
        table: table(TABLE).unwrap(),
        destination: memory.clone(),
        send_lock: Arc::default(),
        record: TableRecord::default(),
        new_keys: Arc::default(),
    };
    let forgetful = Arc::new(Forgetful {
        store: LocalStore::open(folder.path().to_owned(), clock.clone()).unwrap(),
        is_failing: AtomicBool::new(false),
    });
    let plan = PullPlan {
        stream: vendor.clone(),
        targets: vec![target],
        pushed: None,
        counterparts: None,
    };
    let plans = plans_for(plan);
    let context = Arc::new(context_of(forgetful.clone(), &clock));
    let run_with = async |id: u32, is_failing: bool| {
        forgetful.is_failing.store(is_failing, Ordering::Relaxed);
        vendor.events.lock().push(Emitted {
            id,
            recorded_at: clock.now() - TimeDelta::seconds(70),
        });
        let request = RunRequest::everything(Deadline::after(Duration::from_secs(240)));
        let report = run(&plans, &context, &request).await;
        assert_eq!(report.failed(), is_failing);
        tokio::time::advance(Duration::from_secs(60)).await;
        memory.accepted.lock().concat()
    };
    assert_eq!(run_with(1, false).await, [1]);
    // Nobody knew it before: this one is sent and cannot be remembered.
    assert_eq!(run_with(2, true).await, [1, 2]);
    for id in 3..6 {
        assert_eq!(run_with(id, true).await, [1, 2]);
    }
    let mut all = run_with(6, false).await;
    assert_eq!(all.len(), 7);
    all.sort_unstable();
    assert_eq!(all, [1, 2, 2, 3, 4, 5, 6]);
}
