//! The store's abstraction: small named objects with compare-and-swap.

use std::fmt;

use async_trait::async_trait;

use super::key::Key;

/// An object as it was read.
#[derive(Clone, Debug)]
pub struct Stored {
    pub bytes: Vec<u8>,
    /// What a later write may expect.
    pub version: Version,
}

/// Names one content of an object; an ETag, or a digest where there are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version(pub String);

/// An object in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub key: Key,
    /// Its size.
    pub bytes: u64,
}

/// What must be there for a write to happen.
#[derive(Clone, Debug)]
pub enum Expected {
    Absent,
    Version(Version),
    /// Anything or nothing.
    Anything,
}

/// Small named objects. Every call is bounded in time by the backend.
#[async_trait]
pub trait Store: Send + Sync + fmt::Debug {
    /// The object, or `None` if there is none.
    async fn read(&self, key: &Key) -> Result<Option<Stored>, StoreError>;
    /// Writes whole objects: a reader sees the old one or the new one, also after a crash.
    async fn write(&self, key: &Key, bytes: Vec<u8>, expected: Expected) -> Result<Version, StoreError>;
    /// Removes an object; one that is not there is no error.
    async fn remove(&self, key: &Key) -> Result<(), StoreError>;
    /// What lies below `prefix`, in the order of the keys.
    async fn list(&self, prefix: &Key) -> Result<Vec<Listed>, StoreError>;
}

/// What can go wrong with the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(
        "the state store failed to {action} {key}: {reason}; check that STATE_URL ({place}) can be reached and written"
    )]
    Backend {
        /// `read`, `write`, ...
        action: &'static str,
        key: String,
        /// The backend's word.
        reason: String,
        /// The store, for people.
        place: String,
    },
    /// A write expected another version than was there.
    #[error("{key} was changed by somebody else in the meantime; this run stops so that nothing is overwritten")]
    Conflict { key: String },
    /// A file of a version that this executable does not know.
    #[error("{key} has version {found}, and this executable knows version {known}; {advice}", advice = update_advice(.key))]
    UnknownVersion { key: String, found: String, known: u32 },
    /// A file that is no state of ours.
    #[error("{key} cannot be read as state ({reason}) and was not overwritten; {advice}", advice = advice(.key))]
    Damaged { key: String, reason: String },
    /// Reading it would have taken the whole time of a run.
    #[error(
        "{what} could not be read from the state store within the time of the run (POLL_BUDGET), so nothing was begun; the next run tries again. If this lasts, raise POLL_BUDGET"
    )]
    OutOfTime {
        /// The object or the folder.
        what: String,
    },
    /// The lease ran out while we worked.
    #[error(
        "the lease {lease} was lost (the process was paused, or the store could not be reached in time); this run stops before its next write, and the next run goes on from what is saved"
    )]
    LeaseLost { lease: String },
}

/// What to do about a file that cannot be read, by what it is. Nothing of it may cost an event.
pub fn advice(key: &str) -> &'static str {
    match key.split_once('/').map_or("", |(room, _)| room) {
        "checkpoints" if is_checkpoint(key) => {
            "move the file away: reading then goes on from where the stream last stood, or from the oldest that the vendor \
             shows, and rows may arrive twice"
        }
        "checkpoints" => "move the file away: events that it remembered may then arrive twice",
        "spool" => {
            "leave the file where it is, because the events in it were acknowledged and may be nowhere else; repair its text, \
             or keep it and report it with this line"
        }
        "dead-letters" => "leave the file where it is: it stays for a person to read",
        "intents" => "move the file away, and compare with the vendor's own log around its time: a reply may be lost",
        _ => "move the file away: no event depends on it",
    }
}

fn update_advice(key: &str) -> &'static str {
    match key.split_once('/').map_or("", |(room, _)| room) {
        "checkpoints" if is_checkpoint(key) => {
            "update the handler, or move the file away: reading then goes on from where the stream last stood, or from the \
             oldest that the vendor shows, and rows may arrive twice"
        }
        "spool" => "update the handler, and leave the file where it is: the events in it were acknowledged",
        _ => "update the handler",
    }
}

/// Positions lie in the folder of the instance, identities below the stream's.
fn is_checkpoint(key: &str) -> bool {
    key.ends_with(".json") && key.split('/').count() == 4
}

impl StoreError {
    /// What to do, where that depends on the file.
    pub fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::UnknownVersion { key, .. } => Some(update_advice(key)),
            Self::Damaged { key, .. } => Some(advice(key)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_advice_sends_acknowledged_events_away() {
        for (key, moved) in [
            ("checkpoints/pingone/default/activities.json", true),
            ("checkpoints/pingone/default/activities/0123/T_CL/1.seg", true),
            ("spool/T_CL/onelogin-default-push/0001-ab.json", false),
            ("dead-letters/onelogin/default/push/1.ndjson", false),
            ("health/pingone/default/activities.json", true),
        ] {
            let damaged = StoreError::Damaged {
                key: key.to_owned(),
                reason: "cut".to_owned(),
            };
            assert_eq!(damaged.to_string().contains("move the file away"), moved, "{damaged}");
            let unknown = StoreError::UnknownVersion {
                key: key.to_owned(),
                found: "2".to_owned(),
                known: 1,
            };
            assert!(
                unknown
                    .remedy()
                    .is_some_and(|remedy| remedy.contains("update the handler"))
            );
            assert_eq!(
                key.starts_with("spool/"),
                unknown.to_string().contains("acknowledged"),
                "{unknown}"
            );
        }
        assert!(advice("checkpoints/pingone/default/activities.json").contains("goes on from"));
    }
}
