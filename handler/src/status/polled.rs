//! How a stream that is read stands.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::inputs::StatusInputs;
use super::lateness::{expected_lag, is_late};
use super::latest::{add_last_run, latest_position};
use super::model::{Overlap, StreamState, StreamStatus, TableStatus};
use super::record::health_of_run;
use crate::delivery::TableRoute;
use crate::event::StreamName;
use crate::jobs::StreamPlan;
use crate::report::StreamReport;
use crate::state::{Checkpoints, EndedRun, StoreError, TablePosition};
use crate::time::ClockOffset;

/// No run is waited for longer than the Functions host waits for one on a plan that limits it (functionTimeout).
const LONGEST_RUN: Duration = Duration::from_secs(600);
/// The clocks of the machines that run and that look may differ by so much.
pub const CLOCKS_AGREE: TimeDelta = TimeDelta::seconds(10);

/// Fills in what is stored of a stream. `ended` is its last good run, which may have saved nothing.
pub async fn fill_polled(
    inputs: StatusInputs<'_>,
    plan: &StreamPlan,
    ended: Option<&EndedRun>,
    stream: &mut StreamStatus,
) -> Result<(), StoreError> {
    let (schedule, now) = (&inputs.plans.schedule, inputs.now);
    let mut health = inputs.healths.read(&plan.name().to_string()).await?.unwrap_or_default();
    if let Some(ended) = ended {
        add_last_run(&mut health, ended);
    }
    let mut replayed = std::mem::take(&mut health.replayed);
    stream.take_health(health);
    let last_run = stream.last_run.as_ref();
    let mut is_behind = last_run.is_some_and(|run| is_late(schedule, run.at, time_of_a_run(stream), now));
    let Some(checkpoint) = Checkpoints::look(&*inputs.context.store, plan.name(), plan.account()).await? else {
        return Ok(());
    };
    if stream.status == StreamState::NeverRun {
        stream.status = StreamState::Ok;
    }
    stream.possible_losses = checkpoint.possible_losses;
    let mut queues = inputs.spool.iter();
    let something_waits = queues.any(|queue| queue.stream.as_ref() == Some(plan.name()));
    for table in tables_of(plan) {
        let position = checkpoint.tables.get(&table);
        let position = position.map(|position| latest_position(&table, position, checkpoint.saved_at, ended));
        let mut shown = TableStatus {
            pushed: checkpoint.pushed.get(&table).copied(),
            ..TableStatus::default()
        };
        if let Some(position) = position {
            fill_table(&mut shown, &position, plan, now);
            is_behind |= shown.ahead_seconds.is_some() || is_position_late(inputs, plan, stream, position.watermark);
        }
        if !something_waits {
            shown.counts.wait(0);
        }
        count_replayed(&mut shown, replayed.remove(&table).unwrap_or_default());
        stream.tables.push(TableStatus { table, ..shown });
    }
    if is_behind && stream.status == StreamState::Ok {
        stream.status = StreamState::Behind;
    }
    Ok(())
}

/// Fills in what a run reported of a stream, where the store does not answer.
pub fn fill_reported(
    inputs: StatusInputs<'_>,
    name: &StreamName,
    reports: &[&StreamReport],
    stream: &mut StreamStatus,
) {
    stream.take_health(health_of_run(inputs.plans, name, reports, inputs.now));
    let Some(plan) = inputs.plans.stream(name) else { return };
    let saved = reports.iter().flat_map(|report| &report.tables);
    let saved = saved.map(|table| (&table.table, table.watermark));
    let read_to = reports.iter().flat_map(|report| &report.read_to);
    let positions: BTreeMap<&String, DateTime<Utc>> = saved.chain(read_to.map(|(table, at)| (table, *at))).collect();
    let is_late = |watermark: &DateTime<Utc>| is_position_late(inputs, plan, stream, *watermark);
    if positions.values().any(is_late) && stream.status == StreamState::Ok {
        stream.status = StreamState::Behind;
    }
    let tables = positions.into_iter().map(|(table, watermark)| TableStatus {
        table: table.clone(),
        watermark: Some(watermark),
        lag_seconds: Some((inputs.now - watermark).as_seconds_f64().max(0.0)),
        ..TableStatus::default()
    });
    stream.tables = tables.collect();
}

/// A run that is under way may take as long as the last one took.
fn time_of_a_run(stream: &StreamStatus) -> Duration {
    let last_run = stream.last_run.as_ref();
    last_run.map_or(Duration::ZERO, |run| duration_of_run(run.seconds))
}

/// True if the stream should have been read further by now.
fn is_position_late(
    inputs: StatusInputs<'_>,
    plan: &StreamPlan,
    stream: &StreamStatus,
    watermark: DateTime<Utc>,
) -> bool {
    let expected_lag = expected_lag(plan, &inputs.context.rules) + 2 * time_of_a_run(stream);
    let present = earlier_present(inputs.now, stream.clock_offset_seconds);
    is_late(&inputs.plans.schedule, watermark, expected_lag, present)
}

/// So many events of the table were set aside and are delivered now, those that were pushed included.
fn count_replayed(shown: &mut TableStatus, replayed: u64) {
    let others = shown.counts.replay(replayed);
    if let Some(pushed) = &mut shown.pushed {
        pushed.replay(others);
    }
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

fn fill_table(shown: &mut TableStatus, position: &TablePosition, plan: &StreamPlan, now: DateTime<Utc>) {
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
}

fn duration_of_run(seconds: f64) -> Duration {
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
