//! The slices of a window one after the other, each under the lease of its account.

use std::time::Duration;

use tokio::time::timeout;

use super::context::BackfillContext;
use crate::jobs::account::lease_name;
use crate::jobs::poll::windowed_run::WindowedRun;
use crate::report::{ErrorCode, Problem, StreamReport};
use crate::state::{Checkpoints, Lease, LeaseAttempt, StoreError};
use crate::time::Deadline;

/// A lease is waited for so long: a run of the poller ends before.
const LONGEST_WAIT: Duration = Duration::from_secs(900);
const ASK_EVERY: Duration = Duration::from_secs(1);
/// Reading one slice takes no longer.
const TIME_FOR_A_SLICE: Duration = Duration::from_secs(600);
/// Between two slices; longer than the polling interval of whoever waits for the lease.
const PAUSE_FOR_OTHERS: Duration = Duration::from_millis(300);

/// What is to be done after a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Look again.
    GoOn,
    /// No more in this run: nothing is missing, or the report says why.
    End,
}

/// What is done with each slice.
pub trait SliceVisitor {
    /// One slice, with the stream's positions as they stand now.
    async fn visit(&mut self, run: &WindowedRun<'_>, checkpoints: Checkpoints) -> Result<Next, StoreError>;

    /// How much is left to read, in words.
    fn left(&self) -> String;

    /// What is to be said.
    fn report(&mut self) -> &mut StreamReport;

    /// Notes that the process is to end.
    fn note_told_to_end(&mut self) {
        let left = self.left();
        let report = self.report();
        let stream = &report.stream;
        let notice = format!("{stream}: told to end; what was read is saved, {left}: the same command fills the rest");
        report.end_early(notice);
    }
}

/// Visits slice after slice. In between somebody else can have the lease.
pub async fn visit_slices(context: &BackfillContext<'_>, visitor: &mut impl SliceVisitor) -> Result<(), StoreError> {
    while visit_slice(context, visitor, LONGEST_WAIT).await? == Next::GoOn {
        let _ = timeout(PAUSE_FOR_OTHERS, context.jobs.shutdown.requested()).await;
    }
    Ok(())
}

/// Visits one slice, if the lease can be had in time; else the report says why not.
pub async fn visit_slice(
    context: &BackfillContext<'_>,
    visitor: &mut impl SliceVisitor,
    longest_wait: Duration,
) -> Result<Next, StoreError> {
    let Some(lease) = wait_for_lease(context, visitor, longest_wait).await? else {
        return Ok(Next::End);
    };
    let next = Box::pin(visit_under(&lease, context, visitor)).await;
    lease.release().await;
    next
}

async fn wait_for_lease(
    context: &BackfillContext<'_>,
    visitor: &mut impl SliceVisitor,
    longest: Duration,
) -> Result<Option<Lease>, StoreError> {
    let BackfillContext {
        jobs, plan, watcher, ..
    } = context;
    let (stream, account) = (plan.stream.name(), plan.stream.account());
    let name = lease_name(stream, account);
    let patience = Deadline::after(longest);
    let mut has_said = false;
    while !jobs.shutdown.is_requested() {
        let held = match jobs.store.try_lease(&name, &jobs.holder).await? {
            LeaseAttempt::Taken(lease) => return Ok(Some(lease)),
            LeaseAttempt::Held(held) => held,
        };
        if patience.has_passed() {
            let message = format!(
                "{stream}: the lease on {account} is {held}, and was not given back in {} minutes; try again later",
                LONGEST_WAIT.as_secs() / 60
            );
            let problem = Problem::new(ErrorCode::BudgetEnded, message);
            visitor.report().problems.push(problem);
            return Ok(None);
        }
        if !has_said {
            has_said = true;
            watcher.says(&format!("{stream}: waiting for the lease on {account}, {held}"));
        }
        let _ = timeout(ASK_EVERY, jobs.shutdown.requested()).await;
    }
    visitor.note_told_to_end();
    Ok(None)
}

async fn visit_under(
    lease: &Lease,
    context: &BackfillContext<'_>,
    visitor: &mut impl SliceVisitor,
) -> Result<Next, StoreError> {
    let BackfillContext { jobs, plan, .. } = context;
    let deadline = Deadline::after(TIME_FOR_A_SLICE);
    let context = &jobs.context_of(lease, plan.stream.name(), deadline);
    let rules = jobs.rules;
    let run = WindowedRun { plan, rules, context };
    let loaded = run.polled().load().await?;
    visitor.report().notices.extend(loaded.notices);
    visitor.visit(&run, loaded.checkpoints).await
}
