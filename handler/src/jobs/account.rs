//! The lease on a vendor account, shared by the streams of a run that read it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::OnceCell;

use super::plan::StreamPlan;
use crate::event::{Identity, StreamName};
use crate::report::Cause;
use crate::report::Problem;
use crate::state::{Holder, Lease, LeaseAttempt, Leases};
use crate::time::Deadline;

/// A run waits so long for a backfill to come to the end of its slice.
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// Often enough to meet the pause between two slices of a backfill.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// Taken by the first stream that needs it, given back when the last one has ended.
#[derive(Debug)]
pub struct AccountLease {
    lease_name: String,
    taken: OnceCell<Result<Lease, NoLease>>,
}

/// Why a stream has no lease.
#[derive(Clone, Debug)]
pub enum NoLease {
    /// Somebody else works on the account; says who and until when.
    Held(String),
    /// The state store failed.
    Failed(Problem),
}

impl AccountLease {
    /// Gives the lease back, if it was taken.
    pub async fn release(self) {
        if let Some(Ok(lease)) = self.taken.into_inner() {
            lease.release().await;
        }
    }

    /// Notes that a stream was read, if the lease is ours.
    pub fn note_read(&self, stream: &StreamName, at: DateTime<Utc>) {
        if let Some(Ok(lease)) = self.taken.get() {
            lease.note_read(&stream.to_string(), at);
        }
    }

    /// The lease, asked for once in a run. A backfill gives it back after every slice: it is waited for.
    pub async fn lease(&self, store: &dyn Leases, holder: &Holder, deadline: Deadline) -> Result<&Lease, NoLease> {
        let patience = Deadline::after(deadline.clip(LONGEST_WAIT));
        let take = async || loop {
            match store.try_lease(&self.lease_name, holder).await {
                Ok(LeaseAttempt::Taken(lease)) => return Ok(lease),
                Ok(LeaseAttempt::Held(held)) if held.yields && !patience.has_passed() => {
                    tokio::time::sleep(ASK_EVERY).await;
                }
                Ok(LeaseAttempt::Held(held)) => return Err(NoLease::Held(held.to_string())),
                Err(error) => return Err(NoLease::Failed(error.problem())),
            }
        };
        self.taken.get_or_init(take).await.as_ref().map_err(Clone::clone)
    }
}

/// The name of the lease on a vendor account.
pub fn lease_name(name: &StreamName, account: &str) -> String {
    let digest = Identity::of_parts(&[account, &name.instance]).hex();
    format!("{}-{}-{}", name.source, name.instance, &digest[..16])
}

/// Every plan with its account; plans of one instance that read the same account share it.
pub fn with_accounts(plans: Vec<StreamPlan>) -> Vec<(StreamPlan, Arc<AccountLease>)> {
    let mut known: HashMap<String, Arc<AccountLease>> = HashMap::new();
    let with_account = |plan: StreamPlan| {
        let lease_name = lease_name(plan.name(), plan.account());
        let account = known.entry(lease_name.clone()).or_insert_with(|| {
            let taken = OnceCell::new();
            Arc::new(AccountLease { lease_name, taken })
        });
        (plan, account.clone())
    };
    plans.into_iter().map(with_account).collect()
}
