//! The poller on a machine whose clock is set ahead and right again, against a vendor whose replies show the time, or
//! do not.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use reqwest::header::{DATE, HeaderMap};

use crate::config::Schedule;
use crate::delivery::TableRecord;
use crate::delivery::TableRoute;
use crate::destination::{Batch, Delivery, Destination, ProbeError, StreamFit};
use crate::event::{Identity, StreamName};
use crate::jobs::housekeeping::Housekeeping;
use crate::jobs::job_context::JobContext;
use crate::jobs::plan::{Plans, PullPlan, StreamPlan};
use crate::jobs::poll::window::PollRules;
use crate::jobs::run::{RunRequest, run};
use crate::report::{RunReport, run_lines};
use crate::sources::{EventKey, Page, Pages, PolledStream, SourceError, StreamBase, Window, WindowedStream};
use crate::state::{Holder, Leases, LocalStore};
use crate::tables::table;
use crate::time::{Clock, Deadline, Shutdown, VirtualClock, rfc3339_millis};

const TABLE: &str = "PingOne_AuditActivities_CL";
const LIVES: u64 = 15;
const RUNS: usize = 40;
/// The vendor shows an event no later than this after its time.
const LATEST_SHOWN: i64 = 8 * 60;

/// This machine's clock.
#[derive(Debug)]
struct OurClock {
    right: VirtualClock,
    ahead: Mutex<TimeDelta>,
}

impl Clock for OurClock {
    fn now(&self) -> DateTime<Utc> {
        self.right.now() + *self.ahead.lock()
    }
}

struct Event {
    recorded_at: DateTime<Utc>,
    shown_at: DateTime<Utc>,
}

struct Vendor {
    base: StreamBase,
    right: VirtualClock,
    ours: Arc<OurClock>,
    events: Mutex<Vec<Event>>,
    shows_the_time: bool,
}

#[async_trait]
impl PolledStream for Vendor {
    fn base(&self) -> &StreamBase {
        &self.base
    }

    fn key_of(&self, event: &str) -> EventKey {
        let event: serde_json::Value = serde_json::from_str(event).unwrap();
        EventKey {
            identity: Identity::of_parts(&[event["id"].as_str().unwrap()]),
            time: event["recordedAt"].as_str().unwrap().parse().ok(),
        }
    }
}

#[async_trait]
impl WindowedStream for Vendor {
    fn open(&self, window: Window) -> Box<dyn Pages + '_> {
        Box::new(VendorPages {
            vendor: self,
            window: Some(window),
        })
    }

    async fn probe(&self, _: Window, _: Deadline) -> Result<usize, SourceError> {
        Ok(0)
    }
}

struct VendorPages<'a> {
    vendor: &'a Vendor,
    window: Option<Window>,
}

#[async_trait]
impl Pages for VendorPages<'_> {
    async fn next(&mut self, _: Deadline) -> Result<Option<Page>, SourceError> {
        let Some(window) = self.window.take() else {
            return Ok(None);
        };
        let (vendor, sent) = (self.vendor, self.vendor.ours.now());
        tokio::time::sleep(Duration::from_millis(700)).await;
        let now = vendor.right.now();
        let mut text = String::new();
        let mut ranges = Vec::new();
        for (id, event) in vendor.events.lock().iter().enumerate() {
            let is_in_window = window.from <= event.recorded_at && event.recorded_at < window.to;
            if is_in_window && event.shown_at <= now {
                let time = rfc3339_millis(event.recorded_at);
                let start = text.len();
                text.push_str(&format!(
                    r#"{{"id":"{id}","recordedAt":"{time}","createdAt":"{time}"}}"#
                ));
                ranges.push(start..text.len());
            }
        }
        if vendor.shows_the_time {
            let date = now.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
            let headers = HeaderMap::from_iter([(DATE, date.parse().unwrap())]);
            vendor.base.vendor_clock.note(&headers, sent, vendor.ours.now());
        }
        Ok(Some(Page::new(text, ranges, 0)))
    }
}

#[derive(Default)]
struct Memory(Mutex<BTreeMap<usize, usize>>);

#[async_trait]
impl Destination for Memory {
    async fn probe(&self, _: &Arc<str>, _: Deadline) -> Result<String, ProbeError> {
        Ok(String::new())
    }

    async fn deliver(&self, batch: &Batch, _: StreamFit, _: Deadline) -> Delivery {
        let mut arrived = self.0.lock();
        for row in batch.rows() {
            let row: serde_json::Value = serde_json::from_slice(row).unwrap();
            let id = row["Id"].as_str().unwrap().parse().unwrap();
            *arrived.entry(id).or_default() += 1;
        }
        Delivery::whole(batch.rows)
    }
}

fn plans_of(vendor: &Arc<Vendor>, memory: &Arc<Memory>) -> Plans {
    let target = TableRoute {
        table: table(TABLE).unwrap(),
        destination: memory.clone(),
        send_lock: Arc::default(),
        record: TableRecord::default(),
        new_keys: Arc::default(),
    };
    Plans {
        streams: vec![StreamPlan::Windows(PullPlan {
            stream: vendor.clone(),
            targets: vec![target],
            pushed: None,
            counterparts: None,
        })],
        drains: Vec::new(),
        disabled: Vec::new(),
        disabled_streams: Vec::new(),
        schedule: Schedule::parse("0 * * * * *").unwrap(),
    }
}

