//! One row per stream and run for the health table. They never fail a run, and hardly hold it up.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::collect::{collect_streams, disabled, spool_status};
use super::inputs::StatusInputs;
use super::model::{QueueStatus, StreamKind, StreamStatus};
use super::new_fields::new_fields;
use super::polled::fill_reported;
use super::row::{HealthRow, RunFacts};
use super::run_recorder::{FinishedRun, RunRecorder};
use super::warning::{remembered, warning_of};
use crate::delivery::{BatchSender, EventRow, RowBatch, RowBatcher, TableRoute};
use crate::jobs::{JobContext, Plans};
use crate::report::{Outcome, ReportSubject, StreamReport, by_subject};
use crate::state::{
    Counts, EndedRun, EndedRuns, Persist, QueueStats, StoreError, StreamHealth, StreamHealths, pushed_counts,
};
use crate::tables::RowContext;
use crate::time::Deadline;

/// From the end of a run to the end of its rows.
const LONGEST: Duration = Duration::from_secs(5);
/// And where the process is to end.
const LONGEST_AT_THE_END: Duration = Duration::from_secs(1);
/// What of it may go into asking the store; rows are made without its answer too.
const LONGEST_LOOK: Duration = Duration::from_secs(2);

/// How the streams of a run stand after it.
struct AfterRun {
    /// The time of it.
    at: DateTime<Utc>,
    streams: Vec<StreamStatus>,
    spool: Vec<QueueStatus>,
    pushed: BTreeMap<ReportSubject, PushedCounts>,
    /// Fields that no definition knows and that came for the first time in the last 24 hours, as `<table>: <path>`.
    new_fields: BTreeMap<ReportSubject, Vec<String>>,
}

type Reports<'r> = BTreeMap<&'r ReportSubject, Vec<&'r StreamReport>>;

/// What a stream of pushes received.
#[derive(Clone, Copy, Default)]
struct PushedCounts {
    /// Since the beginning.
    total: Counts,
    /// Since its last row.
    new: Counts,
}

/// Sends a row for every stream of the run, if there is a health table. What cannot be sent is logged once.
pub async fn send_health_rows(plans: &Plans, context: &JobContext, recorder: &RunRecorder, run: FinishedRun<'_>) {
    let Some(route) = &recorder.health_route else { return };
    let longest = match context.shutdown.is_requested() {
        true => LONGEST_AT_THE_END,
        false => LONGEST,
    };
    let deadline = Deadline::after(longest);
    let sent = tokio::time::timeout(longest, async {
        let pushed = run.push_subjects(plans);
        let reports = reports_of(run, &pushed);
        let inputs = StatusInputs {
            plans,
            context,
            healths: &recorder.healths,
            now: context.clock.now(),
            spool: &[],
        };
        let after = after_run(inputs, &reports, run).await;
        let rows: Vec<HealthRow> = after
            .streams
            .iter()
            .map(|stream| row_of(run, &reports, &after, stream).written_by(recorder.app.clone()))
            .collect();
        send_rows(route, &rows, context, deadline).await?;
        let remembered = remember_pushed(&recorder.healths, &after).await;
        remembered.map_err(|error| error.to_string())
    });
    let reason = match sent.await {
        Ok(Ok(())) => return,
        Ok(Err(reason)) => reason,
        Err(_) => "they were not taken in time".to_owned(),
    };
    log::warn!("the health rows of this run are not sent: {reason}");
}

/// The reports by what has a row. A stream that somebody else works on has its row from there.
fn reports_of<'r>(run: FinishedRun<'r>, pushed: &'r [ReportSubject]) -> Reports<'r> {
    let mut reports = by_subject(&run.report.streams);
    for subject in pushed {
        reports.entry(subject).or_default();
    }
    let is_held =
        |reports: &[&StreamReport]| !reports.is_empty() && reports.iter().all(|one| one.outcome == Outcome::Held);
    reports.retain(|subject, reports| !is_held(reports) && **subject != ReportSubject::Spool);
    reports
}

