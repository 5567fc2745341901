//! What a stream's counts say after runs that fail in the middle.

use crate::jobs::run::tests::*;
use crate::state::StreamHealths;
use crate::status::{RunRecorder, Status, StreamState, collect_status, run_and_record};

struct World {
    folder: tempfile::TempDir,
    memory: Arc<Memory>,
    plans: Plans,
    context: Arc<JobContext>,
    recorder: RunRecorder,
}

impl World {
    fn of(clock: &Arc<dyn Clock>, events: Vec<Emitted>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn Leases> = Arc::new(LocalStore::open(folder.path().to_owned(), clock.clone()).unwrap());
        let memory = Arc::new(Memory::default());
        let healths = StreamHealths::new(store.clone());
        let mut context = context_of(store, clock);
        context.rules.lookback = minutes(72 * 60);
        let plans = plans_of(&vendor_of(events, 1), &memory);
        Self {
            folder,
            memory,
            plans,
            context: Arc::new(context),
            recorder: RunRecorder {
                healths,
                new_keys: Arc::default(),
                health_route: None,
                app: None,
            },
        }
    }

    /// A run that the destination refuses from its batch of that number on, if there is one. True if it failed.
    async fn run(&self, refused_batch: Option<usize>) -> bool {
        *self.memory.refusing.lock() = refused_batch;
        let deadline = Deadline::after(minutes(4));
        let request = RunRequest::everything(deadline);
        let report = run_and_record(&self.plans, &self.context, &self.recorder, &request).await;
        report.failed()
    }

    async fn status(&self) -> Status {
        let status = collect_status(&self.plans, &self.context, &self.recorder.healths).await;
        status.unwrap()
    }

    fn count(&self, name: &str) -> u64 {
        let file = self.folder.path().join("checkpoints/model/default/events.json");
        let checkpoint: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        checkpoint["tables"][TABLE]["counts"][name].as_u64().unwrap()
    }

    fn arrived(&self) -> u64 {
        self.memory.accepted.lock().iter().flatten().count() as u64
    }
}

fn events(clock: &Arc<dyn Clock>, count: u32, before: TimeDelta) -> Vec<Emitted> {
    (0..count)
        .map(|id| Emitted {
            id,
            recorded_at: clock.now() - before - TimeDelta::seconds(i64::from(id) * 6),
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn what_was_delivered_before_a_run_failed_is_in_the_counts() {
    let clock: Arc<dyn Clock> = Arc::new(VirtualClock::at("2026-11-20T12:00:00Z"));
    let mut partly_delivered = 0;
    for refused_batch in 1..8 {
        let world = World::of(&clock, events(&clock, 60, TimeDelta::minutes(2)));
        partly_delivered += u32::from(world.run(Some(refused_batch)).await);
        assert_eq!(world.count("delivered"), world.arrived(), "batch {refused_batch}");
        assert!(!world.run(None).await);
        assert_eq!((world.count("delivered"), world.arrived()), (60, 60));
    }
    assert!(partly_delivered > 2, "{partly_delivered}");
}

#[tokio::test(start_paused = true)]
async fn a_row_that_is_tried_again_counts_once_as_an_old_row() {
    let clock: Arc<dyn Clock> = Arc::new(VirtualClock::at("2026-11-20T12:00:00Z"));
    let world = World::of(&clock, events(&clock, 5, TimeDelta::hours(60)));
    for _ in 0..3 {
        assert!(world.run(Some(0)).await);
    }
    assert!(!world.run(None).await);
    assert_eq!((world.count("old_rows"), world.count("delivered")), (5, 5));
}

#[tokio::test(start_paused = true)]
async fn a_stream_whose_runs_take_longer_than_its_schedule_allows_for_is_not_behind_while_the_next_run_goes_on() {
    let clock: Arc<dyn Clock> = Arc::new(VirtualClock::at("2026-11-20T12:00:00Z"));
    let mut world = World::of(&clock, events(&clock, 60, TimeDelta::minutes(2)));
    world.plans.schedule = Schedule::parse("* * * * * *").unwrap();
    let before = clock.now();
    assert!(!world.run(None).await);
    let took = clock.now() - before;
    assert!(took > TimeDelta::seconds(5), "{took}");
    let standing = async || world.status().await.streams[0].status;
    tokio::time::advance(took.to_std().unwrap()).await;
    assert_eq!(standing().await, StreamState::Ok);
    tokio::time::advance(took.to_std().unwrap()).await;
    assert_eq!(standing().await, StreamState::Behind);
}

#[tokio::test(start_paused = true)]
async fn a_position_in_the_future_is_not_ok() {
    let clock: Arc<dyn Clock> = Arc::new(VirtualClock::at("2026-11-20T12:00:00Z"));
    let world = World::of(&clock, events(&clock, 5, TimeDelta::minutes(2)));
    assert!(!world.run(None).await);
    let file = world.folder.path().join("checkpoints/model/default/events.json");
    let mut checkpoint: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    checkpoint["tables"][TABLE]["watermark"] = "2026-11-20T14:30:00Z".into();
    std::fs::write(&file, checkpoint.to_string()).unwrap();
    let status = world.status().await;
    assert_eq!(status.streams[0].status, StreamState::Behind);
    let remarks = status.streams[0].tables[0].remarks().join("\n");
    assert!(remarks.contains("2 h 29 min in the future"), "{remarks}");
}
