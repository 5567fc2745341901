//! A stream that is read by windows, one run: what was pushed to it, then what the vendor has since the last run.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::group_run::GroupRun;
use super::polled_run::{Loaded, report_no_time_left};
use super::pushed_queues::{can_be_settled, deliver_pushed};
use super::window::before;
use super::windowed_run::WindowedRun;
use crate::delivery::{DELIVERY_RESERVE, TableRoute};
use crate::report::StreamReport;
use crate::state::{Checkpoints, StoreError};
use crate::time::rfc3339_millis;

/// Reads from where the last run ended, and reports. If not `reads`, only what waits in the spool is delivered.
pub async fn run_windowed(run: &WindowedRun<'_>, reads: bool) -> StreamReport {
    let mut report = StreamReport::new(run.context.stream);
    let ended = match run.polled().load().await {
        Ok(Loaded { checkpoints, notices }) => {
            report.notices = notices;
            let mut stream = StreamRun {
                run,
                reads,
                checkpoints,
                report,
            };
            let ended = stream.deliver_and_read().await;
            report = stream.report;
            ended
        }
        Err(error) => Err(error),
    };
    if let Err(error) = ended {
        report.fail(&error);
    }
    if let Some((offset, notice)) = run.clock().offset_and_notice() {
        report.clock_offset = Some(offset);
        report.notices.extend(notice);
    }
    report.concluded()
}

/// A stream, where it stands, and what is to be reported of the run.
struct StreamRun<'a> {
    run: &'a WindowedRun<'a>,
    reads: bool,
    checkpoints: Checkpoints,
    report: StreamReport,
}

impl StreamRun<'_> {
    async fn deliver_and_read(&mut self) -> Result<(), StoreError> {
        let oldest_left = self.deliver_pushed().await;
        let refusals = self.report.problems.len();
        let read = match oldest_left {
            Ok(oldest_left) if self.reads => self.read_in_time(oldest_left).await,
            delivered => delivered.map(drop),
        };
        if read.is_ok() && self.run.plan.pushed.as_ref().is_some_and(can_be_settled) {
            // What was refused is said anew if it still is.
            self.report.problems.drain(..refusals);
            self.deliver_pushed().await?;
        }
        if self.checkpoints.has_news {
            self.save().await?;
        }
        if self.reads && read.is_ok() {
            let positions = self.run.polled().report_of_positions(&self.checkpoints);
            self.report.absorb(positions);
        }
        read
    }

    async fn deliver_pushed(&mut self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let pushed = deliver_pushed(self.run, &mut self.checkpoints, self.reads).await;
        self.report.absorb(pushed.report);
        pushed.oldest_left
    }

    /// Reads on from the positions. What was pushed and is delivered in part must be remembered from `oldest_left` on.
    async fn read_in_time(&mut self, oldest_left: Option<DateTime<Utc>>) -> Result<(), StoreError> {
        let (run, context) = (self.run, self.run.context);
        if context.deadline.is_within_reserve(DELIVERY_RESERVE) {
            let has_delivered = self.report.tables.iter().any(|table| table.counts.delivered > 0);
            self.report.absorb(report_no_time_left(context.stream, has_delivered));
            return Ok(());
        }
        // The vendor's clock may show only while this run reads: then it goes back, and reads once more.
        for _ in 0..2 {
            let taken_back = run.clock().come_back_from_the_future(&mut self.checkpoints);
            self.report.notices.extend(taken_back.notices);
            if taken_back.is_moved {
                self.save().await?;
            }
            let gone = step_over_what_is_gone(run, &mut self.checkpoints);
            self.report.notices.extend(gone);
            for targets in groups(run, &self.checkpoints) {
                let mut group = GroupRun::begin(run, &mut self.checkpoints, &targets, oldest_left).await?;
                let ended = group.run().await;
                self.report.absorb(group.report);
                ended?;
            }
            if !run.clock().is_in_the_future(&self.checkpoints) {
                break;
            }
        }
        Ok(())
    }

    async fn save(&mut self) -> Result<(), StoreError> {
        self.checkpoints
            .save(self.run.context.lease, self.run.context.now)
            .await
    }
}

/// A gap that reaches back beyond what the vendor still shows cannot be filled any more. That is said, and stays
/// visible as a hole in the coverage.
fn step_over_what_is_gone(run: &WindowedRun<'_>, checkpoints: &mut Checkpoints) -> Vec<String> {
    let mut notices = Vec::new();
    let Some(readable_for) = run.plan.stream.readable_for() else {
        return notices;
    };
    let oldest = before(run.clock().earlier_now(), readable_for);
    for (table, position) in &mut checkpoints.current.tables {
        if position.watermark >= oldest {
            continue;
        }
        notices.push(format!(
            "{} -> {table}: events recorded between {} and {} were not read in time and are not shown by the vendor any more; \
             fetch them from the vendor's archive if you need them",
            run.context.stream,
            rfc3339_millis(position.watermark),
            rfc3339_millis(oldest),
        ));
        position.watermark = oldest;
        position.reread_from = Some(oldest);
    }
    notices
}

/// Tables that stand at the same place are read together; one that fell behind is read by itself.
fn groups<'a>(run: &WindowedRun<'a>, checkpoints: &Checkpoints) -> Vec<Vec<&'a TableRoute>> {
    let mut groups: BTreeMap<_, Vec<&'a TableRoute>> = BTreeMap::new();
    for target in &run.plan.targets {
        let position = checkpoints.current.tables.get(&*target.table.name());
        let place = position.map(|position| (position.watermark, position.begin, position.reread_from));
        groups.entry(place).or_default().push(target);
    }
    groups.into_values().collect()
}