/// As the status has it; where the store does not answer, as the reports have it.
async fn after_run(inputs: StatusInputs<'_>, reports: &Reports<'_>, run: FinishedRun<'_>) -> AfterRun {
    if run.has_lost_its_store() {
        return as_reported(inputs, reports);
    }
    let reason = match tokio::time::timeout(LONGEST_LOOK, as_stored(inputs, reports, run.at)).await {
        Ok(Ok(after)) => return after,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "the state store did not answer in time".to_owned(),
    };
    log::warn!("the health rows of this run say nothing of the spool and of pushes: {reason}");
    as_reported(inputs, reports)
}

async fn as_stored(
    inputs: StatusInputs<'_>,
    reports: &Reports<'_>,
    run_ended: DateTime<Utc>,
) -> Result<AfterRun, StoreError> {
    let spool = spool_status(inputs.plans, inputs.context).await?;
    let inputs = StatusInputs {
        spool: &spool,
        ..inputs
    };
    let ended = reports.iter().filter_map(|(subject, reports)| {
        let ended = reports.iter().map(|report| report.ended_run(run_ended, report.took));
        let ended: Vec<EndedRun> = ended.collect::<Option<_>>()?;
        Some((
            subject.to_string(),
            ended.into_iter().max_by_key(|ended| ended.read_to.len())?,
        ))
    });
    let ended: EndedRuns = ended.collect();
    let mut streams = collect_streams(inputs, &ended, |subject| reports.contains_key(subject)).await?;
    let mut pushed = BTreeMap::new();
    for stream in streams.iter_mut().filter(|stream| stream.kind == StreamKind::Push) {
        let counts = pushed_since_last_row(inputs.context, inputs.healths, &stream.stream).await?;
        if stream.problem.is_none() {
            let warning = warning_of(&[], counts.new.dead_lettered);
            stream.problem = warning.map(|problem| remembered(&problem, Some(inputs.now)));
        }
        pushed.insert(stream.stream.clone(), counts);
    }
    let new_fields = news(inputs, reports).await?;
    Ok(AfterRun {
        at: inputs.now,
        streams,
        spool,
        pushed,
        new_fields,
    })
}

async fn news(
    inputs: StatusInputs<'_>,
    reports: &Reports<'_>,
) -> Result<BTreeMap<ReportSubject, Vec<String>>, StoreError> {
    let streams = reports.keys().filter_map(|subject| Some((*subject, subject.stream()?)));
    let streams = streams.map(|(subject, name)| (subject, inputs.plans.tables_of(name)));
    let streams: Vec<_> = streams.collect();
    let tables = streams.iter().flat_map(|(_, tables)| tables.clone());
    let mut fields = new_fields(&*inputs.context.store, tables.collect(), inputs.now).await?;
    fields.retain(|field| field.is_news(inputs.now));
    let by_stream = streams.into_iter().map(|(subject, tables)| {
        let own = fields.iter().filter(|field| tables.contains(field.table.as_str()));
        let named = own.map(|field| format!("{}: {}", field.table, field.field));
        (subject.clone(), named.collect())
    });
    Ok(by_stream.collect())
}

fn as_reported(inputs: StatusInputs<'_>, reports: &Reports<'_>) -> AfterRun {
    let of_streams = reports.iter().filter_map(|(subject, reports)| {
        let name = subject.stream()?;
        let kind = match inputs.plans.stream(name) {
            Some(_) => StreamKind::Poll,
            None => StreamKind::Push,
        };
        let mut stream = StreamStatus::never_run(name, kind);
        fill_reported(inputs, name, reports, &mut stream);
        Some(stream.with_problem())
    });
    let off = inputs.plans.disabled.iter();
    let off = off.filter(|instance| reports.contains_key(&instance.subject));
    let off = off.map(|instance| disabled(instance).with_problem());
    AfterRun {
        at: inputs.now,
        streams: of_streams.chain(off).collect(),
        spool: Vec::new(),
        pushed: BTreeMap::new(),
        new_fields: BTreeMap::new(),
    }
}

