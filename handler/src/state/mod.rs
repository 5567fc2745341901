//! What must survive: checkpoints, the identities of what was delivered, leases and dead letters.
//!
//! [`Store`] is the abstraction; a local directory and a container of Azure Blob storage are the backends. Only this
//! room writes state, and everything it writes is versioned: a file of an unknown version is refused, never overwritten.

mod blob;
mod checkpoint;
mod counterpart_records;
mod counts;
mod coverage;
mod dead_letters;
mod document;
mod ended_run;
mod identities;
mod intent;
mod key;
mod lease;
mod lease_notes;
mod lease_text;
mod leases;
mod listings;
mod local;
mod new_keys;
mod probe;
mod process_ledger;
mod reread;
mod segments;
mod settings;
mod spool;
mod spool_quota;
mod stats;
mod store;
mod stream_health;
mod timer_record;

pub use blob::{BlobStore, STORAGE_SCOPE, connect};
pub use checkpoint::{Checkpoints, OpenWalk, TablePosition, account_digest};
pub use counterpart_records::{CounterpartRecords, Record};
pub use counts::Counts;
pub use coverage::{Coverage, Span};
pub use dead_letters::{DeadLetter, DeadLetters, Letter, LetterFile, LetterPlace, RefusedBy};
pub use ended_run::{EndedRun, EndedRuns};
pub use identities::Identities;
pub use intent::Intent;
pub use key::Key;
pub use lease::Lease;
pub use lease_notes::LastRead;
pub use leases::{Holder, LeaseAttempt, Leases};
pub use local::LocalStore;
pub use new_keys::{MOST_NEW_KEYS, NewKey, NewKeysOfTable, SavedNewKeys, add_new_keys, new_keys_of};
pub use probe::{ProbedStore, holds_state, probe_store};
pub use process_ledger::{ProcessLedger, TableCounts, pushed_counts};
pub use reread::Reread;
pub use settings::{Container, StateLocation};
pub use spool::{EntryKind, EntryPlace, GuardedSpool, Spool, SpoolEntry};
pub use spool_quota::{SpoolError, SpoolQuota};
pub use stats::{DeadLetterStats, QueueStats, dead_letter_stats, queue_stats};
#[cfg(test)]
pub use store::{Expected, Listed, Stored, Version};
pub use store::{Store, StoreError};
pub use stream_health::{LastError, LastPositions, LastRun, Persist, RunOutcome, StreamHealth, StreamHealths};
pub use timer_record::{TimerRecord, TimerRecords, timer_record};
