//! One scenario: a few runs under faults, with kills, pauses, rivals and pushes, then none until everything has settled.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use object_store::memory::InMemory;
use parking_lot::Mutex;

use super::crash_points::Side;
use super::evidence::{Evidence, LastRun};
use super::fault_kinds::FaultKinds;
use super::oracle::{self, Findings};
use super::process::Process;
use super::push::Push;
use super::rng::SeededRng;
use super::settings::PUSH_TOKEN;
use super::summary::Summary;
use super::workload::Workload;
use super::world::{FaultRates, World};
use crate::jobs::{MAX_ANSWER_TIME, PushAnswer, PushRequest, RunRequest};
use crate::report::{ErrorCode, Outcome, RunReport, StreamReport, run_lines};
use crate::status::run_and_record;
use crate::time::{Clock, Deadline, VirtualClock};

const BUDGET: Duration = Duration::from_secs(120);

/// Says which scenario it was.
struct SeedOnPanic(u64);

impl Drop for SeedOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("schedule {0} failed; CONNECTOR_SCHEDULE={0} runs it alone", self.0);
        }
    }
}

pub fn run(seed: u64, is_traced: bool) -> Summary {
    let _seed = SeedOnPanic(seed);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(Scenario::new(seed, is_traced).run())
}

/// A row that is never taken, with none beside it that is, cannot be told from a stream that does not fit: it waits.
fn is_well(stream: &StreamReport) -> bool {
    let mut problems = stream.problems.iter();
    stream.outcome == Outcome::Done
        || (stream.outcome == Outcome::Failed
            && problems.all(|problem| {
                problem.code == ErrorCode::DestinationRefused && problem.message.contains("took none of")
            }))
}

pub struct Scenario {
    pub seed: u64,
    pub rng: SeededRng,
    pub world: Arc<World>,
    pub container: Arc<InMemory>,
    pub timer: Arc<Process>,
    web: Arc<Process>,
    processes: u32,
    pub kinds: FaultKinds,
    pub open_pushes: Vec<Push>,
    /// When the last push of an event was first acknowledged.
    pub acknowledged: BTreeMap<String, DateTime<Utc>>,
    /// Of pushes that were not acknowledged when their process was killed.
    pub unanswered_at_kills: BTreeSet<String>,
    runs: AtomicU64,
    summary: Summary,
}

impl Scenario {
    fn new(seed: u64, is_traced: bool) -> Self {
        let rng = SeededRng::new(seed);
        let kinds = FaultKinds::of(seed, &rng);
        Self::of(seed, rng, kinds, is_traced)
    }

