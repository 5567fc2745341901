//! Leases: who asks for one, who has it, and the store that gives them.

use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::ended_run::EndedRuns;
use super::lease::Lease;
use super::lease_notes::LastRead;
use super::store::{Store, StoreError};
use crate::time::rfc3339_millis;

/// A store that gives leases too. What works under a lease has only the guarded [`Store`] of it.
#[async_trait]
pub trait Leases: Store {
    /// Takes the lease of that name, if nobody holds it.
    async fn try_lease(&self, name: &str, holder: &Holder) -> Result<LeaseAttempt, StoreError>;
    /// What the holders of the lease of that name noted in it. Takes no lease and changes nothing.
    async fn ended_runs(&self, name: &str) -> Result<EndedRuns, StoreError>;
    /// When the streams under the lease of that name were last read. Takes no lease and changes nothing.
    async fn last_read(&self, name: &str) -> Result<LastRead, StoreError>;
}

/// Who asks for a lease.
#[derive(Clone, Debug)]
pub struct Holder {
    /// For people: the command and the process.
    pub who: String,
    /// True for one that releases the lease every few seconds or minutes, so that waiting a little is worth it.
    pub yields: bool,
}

impl Holder {
    /// A command of this process that holds a lease for a whole run.
    pub fn of_command(command: &str) -> Self {
        Self {
            who: format!("{command} (process {})", std::process::id()),
            yields: false,
        }
    }

    /// The same, but others get their turn in between.
    pub fn yielding(self) -> Self {
        Self { yields: true, ..self }
    }
}

/// What came of asking for a lease.
#[derive(Debug)]
pub enum LeaseAttempt {
    /// It is ours until it is released.
    Taken(Lease),
    /// Somebody else has it.
    Held(HeldBy),
}

/// Who holds a lease, and until when if it is not renewed.
#[derive(Clone, Debug)]
pub struct HeldBy {
    /// For people: the command and the process.
    pub who: String,
    /// True for a holder that releases it soon, so that waiting a little is worth it.
    pub yields: bool,
    /// The end of the lease as it stands; it is renewed while its holder works.
    pub until: Option<DateTime<Utc>>,
}

impl HeldBy {
    /// A holder that could not say its name yet.
    pub fn unknown() -> Self {
        Self {
            who: "another process".to_owned(),
            yields: false,
            until: None,
        }
    }
}

impl fmt::Display for HeldBy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.until {
            Some(until) => write!(
                formatter,
                "held by {} until {} (renewed while it works)",
                self.who,
                rfc3339_millis(until)
            ),
            None => write!(formatter, "held by {} until its run ends", self.who),
        }
    }
}
