//! One run over all streams that are read, and over what was pushed and waits.

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use tokio::time::Instant;

use super::account::{AccountLease, NoLease, with_accounts};
use super::consume::ConsumeRun;
use super::drain::row_queue::drain_rows;
use super::fair_order::{counts_as_read, least_recently_read_first};
use super::job_context::JobContext;
use super::orphaned_queues::report_orphaned_queues;
use super::plan::{DrainPlan, Plans, StreamPlan};
use super::poll::polled_run::PolledRun;
use super::poll::snapshot_run::SnapshotRun;
use super::poll::window::PollRules;
use super::poll::windowed::run_windowed;
use super::poll::windowed_run::WindowedRun;
use super::selection::Selection;
use crate::delivery::StreamContext;
use crate::event::StreamName;
use crate::jobs::disabled_instance::DisabledInstance;
use crate::logging::spawn_in_invocation;
use crate::report::{ErrorCode, LoggedTables, Outcome, Problem, RunReport, StreamReport};
use crate::time::Deadline;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunScope {
    /// Reads the vendors and empties the spool.
    Everything,
    /// Only empties the spool.
    SpoolOnly,
}

/// What a run is asked to do.
#[derive(Clone, Debug)]
pub struct RunRequest {
    pub selection: Selection,
    pub scope: RunScope,
    /// When it must end.
    pub deadline: Deadline,
    /// Which tables the log names.
    pub logged_tables: LoggedTables,
    /// The host's id of the invocation, for the health rows.
    pub invocation_id: Option<String>,
}

impl RunRequest {
    /// Everything, for all streams.
    pub fn everything(deadline: Deadline) -> Self {
        Self {
            selection: Selection::all(),
            scope: RunScope::Everything,
            deadline,
            logged_tables: LoggedTables::Moved,
            invocation_id: None,
        }
    }
}

enum Job {
    /// With the lease that the streams of an account share.
    Stream(StreamPlan, Arc<AccountLease>),
    Drain(DrainPlan),
}

/// Reads the selected streams and empties the spool, several at a time. One that fails leaves the others alone.
pub async fn run(plans: &Plans, context: &Arc<JobContext>, request: &RunRequest) -> RunReport {
    let (selection, started) = (&request.selection, Instant::now());
    let jobs = selected_jobs(plans, selection, context).await;
    let accounts: Vec<Arc<AccountLease>> = jobs.iter().filter_map(Job::account).cloned().collect();
    let runs = jobs.into_iter().map(|job| run_in_task(job, context, request, started));
    let reports: Vec<Option<StreamReport>> = stream::iter(runs)
        .buffer_unordered(context.rules.concurrency)
        .collect()
        .await;
    // Streams of one account share it: it is ours alone when the last of them is met.
    stream::iter(accounts.into_iter().filter_map(Arc::into_inner))
        .for_each_concurrent(None, AccountLease::release)
        .await;
    let mut streams: Vec<StreamReport> = reports.into_iter().flatten().map(balanced).collect();
    let disabled = plans.disabled.iter();
    let disabled = disabled.filter(|instance| selection.takes(&instance.subject));
    streams.extend(disabled.map(DisabledInstance::report));
    if selection.is_everything() {
        streams.extend(report_orphaned_queues(plans, context).await);
        if let Err(error) = context.housekeeping.run(&*context.store, &context.holder).await {
            log::warn!("the ledgers of ended processes are not summed up yet: {error}");
        }
    }
    streams.sort_by_cached_key(|report| report.stream.to_string());
    RunReport {
        streams,
        took: started.elapsed(),
    }
}

/// Whether a table takes rows is asked anew in every run.
async fn selected_jobs(plans: &Plans, selection: &Selection, context: &JobContext) -> Vec<Job> {
    let mut drains: Vec<DrainPlan> = plans.drains.clone();
    drains.retain(|drain| selection.takes(drain.form.name()));
    drains.iter_mut().for_each(|drain| drain.target.begin_run());
    let mut streams: Vec<StreamPlan> = plans.streams.clone();
    streams.retain(|plan| selection.takes(plan.name()));
    streams.iter_mut().for_each(StreamPlan::begin_run);
    if drains.len() + streams.len() > context.rules.concurrency {
        streams = least_recently_read_first(streams, context).await;
    }
    let streams = with_accounts(streams).into_iter();
    let streams = streams.map(|(plan, account)| Job::Stream(plan, account));
    drains.into_iter().map(Job::Drain).chain(streams).collect()
}

