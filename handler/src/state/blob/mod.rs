//! The store in a container of Azure Blob storage.
//!
//! Objects are block blobs, compare-and-swap goes by ETag, and a lease is a small blob of its own. The container must
//! exist: whoever deploys makes it.

mod again;
mod connect;
mod error;
mod lease;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, UpdateVersion};

use self::again::{MOST_TRIES, is_answer_lost, until_answered};
pub use self::connect::{STORAGE_SCOPE, connect};
use self::error::{conflicts, explain, is_unauthenticated};
use super::key::Key;
use super::store::{Expected, Listed, Store, StoreError, Stored, Version};
use crate::azure::TokenSource;
use crate::time::Clock;

/// A call gives up after this, retries included.
const CALL_TIME: Duration = Duration::from_secs(15);
/// So long, while the last call brought no answer: a run whose store is gone must come to its end.
const CALL_TIME_WHILE_GONE: Duration = Duration::from_secs(3);

/// See the module. Cheap to clone.
#[derive(Clone, Debug)]
pub struct BlobStore {
    objects: Arc<dyn ObjectStore>,
    clock: Arc<dyn Clock>,
    /// The container, for people.
    place: Arc<str>,
    is_gone: Arc<AtomicBool>,
    /// Forgets its token when the service refuses it.
    tokens: Option<Arc<dyn TokenSource>>,
}

impl BlobStore {
    /// Over a container that somebody connected to, with the tokens that were used for it.
    pub fn new(
        objects: Arc<dyn ObjectStore>,
        place: &str,
        clock: Arc<dyn Clock>,
        tokens: Option<Arc<dyn TokenSource>>,
    ) -> Self {
        Self {
            objects,
            clock,
            place: place.into(),
            is_gone: Arc::default(),
            tokens,
        }
    }

    /// Every call in the time allowed, tried again if its connection breaks. The inner result tells apart what the
    /// caller can make use of.
    async fn call<T: Send, F>(
        &self,
        action: &'static str,
        key: &Key,
        work: impl Fn() -> F + Send,
    ) -> Result<object_store::Result<T>, StoreError>
    where
        F: Future<Output = object_store::Result<T>> + Send,
    {
        self.in_time(action, key, until_answered(work)).await
    }

    async fn in_time<T: Send>(
        &self,
        action: &'static str,
        key: &Key,
        work: impl Future<Output = T> + Send,
    ) -> Result<T, StoreError> {
        let allowed = if self.is_gone.load(Ordering::Relaxed) {
            CALL_TIME_WHILE_GONE
        } else {
            CALL_TIME
        };
        let outcome = tokio::time::timeout(allowed, work).await;
        self.is_gone.store(outcome.is_err(), Ordering::Relaxed);
        outcome.map_err(|_| self.failed(action, key, format!("no answer within {} s", allowed.as_secs())))
    }

    fn failed(&self, action: &'static str, key: &Key, reason: String) -> StoreError {
        StoreError::Backend {
            action,
            key: key.to_string(),
            reason,
            place: self.place.to_string(),
        }
    }

    fn error(&self, action: &'static str, key: &Key, error: &object_store::Error) -> StoreError {
        // A cached token that was refused would be refused again by the next call.
        if let Some(tokens) = self.tokens.as_ref().filter(|_| is_unauthenticated(error)) {
            tokens.renew();
        }
        self.failed(action, key, explain(error))
    }

    async fn read_object(&self, key: &Key) -> object_store::Result<Option<Stored>> {
        let found = match self.objects.get(&path(key)).await {
            Ok(found) => found,
            Err(error) if error::is_absent(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let version = version_of(found.meta.e_tag.as_deref());
        let bytes = found.bytes().await?.to_vec();
        Ok(Some(Stored { bytes, version }))
    }

    async fn write_object(&self, key: &Key, bytes: Bytes, expected: &Expected) -> object_store::Result<Version> {
        let mode = match expected {
            Expected::Anything => PutMode::Overwrite,
            Expected::Absent => PutMode::Create,
            Expected::Version(version) => PutMode::Update(UpdateVersion {
                e_tag: Some(version.0.clone()),
                version: None,
            }),
        };
        let options = PutOptions {
            mode,
            ..PutOptions::default()
        };
        let put = self
            .objects
            .put_opts(&path(key), PutPayload::from(bytes), options)
            .await?;
        Ok(version_of(put.e_tag.as_deref()))
    }

    async fn list_once(&self, prefix: &Key) -> Result<object_store::Result<Vec<Listed>>, StoreError> {
        let folder = path(prefix);
        let mut listing = self.objects.list(Some(&folder));
        let mut listed = Vec::new();
        // Every page has its time: a long queue takes many.
        loop {
            match self.in_time("list", prefix, listing.try_next()).await? {
                Ok(Some(object)) => listed.push(Listed {
                    key: Key::new(object.location.as_ref().split('/')),
                    bytes: object.size,
                }),
                Ok(None) => return Ok(Ok(listed)),
                Err(error) => return Ok(Err(error)),
            }
        }
    }

    /// The answer to a conditional write may be lost and the write be repeated on the way: what stands there may be
    /// our own.
    async fn read_back(&self, key: &Key, written: &[u8]) -> Result<Version, StoreError> {
        match self.read(key).await? {
            Some(stored) if stored.bytes == written => Ok(stored.version),
            _ => Err(StoreError::Conflict { key: key.to_string() }),
        }
    }
}

#[async_trait]
impl Store for BlobStore {
    async fn read(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        let found = self.call("read", key, || self.read_object(key)).await?;
        found.map_err(|error| self.error("read", key, &error))
    }

    async fn write(&self, key: &Key, bytes: Vec<u8>, expected: Expected) -> Result<Version, StoreError> {
        let bytes = Bytes::from(bytes);
        let written = self
            .call("write", key, || self.write_object(key, bytes.clone(), &expected))
            .await?;
        match written {
            Ok(version) => Ok(version),
            Err(error) if conflicts(&error, &expected) => self.read_back(key, &bytes).await,
            Err(error) => Err(self.error("write", key, &error)),
        }
    }

    async fn remove(&self, key: &Key) -> Result<(), StoreError> {
        let location = path(key);
        match self.call("remove", key, || self.objects.delete(&location)).await? {
            Err(error) if !error::is_absent(&error) => Err(self.error("remove", key, &error)),
            _ => Ok(()),
        }
    }

    async fn list(&self, prefix: &Key) -> Result<Vec<Listed>, StoreError> {
        let mut tries = 1;
        let mut listed = loop {
            match self.list_once(prefix).await? {
                Ok(listed) => break listed,
                Err(error) if tries < MOST_TRIES && is_answer_lost(&error) => tries += 1,
                Err(error) => return Err(self.error("list", prefix, &error)),
            }
        };
        listed.sort_by(|left, right| left.key.cmp(&right.key));
        Ok(listed)
    }
}

fn path(key: &Key) -> Path {
    Path::from(key.as_str())
}

/// A service without ETags could not compare; then nothing matches, and a conflict is the answer.
fn version_of(e_tag: Option<&str>) -> Version {
    Version(e_tag.unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests;
