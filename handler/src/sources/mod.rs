//! What a vendor is made of: the kinds of streams, and the pieces that the vendors share. Nothing here knows a
//! vendor, a destination, a table or the state.

pub mod api_client;
pub mod cursor_pager;
pub mod distinct;
pub mod endpoint;
pub mod error;
pub mod incomplete;
pub mod notes;
pub mod oauth;
pub mod page;
pub mod unreadable;
pub mod vendor_clock;
mod webhook;

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

pub use self::error::{SourceError, TOKEN_ENDPOINT};
pub use self::page::Page;
pub use self::unreadable::why_unreadable;
pub use self::vendor_clock::VendorClock;
pub use self::webhook::WebhookFormat;
use crate::event::{Identity, StreamName};
use crate::time::Deadline;

/// A span of vendor time, half open: `from` belongs to it, `to` does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Inclusive.
    pub from: DateTime<Utc>,
    /// Exclusive.
    pub to: DateTime<Utc>,
}

/// Windows are not cut into shorter ones.
pub const SHORTEST_WINDOW: TimeDelta = TimeDelta::seconds(1);

impl Window {
    /// True if the window cannot be halved any more.
    pub fn is_shortest(self) -> bool {
        self.to - self.from < SHORTEST_WINDOW * 2
    }
}

/// What names an event among the others of its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventKey {
    /// From the vendor's own key, or from the content where that is missing.
    pub identity: Identity,
    /// The time that windows are cut by, if it can be read.
    pub time: Option<DateTime<Utc>>,
}

/// What is common to the streams whose events the vendor gives as often as they are asked for.
#[async_trait]
pub trait PolledStream: Send + Sync {
    /// The stream's name.
    fn name(&self) -> &StreamName;
    /// The vendor account that it reads: positions belong to it, and one process at a time works on it. Streams of
    /// one account give the same text, so that they share a lease.
    fn account(&self) -> &str;
    /// How far back the vendor still shows events, if that is limited.
    fn readable_for(&self) -> Option<Duration> {
        None
    }
    /// How many pages a minute our own rate limit allows, if there is one.
    fn pages_per_minute(&self) -> Option<f64> {
        None
    }
    /// The clock of the account's vendor, if its replies show one.
    fn vendor_clock(&self) -> Option<&VendorClock> {
        None
    }
    /// What the vendor tells about the credential of the account, whose streams all say the same. For `check` alone.
    async fn about_credential(&self, deadline: Deadline) -> Result<Vec<CredentialNote>, SourceError> {
        let _ = deadline;
        Ok(Vec::new())
    }
    /// The key of an event, which is a JSON object.
    fn key_of(&self, event: &str) -> EventKey;
    /// What a person should know although nothing failed, one sentence each; asked after something was read.
    fn notices(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A stream of events that is asked for by windows of time.
#[async_trait]
pub trait WindowedStream: PolledStream {
    /// Starts reading a window.
    fn open(&self, window: Window) -> Box<dyn Pages + '_>;
    /// Signs in and reads at most one event of a window, as reading it would: how many came. For `check` alone.
    async fn probe(&self, window: Window, deadline: Deadline) -> Result<usize, SourceError>;
}

/// A stream of objects that cannot be asked for by time: all of them are read in every scan.
#[async_trait]
pub trait SnapshotStream: PolledStream {
    /// The time between the beginnings of two scans.
    fn scan_interval(&self) -> Duration;
    /// Starts a scan, or continues one that ended at a [place](Pages::place).
    fn scan(&self, place: Option<String>) -> Box<dyn Pages + '_>;
    /// Signs in and reads at most one object: how many came. For `check` alone.
    async fn probe(&self, deadline: Deadline) -> Result<usize, SourceError>;
}

/// A sentence about a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialNote {
    /// True if somebody should do something about it.
    pub is_urgent: bool,
    /// For people, with what to do; never the credential.
    pub text: String,
}

/// The pages of a window, in whatever order the vendor gives them. A page may be given again with other limits: the
/// reader drops by identity what it has.
#[async_trait]
pub trait Pages: Send {
    /// The next page, or `None` after the last. Retries within the deadline are the source's business.
    async fn next(&mut self, deadline: Deadline) -> Result<Option<Page>, SourceError>;
    /// Where the next page stands, if a later scan can continue from there.
    fn place(&self) -> Option<String> {
        None
    }
}

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

/// A stream where reading consumes: what was given is not given again.
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
    /// The whole events of a reply, and what is left of one that broke off, with the reason.
    fn parse(&self, text: String) -> (Page, Option<(String, String)>);
    /// Names an event.
    fn identity_of(&self, event: &str) -> Identity;
}

/// A vendor gives one key to an event that it pushes and another to the same event when it is read.
#[derive(Clone, Copy)]
pub struct CounterpartRule {
    /// What both forms of an event have in common.
    pub key_of: fn(&str) -> Identity,
    /// How long a pushed event may take: what is read is held back so long.
    pub patience: Duration,
}
