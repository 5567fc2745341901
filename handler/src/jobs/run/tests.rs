//! The poller against a model: a vendor that shows events late, a destination that refuses, a process that dies.

mod counts;
mod forgetful_store;
mod short_budget;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::config::Schedule;
use crate::delivery::TableRecord;
use crate::delivery::TableRoute;
use crate::destination::{Batch, Delivery, DeliveryError, Destination, ProbeError, StreamFit};
use crate::event::Identity;
use crate::event::StreamName;
use crate::jobs::housekeeping::Housekeeping;
use crate::jobs::plan::PullPlan;
use crate::jobs::run::*;
use crate::sources::{EventKey, Page, Pages, PolledStream, SourceError, StreamBase, Window, WindowedStream};
use crate::state::{Holder, Leases, LocalStore};
use crate::tables::table;
use crate::time::{Clock, Shutdown, VirtualClock, rfc3339_millis};

const TABLE: &str = "PingOne_AuditActivities_CL";
/// Wide rows: a batch holds about 16 of them, so that a window takes several batches.
const PADDING: usize = 60_000;

struct Emitted {
    id: u32,
    recorded_at: DateTime<Utc>,
}

/// Shows everything that was emitted so far, newest first, a few at a time.
struct Vendor {
    base: StreamBase,
    events: Mutex<Vec<Emitted>>,
    page_size: usize,
    /// The page that fails in this run, counted from the first.
    failing_page: Mutex<Option<usize>>,
}

#[async_trait]
impl PolledStream for Vendor {
    fn base(&self) -> &StreamBase {
        &self.base
    }

    fn key_of(&self, event: &str) -> EventKey {
        let event: serde_json::Value = serde_json::from_str(event).unwrap();
        let identity = Identity::of_parts(&[event["id"].as_str().unwrap()]);
        EventKey {
            identity,
            time: event["recordedAt"].as_str().unwrap().parse().ok(),
        }
    }
}

#[async_trait]
impl WindowedStream for Vendor {
    fn open(&self, window: Window) -> Box<dyn Pages + '_> {
        Box::new(VendorPages {
            vendor: self,
            window,
            given: BTreeSet::new(),
            pages: 0,
        })
    }

    async fn probe(&self, _: Window, _: Deadline) -> Result<usize, SourceError> {
        Ok(0)
    }
}

struct VendorPages<'a> {
    vendor: &'a Vendor,
    window: Window,
    given: BTreeSet<u32>,
    pages: usize,
}

#[async_trait]
impl Pages for VendorPages<'_> {
    async fn next(&mut self, _deadline: Deadline) -> Result<Option<Page>, SourceError> {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if *self.vendor.failing_page.lock() == Some(self.pages) {
            let (asked, what) = ("the vendor", "broke off".to_owned());
            return Err(SourceError::Unavailable { asked, what, tries: 1 });
        }
        self.pages += 1;
        let events = self.vendor.events.lock();
        let mut shown: Vec<&Emitted> = events
            .iter()
            .filter(|event| self.window.from <= event.recorded_at && event.recorded_at < self.window.to)
            .filter(|event| !self.given.contains(&event.id))
            .collect();
        shown.sort_by_key(|event| std::cmp::Reverse((event.recorded_at, event.id)));
        shown.truncate(self.vendor.page_size);
        self.given.extend(shown.iter().map(|event| event.id));
        let texts: Vec<String> = shown.into_iter().map(text_of).collect();
        if texts.is_empty() {
            return Ok(None);
        }
        let mut ranges = Vec::new();
        let mut text = String::new();
        for event in texts {
            ranges.push(text.len()..text.len() + event.len());
            text.push_str(&event);
        }
        Ok(Some(Page::new(text, ranges, 0)))
    }
}

