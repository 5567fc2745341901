//! A stream that is read by windows, one run: what was pushed to it, then what the vendor has since the last run.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::group_run::GroupRun;
use super::polled_run::report_no_time_left;
use super::pushed_queues::{PushedDelivery, can_be_settled, deliver_pushed};
use super::window::before;
use super::windowed_run::WindowedRun;
use crate::delivery::{DELIVERY_RESERVE, TableRoute};
use crate::report::StreamReport;
use crate::state::{Checkpoints, StoreError};
use crate::time::rfc3339_millis;

/// Reads from where the last run ended, and reports. If not `reads`, only what waits in the spool is delivered.
pub async fn run_windowed(run: &WindowedRun<'_>, reads: bool) -> StreamReport {
    let mut report = StreamReport::new(run.context.stream);
    if let Err(error) = run_into(run, reads, &mut report).await {
        report.fail(&error);
    }
    if let Some((offset, notice)) = run.clock().offset_and_notice() {
        report.clock_offset = Some(offset);
        report.notices.extend(notice);
    }
    report.concluded()
}

async fn run_into(run: &WindowedRun<'_>, reads: bool, report: &mut StreamReport) -> Result<(), StoreError> {
    let loaded = run.polled().load().await?;
    report.notices.extend(loaded.notices);
    let mut checkpoints = loaded.checkpoints;
    let mut pushed = deliver_pushed(run, &mut checkpoints, reads).await;
    let mut read = StreamReport::new(run.context.stream);
    let outcome = match pushed.oldest_left {
        Ok(oldest_left) if reads => {
            let has_delivered = pushed.report.tables.iter().any(|table| table.counts.delivered > 0);
            match run.context.deadline.is_within_reserve(DELIVERY_RESERVE) {
                true => {
                    read = report_no_time_left(run.context.stream, has_delivered);
                    Ok(())
                }
                false => read_groups(run, &mut checkpoints, oldest_left, &mut read).await,
            }
        }
        Ok(_) => Ok(()),
        Err(error) => Err(error),
    };
    let is_settled_now = outcome.is_ok() && run.plan.pushed.as_ref().is_some_and(can_be_settled);
    let again = match is_settled_now {
        true => Some(deliver_pushed(run, &mut checkpoints, reads).await),
        false => None,
    };
    if again.is_some() {
        // What was refused is said anew if it still is.
        pushed.report.problems.clear();
    }
    report.absorb(pushed.report);
    report.absorb(read);
    if let Some(PushedDelivery {
        report: part,
        oldest_left,
    }) = again
    {
        report.absorb(part);
        oldest_left?;
    }
    if checkpoints.has_news {
        checkpoints.save(run.context.lease, run.context.now).await?;
    }
    if reads && outcome.is_ok() {
        report.absorb(run.polled().report_of_positions(&checkpoints));
    }
    outcome
}

/// Reads on from the positions. What was pushed and is delivered in part must be remembered from `oldest_left` on.
async fn read_groups(
    run: &WindowedRun<'_>,
    checkpoints: &mut Checkpoints,
    oldest_left: Option<DateTime<Utc>>,
    report: &mut StreamReport,
) -> Result<(), StoreError> {
    // The vendor's clock may show only while this run reads: then it goes back, and reads once more.
    for _ in 0..2 {
        let taken_back = run.clock().come_back_from_the_future(checkpoints);
        report.notices.extend(taken_back.notices);
        if taken_back.is_moved {
            checkpoints.save(run.context.lease, run.context.now).await?;
        }
        report.notices.extend(step_over_what_is_gone(run, checkpoints));
        for targets in groups(run, checkpoints) {
            let group = GroupRun::begin(run, checkpoints, &targets, oldest_left).await?;
            let (part, ended) = group.run().await;
            report.absorb(part);
            ended?;
        }
        if !run.clock().is_in_the_future(checkpoints) {
            break;
        }
    }
    Ok(())
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
