//! Runs whose time is too short for all streams.

use crate::jobs::run::tests::*;

const STREAMS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
const EVENTS: u32 = 100;

/// Streams of one account, each with more events than a run can read.
fn plans(clock: &Arc<dyn Clock>, memory: &Arc<Memory>) -> Plans {
    let mut plans = plans_of(&vendor_of(Vec::new(), 1), memory);
    plans.streams.clear();
    for (number, stream) in (0..).zip(STREAMS) {
        let events = (number * EVENTS..(number + 1) * EVENTS).map(|id| Emitted {
            id,
            recorded_at: clock.now() - TimeDelta::minutes(5),
        });
        let vendor = Arc::new(Vendor {
            base: StreamBase::of(
                StreamName::of("model", "default", stream),
                "the vendor",
                "the account".to_owned(),
            ),
            events: Mutex::new(events.collect()),
            page_size: 1,
            failing_page: Mutex::default(),
        });
        plans.streams.extend(plans_of(&vendor, memory).streams);
    }
    plans
}

#[tokio::test(start_paused = true)]
async fn every_stream_is_read_within_as_many_runs_as_there_are_streams() {
    let folder = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(VirtualClock::at("2026-11-20T12:00:00Z"));
    let memory = Arc::new(Memory::default());
    let plans = plans(&clock, &memory);
    for _ in STREAMS {
        // Every run is a process of its own.
        let store: Arc<dyn Leases> = Arc::new(LocalStore::open(folder.path().to_owned(), clock.clone()).unwrap());
        let context = Arc::new(context_of(store, &clock));
        let request = RunRequest::everything(Deadline::after(Duration::from_secs(1)));
        run(&plans, &context, &request).await;
        tokio::time::advance(minutes(1)).await;
    }
    let accepted: BTreeSet<u32> = memory.accepted.lock().iter().flatten().copied().collect();
    for (number, stream) in (0..).zip(STREAMS) {
        let rows = accepted.range(number * EVENTS..(number + 1) * EVENTS).count();
        assert!(rows > 0, "{stream} was never read");
    }
}