fn text_of(event: &Emitted) -> String {
    let padding = "x".repeat(PADDING);
    let (id, time) = (event.id, rfc3339_millis(event.recorded_at));
    format!(r#"{{"id":"{id}","recordedAt":"{time}","createdAt":"{time}","correlationId":"{padding}"}}"#)
}

/// Remembers the ids of every batch that it accepted.
#[derive(Default)]
struct Memory {
    accepted: Mutex<Vec<Vec<u32>>>,
    /// Refuses the batch of this number in this run.
    refusing: Mutex<Option<usize>>,
}

impl Memory {
    fn refuses(&self) -> bool {
        let mut refusing = self.refusing.lock();
        let left = *refusing;
        *refusing = left.and_then(|left| left.checked_sub(1));
        left == Some(0)
    }
}

#[async_trait]
impl Destination for Memory {
    async fn probe(&self, _: &Arc<str>, _: Deadline) -> Result<String, ProbeError> {
        Ok(String::new())
    }

    async fn deliver(&self, batch: &Batch, _: StreamFit, _deadline: Deadline) -> Delivery {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if self.refuses() {
            return Delivery::failed(DeliveryError::OutOfTime {
                table: TABLE.to_owned(),
                rows: batch.rows,
                last: None,
            });
        }
        let ids = batch.rows().map(|row| {
            let row: serde_json::Value = serde_json::from_slice(row).unwrap();
            row["Id"].as_str().unwrap().parse().unwrap()
        });
        self.accepted.lock().push(ids.collect());
        // The answer is on its way: a kill in this moment is the one that doubles.
        tokio::time::sleep(Duration::from_millis(50)).await;
        Delivery::whole(batch.rows)
    }
}

fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

fn vendor_of(events: Vec<Emitted>, page_size: usize) -> Arc<Vendor> {
    let name = StreamName::of("model", "default", "events");
    Arc::new(Vendor {
        base: StreamBase::of(name, "the vendor", "the account".to_owned()),
        events: Mutex::new(events),
        page_size,
        failing_page: Mutex::default(),
    })
}

/// One stream into one table.
fn plans_of(vendor: &Arc<Vendor>, memory: &Arc<Memory>) -> Plans {
    let target = TableRoute {
        table: table(TABLE).unwrap(),
        destination: memory.clone(),
        send_lock: Arc::default(),
        record: TableRecord::default(),
        new_keys: Arc::default(),
    };
    plans_for(PullPlan {
        stream: vendor.clone(),
        targets: vec![target],
        pushed: None,
        counterparts: None,
    })
}

fn plans_for(plan: PullPlan) -> Plans {
    Plans {
        streams: vec![StreamPlan::Windows(plan)],
        drains: Vec::new(),
        disabled: Vec::new(),
        disabled_streams: Vec::new(),
        schedule: Schedule::parse("0 * * * * *").unwrap(),
    }
}

fn context_of(store: Arc<dyn Leases>, clock: &Arc<dyn Clock>) -> JobContext {
    JobContext {
        rules: PollRules {
            lookback: minutes(60),
            overlap: minutes(10),
            settle: minutes(1),
            concurrency: 1,
        },
        store,
        clock: clock.clone(),
        holder: Holder {
            who: "the model".to_owned(),
            yields: false,
        },
        shutdown: Shutdown::default(),
        housekeeping: Housekeeping::default(),
    }
}

/// Polls a future so many times and then drops it, as a kill would. True if it ended before.
async fn killed_after(polls: usize, future: impl Future) -> bool {
    let mut left = polls;
    let mut future = pin!(future);
    std::future::poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        future.as_mut().poll(context).map(|_| true)
    })
    .await
}

#[allow(
    clippy::disallowed_methods,
    reason = "how long the test takes is the caller's choice, not a setting"
)]
fn seeds() -> u64 {
    std::env::var("CONNECTOR_SEEDS")
        .ok()
        .and_then(|seeds| seeds.parse().ok())
        .unwrap_or(40)
}

#[test]
fn every_event_and_every_version_that_a_poll_could_see_arrives_once_over_failures_and_kills() {
    let mut doubles_after_kills = 0;
    for seed in 0..seeds() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        doubles_after_kills += runtime.block_on(one_life(seed));
    }
    println!("{} seeds; {doubles_after_kills} rows doubled by kills", seeds());
}

async fn one_life(seed: u64) -> usize {
    let mut random = StdRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(VirtualClock::at("2026-11-20T12:00:00Z"));
    let vendor = vendor_of(Vec::new(), random.random_range(1..40));
    let memory = Arc::new(Memory::default());
    let store: Arc<dyn Leases> = Arc::new(LocalStore::open(folder.path().to_owned(), clock.clone()).unwrap());
    let plans = plans_of(&vendor, &memory);
    let context = context_of(store, &clock);
    let mut excused = BTreeSet::new();
    let mut next_id = 0;
    let mut settled = clock.now();
    // Every other life is one of objects whose newer versions replace the older ones.
    let are_snapshots = seed % 2 == 1;
    let mut seen_by_a_poll = BTreeSet::new();
    for run in 0..14 {
        tokio::time::advance(minutes(random.random_range(1..8))).await;
        settled = clock.now() - TimeDelta::from_std(context.rules.settle).unwrap();
        emit(&vendor, clock.now(), run, &mut next_id, &mut random);
        if are_snapshots {
            replace(&vendor, clock.now(), &mut next_id, &mut random);
        }
        let last_runs = run >= 12;
        *vendor.failing_page.lock() = (!last_runs && random.random_bool(0.2)).then(|| random.random_range(0..4));
        *memory.refusing.lock() = (!last_runs && random.random_bool(0.2)).then(|| random.random_range(0..3));
        let polls = if !last_runs && random.random_bool(0.4) {
            random.random_range(1..60)
        } else {
            usize::MAX
        };
        let (plan, account) = with_accounts(plans.streams.clone()).remove(0);
        let request = RunRequest::everything(Deadline::after(minutes(4)));
        let run = Box::pin(run_stream(&plan, &account, &context, &request));
        let mut outcome = None;
        let run = async { outcome = run.await.map(|report| report.outcome) };
        let ended = Box::pin(killed_after(polls, run)).await;
        if outcome == Some(Outcome::Done) {
            seen_by_a_poll.extend(settled_ids(&vendor, settled));
        }
        if !ended {
            // What was accepted last may not have been remembered yet: the one batch that a kill may double.
            excused.extend(memory.accepted.lock().last().into_iter().flatten().copied());
        }
        assert!(!last_runs || ended, "seed {seed}: a run without faults did not end");
    }
    seen_by_a_poll.extend(settled_ids(&vendor, settled));
    judge(seed, &seen_by_a_poll, &memory, &excused)
}