    /// `rng` is seeded with `seed`.
    pub fn of(seed: u64, rng: SeededRng, kinds: FaultKinds, is_traced: bool) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(VirtualClock::at("2026-11-20T12:00:00Z"));
        let world = Arc::new(World::new(rng.clone(), clock, kinds, is_traced));
        let container = Arc::new(InMemory::new());
        let timer = Arc::new(Process::start(&world, &container, 0, kinds));
        Self {
            seed,
            rng,
            world,
            container,
            web: timer.clone(),
            timer,
            processes: 1,
            kinds,
            open_pushes: Vec::new(),
            acknowledged: BTreeMap::new(),
            unanswered_at_kills: BTreeSet::new(),
            runs: AtomicU64::new(0),
            summary: Summary::default(),
        }
    }

    async fn run(mut self) -> Summary {
        if self.rng.hits(0.5) {
            self.web = self.start();
        }
        if self.kinds.outages {
            // These scenarios are longer than a first run looks back: every stream has begun before faults begin.
            self.poll(&self.timer).await.unwrap();
        }
        for _ in 0..self.rng.between(4, 8) {
            self.run_under_faults().await;
        }
        let Findings {
            doubled,
            set_aside,
            possible_losses,
            events,
        } = self.settle_and_check().await;
        Summary {
            events,
            faults: self.world.faults(),
            acknowledged: self.acknowledged.len() as u64,
            doubled,
            set_aside,
            possible_losses,
            ..self.summary
        }
    }

    /// Runs without faults until everything has settled, and checks what came of it all.
    pub async fn settle_and_check(&mut self) -> Findings {
        let last_run = self.settle().await;
        oracle::check(&Evidence {
            seed: self.seed,
            kinds: self.kinds,
            world: &self.world,
            container: &self.container,
            acknowledged: &self.acknowledged,
            unanswered_at_kills: &self.unanswered_at_kills,
            last_run,
        })
        .await
    }

    /// What happens at the vendors.
    pub fn workload(&self) -> Workload<'_> {
        Workload {
            world: &self.world,
            kinds: self.kinds,
        }
    }

    fn start(&mut self) -> Arc<Process> {
        let process = Process::start(&self.world, &self.container, self.processes, self.kinds);
        self.processes += 1;
        Arc::new(process)
    }

    async fn run_under_faults(&mut self) {
        let longest = if self.kinds.outages { 1_500_000 } else { 300_000 };
        tokio::time::sleep(self.rng.millis(5_000, longest)).await;
        self.begin_or_end_an_outage();
        let pushes = self.workload().publish();
        self.open_pushes.extend(pushes);
        let rate = |is_on: bool| {
            if is_on {
                self.rng.one_of(&[0.0, 0.03, 0.15, 0.4])
            } else {
                0.0
            }
        };
        self.world.set_fault_rates(FaultRates {
            vendors: rate(self.kinds.vendors),
            destination: rate(self.kinds.destination),
            state: rate(self.kinds.state) / 3.0,
        });
        self.plan_crashes();
        let pushes = self.pushes();
        let rival = (self.kinds.rivals && self.rng.hits(0.4)).then(|| self.start());
        let runs = async {
            tokio::join!(self.poll(&self.timer), async {
                if let Some(rival) = &rival {
                    tokio::time::sleep(self.rng.millis(0, 5_000)).await;
                    self.poll(rival).await;
                }
            })
        };
        let (_, answered) = tokio::join!(runs, self.send(pushes));
        let was_killed = self.web.crash_points.is_killed();
        for (push, is_acknowledged) in answered {
            if is_acknowledged {
                self.note_acknowledged(push);
            } else if !self.open_pushes.iter().any(|open| open.marks == push.marks) {
                self.open_pushes.push(push);
            }
        }
        if was_killed {
            // What was not answered, or answered 503 and stored after all, comes again to a process that cannot know it.
            let marks = self.open_pushes.iter().flat_map(|push| push.marks.iter().cloned());
            self.unanswered_at_kills.extend(marks);
        }
        self.timer.crash_points.disarm();
        self.web.crash_points.disarm();
        self.world.deliveries().end_run();
        self.replace_killed();
    }

    pub fn note_acknowledged(&mut self, push: Push) {
        let now = self.world.now();
        for mark in push.marks {
            self.acknowledged.entry(mark).or_insert(now);
        }
    }

    fn begin_or_end_an_outage(&mut self) {
        if self.kinds.outages && self.rng.hits(0.5) {
            let table = self.rng.one_of(&[
                None,
                Some("OneLogin_CL"),
                Some("OneLogin_CL"),
                Some("OneLoginEventsV2_CL"),
                Some("PingOne_AuditActivitiesV2_CL"),
                Some("PingOneEnterprise_AuditEvents_CL"),
                Some("SentinelOneThreats_CL"),
                Some("OneLoginUsersV2_CL"),
            ]);
            self.world.trace(|| format!("refused from now on: {table:?}"));
            self.world.refuse(table);
        }
    }

    /// Killed processes are followed by new ones; the last batch of each may come again.
    fn replace_killed(&mut self) {
        let is_one = Arc::ptr_eq(&self.timer, &self.web);
        for is_timer in [true, false] {
            let process = if is_timer { &self.timer } else { &self.web };
            if !process.crash_points.is_killed() {
                continue;
            }
            self.world.trace(|| format!("process {} was killed", process.number));
            self.summary.kills += u64::from(is_timer || !is_one);
            self.world.deliveries().allow_repeat_of_last(process.number);
            let next = self.start();
            if is_timer {
                self.timer = next;
            } else {
                self.web = if is_one { self.timer.clone() } else { next };
            }
        }
    }

    fn plan_crashes(&mut self) {
        for process in [&self.timer, &self.web] {
            if self.kinds.kills && self.rng.hits(0.35) {
                let side = self.rng.one_of(&[Side::Before, Side::After]);
                process.crash_points.kill_after(self.rng.between(1, 120), side);
            }
            if self.kinds.pauses && self.rng.hits(0.2) {
                // Past a lease; sometimes past the time for which a spooled batch is held, and over before the runs without faults end.
                let time = match self.rng.hits(0.2) {
                    true => self.rng.millis(125_000, 190_000),
                    false => self.rng.millis(20_000, 60_000),
                };
                process.crash_points.pause_after(self.rng.between(1, 60), time);
                self.summary.pauses += 1;
            }
        }
    }

    fn pushes(&mut self) -> Vec<Push> {
        let all = std::mem::take(&mut self.open_pushes);
        let (mut now, later): (Vec<Push>, Vec<Push>) = all.into_iter().partition(|_| self.rng.hits(0.8));
        self.open_pushes = later;
        // A sender that is impatient sends the same once more before it has an answer.
        let again: Vec<Push> = now.iter().filter(|_| self.rng.hits(0.1)).cloned().collect();
        now.extend(again);
        now
    }

    pub async fn send(&self, pushes: Vec<Push>) -> Vec<(Push, bool)> {
        let sending = pushes.into_iter().map(|push| {
            let (web, wait) = (self.web.clone(), self.rng.millis(0, 20_000));
            async move {
                tokio::time::sleep(wait).await;
                let request = PushRequest {
                    authorization: Some(format!("Bearer {PUSH_TOKEN}").into_bytes()),
                    content_encoding: None,
                    body: Some(push.body.clone()),
                };
                let receivers = web.receivers.clone();
                let vendor = push.vendor;
                // On a task of its own, as under the host: work goes on when the connection breaks.
                let receiving = tokio::spawn(async move {
                    receivers[vendor]
                        .receive(request, Deadline::after(MAX_ANSWER_TIME))
                        .await
                });
                let answer = tokio::select! {
                    biased;
                    () = web.crash_points.killed() => None,
                    answer = receiving => Some(answer.unwrap()),
                };
                self.world
                    .trace(|| format!("process {}: {:?} -> {answer:?}", web.number, push.marks));
                match answer {
                    Some(PushAnswer::Stored { .. }) => (push, true),
                    Some(PushAnswer::Unavailable(_)) | None => (push, false),
                    Some(other) => panic!("{other:?}"),
                }
            }
        });
        futures_util::future::join_all(sending).await
    }

    /// `None` if the process was killed in the run.
    pub async fn poll(&self, process: &Process) -> Option<RunReport> {
        let run_id = self.runs.fetch_add(1, Ordering::Relaxed).to_string();
        let request = RunRequest {
            invocation_id: Some(run_id),
            ..RunRequest::everything(Deadline::after(BUDGET))
        };
        let run = run_and_record(&process.plans, &process.context, &process.recorder, &request);
        let report = tokio::select! {
            biased;
            () = process.crash_points.killed() => return None,
            report = run => report,
        };
        self.world
            .trace(|| format!("process {}: {:#?}", process.number, run_lines(&report)));
        for stream in &report.streams {
            for problem in &stream.problems {
                let is_ours = [ErrorCode::Internal, ErrorCode::LedgerImbalance].contains(&problem.code);
                assert!(!is_ours, "{problem}");
            }
        }
        Some(report)
    }

    async fn settle(&mut self) -> LastRun {
        self.world.set_fault_rates(FaultRates::default());
        self.world.refuse(None);
        if self.kinds.onelogin_api || self.kinds.wrong_clocks {
            // Longer than anything that is read waits for its other form, and than any clock is ahead.
            tokio::time::sleep(Duration::from_secs(1200)).await;
        }
        let seen: Mutex<Vec<String>> = Mutex::default();
        for _ in 0..8 {
            // Longer than any lease, hold or upload.
            tokio::time::sleep(Duration::from_secs(200)).await;
            let pushes = std::mem::take(&mut self.open_pushes);
            for (push, is_acknowledged) in self.send(pushes).await {
                assert!(is_acknowledged, "a push without faults was not taken");
                self.note_acknowledged(push);
            }
            let report = self.poll(&self.timer).await.unwrap();
            let is_well = report.streams.iter().all(is_well);
            seen.lock().extend(run_lines(&report));
            if is_well && oracle::is_spool_at_rest(&self.container).await {
                // Longer than users wait to be read again.
                tokio::time::sleep(Duration::from_secs(620)).await;
                let report = self.poll(&self.timer).await.unwrap();
                for receiver in self.web.receivers.values() {
                    receiver.assert_at_rest();
                }
                let id = self.runs.load(Ordering::Relaxed) - 1;
                return LastRun {
                    id: id.to_string(),
                    report,
                };
            }
        }
        panic!("no rest after eight runs without faults: {:#?}", seen.lock());
    }
}
