//! How everything that is configured stands. Reads the store and nothing else; takes no lease and writes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::lateness::{expected_lag, is_late};
use super::latest::{latest_position, with_last_run};
use super::model::{Overlap, QueueStatus, Standing, Status, StreamKind, StreamStatus, TableStatus};
use crate::delivery::TableRoute;
use crate::event::StreamName;
use crate::jobs::Poller;
use crate::jobs::StreamPlan;
use crate::jobs::is_about_one_entry;
use crate::jobs::lease_name;
use crate::report::StreamReport;
use crate::state::{
    Checkpoints, Counts, EndedRun, EndedRuns, LastError, StoreError, StreamHealth, TablePosition, set_aside,
    waiting_queues,
};
use crate::time::ClockOffset;

/// No run is waited for longer than the Functions host waits for one on a plan that limits it (functionTimeout).
const LONGEST_RUN: Duration = Duration::from_secs(600);
/// The clocks of the machines that run and that look may differ by so much.
const CLOCKS_AGREE: TimeDelta = TimeDelta::seconds(10);

impl Poller {
    /// Fails if the store cannot be read; one damaged file shows in its own stream.
    pub async fn status(&self) -> Result<Status, StoreError> {
        let now = self.clock.now();
        let mut status = Status::new(now);
        status.spool = self.spool_status().await?;
        status.dead_letters = set_aside(&self.store).await?;
        let mut leases: BTreeMap<String, EndedRuns> = BTreeMap::new();
        for plan in &self.plans {
            let mut stream = StreamStatus::never_run(plan.name().to_string(), StreamKind::Poll);
            let lease = lease_name(plan.name(), plan.account());
            if !leases.contains_key(&lease) {
                let runs = self.store.ended_runs(&lease).await?;
                leases.insert(lease.clone(), runs);
            }
            let ended = leases.get(&lease).and_then(|runs| runs.get(&stream.stream));
            let looked = self
                .look_at_polled(plan, (ended, &status.spool), now, &mut stream)
                .await;
            status.streams.push(finished(stream, looked)?);
        }
        for name in self.push_streams() {
            let mut stream = StreamStatus::never_run(name.to_string(), StreamKind::Push);
            let looked = self.look_at_pushed(name, &status.spool, now, &mut stream).await;
            status.streams.push(finished(stream, looked)?);
        }
        status.streams.extend(self.off.iter().map(off));
        status.streams.sort_by(|left, right| left.stream.cmp(&right.stream));
        Ok(status)
    }

    /// What is pushed, each stream once.
    pub fn push_streams(&self) -> BTreeSet<&StreamName> {
        self.drains.iter().map(|drain| drain.form.name()).collect()
    }

    /// The queues that the runs of each stream empty.
    pub fn queues(&self) -> impl Iterator<Item = (String, String)> {
        let drains = self.drains.iter().map(|drain| {
            let queue = drain.spool.queue_of(&drain.target.table.name());
            (queue, drain.form.name().to_string())
        });
        let plans = self.plans.iter().flat_map(|plan| {
            let name = plan.name().to_string();
            plan.queues().into_iter().map(move |queue| (queue, name.clone()))
        });
        drains.chain(plans)
    }

    async fn spool_status(&self) -> Result<Vec<QueueStatus>, StoreError> {
        let owners: Vec<(String, String)> = self.queues().collect();
        let waiting = waiting_queues(&*self.store).await?.into_iter();
        let queues = waiting.map(|(queue, waiting)| QueueStatus {
            stream: owners
                .iter()
                .find(|(owned, _)| *owned == queue)
                .map(|(_, stream)| stream.clone())
                .or_else(|| self.off_stream_of(&queue).map(ToString::to_string)),
            queue,
            entries: waiting.entries,
            bytes: waiting.bytes,
            oldest: waiting.oldest,
        });
        Ok(queues.collect())
    }

