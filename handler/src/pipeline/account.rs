//! The lease on a vendor account, shared by the streams of a run that read it.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::OnceCell;

use super::cause::Cause;
use super::plan::StreamPlan;
use crate::event::Identity;
use crate::health::Problem;
use crate::state::{Holder, Lease, LeaseAttempt, Store};

/// Taken by the first stream that needs it, given back when the last one has ended.
#[derive(Debug)]
pub struct Account {
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

impl Account {
    fn of(plan: &StreamPlan) -> Self {
        let (name, account) = (plan.name(), plan.account());
        let digest = Identity::of_parts(&[account, &name.instance]).hex();
        Self {
            lease_name: format!("{}-{}-{}", name.source, name.instance, &digest[..16]),
            taken: OnceCell::new(),
        }
    }

    /// Gives the lease back, if it was taken.
    pub async fn give_back(self) {
        if let Some(Ok(lease)) = self.taken.into_inner() {
            lease.give_back().await;
        }
    }

    /// The lease, asked for once in a run.
    pub async fn lease(&self, store: &dyn Store, holder: &Holder) -> Result<&Lease, NoLease> {
        let take = async || match store.try_lease(&self.lease_name, holder).await {
            Ok(LeaseAttempt::Taken(lease)) => Ok(lease),
            Ok(LeaseAttempt::Held(held)) => Err(NoLease::Held(held.to_string())),
            Err(error) => Err(NoLease::Failed(error.problem())),
        };
        self.taken.get_or_init(take).await.as_ref().map_err(Clone::clone)
    }
}

/// Every plan with its account; plans of one instance that read the same account share it.
pub fn with_accounts(plans: Vec<StreamPlan>) -> Vec<(StreamPlan, Arc<Account>)> {
    let mut known: HashMap<(&'static str, String, String), Arc<Account>> = HashMap::new();
    plans
        .into_iter()
        .map(|plan| {
            let name = plan.name();
            let key = (name.source, name.instance.clone(), plan.account().to_owned());
            let account = known.entry(key).or_insert_with(|| Arc::new(Account::of(&plan))).clone();
            (plan, account)
        })
        .collect()
}