/// Ties, events that the vendor shows up to eight minutes late, and some at the very edge of the next window.
fn emit(vendor: &Vendor, now: DateTime<Utc>, run: u32, next_id: &mut u32, random: &mut StdRng) {
    let mut events = vendor.events.lock();
    let mut recorded_at = now;
    for _ in 0..random.random_range(0..30) {
        if random.random_bool(0.6) {
            let late = if run == 0 { 50 * 60 } else { 8 * 60 };
            recorded_at = now - TimeDelta::milliseconds(random.random_range(0..late * 1000));
        } else if random.random_bool(0.2) {
            recorded_at = now - TimeDelta::minutes(1);
        }
        events.push(Emitted {
            id: *next_id,
            recorded_at,
        });
        *next_id += 1;
    }
}

/// Newer versions of known objects, under numbers of their own.
fn replace(vendor: &Vendor, now: DateTime<Utc>, next_id: &mut u32, random: &mut StdRng) {
    let mut events = vendor.events.lock();
    for _ in 0..random.random_range(0..8) {
        if events.is_empty() {
            return;
        }
        let index = random.random_range(0..events.len());
        events.swap_remove(index);
        let recorded_at = now - TimeDelta::milliseconds(random.random_range(0..5 * 60 * 1000));
        events.push(Emitted {
            id: *next_id,
            recorded_at,
        });
        *next_id += 1;
    }
}

fn settled_ids(vendor: &Vendor, settled: DateTime<Utc>) -> Vec<u32> {
    let events = vendor.events.lock();
    events
        .iter()
        .filter(|event| event.recorded_at < settled)
        .map(|event| event.id)
        .collect()
}

fn judge(seed: u64, expected: &BTreeSet<u32>, memory: &Memory, excused: &BTreeSet<u32>) -> usize {
    let mut times: BTreeMap<u32, usize> = BTreeMap::new();
    for id in memory.accepted.lock().iter().flatten() {
        *times.entry(*id).or_default() += 1;
    }
    for id in expected {
        assert!(times.contains_key(id), "seed {seed}: event {id} is missing");
    }
    let doubled: Vec<_> = times
        .iter()
        .filter(|(_, count)| **count > 1)
        .map(|(id, _)| *id)
        .collect();
    for id in &doubled {
        assert!(
            excused.contains(id),
            "seed {seed}: event {id} arrived {} times",
            times[id]
        );
    }
    doubled.len()
}

#[tokio::test(start_paused = true)]
async fn what_reading_the_overlap_again_costs_is_counted_over_all_its_slices() {
    let folder = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(VirtualClock::at("2026-11-20T12:00:00Z"));
    let recorded_at = |second: i64| clock.now() - TimeDelta::minutes(2) - TimeDelta::seconds(second * 6);
    let events = (0..60)
        .map(|id| Emitted {
            id,
            recorded_at: recorded_at(id.into()),
        })
        .collect();
    let vendor = vendor_of(events, 1);
    let store: Arc<dyn Leases> = Arc::new(LocalStore::open(folder.path().to_owned(), clock.clone()).unwrap());
    let plans = plans_of(&vendor, &Arc::default());
    let context = Arc::new(context_of(store, &clock));
    let run_all = async || run(&plans, &context, &RunRequest::everything(Deadline::after(minutes(4)))).await;
    for id in 60..62 {
        assert!(!run_all().await.failed());
        tokio::time::advance(minutes(1)).await;
        vendor.events.lock().push(Emitted {
            id,
            recorded_at: clock.now() - TimeDelta::seconds(70),
        });
    }
    assert!(!run_all().await.failed());
    let file = folder.path().join("checkpoints/model/default/events.json");
    let checkpoint: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let pages = checkpoint["tables"][TABLE]["reread_pages"].as_u64().unwrap();
    assert!((50..=70).contains(&pages), "{pages} pages");
}