    async fn look_at_polled(
        &self,
        plan: &StreamPlan,
        (ended, spool): (Option<&EndedRun>, &[QueueStatus]),
        now: DateTime<Utc>,
        stream: &mut StreamStatus,
    ) -> Result<(), StoreError> {
        let health = self.healths.read(&stream.stream).await?;
        let mut replayed = BTreeMap::new();
        if let Some(health) = with_last_run(health, ended) {
            replayed = health.replayed.clone();
            take_health(health, stream);
        }
        let last_run = stream.last_run.as_ref();
        // The run that is under way may take as long as the last one took.
        let took = last_run.map_or(Duration::ZERO, |run| a_run_of(run.seconds));
        let mut is_behind = last_run.is_some_and(|run| is_late(&self.schedule, run.at, took, now));
        let Some(checkpoint) = Checkpoints::look(&*self.store, plan.name(), plan.account()).await? else {
            return Ok(());
        };
        if stream.status == Standing::NeverRun {
            stream.status = Standing::Ok;
        }
        stream.possible_losses = checkpoint.possible_losses;
        let expected_lag = expected_lag(plan, &self.rules) + 2 * took;
        let present = earlier_present(now, stream.clock_offset_seconds);
        for table in tables_of(plan) {
            let position = checkpoint.tables.get(&table);
            let position = position.map(|position| latest_position(&table, position, checkpoint.saved_at, ended));
            let mut shown = table_status(&table, position.as_ref(), plan, now);
            if spool.iter().all(|queue| queue.stream.as_ref() != Some(&stream.stream)) {
                shown.counts.wait(0);
            }
            shown.pushed = checkpoint.pushed.get(&table).copied();
            let others = shown.counts.replay(replayed.remove(&table).unwrap_or_default());
            if let Some(pushed) = &mut shown.pushed {
                pushed.replay(others);
            }
            is_behind |= shown.ahead_seconds.is_some()
                || position.is_some_and(|position| is_late(&self.schedule, position.watermark, expected_lag, present));
            stream.tables.push(shown);
        }
        if is_behind && stream.status == Standing::Ok {
            stream.status = Standing::Behind;
        }
        Ok(())
    }
}

impl Poller {
    /// Everything that is configured and runs, in the order of the names.
    pub fn stream_names(&self) -> BTreeSet<StreamName> {
        let polled = self.plans.iter().map(|plan| plan.name().clone());
        polled.chain(self.push_streams().into_iter().cloned()).collect()
    }

    /// Reads every file that a run of the stream would read first.
    pub async fn look_at_state(&self, name: &StreamName) -> Result<LookedAt, StoreError> {
        let mut looked = LookedAt {
            files: usize::from(self.healths.read(&name.to_string()).await?.is_some()),
            in_the_future: Vec::new(),
        };
        if let Some(plan) = self.plans.iter().find(|plan| plan.name() == name)
            && let Some(checkpoint) = Checkpoints::look(&*self.store, name, plan.account()).await?
        {
            looked.files += 1;
            let present = self.clock.now() + CLOCKS_AGREE;
            let tables = checkpoint.tables.into_iter();
            let ahead = tables.filter(|(_, position)| position.watermark > present);
            looked.in_the_future = ahead.map(|(table, position)| (table, position.watermark)).collect();
        }
        Ok(looked)
    }
}

/// What is stored of a stream.
pub struct LookedAt {
    /// So many files can be read.
    pub files: usize,
    /// Tables whose positions lie in the future, with these.
    pub in_the_future: Vec<(String, DateTime<Utc>)>,
}

/// A file that cannot be read is the affair of its own stream.
fn finished(mut stream: StreamStatus, looked: Result<(), StoreError>) -> Result<StreamStatus, StoreError> {
    match looked {
        Ok(()) => Ok(stream),
        Err(error) if is_about_one_entry(&error) => {
            stream.status = Standing::Failing;
            stream.state_error = Some(error.to_string());
            Ok(stream)
        }
        Err(error) => Err(error),
    }
}

