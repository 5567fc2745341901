//! A stream without windows: everything is read once in a while, and what changed since is delivered.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::cause::Cause;
use super::send::GRACE_FOR_A_PAGE;
use super::stream_run::StreamRun;
use super::table_sink::{SinkContext, SinkError, TableSink};
use crate::health::{Outcome, StreamReport, TableReport};
use crate::sources::{SourceError, Window};
use crate::state::{Checkpoints, DeadLetters, Identities, StoreError};

/// One run.
pub struct WalkRun<'a> {
    /// The stream's run.
    pub run: &'a StreamRun<'a>,
    /// How often everything is read.
    pub every: Duration,
    /// The time of the run.
    pub now: DateTime<Utc>,
}

impl WalkRun<'_> {
    /// Reads everything for the tables whose turn it is. A walk that was cut off begins anew with the next run, and
    /// what it delivered is dropped by identity.
    pub async fn run(&self, checkpoints: &mut Checkpoints, report: &mut StreamReport) -> Result<(), StoreError> {
        for target in &self.run.plan.targets {
            let table = target.table.name();
            if !self.is_due(checkpoints, &table) {
                continue;
            }
            let identities = Identities::load(self.run.store.clone(), checkpoints.identities_of(&table)).await?;
            let mut sink = TableSink::new(target, identities);
            let ended = self.walk(&mut sink, report).await;
            let Some(position) = checkpoints.current.tables.get_mut(&*table) else {
                continue;
            };
            let counts = sink.final_counts();
            position.counts.add_run(counts);
            if ended {
                position.coverage.add(position.watermark, self.now);
                position.watermark = self.now;
            }
            report.tables.push(TableReport {
                table: table.to_string(),
                counts,
                watermark: position.watermark,
            });
            if ended || sink.counts.delivered + sink.counts.dead_lettered > 0 {
                checkpoints.save(self.run.lease, self.now).await?;
            }
            if ended {
                // What this walk did not meet is as good as never seen: a user who changes back is a change.
                sink.keep_only(self.now).await?;
            }
        }
        Ok(())
    }

    fn is_due(&self, checkpoints: &Checkpoints, table: &str) -> bool {
        let Some(position) = checkpoints.current.tables.get(table) else {
            return false;
        };
        let was_walked = position.watermark > position.begin;
        let every = TimeDelta::from_std(self.every).unwrap_or(TimeDelta::MAX);
        !was_walked || self.now - position.watermark >= every || position.watermark > self.now
    }

    /// True if everything was read and delivered.
    async fn walk(&self, sink: &mut TableSink<'_>, report: &mut StreamReport) -> bool {
        let dead_letters = DeadLetters::new(self.run.store.clone());
        let context = SinkContext {
            stream: self.run.plan.stream.name(),
            lease: self.run.lease,
            dead_letters: &dead_letters,
            arrival: self.now,
            given: &[],
            deadline: self.run.deadline,
            stop: self.run.stop,
        };
        let read = self.read_pages(sink, &context).await;
        let flushed = sink.flush(&context).await;
        report.notices.extend(self.run.plan.stream.notices());
        let delivered = sink.counts.delivered + sink.counts.dead_lettered > 0;
        match (read, flushed) {
            (Ok(()), Ok(())) => return true,
            (Err(Ended::Source(error @ SourceError::Stopped { .. })), Ok(())) => {
                report.outcome = Outcome::BudgetEnded;
                report.notices.push(error.to_string());
            }
            (
                Err(Ended::Source(
                    error @ SourceError::OutOfTime {
                        kept_failing: false, ..
                    },
                )),
                Ok(()),
            ) if delivered => {
                report.outcome = Outcome::BudgetEnded;
                report.notices.push(error.to_string());
            }
            (Err(Ended::Source(error)), Ok(())) => report.problems.push(error.problem()),
            (Err(Ended::Sink(error)), _) | (_, Err(error)) => {
                let message = format!("{} -> {}: {error}", report.stream, sink.table());
                report.problems.push(error.problem_saying(message));
            }
        }
        false
    }

    async fn read_pages(&self, sink: &mut TableSink<'_>, context: &SinkContext<'_>) -> Result<(), Ended> {
        let stream = &self.run.plan.stream;
        let window = Window {
            from: self.now,
            to: self.now,
        };
        let mut pages = stream.open(window);
        loop {
            let page = tokio::select! {
                biased;
                () = self.run.stop.over(GRACE_FOR_A_PAGE) => Err(SourceError::Stopped { stream: stream.name().clone() }),
                page = pages.next(self.run.deadline) => page,
            };
            let Some(page) = page.map_err(Ended::Source)? else {
                return Ok(());
            };
            sink.counts.replaced_bytes += page.replaced_bytes;
            for event in page.events() {
                let key = stream.key_of(event);
                sink.refresh(key.identity, self.now);
                sink.offer(event, key, window, context).await.map_err(Ended::Sink)?;
            }
        }
    }
}

/// Why a walk was not read to its end.
enum Ended {
    Source(SourceError),
    Sink(SinkError),
}
