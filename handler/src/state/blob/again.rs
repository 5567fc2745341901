//! Tries again what a broken connection left open.
//!
//! The client of the library repeats by itself what certainly never reached the service, reads, and writes without a
//! condition. It does not repeat a conditional write or a removal whose answer was lost. Here both may be repeated: a
//! conditional write that meets its own content is no conflict ([`super::BlobStore::read_back`]), and what is removed
//! already is removed.

use std::error::Error;
use std::future::Future;
use std::iter::successors;
use std::time::Duration;

use object_store::client::{HttpError, HttpErrorKind};

/// How often a call is begun.
pub const MOST_TRIES: usize = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The outcome of `work`, begun anew while its connection breaks. The caller bounds the time of all tries together.
pub async fn until_answered<T: Send, F>(work: impl Fn() -> F + Send) -> object_store::Result<T>
where
    F: Future<Output = object_store::Result<T>> + Send,
{
    let mut pause = FIRST_PAUSE;
    for _ in 1..MOST_TRIES {
        match work().await {
            Err(error) if is_answer_lost(&error) => {
                log::debug!("the connection to the state store broke; it is tried again: {error}");
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            outcome => return outcome,
        }
    }
    work().await
}

/// True if nobody knows whether the service did what it was asked for, or if its answer did not come whole.
pub fn is_answer_lost(error: &object_store::Error) -> bool {
    let mut causes = successors(error.source(), |cause| (*cause).source());
    let transport = causes.find_map(|cause| cause.downcast_ref::<HttpError>());
    // Errors of other kinds are repeated by the library as often as it is worth it.
    transport.is_some_and(|transport| {
        matches!(
            transport.kind(),
            HttpErrorKind::Timeout | HttpErrorKind::Interrupted | HttpErrorKind::Decode | HttpErrorKind::Unknown
        )
    })
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn transport(kind: HttpErrorKind) -> object_store::Error {
        object_store::Error::Generic {
            store: "blob storage",
            source: Box::new(HttpError::new(kind, io::Error::other("broke off"))),
        }
    }

    async fn tries(failing: usize, error: impl Fn() -> object_store::Error + Sync) -> (usize, bool) {
        let count = AtomicUsize::new(0);
        let outcome = until_answered(|| async {
            if count.fetch_add(1, Ordering::Relaxed) < failing {
                return Err(error());
            }
            Ok(())
        });
        let is_well = outcome.await.is_ok();
        (count.into_inner(), is_well)
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_answer_is_asked_for_again_a_few_times_and_nothing_else_is() {
        for kind in [
            HttpErrorKind::Interrupted,
            HttpErrorKind::Timeout,
            HttpErrorKind::Decode,
        ] {
            assert_eq!(tries(1, || transport(kind)).await, (2, true));
            assert_eq!(tries(9, || transport(kind)).await, (MOST_TRIES, false));
        }
        assert_eq!(tries(1, || transport(HttpErrorKind::Connect)).await, (1, false));
        let conflict = || object_store::Error::Precondition {
            path: "leases/a.json".to_owned(),
            source: "412".into(),
        };
        assert_eq!(tries(1, conflict).await, (1, false));
    }
}