pub fn take_health(health: StreamHealth, stream: &mut StreamStatus) {
    let was_cut_off = health
        .last_run
        .as_ref()
        .is_some_and(|run| run.outcome == "budget_ended");
    stream.status = if health.consecutive_failures > 0 {
        Standing::Failing
    } else if was_cut_off {
        Standing::Behind
    } else if health.last_run.is_some() {
        Standing::Ok
    } else {
        Standing::NeverRun
    };
    stream.last_success = health.last_success;
    stream.last_failure = health.last_failure;
    stream.consecutive_failures = health.consecutive_failures;
    stream.last_error = health.last_error;
    stream.last_run = health.last_run;
    stream.clock_offset_seconds = health.clock_offset_seconds;
}

/// The names of all tables that the stream goes to, those of its pushes included.
fn tables_of(plan: &StreamPlan) -> BTreeSet<String> {
    let name = |target: &TableRoute| target.table.name().to_string();
    match plan {
        StreamPlan::Windows(plan) => {
            let pushed = plan.pushed.iter().flat_map(|pushed| &pushed.targets);
            plan.targets.iter().chain(pushed).map(name).collect()
        }
        StreamPlan::Snapshot(plan) => plan.targets.iter().map(name).collect(),
        StreamPlan::Consumed(plan) => BTreeSet::from([name(&plan.target)]),
    }
}

fn table_status(table: &str, position: Option<&TablePosition>, plan: &StreamPlan, now: DateTime<Utc>) -> TableStatus {
    let mut shown = empty_table(table);
    let Some(position) = position else {
        return shown;
    };
    shown.begin = Some(position.begin);
    shown.watermark = Some(position.watermark);
    let lag = now - position.watermark;
    shown.lag_seconds = Some(lag.as_seconds_f64().max(0.0));
    shown.ahead_seconds = (lag < -CLOCKS_AGREE).then(|| -lag.as_seconds_f64());
    shown.counts = position.counts;
    if !matches!(plan, StreamPlan::Consumed(_)) {
        shown.coverage = position.coverage.spans().to_vec();
        shown.holes = position.holes();
    }
    if let StreamPlan::Windows(plan) = plan {
        shown.overlap = Some(match position.is_costly_to_reread(plan.stream.pages_per_minute()) {
            true => Overlap::EveryTenthRun,
            false => Overlap::EveryRun,
        });
    }
    shown
}

fn a_run_of(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds)
        .unwrap_or_default()
        .min(LONGEST_RUN)
}

/// A stream cannot be read further than its vendor's clock has come.
fn earlier_present(now: DateTime<Utc>, clock_offset_seconds: Option<f64>) -> DateTime<Utc> {
    let offset = clock_offset_seconds.and_then(|seconds| Duration::try_from_secs_f64(-seconds).ok());
    let behind = offset.and_then(|behind| TimeDelta::from_std(behind).ok());
    match behind.filter(|behind| ClockOffset::exactly(-*behind).is_plausible()) {
        Some(behind) => now - behind,
        None => now,
    }
}

pub fn empty_table(table: &str) -> TableStatus {
    TableStatus {
        table: table.to_owned(),
        begin: None,
        watermark: None,
        lag_seconds: None,
        ahead_seconds: None,
        coverage: Vec::new(),
        holes: Vec::new(),
        overlap: None,
        counts: Counts::default(),
        pushed: None,
    }
}

fn off(report: &StreamReport) -> StreamStatus {
    let mut stream = StreamStatus::never_run(report.stream.clone(), StreamKind::Instance);
    stream.status = Standing::Off;
    // The name and what is off stand before the first reason; they are the same for the others.
    let before = format!("{}: everything is switched off: ", report.stream);
    let messages = report
        .problems
        .iter()
        .enumerate()
        .map(|(number, problem)| match number {
            0 => problem.message.as_str(),
            _ => problem.message.strip_prefix(&before).unwrap_or(&problem.message),
        });
    let messages: Vec<&str> = messages.collect();
    stream.last_error = report.problems.first().map(|problem| LastError {
        at: None,
        code: problem.code.word().to_owned(),
        message: messages.join("; "),
        remedy: problem.remedy().to_owned(),
    });
    stream
}
