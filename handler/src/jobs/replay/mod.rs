//! Sends dead letters again: rows that a destination refused, and events that can become rows by now.

mod content;
mod file;
mod replayed;

use std::collections::BTreeMap;

use self::content::content_of;
use self::file::{FileReplay, ReplayRun};
use crate::jobs::run::Poller;
use crate::state::{DeadLetters, LeaseAttempt, StoreError};
use crate::time::Deadline;

pub use self::replayed::Replayed;

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

impl Poller {
    /// Sends every dead letter that can be sent. A letter goes when all its rows are accepted.
    pub async fn replay_dead_letters(&self, deadline: Deadline) -> Result<Replayed, ReplayError> {
        let lease = match self.store.try_lease(LEASE, &self.holder).await? {
            LeaseAttempt::Taken(lease) => lease,
            LeaseAttempt::Held(held) => return Err(ReplayError::Held(held.to_string())),
        };
        let dead_letters = DeadLetters::new(lease.guard(self.store.clone()));
        let mut run = ReplayRun {
            dead_letters: &dead_letters,
            deadline,
            shutdown: &self.stop,
            is_writable: false,
            failing: BTreeMap::new(),
        };
        let outcome = self.replay_files(&mut run).await;
        lease.give_back().await;
        if let Ok(replayed) = &outcome {
            self.remember_replayed(&replayed.rows).await;
        }
        Ok(outcome?)
    }

    async fn replay_files(&self, run: &mut ReplayRun<'_>) -> Result<Replayed, StoreError> {
        let mut replayed = Replayed::default();
        for key in run.dead_letters.files().await? {
            if run.is_over() {
                break;
            }
            let file = match run.dead_letters.read(&key).await {
                Ok(Some(file)) => file,
                Ok(None) => continue,
                Err(error @ (StoreError::Damaged { .. } | StoreError::UnknownVersion { .. })) => {
                    log::warn!(file = key.as_str(); "{error}");
                    replayed.unusable += 1;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let mut file = FileReplay::new(file, |letter| content_of(self, letter));
            let ended = file.run(run).await;
            replayed.add(file.replayed());
            ended?;
        }
        Ok(replayed)
    }
}
