//! One run over all pull streams, and over what was pushed and waits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use tokio::time::Instant;

use super::account::{AccountLease, NoLease, with_accounts};
use super::consume::ConsumeRun;
use super::drain::row_queue::drain_rows;
use super::housekeeping::Housekeeping;
use super::plan::{DrainPlan, StreamPlan};
use super::poll::polled_run::PolledRun;
use super::poll::snapshot_run::SnapshotRun;
use super::poll::window::PollRules;
use super::poll::windowed::run_windowed;
use super::poll::windowed_run::WindowedRun;
use crate::config::Schedule;
use crate::delivery::{StreamContext, TableRoute};
use crate::event::StreamName;
use crate::report::Cause;
use crate::report::{ErrorCode, Outcome, Problem, RunReport, StreamReport};
use crate::state::{DeadLetters, Holder, Key, Lease, Spool, Store, StreamHealths};
use crate::status::ended_run;
use crate::time::{Clock, Deadline, Shutdown};

/// Which streams a run takes: `source`, `source/instance` or `source/instance/stream`; everything by default.
#[derive(Clone, Debug, Default)]
pub struct Selection(Option<String>);

impl Selection {
    /// Everything.
    pub fn all() -> Self {
        Self(None)
    }

    /// Only what `text` names.
    pub fn only(text: &str) -> Self {
        Self(Some(text.trim_end_matches('/').to_ascii_lowercase()))
    }

    /// True if nothing is left out.
    pub fn is_everything(&self) -> bool {
        self.0.is_none()
    }

    /// True if the stream is selected.
    pub fn takes(&self, name: &str) -> bool {
        let Some(wanted) = &self.0 else { return true };
        name == wanted
            || name
                .strip_prefix(wanted.as_str())
                .is_some_and(|rest| rest.starts_with('/'))
    }
}

/// What a run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunScope {
    /// Reads the vendors and empties the spool.
    Everything,
    /// Only empties the spool.
    SpoolOnly,
}

/// See the module.
pub struct Poller {
    /// The streams.
    pub plans: Vec<StreamPlan>,
    /// The queues of pushed rows.
    pub drains: Vec<DrainPlan>,
    /// What is configured but cannot run; part of every report.
    pub off: Vec<StreamReport>,
    /// The streams of what is off for which something may wait in the spool.
    pub off_streams: Vec<StreamName>,
    /// How windows are cut.
    pub rules: PollRules,
    /// The state.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who takes the leases.
    pub holder: Holder,
    /// The word that the process is to end.
    pub stop: Shutdown,
    /// What the state needs now and then.
    pub housekeeping: Housekeeping,
    /// When runs begin.
    pub schedule: Schedule,
    /// How the last runs went.
    pub healths: StreamHealths,
    /// Where health rows go, if they go anywhere.
    pub health_target: Option<TableRoute>,
}

/// What runs beside the others.
enum Job {
    Stream(StreamPlan, Arc<AccountLease>),
    Drain(DrainPlan),
}

impl Poller {
    /// Reads the selected streams and empties the spool, several at a time. One that fails leaves the others alone.
    pub async fn run(self: &Arc<Self>, selection: &Selection, scope: RunScope, deadline: Deadline) -> RunReport {
        let mut selected = self.plans.clone();
        selected.retain(|plan| selection.takes(&plan.name().to_string()));
        selected.iter_mut().for_each(StreamPlan::begin_run);
        let streams = with_accounts(selected);
        let accounts: Vec<Arc<AccountLease>> = streams.iter().map(|(_, account)| account.clone()).collect();
        let drains = self
            .drains
            .iter()
            .filter(|drain| selection.takes(&drain.form.name().to_string()));
        let jobs: Vec<Job> = drains
            .map(|drain| {
                let mut drain = drain.clone();
                drain.target.begin_run();
                Job::Drain(drain)
            })
            .chain(streams.into_iter().map(|(plan, account)| Job::Stream(plan, account)))
            .collect();
        let runs = jobs.into_iter().map(|job| {
            let poller = self.clone();
            let name = job.name();
            async move {
                // A task of its own: a defect in one stream must not take the others with it.
                let started = Instant::now();
                let task = tokio::spawn(async move { poller.run_job(job, scope, deadline).await });
                let report = task.await.unwrap_or_else(|error| {
                    let message = format!("{name}: internal error ({error}); please report it with this line");
                    Some(StreamReport::failed(name, Problem::new(ErrorCode::Internal, message)))
                });
                report.map(|report| StreamReport {
                    took: started.elapsed(),
                    ..report
                })
            }
        });
        let reports: Vec<Option<StreamReport>> = stream::iter(runs)
            .buffer_unordered(self.rules.concurrency)
            .collect()
            .await;
        // Streams of one account share it: it is ours alone when the last of them is met.
        stream::iter(accounts.into_iter().filter_map(Arc::into_inner))
            .for_each_concurrent(None, AccountLease::give_back)
            .await;
        let mut streams: Vec<StreamReport> = reports.into_iter().flatten().map(balanced).collect();
        self.remember(&streams, scope).await;
        streams.extend(self.off.iter().filter(|off| selection.takes(&off.stream)).cloned());
        streams.extend(self.abandoned(selection).await);
        if selection.is_everything()
            && let Err(error) = self.housekeeping.run(self.store.as_ref(), &self.holder).await
        {
            log::warn!("the ledgers of ended processes are not summed up yet: {error}");
        }
        streams.sort_by(|left, right| left.stream.cmp(&right.stream));
        RunReport { streams }
    }

