//! Reading state at the beginning of a run, within its time.

use std::sync::Arc;

use super::send::DELIVERY_RESERVE;
use crate::state::{Identities, Key, Store, StoreError};
use crate::time::Deadline;

/// The identities of a table. What they take must leave time to deliver something.
pub async fn load_identities(
    store: &Arc<dyn Store>,
    folder: Key,
    deadline: Deadline,
) -> Result<Identities, StoreError> {
    let what = folder.to_string();
    in_time(deadline, &what, Identities::load(store.clone(), folder)).await
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
