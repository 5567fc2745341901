//! Waits for the lease on an account that a poller works on.

use std::time::Duration;

use super::context::BackfillContext;
use crate::jobs::account::lease_name;
use crate::report::{ErrorCode, Problem};
use crate::state::{Lease, LeaseAttempt, StoreError};
use crate::time::Deadline;

/// A lease is waited for so long: a run of the poller ends before.
pub const LONGEST_WAIT: Duration = Duration::from_secs(900);
const ASK_EVERY: Duration = Duration::from_secs(1);

/// What came of waiting.
pub enum LeaseWait {
    /// The lease.
    Taken(Lease),
    /// The process is to end.
    ToldToEnd,
    /// Somebody else has it for too long.
    TooLong(Problem),
}

/// Waits until the lease is given back.
pub async fn wait_for_lease(context: &BackfillContext<'_>, longest: Duration) -> Result<LeaseWait, StoreError> {
    let BackfillContext {
        jobs, plan, watcher, ..
    } = context;
    let (stream, account) = (plan.stream.name(), plan.stream.account());
    let name = lease_name(stream, account);
    let patience = Deadline::after(longest);
    let mut has_said = false;
    loop {
        if jobs.shutdown.is_requested() {
            return Ok(LeaseWait::ToldToEnd);
        }
        let held = match jobs.store.try_lease(&name, &jobs.holder).await? {
            LeaseAttempt::Taken(lease) => return Ok(LeaseWait::Taken(lease)),
            LeaseAttempt::Held(held) => held,
        };
        if patience.has_passed() {
            let message = format!(
                "{stream}: the lease on {account} is {held}, and was not given back in {} minutes; try again later",
                LONGEST_WAIT.as_secs() / 60
            );
            return Ok(LeaseWait::TooLong(Problem::new(ErrorCode::BudgetEnded, message)));
        }
        if !has_said {
            has_said = true;
            watcher.says(&format!("{stream}: waiting for the lease on {account}, {held}"));
        }
        tokio::select! {
            () = jobs.shutdown.requested() => {}
            () = tokio::time::sleep(ASK_EVERY) => {}
        }
    }
}
