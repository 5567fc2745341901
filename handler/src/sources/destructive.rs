//! Streams where reading consumes: what was given is not given again.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Page, SourceError};
use crate::event::{Identity, StreamName};
use crate::time::Deadline;

/// A reply of a stream where reading consumes.
#[derive(Debug)]
pub struct ConsumedReply {
    /// As it came.
    pub text: String,
    /// Places where bytes that are not UTF-8 were replaced.
    pub replaced_bytes: u64,
    /// When it came.
    pub at: DateTime<Utc>,
}

/// What came of taking a reply.
#[derive(Debug)]
pub enum ReadOutcome {
    /// The vendor has forgotten these events: they are ours to keep.
    Reply(ConsumedReply),
    /// The vendor gave nothing away.
    Nothing(SourceError),
    /// The request went out and no whole answer came: the vendor may have forgotten events that nobody has.
    PerhapsLost {
        /// Why it is not whole.
        error: SourceError,
        /// What came of it: to be kept like a whole reply.
        begun: Option<ConsumedReply>,
    },
}

/// What a reply holds.
#[derive(Debug)]
pub struct ParsedReply {
    /// The whole events, and as JSON strings those that cannot be read.
    pub page: Page,
    /// What is left of a reply that is not a whole list.
    pub rest: Option<TornRest>,
}

/// What is left of a reply that broke off.
#[derive(Debug)]
pub struct TornRest {
    /// Why it is no event.
    pub reason: String,
    /// As it came.
    pub text: String,
    /// True where it is the rest of a list: events were given that did not come whole.
    pub is_of_list: bool,
}

/// See the module.
#[async_trait]
pub trait DestructiveStream: Send + Sync {
    /// The stream's name.
    fn name(&self) -> &StreamName;
    /// What is read; one process at a time may.
    fn account(&self) -> &str;
    /// Values that belong to every event, by the names under which tables ask for them.
    fn constant_fields(&self) -> &[(&'static str, String)];
    /// Tries what can be tried without taking anything: says what that proves, and what it does not. For `check` alone.
    async fn probe(&self, deadline: Deadline) -> Result<&'static str, SourceError>;
    /// Everything that can fail before something is taken.
    async fn prepare(&self, deadline: Deadline) -> Result<(), SourceError>;
    /// Takes one reply, which gets `timeout` to come whole.
    async fn take(&self, timeout: Duration, deadline: Deadline) -> ReadOutcome;
    /// Finds the events of a reply.
    fn parse(&self, text: String) -> ParsedReply;
    /// Names an event.
    fn identity_of(&self, event: &str) -> Identity;
}
