//! Notices when a vendor rejects a credential, around any stream: the secret may have been replaced in its vault.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::{
    CredentialNote, DestructiveStream, EventKey, Page, Pages, PolledStream, SnapshotStream, SourceError, Taken,
    VendorClock, Window, WindowedStream,
};
use crate::event::{Identity, StreamName};
use crate::time::Deadline;

/// The settings whose credential was rejected: what their names start with, e.g. `PINGONE__ACME__`.
#[derive(Debug, Default)]
pub struct Rejections(Mutex<BTreeSet<String>>);

impl Rejections {
    /// Gives what was noted since the last time.
    pub fn take(&self) -> BTreeSet<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, setting_prefix: &str) {
        let mut rejected = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rejected.insert(setting_prefix.to_owned());
    }
}

/// A stream whose rejected credential is noted; everything else is as the stream itself does it.
pub struct Watched<S: ?Sized> {
    /// The stream.
    pub stream: Arc<S>,
    /// What the names of its settings start with.
    pub setting_prefix: String,
    /// Where a rejection is noted.
    pub rejections: Arc<Rejections>,
}

impl<S: ?Sized> Watched<S> {
    fn look_at(&self, error: &SourceError) {
        if error.is_rejected_credential() {
            self.rejections.note(&self.setting_prefix);
        }
    }
}

#[async_trait]
impl<S: PolledStream + ?Sized> PolledStream for Watched<S> {
    fn name(&self) -> &StreamName {
        self.stream.name()
    }

    fn account(&self) -> &str {
        self.stream.account()
    }

    fn readable_for(&self) -> Option<Duration> {
        self.stream.readable_for()
    }

    fn vendor_clock(&self) -> Option<&VendorClock> {
        self.stream.vendor_clock()
    }

    async fn about_credential(&self, deadline: Deadline) -> Result<Vec<CredentialNote>, SourceError> {
        let told = self.stream.about_credential(deadline).await;
        told.inspect_err(|error| self.look_at(error))
    }

    fn key_of(&self, event: &str) -> EventKey {
        self.stream.key_of(event)
    }

    fn notices(&self) -> Vec<String> {
        self.stream.notices()
    }
}

#[async_trait]
impl<S: WindowedStream + ?Sized> WindowedStream for Watched<S> {
    fn pages_per_minute(&self) -> Option<f64> {
        self.stream.pages_per_minute()
    }

    fn open(&self, window: Window) -> Box<dyn Pages + '_> {
        Box::new(WatchedPages {
            pages: self.stream.open(window),
            watched: self,
        })
    }

    async fn probe(&self, window: Window, deadline: Deadline) -> Result<usize, SourceError> {
        let probed = self.stream.probe(window, deadline).await;
        probed.inspect_err(|error| self.look_at(error))
    }
}

#[async_trait]
impl<S: SnapshotStream + ?Sized> SnapshotStream for Watched<S> {
    fn scan_interval(&self) -> Duration {
        self.stream.scan_interval()
    }

    fn scan(&self, place: Option<String>) -> Box<dyn Pages + '_> {
        Box::new(WatchedPages {
            pages: self.stream.scan(place),
            watched: self,
        })
    }

    async fn probe(&self, deadline: Deadline) -> Result<usize, SourceError> {
        let probed = self.stream.probe(deadline).await;
        probed.inspect_err(|error| self.look_at(error))
    }
}

struct WatchedPages<'a, S: ?Sized> {
    pages: Box<dyn Pages + 'a>,
    watched: &'a Watched<S>,
}

#[async_trait]
impl<S: PolledStream + ?Sized> Pages for WatchedPages<'_, S> {
    async fn next(&mut self, deadline: Deadline) -> Result<Option<Page>, SourceError> {
        let next = self.pages.next(deadline).await;
        next.inspect_err(|error| self.watched.look_at(error))
    }

    fn place(&self) -> Option<String> {
        self.pages.place()
    }
}

#[async_trait]
impl<S: DestructiveStream + ?Sized> DestructiveStream for Watched<S> {
    fn name(&self) -> &StreamName {
        self.stream.name()
    }

    fn account(&self) -> &str {
        self.stream.account()
    }

    fn given(&self) -> &[(&'static str, String)] {
        self.stream.given()
    }

    async fn probe(&self, deadline: Deadline) -> Result<&'static str, SourceError> {
        let probed = self.stream.probe(deadline).await;
        probed.inspect_err(|error| self.look_at(error))
    }

    async fn prepare(&self, deadline: Deadline) -> Result<(), SourceError> {
        let prepared = self.stream.prepare(deadline).await;
        prepared.inspect_err(|error| self.look_at(error))
    }

    async fn take(&self, timeout: Duration, deadline: Deadline) -> Taken {
        let taken = self.stream.take(timeout, deadline).await;
        if let Taken::Nothing(error) | Taken::PerhapsLost { error, .. } = &taken {
            self.look_at(error);
        }
        taken
    }

    fn parse(&self, text: String) -> (Page, Option<(String, String)>) {
        self.stream.parse(text)
    }

    fn identity_of(&self, event: &str) -> Identity {
        self.stream.identity_of(event)
    }
}
