//! Streams whose events the vendor gives as often as they are asked for.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::endpoint::Endpoint;
use super::notes::Notes;
use super::{Page, SourceError, VendorClock, Window};
use crate::event::{Identity, StreamName};
use crate::time::Deadline;

/// What names an event among the others of its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventKey {
    /// From the vendor's own key, or from the content where that is missing.
    pub identity: Identity,
    /// The time that windows are cut by, if it can be read.
    pub time: Option<DateTime<Utc>>,
}

/// What is known of a stream before anything is asked, and what a person should know of it.
#[derive(Debug)]
pub struct StreamBase {
    /// The stream's name.
    pub name: StreamName,
    /// What is asked for it, in words, for errors.
    pub asked: &'static str,
    /// See [`PolledStream::account`].
    pub account: String,
    /// See [`PolledStream::readable_for`].
    pub readable_for: Option<Duration>,
    /// See [`PolledStream::pages_per_minute`].
    pub pages_per_minute: Option<f64>,
    /// The clock of the account's vendor.
    pub vendor_clock: Arc<VendorClock>,
    /// Takes what a person should know although reading continues.
    pub notes: Notes,
}

impl StreamBase {
    /// Of a stream that an endpoint is asked for.
    pub fn new(name: StreamName, endpoint: &Endpoint) -> Self {
        Self {
            vendor_clock: endpoint.api.vendor_clock.clone(),
            ..Self::of(name, endpoint.asked, endpoint.api.account.clone())
        }
    }

    /// Of a stream of that account.
    pub fn of(name: StreamName, asked: &'static str, account: String) -> Self {
        Self {
            name,
            asked,
            account,
            readable_for: None,
            pages_per_minute: None,
            vendor_clock: Arc::default(),
            notes: Notes::default(),
        }
    }
}

/// What is common to the streams whose events the vendor gives as often as they are asked for.
#[async_trait]
pub trait PolledStream: Send + Sync {
    /// What is known of it before anything is asked.
    fn base(&self) -> &StreamBase;
    /// The stream's name.
    fn name(&self) -> &StreamName {
        &self.base().name
    }
    /// The vendor account that it reads: positions belong to it, and one process at a time works on it. Streams of
    /// one account give the same text, so that they share a lease.
    fn account(&self) -> &str {
        &self.base().account
    }
    /// How far back the vendor still shows events, if that is limited.
    fn readable_for(&self) -> Option<Duration> {
        self.base().readable_for
    }
    /// How many pages a minute our own rate limit allows, if there is one.
    fn pages_per_minute(&self) -> Option<f64> {
        self.base().pages_per_minute
    }
    /// The clock of the account's vendor, if its replies show one.
    fn vendor_clock(&self) -> Option<&VendorClock> {
        Some(&self.base().vendor_clock)
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
        self.base().notes.take()
    }
    /// The notices with the stream's name before each.
    fn named_notices(&self) -> Vec<String> {
        let notices = self.notices().into_iter();
        notices.map(|notice| format!("{}: {notice}", self.name())).collect()
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
