//! One row per stream and run for the health table. They never fail a run, and hardly hold it up.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::lateness::{expected_lag, is_late};
use super::row::{HealthRow, RowFacts, by_stream, watermark_of};
use crate::delivery::{BatchSender, EventRow, RowBatch, RowBatcher, TableRoute};
use crate::jobs::{Poller, Selection};
use crate::report::{ErrorCode, Outcome, RunReport, StreamReport};
use crate::state::{Counts, StoreError, StreamHealth, Waiting, Worth, pushed_counts, waiting_queues};
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
struct Looked {
    waiting: BTreeMap<String, Waiting>,
    /// What each stream of pushes received in all, and since its last row.
    pushed: BTreeMap<String, (Counts, Counts)>,
}

impl Poller {
    /// Sends a row for every stream of the run, if there is a health table. What cannot be sent is logged once.
    pub async fn send_health(&self, run: &RunReport, selection: &Selection, invocation_id: Option<&str>) {
        let Some(target) = &self.health_target else { return };
        let longest = if self.stop.is_requested() {
            LONGEST_AT_THE_END
        } else {
            LONGEST
        };
        let deadline = Deadline::after(longest);
        let sent = tokio::time::timeout(
            longest,
            self.try_send_health(target, run, selection, invocation_id, deadline),
        )
        .await;
        let reason = match sent {
            Ok(Ok(())) => return,
            Ok(Err(reason)) => reason,
            Err(_) => "they were not taken in time".to_owned(),
        };
        log::warn!("the health rows of this run are not sent: {reason}");
    }

    async fn try_send_health(
        &self,
        target: &TableRoute,
        run: &RunReport,
        selection: &Selection,
        invocation_id: Option<&str>,
        deadline: Deadline,
    ) -> Result<(), String> {
        let looked = self.look(run, selection).await;
        let mut reports = by_stream(&run.streams);
        for stream in looked.pushed.keys() {
            reports.entry(stream).or_default();
        }
        reports.retain(|stream, reports| self.has_row(stream, reports));
        let now = self.clock.now();
        let rows: Vec<HealthRow> = reports
            .iter()
            .map(|(stream, reports)| {
                HealthRow::new(
                    stream,
                    reports,
                    self.facts(stream, reports, &looked, (now, invocation_id)),
                )
            })
            .collect();
        for rows in batches(target, &rows, now) {
            let sender = BatchSender {
                route: target,
                deadline,
                shutdown: &self.stop,
            };
            let delivery = sender.send(&rows.batch).await.delivery;
            if let Some(error) = delivery.error {
                return Err(error.to_string());
            }
            if let Some(refused) = delivery.refused.first() {
                return Err(format!(
                    "{} rows were refused: {}",
                    delivery.refused.len(),
                    refused.reason
                ));
            }
        }
        self.remember_pushed(&looked).await.map_err(|error| error.to_string())
    }

    /// A stream that somebody else works on has its row from there.
    fn has_row(&self, stream: &str, reports: &[&StreamReport]) -> bool {
        let is_held = !reports.is_empty() && reports.iter().all(|report| report.outcome == Outcome::Held);
        let is_off = reports.iter().any(|report| report.outcome == Outcome::Off);
        !is_held && (is_off || stream.splitn(3, '/').count() == 3)
    }

    async fn look(&self, run: &RunReport, selection: &Selection) -> Looked {
        let mut looked = Looked::default();
        for name in self.push_streams() {
            let stream = name.to_string();
            if selection.takes(&stream) {
                looked.pushed.insert(stream, Default::default());
            }
        }
        let mut problems = run.streams.iter().flat_map(|stream| &stream.problems);
        if problems.any(|problem| problem.code == ErrorCode::StateUnavailable) {
            return looked;
        }
        let from_store = tokio::time::timeout(LONGEST_LOOK, self.look_into_store(&mut looked)).await;
        match from_store {
            Ok(Ok(())) => {}
            Ok(Err(error)) => log::warn!("the health rows of this run say nothing of the spool and of pushes: {error}"),
            Err(_) => log::warn!(
                "the health rows of this run say nothing of the spool and of pushes: the state store did not answer in time"
            ),
        }
        looked
    }

    async fn look_into_store(&self, looked: &mut Looked) -> Result<(), StoreError> {
        looked.waiting = waiting_queues(&*self.store).await?;
        for name in self.push_streams() {
            let stream = name.to_string();
            let Some(pushed) = looked.pushed.get_mut(&stream) else {
                continue;
            };
            let mut total = Counts::default();
            for counts in pushed_counts(&self.store, name).await?.into_values() {
                total += counts;
            }
            let before = self.healths.known(&stream).await?.unwrap_or_default();
            *pushed = (total, total.since(before.pushed_at_last_row));
        }
        Ok(())
    }

    async fn remember_pushed(&self, looked: &Looked) -> Result<(), StoreError> {
        let now = self.clock.now();
        let changed = looked.pushed.iter();
        for (stream, (total, _)) in changed.filter(|(_, (_, new))| *new != Counts::default()) {
            let change = |health: &mut StreamHealth| {
                health.pushed_at_last_row = *total;
                Worth::Writing
            };
            self.healths.update(stream, now, change).await?;
        }
        Ok(())
    }

    fn facts(
        &self,
        stream: &str,
        reports: &[&StreamReport],
        looked: &Looked,
        (now, invocation_id): (DateTime<Utc>, Option<&str>),
    ) -> RowFacts {
        let plan = self.plans.iter().find(|plan| plan.name().to_string() == stream);
        let watermark = watermark_of(reports);
        // A run reads up to its start.
        let took: Duration = reports.iter().map(|report| report.took).sum();
        let is_late = plan.zip(watermark).is_some_and(|(plan, watermark)| {
            is_late(&self.schedule, watermark, expected_lag(plan, &self.rules) + took, now)
        });
        let mut waiting = Waiting::default();
        for (queue, _) in self.queues().filter(|(_, owner)| owner == stream) {
            waiting += looked.waiting.get(&queue).cloned().unwrap_or_default();
        }
        RowFacts {
            at: now,
            invocation_id: invocation_id.map(str::to_owned),
            has_watermark: plan.is_some(),
            is_late,
            waiting,
            pushed: looked.pushed.get(stream).map(|(_, new)| *new),
        }
    }
}

fn batches(target: &TableRoute, rows: &[HealthRow], now: DateTime<Utc>) -> Vec<RowBatch<()>> {
    let mut batcher = RowBatcher::new(target);
    let context = RowContext {
        arrival: now,
        given: &[],
    };
    let rows = rows.iter().filter_map(|row| {
        let row = EventRow::of_event(&target.table, &row.to_json(), context, || true);
        row.ok()
    });
    let mut batches: Vec<_> = rows.filter_map(|row| batcher.add(&row, (), now)).collect();
    batches.extend(batcher.take());
    batches
}
