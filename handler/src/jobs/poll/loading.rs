//! Reading state at the beginning of a run, within its time.

use crate::delivery::{DELIVERY_RESERVE, StreamContext};
use crate::state::{Identities, Key, StoreError};
use crate::time::Deadline;

/// The identities of a table. What they take must leave time to deliver something.
pub async fn load_identities(context: &StreamContext<'_>, folder: Key) -> Result<Identities, StoreError> {
    let what = folder.to_string();
    let load = Identities::load(context.store.clone(), folder);
    in_time(context.deadline, &what, load).await
}

/// Ends work on the state that would leave no time for the rest of the run.
pub async fn in_time<T>(
    deadline: Deadline,
    what: &str,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let reserve = DELIVERY_RESERVE.min(deadline.whole() / 4);
    let time = deadline.remaining().saturating_sub(reserve);
    tokio::time::timeout(time, work)
        .await
        .unwrap_or_else(|_| Err(StoreError::OutOfTime { what: what.to_owned() }))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn state_that_takes_the_whole_run_to_read_is_given_up_while_there_is_time_to_say_so() {
        let deadline = Deadline::after(Duration::from_secs(40));
        let outcome = in_time(deadline, "the identities", std::future::pending::<Result<(), _>>()).await;
        let error = outcome.unwrap_err();
        assert!(
            error.to_string().contains("the identities could not be read"),
            "{error}"
        );
        assert!(
            deadline.remaining() >= Duration::from_secs(10),
            "{:?} left",
            deadline.remaining()
        );
    }
}