fn context_of(vendor: &Arc<Vendor>, store: &Arc<dyn Leases>) -> Arc<JobContext> {
    let minutes = |count: u64| Duration::from_secs(count * 60);
    Arc::new(JobContext {
        rules: PollRules {
            lookback: minutes(60),
            overlap: minutes(10),
            settle: minutes(1),
            concurrency: 1,
        },
        store: store.clone(),
        clock: vendor.ours.clone(),
        holder: Holder {
            who: "the model".to_owned(),
            yields: false,
        },
        shutdown: Shutdown::default(),
        housekeeping: Housekeeping::default(),
    })
}

/// Gives the ids that are missing and those that came twice.
async fn one_life(seed: u64, shows_the_time: bool) -> (Vec<usize>, Vec<usize>, Vec<RunReport>) {
    let mut random = StdRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let right = VirtualClock::at("2026-11-20T12:00:00Z");
    let ours = Arc::new(OurClock {
        right,
        ahead: Mutex::default(),
    });
    let name = StreamName::of("model", "default", "events");
    let vendor = Arc::new(Vendor {
        base: StreamBase::of(name, "the vendor", "the account".to_owned()),
        right,
        ours: ours.clone(),
        events: Mutex::default(),
        shows_the_time,
    });
    let memory = Arc::new(Memory::default());
    let store: Arc<dyn Leases> = Arc::new(LocalStore::open(folder.path().to_owned(), ours.clone()).unwrap());
    let mut process = (plans_of(&vendor, &memory), context_of(&vendor, &store));
    let mut reports = Vec::new();
    let mut settled = right.now();
    for number in 0..RUNS {
        if random.random_bool(0.3) {
            // By a little more than the overlap the windows lie partly in the present, and nothing shows the wrong clock.
            let seconds = match shows_the_time {
                true => [0, 0, 20, 12 * 60, 40 * 60, 2 * 3600],
                false => [0, 0, 20, 20, 40 * 60, 2 * 3600],
            };
            *ours.ahead.lock() = TimeDelta::seconds(seconds[random.random_range(0..seconds.len())]);
        }
        if number + 3 >= RUNS {
            *ours.ahead.lock() = TimeDelta::zero();
        }
        if random.random_bool(0.3) {
            // A process of its own.
            vendor.base.vendor_clock.forget();
            process = (plans_of(&vendor, &memory), context_of(&vendor, &store));
        }
        let minutes = random.random_range(1..8);
        emit(&vendor, minutes * 60, &mut random);
        tokio::time::advance(Duration::from_secs(minutes.unsigned_abs() * 60)).await;
        settled = right.now() - TimeDelta::minutes(1);
        let deadline = Deadline::after(Duration::from_secs(240));
        let (plans, context) = &process;
        let report = run(plans, context, &RunRequest::everything(deadline)).await;
        assert!(!report.failed(), "seed {seed}: {report:?}");
        reports.push(report);
    }
    let arrived = memory.0.lock();
    let events = vendor.events.lock();
    let expected = events.iter().enumerate();
    let expected = expected.filter(|(_, event)| event.recorded_at < settled && event.shown_at <= settled);
    let missing = expected.map(|(id, _)| id).filter(|id| !arrived.contains_key(id));
    let doubled = arrived.iter().filter(|(_, times)| **times > 1).map(|(id, _)| *id);
    (missing.collect(), doubled.collect(), reports)
}

/// Of the next seconds.
fn emit(vendor: &Vendor, seconds: i64, random: &mut StdRng) {
    let mut events = vendor.events.lock();
    for _ in 0..random.random_range(0..12) {
        let recorded_at = vendor.right.now() + TimeDelta::milliseconds(random.random_range(0..seconds * 1000));
        let late = if random.random_bool(0.3) {
            random.random_range(0..LATEST_SHOWN)
        } else {
            0
        };
        events.push(Event {
            recorded_at,
            shown_at: recorded_at + TimeDelta::seconds(late),
        });
    }
}

fn lives(shows_the_time: bool, judge: impl Fn(u64, &[usize], &[usize], &[RunReport])) {
    for seed in 0..LIVES {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        let (missing, doubled, reports) = runtime.block_on(one_life(seed, shows_the_time));
        judge(seed, &missing, &doubled, &reports);
    }
}

#[test]
fn with_a_clock_that_runs_ahead_every_event_arrives_once_where_the_vendor_shows_the_time() {
    lives(true, |seed, missing, doubled, _| {
        assert!(missing.is_empty(), "seed {seed}: missing {missing:?}");
        assert!(doubled.is_empty(), "seed {seed}: doubled {doubled:?}");
    });
}

#[test]
fn where_the_vendor_shows_no_time_nothing_is_lost_and_doubles_are_said() {
    lives(false, |seed, missing, doubled, reports| {
        assert!(missing.is_empty(), "seed {seed}: missing {missing:?}");
        let mut lines = reports.iter().flat_map(run_lines);
        let is_said = lines.any(|line| line.contains("may arrive twice"));
        assert!(doubled.is_empty() || is_said, "seed {seed}: doubled {doubled:?}");
    });
}