    async fn run_job(&self, job: Job, scope: RunScope, deadline: Deadline) -> Option<StreamReport> {
        match job {
            Job::Stream(plan, account) => self.run_stream(&plan, &account, scope, deadline).await,
            Job::Drain(plan) => drain_rows(&plan, self, deadline).await,
        }
    }

    /// What the work on a stream needs, under the lease on its account.
    pub fn context_of<'a>(&'a self, lease: &'a Lease, stream: &'a StreamName, deadline: Deadline) -> StreamContext<'a> {
        let store = lease.guard(self.store.clone());
        StreamContext {
            stream,
            dead_letters: DeadLetters::new(store.clone()),
            store,
            lease,
            clock: self.clock.clone(),
            now: self.clock.now(),
            deadline,
            shutdown: &self.stop,
        }
    }

    async fn run_stream(
        &self,
        plan: &StreamPlan,
        account: &AccountLease,
        scope: RunScope,
        deadline: Deadline,
    ) -> Option<StreamReport> {
        if scope == RunScope::SpoolOnly && !plan.has_spool() {
            return None;
        }
        let name = plan.name();
        let started = Instant::now();
        let lease = match account.lease(self.store.as_ref(), &self.holder, deadline).await {
            Ok(lease) => lease,
            Err(NoLease::Held(held)) => {
                let mut report = StreamReport::new(name.to_string());
                report.outcome = Outcome::Held;
                report
                    .notices
                    .push(format!("{name}: skipped, the lease on {} is {held}", plan.account()));
                return Some(report);
            }
            Err(NoLease::Failed(mut problem)) => {
                problem.message = format!("{name}: {problem}");
                return Some(StreamReport::failed(name.to_string(), problem));
            }
        };
        let reads = scope == RunScope::Everything;
        let (rules, context) = (self.rules, &self.context_of(lease, name, deadline));
        let report = match plan {
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
                SnapshotRun { plan, polled }.run().await
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
        };
        if reads && let Some(ended) = ended_run(&report, self.clock.now(), started.elapsed()) {
            lease.note_run(&name.to_string(), ended);
        }
        Some(report)
    }

    /// The stream whose queue this is, if it is one of what is switched off.
    pub fn off_stream_of(&self, queue: &str) -> Option<&StreamName> {
        self.off_streams.iter().find(|stream| Spool::is_queue_of(queue, stream))
    }

    /// What waits in the spool and belongs to nothing that runs.
    async fn abandoned(&self, selection: &Selection) -> Option<StreamReport> {
        if !selection.is_everything() {
            return None;
        }
        let known: BTreeSet<String> = self
            .drains
            .iter()
            .map(|drain| drain.spool.queue_of(&drain.target.table.name()))
            .chain(self.plans.iter().flat_map(StreamPlan::queues))
            .collect();
        let waiting = match self.store.list(&Key::new(["spool"])).await {
            Ok(waiting) => waiting,
            Err(error) => return Some(StreamReport::failed("spool".to_owned(), error.problem())),
        };
        let mut abandoned: BTreeMap<&str, usize> = BTreeMap::new();
        for listed in &waiting {
            let queue = listed.key.as_str().rsplit_once('/').map_or("", |(queue, _)| queue);
            if !known.contains(queue) {
                *abandoned.entry(queue).or_default() += 1;
            }
        }
        if abandoned.is_empty() {
            return None;
        }
        let mut report = StreamReport::new("spool".to_owned());
        for (queue, entries) in abandoned {
            let off = self.off_stream_of(queue);
            let notice = match off {
                Some(StreamName { source, instance, .. }) => format!(
                    "{queue}: {entries} entries wait for {source}/{instance}, which is switched off at present; they are \
                     delivered once it works again"
                ),
                None => format!(
                    "{queue}: {entries} entries wait for a source or table that is not configured (any more); configure it \
                     again to have them delivered (their events were acknowledged: removing the entries loses them)"
                ),
            };
            report.notices.push(notice);
        }
        Some(report)
    }
}

impl Job {
    fn name(&self) -> String {
        match self {
            Self::Stream(plan, _) => plan.name().to_string(),
            Self::Drain(plan) => plan.form.name().to_string(),
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