/// A task of its own: a defect in one stream must not take the others with it.
async fn run_in_task(
    job: Job,
    context: &Arc<JobContext>,
    request: &RunRequest,
    run_began: Instant,
) -> Option<StreamReport> {
    let name = job.name().clone();
    let started = Instant::now();
    let (context, request) = (context.clone(), request.clone());
    let task = spawn_in_invocation(async move {
        match job {
            Job::Stream(plan, account) => {
                let had_most_of_the_time = request.deadline.remaining() >= run_began.elapsed();
                let report = run_stream(&plan, &account, &context, &request).await?;
                if request.scope == RunScope::Everything && counts_as_read(&report, had_most_of_the_time) {
                    account.note_read(plan.name(), context.clock.now());
                }
                Some(report)
            }
            Job::Drain(plan) => drain_rows(&plan, &context, request.deadline).await,
        }
    });
    let report = task.await.unwrap_or_else(|error| {
        let message = format!("{name}: internal error ({error}); please report it with this line");
        Some(StreamReport::failed(name, Problem::new(ErrorCode::Internal, message)))
    });
    report.map(|report| StreamReport {
        took: started.elapsed(),
        ..report
    })
}

async fn run_stream(
    plan: &StreamPlan,
    account: &AccountLease,
    jobs: &JobContext,
    &RunRequest { scope, deadline, .. }: &RunRequest,
) -> Option<StreamReport> {
    if scope == RunScope::SpoolOnly && plan.queues().is_empty() {
        return None;
    }
    let name = plan.name();
    let started = Instant::now();
    let lease = match account.lease(&*jobs.store, &jobs.holder, deadline).await {
        Ok(lease) => lease,
        Err(no_lease) => return Some(report_without_lease(plan, no_lease)),
    };
    let reads = scope == RunScope::Everything;
    let context = jobs.context_of(lease, name, deadline);
    let report = run_plan(plan, jobs.rules, &context, reads).await;
    if reads && let Some(ended) = report.ended_run(jobs.clock.now(), started.elapsed()) {
        lease.note_run(&name.to_string(), ended);
    }
    Some(report)
}

async fn run_plan(plan: &StreamPlan, rules: PollRules, context: &StreamContext<'_>, reads: bool) -> StreamReport {
    match plan {
        StreamPlan::Windows(plan) => {
            // What may still be pushed under another key is held back.
            let patience = plan.counterparts.map(|rule| rule.patience).unwrap_or_default();
            let rules = PollRules {
                settle: rules.settle.max(patience),
                ..rules
            };
            run_windowed(&WindowedRun { plan, rules, context }, reads).await
        }
        StreamPlan::Snapshot(plan) => {
            let polled = PolledRun {
                stream: &*plan.stream,
                targets: &plan.targets,
                rules,
                context,
            };
            SnapshotRun::new(plan, polled).run().await
        }
        StreamPlan::Consumed(plan) => {
            let run = ConsumeRun {
                plan,
                rules,
                context,
                reads,
            };
            run.run().await
        }
    }
}

fn report_without_lease(plan: &StreamPlan, no_lease: NoLease) -> StreamReport {
    let name = plan.name();
    match no_lease {
        NoLease::Held(held) => {
            let mut report = StreamReport::new(name);
            report.outcome = Outcome::Held;
            report
                .notices
                .push(format!("{name}: skipped, the lease on {} is {held}", plan.account()));
            report
        }
        NoLease::Failed(mut problem) => {
            problem.message = format!("{name}: {problem}");
            StreamReport::failed(name, problem)
        }
    }
}

impl Job {
    fn name(&self) -> &StreamName {
        match self {
            Self::Stream(plan, _) => plan.name(),
            Self::Drain(plan) => plan.form.name(),
        }
    }

    fn account(&self) -> Option<&Arc<AccountLease>> {
        match self {
            Self::Stream(_, account) => Some(account),
            Self::Drain(_) => None,
        }
    }
}

/// Holds every table's ledger against itself.
fn balanced(mut report: StreamReport) -> StreamReport {
    for table in &report.tables {
        if let Err(imbalance) = table.counts.check() {
            let message = format!("{} -> {}: {imbalance}", report.stream, table.table);
            report.problems.push(Problem::new(ErrorCode::LedgerImbalance, message));
            report.outcome = Outcome::Failed;
        }
    }
    report
}

#[cfg(test)]
mod tests;
