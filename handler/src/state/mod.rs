//! What must survive: checkpoints, the identities of what was delivered, leases and dead letters.
//!
//! [`Store`] is the abstraction; a local directory is the backend. Only this room writes state, and everything it
//! writes is versioned: a file of an unknown version is refused, never overwritten.

mod checkpoint;
mod coverage;
mod dead_letters;
mod identities;
mod intent;
mod key;
mod local;
mod spool;
mod store;

pub use checkpoint::{Checkpoints, Counts, TablePosition};
pub use dead_letters::{DeadLetter, DeadLetters};
pub use identities::Identities;
pub use intent::Intent;
pub use local::LocalStore;
pub use spool::{Spool, SpoolEntry, SpoolError};
pub use store::{Holder, Lease, LeaseAttempt, Store, StoreError};
