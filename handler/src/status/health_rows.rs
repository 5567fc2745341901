//! One row per stream and run for the health table. They never fail a run, and hardly hold it up.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::lateness::{expected_lag, is_late};
use super::new_fields::{NewField, new_fields};
use super::row::{HealthRow, RowFacts, watermark_of};
use super::run_recorder::{FinishedRun, RunRecorder};
use crate::delivery::{BatchSender, EventRow, RowBatch, RowBatcher, TableRoute};
use crate::event::StreamName;
use crate::jobs::{JobContext, Plans};
use crate::report::{ErrorCode, Outcome, ReportSubject, StreamReport, by_subject};
use crate::state::{Counts, Persist, QueueStats, StoreError, StreamHealth, StreamHealths, pushed_counts, queue_stats};
use crate::tables::RowContext;
use crate::time::Deadline;

/// From the end of a run to the end of its rows.
const LONGEST: Duration = Duration::from_secs(5);
/// And where the process is to end.
const LONGEST_AT_THE_END: Duration = Duration::from_secs(1);
/// What of it may go into asking the store; rows are made without its answer too.
const LONGEST_LOOK: Duration = Duration::from_secs(2);

/// What the store adds to the reports.
#[derive(Default)]
struct FromStore {
    /// By the queue.
    waiting: BTreeMap<String, QueueStats>,
    pushed: BTreeMap<ReportSubject, PushedCounts>,
    new_fields: Vec<NewField>,
}

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
        let from_store = read_store(plans, context, &recorder.healths, run).await;
        let rows = rows_of(plans, context, run, &from_store);
        send_rows(route, &rows, context, deadline).await?;
        let remembered = remember_pushed(&recorder.healths, &from_store, context.clock.now()).await;
        remembered.map_err(|error| error.to_string())
    });
    let reason = match sent.await {
        Ok(Ok(())) => return,
        Ok(Err(reason)) => reason,
        Err(_) => "they were not taken in time".to_owned(),
    };
    log::warn!("the health rows of this run are not sent: {reason}");
}

async fn read_store(plans: &Plans, context: &JobContext, healths: &StreamHealths, run: FinishedRun<'_>) -> FromStore {
    let mut from_store = FromStore::default();
    let selected = plans.push_streams().into_iter();
    let selected = selected.filter(|name| run.request.selection.takes(*name));
    let selected: Vec<&StreamName> = selected.collect();
    let none = selected.iter().map(|name| ((*name).into(), PushedCounts::default()));
    from_store.pushed = none.collect();
    let mut problems = run.report.streams.iter().flat_map(|stream| &stream.problems);
    if problems.any(|problem| problem.code == ErrorCode::StateUnavailable) {
        return from_store;
    }
    let read = tokio::time::timeout(LONGEST_LOOK, async {
        from_store.waiting = queue_stats(&*context.store).await?;
        for name in selected {
            let counts = pushed_since_last_row(context, healths, name).await?;
            from_store.pushed.insert(name.into(), counts);
        }
        let tables = plans.stream_names().into_iter().flat_map(|name| plans.tables_of(name));
        from_store.new_fields = new_fields(&*context.store, tables.collect(), context.clock.now()).await?;
        Ok::<_, StoreError>(())
    });
    match read.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => log::warn!("the health rows of this run say nothing of the spool and of pushes: {error}"),
        Err(_) => log::warn!(
            "the health rows of this run say nothing of the spool and of pushes: the state store did not answer in time"
        ),
    }
    from_store
}

async fn pushed_since_last_row(
    context: &JobContext,
    healths: &StreamHealths,
    name: &StreamName,
) -> Result<PushedCounts, StoreError> {
    let mut total = Counts::default();
    for counts in pushed_counts(&context.state(), name).await?.into_values() {
        total += counts;
    }
    let before = healths.known(&name.to_string()).await?.unwrap_or_default();
    let new = total.since(before.pushed_at_last_row);
    Ok(PushedCounts { total, new })
}

fn rows_of(plans: &Plans, context: &JobContext, run: FinishedRun<'_>, from_store: &FromStore) -> Vec<HealthRow> {
    let mut reports = by_subject(&run.report.streams);
    for stream in from_store.pushed.keys() {
        reports.entry(stream).or_default();
    }
    reports.retain(|subject, reports| has_row(subject, reports));
    let now = context.clock.now();
    let rows = reports.iter().map(|(subject, reports)| {
        let plan = subject.stream().and_then(|name| plans.stream(name));
        // A run reads up to its start.
        let took: Duration = reports.iter().map(|report| report.took).sum();
        let is_late = plan.zip(watermark_of(reports)).is_some_and(|(plan, watermark)| {
            is_late(
                &plans.schedule,
                watermark,
                expected_lag(plan, &context.rules) + took,
                now,
            )
        });
        let facts = RowFacts {
            at: now,
            invocation_id: run.request.invocation_id.clone(),
            has_watermark: plan.is_some(),
            is_late,
            waiting: waiting_of(plans, subject, &from_store.waiting),
            pushed: from_store.pushed.get(subject).map(|counts| counts.new),
            new_fields: news_of(plans, subject, &from_store.new_fields, now),
        };
        HealthRow::new(subject, reports, facts)
    });
    rows.collect()
}

/// A stream that somebody else works on has its row from there.
fn has_row(subject: &ReportSubject, reports: &[&StreamReport]) -> bool {
    let is_held = !reports.is_empty() && reports.iter().all(|report| report.outcome == Outcome::Held);
    !is_held && *subject != ReportSubject::Spool
}

/// What waits in the queues that the stream's runs empty.
fn waiting_of(plans: &Plans, subject: &ReportSubject, waiting: &BTreeMap<String, QueueStats>) -> QueueStats {
    let mut sum = QueueStats::default();
    for (queue, owner) in plans.queue_owners() {
        if subject.stream() == Some(owner) {
            sum += waiting.get(&queue).cloned().unwrap_or_default();
        }
    }
    sum
}

/// As `<table>: <path>`.
fn news_of(plans: &Plans, subject: &ReportSubject, fields: &[NewField], now: DateTime<Utc>) -> Vec<String> {
    let tables = subject.stream().map(|name| plans.tables_of(name)).unwrap_or_default();
    let news = fields
        .iter()
        .filter(|field| field.is_news(now) && tables.contains(field.table.as_str()));
    news.map(|field| format!("{}: {}", field.table, field.field)).collect()
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

async fn remember_pushed(
    healths: &StreamHealths,
    from_store: &FromStore,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    for (stream, PushedCounts { total, new }) in &from_store.pushed {
        if *new == Counts::default() {
            continue;
        }
        let change = |health: &mut StreamHealth| {
            health.pushed_at_last_row = *total;
            Persist::Now
        };
        healths.update(&stream.to_string(), now, change).await?;
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
