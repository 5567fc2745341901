//! The state container: objects in memory, with the faults of a service far away.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use parking_lot::Mutex;

use super::marks::marks_in;
use super::process_io::ProcessIo;

/// The container as one process reaches it.
#[derive(Clone, Debug)]
pub struct Objects {
    inner: Arc<InMemory>,
    io: Arc<ProcessIo>,
    /// Spool entries whose writer does not know that they are there.
    unknown: Arc<Mutex<BTreeMap<Path, String>>>,
}

/// What befalls a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Nothing was done.
    Refused,
    /// It was done, and the answer was lost.
    AnswerLost,
    /// It was done, the answer was lost, and the client's second try met its own first one.
    MetItself,
    /// No answer at all.
    Silence,
}

impl Objects {
    pub fn new(inner: Arc<InMemory>, io: Arc<ProcessIo>) -> Self {
        Self {
            inner,
            io,
            unknown: Arc::default(),
        }
    }

    async fn begin(&self, what: &str) -> (u64, Option<Fault>) {
        let number = self.io.before().await;
        let world = &self.io.world;
        tokio::time::sleep(world.rng.millis(1, 20)).await;
        if !world.rng.hits(world.fault_rates().state) {
            return (number, None);
        }
        world.count_fault();
        // What was accepted last may not be remembered now.
        world.deliveries().allow_repeat_of_last(self.io.process);
        if what.starts_with("put leases/") {
            // The lease may be lost by it, and a batch be in flight.
            world.deliveries().allow_repeat_of_next(self.io.process);
        }
        let fault = world
            .rng
            .one_of(&[Fault::Refused, Fault::AnswerLost, Fault::MetItself, Fault::Silence]);
        world.trace(|| format!("process {}: {what}: {fault:?}", self.io.process));
        (number, Some(fault))
    }

    /// Who asks after an entry and gets no answer will never know: it may be delivered beside its repetition.
    fn leave_in_doubt(&self, location: &Path) {
        if let Some(entry) = self.unknown.lock().remove(location) {
            self.io.world.deliveries().doubt(&entry);
        }
    }

    /// What a spool entry holds at present.
    async fn entry_at(&self, location: &Path) -> Option<String> {
        if !location.as_ref().starts_with("spool/") {
            return None;
        }
        let bytes = self.inner.get(location).await.ok()?.bytes().await.ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    async fn call<T>(&self, location: Option<&Path>, work: impl Future<Output = Result<T>>) -> Result<T> {
        let what = location.map_or_else(|| "list".to_owned(), |location| format!("get or remove {location}"));
        let (number, fault) = self.begin(&what).await;
        if let (Some(location), Some(_)) = (location, fault) {
            self.leave_in_doubt(location);
        }
        let outcome = match fault {
            None => work.await,
            Some(Fault::Refused) => Err(unavailable("503")),
            Some(Fault::Silence) => {
                tokio::time::sleep(Duration::from_secs(3600)).await;
                Err(unavailable("silence"))
            }
            Some(Fault::AnswerLost | Fault::MetItself) => work.await.and_then(|_| Err(unavailable("answer lost"))),
        };
        self.io.crash_points.after(number).await;
        outcome
    }
}

/// A spool entry that is written or removed, until its writer learns of it. One that has given up waiting never does.
struct InDoubt<'a> {
    objects: &'a Objects,
    entry: Option<String>,
}

impl InDoubt<'_> {
    fn resolve(mut self) {
        self.entry = None;
    }
}

impl Drop for InDoubt<'_> {
    fn drop(&mut self) {
        if let Some(entry) = self.entry.take() {
            self.objects.io.world.deliveries().doubt(&entry);
        }
    }
}

fn unavailable(what: &str) -> object_store::Error {
    object_store::Error::Generic {
        store: "faults",
        source: what.into(),
    }
}

impl fmt::Display for Objects {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Objects")
    }
}

#[async_trait]
impl ObjectStore for Objects {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let (number, fault) = self.begin(&format!("put {location}")).await;
        let mode = options.mode.clone();
        let entry = location.as_ref().starts_with("spool/").then(|| {
            let bytes: Vec<u8> = payload.iter().flat_map(|part| part.to_vec()).collect();
            String::from_utf8_lossy(&bytes).into_owned()
        });
        let outcome = match fault {
            None => self.inner.put_opts(location, payload, options).await,
            Some(Fault::Refused) => Err(unavailable("503")),
            Some(Fault::Silence) => {
                tokio::time::sleep(Duration::from_secs(3600)).await;
                Err(unavailable("silence"))
            }
            Some(Fault::AnswerLost) => {
                if let Some(entry) = &entry {
                    self.unknown.lock().insert(location.clone(), entry.clone());
                }
                let written = self.inner.put_opts(location, payload, options).await;
                written.and_then(|_| Err(unavailable("answer lost")))
            }
            Some(Fault::MetItself) => {
                let written = self.inner.put_opts(location, payload, options).await;
                written.and_then(|written| match mode {
                    PutMode::Overwrite => Ok(written),
                    PutMode::Create => Err(object_store::Error::AlreadyExists {
                        path: location.to_string(),
                        source: "met itself".into(),
                    }),
                    PutMode::Update(_) => Err(object_store::Error::Precondition {
                        path: location.to_string(),
                        source: "met itself".into(),
                    }),
                })
            }
        };
        if let (Some(entry), Ok(_)) = (&entry, &outcome) {
            let marks = marks_in(entry);
            self.io
                .world
                .trace(|| format!("process {}: {location} holds {marks:?}", self.io.process));
        }
        let in_doubt = InDoubt {
            objects: self,
            entry: entry.filter(|_| matches!(fault, None | Some(Fault::AnswerLost | Fault::MetItself))),
        };
        self.io.crash_points.after(number).await;
        in_doubt.resolve();
        outcome
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        panic!("the state has no use for this")
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.call(Some(location), self.inner.get_opts(location, options)).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let objects = self.clone();
        locations
            .then(move |location| {
                let objects = objects.clone();
                async move {
                    let location = location?;
                    let inner = objects.inner.clone();
                    let in_doubt = InDoubt {
                        objects: &objects,
                        entry: objects.entry_at(&location).await,
                    };
                    let gone = async {
                        let one = stream::once(std::future::ready(Ok(location.clone()))).boxed();
                        inner.delete_stream(one).try_collect::<Vec<_>>().await
                    };
                    objects.call(Some(&location), gone).await?;
                    in_doubt.resolve();
                    let world = &objects.io.world;
                    world.trace(|| format!("process {}: {location} is removed", objects.io.process));
                    Ok(location)
                }
            })
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (objects, prefix) = (self.clone(), prefix.cloned());
        let listing = async move {
            let inner = objects.inner.clone();
            let found = inner.list(prefix.as_ref()).try_collect::<Vec<_>>();
            objects.call(None, found).await
        };
        stream::once(listing)
            .map_ok(|found| stream::iter(found.into_iter().map(Ok)))
            .try_flatten()
            .boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        panic!("the state has no use for this")
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        panic!("the state has no use for this")
    }
}
