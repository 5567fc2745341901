//! One run over all pull streams.

use std::sync::Arc;

use futures_util::{StreamExt, stream};

use super::account::{Account, NoLease, with_accounts};
use super::consume::ConsumeRun;
use super::plan::StreamPlan;
use super::stream_run::StreamRun;
use super::window::PollRules;
use crate::health::{Outcome, RunReport, StreamReport};
use crate::state::{Holder, Store};
use crate::time::{Clock, Deadline};

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

    /// True if the stream is selected.
    pub fn takes(&self, name: &str) -> bool {
        let Some(wanted) = &self.0 else { return true };
        name == wanted
            || name
                .strip_prefix(wanted.as_str())
                .is_some_and(|rest| rest.starts_with('/'))
    }
}

/// See the module.
pub struct Poller {
    /// The streams.
    pub plans: Vec<StreamPlan>,
    /// What is configured but cannot run; part of every report.
    pub off: Vec<StreamReport>,
    /// How windows are cut.
    pub rules: PollRules,
    /// The state.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who takes the leases.
    pub holder: Holder,
}

impl Poller {
    /// Reads the selected streams, several at a time. One that fails leaves the others alone.
    pub async fn run(self: &Arc<Self>, selection: &Selection, deadline: Deadline) -> RunReport {
        let mut selected = self.plans.clone();
        selected.retain(|plan| selection.takes(&plan.name().to_string()));
        let runs = with_accounts(selected).into_iter().map(|(plan, account)| {
            let (poller, name) = (self.clone(), plan.name().to_string());
            async move {
                // A task of its own: a defect in one stream must not take the others with it.
                let task = tokio::spawn(async move { poller.run_stream(&plan, &account, deadline).await });
                task.await.unwrap_or_else(|error| {
                    let problem = format!("{name}: internal error ({error}); please report it with this line");
                    StreamReport::failed(name, problem)
                })
            }
        });
        let mut streams: Vec<_> = stream::iter(runs)
            .buffer_unordered(self.rules.concurrency)
            .collect()
            .await;
        streams.extend(self.off.iter().filter(|off| selection.takes(&off.stream)).cloned());
        streams.sort_by(|left, right| left.stream.cmp(&right.stream));
        RunReport { streams }
    }

    async fn run_stream(&self, plan: &StreamPlan, account: &Account, deadline: Deadline) -> StreamReport {
        let name = plan.name();
        let lease = match account.lease(self.store.as_ref(), &self.holder).await {
            Ok(lease) => lease,
            Err(NoLease::Held(held)) => {
                let mut report = StreamReport::new(name.to_string());
                report.outcome = Outcome::Held;
                report
                    .notices
                    .push(format!("{name}: skipped, the lease on {} is {held}", plan.account()));
                return report;
            }
            Err(NoLease::Failed(error)) => return StreamReport::failed(name.to_string(), format!("{name}: {error}")),
        };
        let (rules, store, clock) = (self.rules, &self.store, &self.clock);
        match plan {
            StreamPlan::Windows(plan) => {
                // What may still be pushed under another key is held back.
                let patience = plan.counterparts.map(|rule| rule.patience).unwrap_or_default();
                let rules = PollRules {
                    settle: rules.settle.max(patience),
                    ..rules
                };
                StreamRun {
                    plan,
                    rules,
                    store,
                    clock,
                    lease,
                    deadline,
                }
                .run()
                .await
            }

            StreamPlan::Consumed(plan) => {
                ConsumeRun {
                    plan,
                    rules,
                    store,
                    clock,
                    lease,
                    deadline,
                }
                .run()
                .await
            }
        }
    }
}

#[cfg(test)]
mod tests;
