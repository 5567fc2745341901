//! The invocation that a task works for: its id is in every log line, so that the lines can be found beside the host's.

use std::future::Future;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

tokio::task_local! {
    static INVOCATION: Option<Arc<str>>;
}

/// Works for the invocation of that id; `None` where nobody said which.
pub async fn in_invocation<T>(id: Option<Arc<str>>, work: impl Future<Output = T>) -> T {
    INVOCATION.scope(id, work).await
}

/// A task that works for the same invocation as the one that starts it.
pub fn spawn_in_invocation<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    spawn_in_invocation_on(&Handle::current(), work)
}

/// The same on another runtime.
pub fn spawn_in_invocation_on<T: Send + 'static>(
    runtime: &Handle,
    work: impl Future<Output = T> + Send + 'static,
) -> JoinHandle<T> {
    runtime.spawn(INVOCATION.scope(invocation_id(), work))
}

/// The id, in an invocation.
pub fn invocation_id() -> Option<Arc<str>> {
    INVOCATION.try_with(Clone::clone).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_id_goes_along_into_tasks() {
        let id: Arc<str> = "an-id".into();
        let work = async { spawn_in_invocation(async { invocation_id() }).await.unwrap() };
        assert_eq!(in_invocation(Some(id.clone()), work).await, Some(id));
        assert_eq!(spawn_in_invocation(async { invocation_id() }).await.unwrap(), None);
    }
}
