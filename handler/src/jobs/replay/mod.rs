//! Sends dead letters again: rows that a destination refused, and events that can become rows by now.

mod content;
mod file;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use self::content::content_of;
use self::file::{FileReplay, ReplayRun};
use crate::jobs::job_context::JobContext;
use crate::jobs::plan::Plans;
use crate::state::{DeadLetters, LeaseAttempt, StoreError};
use crate::time::Deadline;

pub use self::file::{Replayed, ReplayedRows};

const LEASE: &str = "dead-letters";

/// Why nothing was replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Somebody else is at it.
    #[error("the dead letters are being replayed already: the lease is {0}")]
    Held(String),
}

/// Sends every dead letter that can be sent. A letter goes when all its rows are accepted.
pub async fn replay_dead_letters(
    plans: &Plans,
    context: &JobContext,
    deadline: Deadline,
) -> Result<Replayed, ReplayError> {
    let lease = match context.store.try_lease(LEASE, &context.holder).await? {
        LeaseAttempt::Taken(lease) => lease,
        LeaseAttempt::Held(held) => return Err(ReplayError::Held(held.to_string())),
    };
    let dead_letters = DeadLetters::new(lease.guard(context.store.clone()));
    let run = ReplayRun {
        dead_letters: &dead_letters,
        deadline,
        shutdown: &context.shutdown,
        is_writable: false,
        failing: BTreeMap::new(),
        replayed: Replayed::default(),
    };
    let outcome = replay_files(plans, run, context.clock.now()).await;
    lease.release().await;
    Ok(outcome?)
}

async fn replay_files(plans: &Plans, mut run: ReplayRun<'_>, now: DateTime<Utc>) -> Result<Replayed, StoreError> {
    for key in run.dead_letters.files().await? {
        if run.is_over() {
            break;
        }
        let file = match run.dead_letters.read(&key).await {
            Ok(Some(file)) => file,
            Ok(None) => continue,
            Err(error @ (StoreError::Damaged { .. } | StoreError::UnknownVersion { .. })) => {
                log::warn!(file = key.as_str(); "{error}");
                run.replayed.unusable += 1;
                continue;
            }
            Err(error) => return Err(error),
        };
        let mut file = FileReplay::new(file, |letter| content_of(plans, letter, now));
        let ended = file.run(&mut run).await;
        run.count(file);
        ended?;
    }
    Ok(run.replayed)
}