async fn pushed_since_last_row(
    context: &JobContext,
    healths: &StreamHealths,
    subject: &ReportSubject,
) -> Result<PushedCounts, StoreError> {
    let mut total = Counts::default();
    if let Some(name) = subject.stream() {
        for counts in pushed_counts(&context.state(), name).await?.into_values() {
            total += counts;
        }
    }
    let before = healths.known(&subject.to_string()).await?.unwrap_or_default();
    let new = total.since(before.pushed_at_last_row);
    Ok(PushedCounts { total, new })
}

fn row_of(run: FinishedRun<'_>, reports: &Reports<'_>, after: &AfterRun, stream: &StreamStatus) -> HealthRow {
    let reports = reports.get(&stream.stream).map(Vec::as_slice).unwrap_or_default();
    let mut counts = Counts::default();
    for table in reports.iter().flat_map(|report| &report.tables) {
        counts += table.counts;
    }
    if stream.kind == StreamKind::Push {
        let pushed = after.pushed.get(&stream.stream).map(|pushed| pushed.new);
        counts = with_pushed(counts, pushed.unwrap_or_default());
    }
    let mut waiting = QueueStats::default();
    for queue in &after.spool {
        if queue.stream.as_ref() == stream.stream.stream() {
            waiting += queue.waiting.clone();
        }
    }
    let facts = RunFacts {
        at: after.at,
        invocation_id: run.request.invocation_id.clone(),
        took: reports.iter().map(|report| report.took).sum(),
        counts,
        waiting,
        new_fields: after.new_fields.get(&stream.stream).cloned().unwrap_or_default(),
    };
    HealthRow::new(stream, facts)
}

/// What is taken out of the spool was received before, perhaps in an earlier run; what waits is what the run left.
fn with_pushed(drained: Counts, pushed: Counts) -> Counts {
    Counts {
        received: pushed.received,
        delivered: pushed.delivered + drained.delivered,
        seen_before: pushed.seen_before,
        dead_lettered: pushed.dead_lettered + drained.dead_lettered,
        spooled: drained.spooled,
        ..drained
    }
}

async fn send_rows(
    route: &TableRoute,
    rows: &[HealthRow],
    context: &JobContext,
    deadline: Deadline,
) -> Result<(), String> {
    let sender = BatchSender {
        route,
        deadline,
        shutdown: &context.shutdown,
    };
    for rows in batches(route, rows, context.clock.now()) {
        let delivery = sender.send(&rows.batch).await.delivery;
        if let Some(error) = delivery.error {
            return Err(error.to_string());
        }
        if let Some(refused) = delivery.refused.first() {
            let count = delivery.refused.len();
            return Err(format!("{count} rows were refused: {}", refused.reason));
        }
    }
    Ok(())
}

async fn remember_pushed(healths: &StreamHealths, after: &AfterRun) -> Result<(), StoreError> {
    for stream in &after.streams {
        let Some(PushedCounts { total, new }) = after.pushed.get(&stream.stream) else {
            continue;
        };
        if *new == Counts::default() {
            continue;
        }
        let change = |health: &mut StreamHealth| {
            health.pushed_at_last_row = *total;
            if let Some(run) = &mut health.last_run {
                run.warning = stream.problem.clone();
            }
            Persist::Now
        };
        healths.update(&stream.stream.to_string(), after.at, change).await?;
    }
    Ok(())
}

fn batches(route: &TableRoute, rows: &[HealthRow], now: DateTime<Utc>) -> Vec<RowBatch<()>> {
    let mut batcher = RowBatcher::new(route);
    let context = RowContext {
        arrival: now,
        constant_fields: &[],
    };
    let rows = rows.iter().filter_map(|row| {
        let row = EventRow::of_event(route, &row.to_json(), context, || true);
        row.ok()
    });
    let mut batches: Vec<_> = rows.filter_map(|row| batcher.add(&row, (), now)).collect();
    batches.extend(batcher.take());
    batches
}
