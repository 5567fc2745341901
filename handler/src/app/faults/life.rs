//! One life: a few runs in bad weather, with kills, pauses, rivals and pushes, then calm until everything has settled.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use object_store::memory::InMemory;
use serde_json::{Value, json};

use super::chance::Chance;
use super::ingestion::POISON;
use super::judge::Judged;
use super::pingone::Activity;
use super::plug::Moment;
use super::process::{PUSH_TOKEN, Process};
use super::summary::Summary;
use super::world::{Weather, World, lock};
use crate::app::faults::judge;
use crate::jobs::{MAX_ANSWER_TIME, PushAnswer, PushRequest, RunRequest};
use crate::report::{ErrorCode, Outcome, RunReport, StreamReport};
use crate::status::run_and_record;
use crate::time::{Clock, Deadline, VirtualClock};

const BUDGET: Duration = Duration::from_secs(120);

/// Says which life it was.
struct SeedOnPanic(u64);

impl Drop for SeedOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("schedule {0} failed; CONNECTOR_SCHEDULE={0} runs it alone", self.0);
        }
    }
}

pub fn live(seed: u64, is_told: bool) -> Summary {
    let _seed = SeedOnPanic(seed);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(Life::new(seed, is_told).run())
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

/// A body that a vendor pushes, again and again until it is acknowledged.
#[derive(Clone)]
pub struct Push {
    vendor: &'static str,
    marks: Vec<String>,
    body: Vec<u8>,
}

impl Push {
    pub fn of_pingone(activity: &Activity) -> Self {
        Self {
            vendor: "pingone",
            marks: vec![activity.mark.clone()],
            body: Value::from(vec![activity.json()]).to_string().into_bytes(),
        }
    }
}

pub struct Life {
    pub seed: u64,
    pub chance: Chance,
    pub world: Arc<World>,
    pub container: Arc<InMemory>,
    pub timer: Arc<Process>,
    web: Arc<Process>,
    processes: u32,
    pub kinds: Kinds,
    pub open_pushes: Vec<Push>,
    /// When the last push of an event was first acknowledged.
    pub acknowledged: BTreeMap<String, DateTime<Utc>>,
    /// Of pushes that were not acknowledged when their process was killed.
    pub unanswered_at_kills: BTreeSet<String>,
    pushed: usize,
    summary: Summary,
}

/// What may go wrong in this life; by itself or together.
#[derive(Clone, Copy, Debug)]
pub struct Kinds {
    pub vendors: bool,
    pub destination: bool,
    pub state: bool,
    pub kills: bool,
    pub pauses: bool,
    pub rivals: bool,
    /// A table refuses everything for longer than a pushed event is waited for.
    pub outages: bool,
    /// OneLogin's API is read beside its webhook.
    pub onelogin_api: bool,
}

impl Kinds {
    /// Nothing goes wrong by itself.
    pub fn calm() -> Self {
        Self::of(0)
    }

    fn of(seed: u64) -> Self {
        // Eight switches; every 256 lives have had all combinations.
        let on = |bit: u32| seed >> bit & 1 == 1;
        Self {
            vendors: on(0),
            destination: on(1),
            state: on(2),
            kills: on(3),
            pauses: on(4),
            rivals: on(5),
            onelogin_api: on(6),
            outages: on(7),
        }
    }
}

impl Life {
    fn new(seed: u64, is_told: bool) -> Self {
        Self::of(seed, Kinds::of(seed), is_told)
    }

    pub fn of(seed: u64, kinds: Kinds, is_told: bool) -> Self {
        let chance = Chance::of(seed);
        let clock: Arc<dyn Clock> = Arc::new(VirtualClock::at("2026-11-20T12:00:00Z"));
        let page_size = usize::try_from(chance.between(2, 12)).unwrap();
        let world = Arc::new(World::new(chance.clone(), clock, page_size, is_told));
        let container = Arc::new(InMemory::new());
        let timer = Arc::new(Process::start(&world, &container, 0, kinds.onelogin_api));
        Self {
            seed,
            chance,
            world,
            container,
            web: timer.clone(),
            timer,
            processes: 1,
            kinds,
            open_pushes: Vec::new(),
            acknowledged: BTreeMap::new(),
            unanswered_at_kills: BTreeSet::new(),
            pushed: 0,
            summary: Summary::default(),
        }
    }

    async fn run(mut self) -> Summary {
        if self.chance.hits(0.5) {
            self.web = self.start();
        }
        if self.kinds.outages {
            // These lives are longer than a first run looks back: every stream has begun before they get bad.
            self.poll(&self.timer).await.unwrap();
        }
        for _ in 0..self.chance.between(4, 8) {
            self.bad_hour().await;
        }
        self.calm_down().await;
        let Judged {
            doubled,
            set_aside,
            possible_losses,
            events,
        } = judge::judge(&self).await;
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

    fn start(&mut self) -> Arc<Process> {
        let process = Process::start(&self.world, &self.container, self.processes, self.kinds.onelogin_api);
        self.processes += 1;
        Arc::new(process)
    }

    async fn bad_hour(&mut self) {
        let longest = if self.kinds.outages { 1_500_000 } else { 300_000 };
        tokio::time::sleep(self.chance.millis(5_000, longest)).await;
        self.begin_or_end_an_outage();
        self.emit();
        let rate = |is_on: bool| {
            if is_on {
                self.chance.one_of(&[0.0, 0.03, 0.15, 0.4])
            } else {
                0.0
            }
        };
        self.world.set_weather(Weather {
            vendors: rate(self.kinds.vendors),
            destination: rate(self.kinds.destination),
            state: rate(self.kinds.state) / 3.0,
        });
        self.plan_ends();
        let pushes = self.pushes();
        let rival = (self.kinds.rivals && self.chance.hits(0.4)).then(|| self.start());
        let runs = async {
            tokio::join!(self.poll(&self.timer), async {
                if let Some(rival) = &rival {
                    tokio::time::sleep(self.chance.millis(0, 5_000)).await;
                    self.poll(rival).await;
                }
            })
        };
        let (_, answered) = tokio::join!(runs, self.send(pushes));
        let was_killed = self.web.plug.is_pulled();
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
        self.timer.plug.calm();
        self.web.plug.calm();
        self.world.ingestion().end_run();
        self.bury();
    }

    pub fn note_acknowledged(&mut self, push: Push) {
        let now = self.world.now();
        for mark in push.marks {
            self.acknowledged.entry(mark).or_insert(now);
        }
    }

    fn begin_or_end_an_outage(&mut self) {
        if self.kinds.outages && self.chance.hits(0.5) {
            let table = self.chance.one_of(&[
                None,
                Some("OneLogin_CL"),
                Some("OneLogin_CL"),
                Some("OneLoginEventsV2_CL"),
                Some("PingOne_AuditActivitiesV2_CL"),
            ]);
            self.world.tell(|| format!("refused from now on: {table:?}"));
            self.world.refuse(table);
        }
    }

    /// Killed processes are followed by new ones; the last batch of each may come again.
    fn bury(&mut self) {
        let is_one = Arc::ptr_eq(&self.timer, &self.web);
        for is_timer in [true, false] {
            let process = if is_timer { &self.timer } else { &self.web };
            if !process.plug.is_pulled() {
                continue;
            }
            self.world.tell(|| format!("process {} was killed", process.number));
            self.summary.kills += u64::from(is_timer || !is_one);
            self.world.ingestion().excuse(process.number);
            let next = self.start();
            if is_timer {
                self.timer = next;
            } else {
                self.web = if is_one { self.timer.clone() } else { next };
            }
        }
    }

    fn plan_ends(&mut self) {
        for process in [&self.timer, &self.web] {
            if self.kinds.kills && self.chance.hits(0.35) {
                let moment = self.chance.one_of(&[Moment::Before, Moment::After]);
                process.plug.kill_after(self.chance.between(1, 120), moment);
            }
            if self.kinds.pauses && self.chance.hits(0.2) {
                // Past a lease; sometimes past the time for which a spooled batch is held, and over before calm weather ends.
                let time = match self.chance.hits(0.2) {
                    true => self.chance.millis(125_000, 190_000),
                    false => self.chance.millis(20_000, 60_000),
                };
                process.plug.pause_after(self.chance.between(1, 60), time);
                self.summary.pauses += 1;
            }
        }
    }

    /// Ties, what the vendor shows late, and what stands at the very edge of a window.
    fn emit(&mut self) {
        let now = self.world.now();
        let mut recorded_at = now;
        for _ in 0..self.chance.between(0, 25) {
            if self.chance.hits(0.7) {
                let late = i64::try_from(self.chance.between(0, 8 * 60_000)).unwrap();
                recorded_at = now - TimeDelta::milliseconds(late);
            } else if self.chance.hits(0.3) {
                recorded_at = now - TimeDelta::seconds(30);
            }
            let activity = self.world.pingone().emit(recorded_at);
            self.world
                .tell(|| format!("{} is recorded at {recorded_at}", activity.mark));
            if self.chance.hits(0.3) {
                self.open_pushes.push(Push::of_pingone(&activity));
            }
        }
        for _ in 0..self.chance.between(0, 20) {
            self.world.enterprise().emit(now);
        }
        for _ in 0..self.chance.between(0, 12) {
            let size = self.chance.one_of(&[1, 2, 3, 30]);
            let push = match self.kinds.onelogin_api {
                true => self.joined_push(size.min(3)),
                false => self.onelogin_push(size),
            };
            self.open_pushes.push(push);
        }
    }

    /// Events of which each comes by webhook, by API or by both; some are alike in all that both forms share.
    pub fn joined_push(&mut self, size: u64) -> Push {
        let (mut marks, mut events) = (Vec::new(), Vec::new());
        let mut created_at = self.world.now();
        for _ in 0..size {
            if self.chance.hits(0.6) {
                created_at -= TimeDelta::milliseconds(i64::try_from(self.chance.between(0, 120_000)).unwrap());
            }
            let is_in_api = self.chance.hits(0.85);
            let event = self.world.onelogin().emit(created_at, is_in_api, &self.chance);
            self.world.tell(|| format!("{event:?}"));
            if !is_in_api || self.chance.hits(0.8) {
                let poison = if self.chance.hits(0.02) { POISON } else { "" };
                events.push(event.pushed(poison));
                marks.push(event.pushed_mark());
            }
        }
        Push {
            vendor: "onelogin",
            marks,
            body: Value::from(events).to_string().into_bytes(),
        }
    }

    fn onelogin_push(&mut self, size: u64) -> Push {
        let mut marks = Vec::new();
        let mut events = Vec::new();
        for _ in 0..size {
            self.pushed += 1;
            let mark = format!("#o{}#", self.pushed);
            let poison = if self.chance.hits(0.03) { POISON } else { "" };
            events.push(
                json!({"event_timestamp": "2026-11-20 11:59:00 UTC", "event_type_id": 5, "user_id": self.pushed,
                "notes": format!("{mark} {poison}")}),
            );
            marks.push(mark);
        }
        Push {
            vendor: "onelogin",
            marks,
            body: Value::from(events).to_string().into_bytes(),
        }
    }

    fn pushes(&mut self) -> Vec<Push> {
        let all = std::mem::take(&mut self.open_pushes);
        let (mut now, later): (Vec<Push>, Vec<Push>) = all.into_iter().partition(|_| self.chance.hits(0.8));
        self.open_pushes = later;
        // A sender that is impatient sends the same once more before it has an answer.
        let again: Vec<Push> = now.iter().filter(|_| self.chance.hits(0.1)).cloned().collect();
        now.extend(again);
        now
    }

    pub async fn send(&self, pushes: Vec<Push>) -> Vec<(Push, bool)> {
        let sending = pushes.into_iter().map(|push| {
            let (web, wait) = (self.web.clone(), self.chance.millis(0, 20_000));
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
                    () = web.plug.death() => None,
                    answer = receiving => Some(answer.unwrap()),
                };
                self.world
                    .tell(|| format!("process {}: {:?} -> {answer:?}", web.number, push.marks));
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
        let request = RunRequest::everything(Deadline::after(BUDGET));
        let run = run_and_record(&process.plans, &process.context, &process.recorder, &request);
        let report = tokio::select! {
            biased;
            () = process.plug.death() => return None,
            report = run => report,
        };
        self.world
            .tell(|| format!("process {}: {:#?}", process.number, report.lines()));
        for stream in &report.streams {
            for problem in &stream.problems {
                let is_ours = [ErrorCode::Internal, ErrorCode::LedgerImbalance].contains(&problem.code);
                assert!(!is_ours, "{problem}");
            }
        }
        Some(report)
    }

    pub async fn calm_down(&mut self) {
        self.world.set_weather(Weather::default());
        self.world.refuse(None);
        if self.kinds.onelogin_api {
            // Longer than anything that is read waits for its other form.
            tokio::time::sleep(Duration::from_secs(1200)).await;
        }
        let seen: Mutex<Vec<String>> = Mutex::default();
        for _ in 0..8 {
            // Longer than any lease, hold or upload.
            tokio::time::sleep(Duration::from_secs(200)).await;
            let pushes = std::mem::take(&mut self.open_pushes);
            for (push, is_acknowledged) in self.send(pushes).await {
                assert!(is_acknowledged, "a push in calm weather was not taken");
                self.note_acknowledged(push);
            }
            let report = self.poll(&self.timer).await.unwrap();
            let is_well = report.streams.iter().all(is_well);
            lock(&seen).extend(report.lines());
            if is_well && judge::is_spool_at_rest(&self.container).await {
                tokio::time::sleep(Duration::from_secs(200)).await;
                self.poll(&self.timer).await.unwrap();
                for receiver in self.web.receivers.values() {
                    receiver.assert_at_rest();
                }
                return;
            }
        }
        panic!("no rest after eight calm runs: {:#?}", lock(&seen));
    }
}
