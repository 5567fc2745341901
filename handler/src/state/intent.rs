//! The note that a reply is being taken from a vendor that forgets what it gave.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::document::{Document, read_document};
use super::key::Key;
use super::store::{Expected, Store, StoreError};
use crate::event::StreamName;

/// One stream's note. It is there from before a request until its reply is safe: found by a later run, it means that
/// a reply may be lost.
#[derive(Clone, Debug)]
pub struct Intent {
    store: Arc<dyn Store>,
    key: Key,
}

#[derive(Deserialize, Serialize)]
struct Note {
    version: u32,
    at: DateTime<Utc>,
}

impl Document for Note {
    const VERSION: u32 = 1;
}

impl Intent {
    pub fn new(store: Arc<dyn Store>, stream: &StreamName) -> Self {
        let key = Key::new([
            "intents",
            stream.source,
            &stream.instance,
            &format!("{}.json", stream.stream),
        ]);
        Self { store, key }
    }

    /// Says that a reply is about to be taken.
    pub async fn declare(&self, at: DateTime<Utc>) -> Result<(), StoreError> {
        let version = Note::VERSION;
        let note = Note { version, at }.encode(&self.key)?;
        self.store.write(&self.key, note, Expected::Anything).await.map(|_| ())
    }

    /// The reply is safe, or there was none.
    pub async fn clear(&self) -> Result<(), StoreError> {
        self.store.remove(&self.key).await
    }

    /// When a reply was about to be taken whose end nobody saw.
    pub async fn unfinished(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let note = read_document::<Note>(&*self.store, &self.key).await?;
        Ok(note.map(|(note, _)| note.at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::LocalStore;
    use crate::time::SystemClock;

    fn stream() -> StreamName {
        StreamName {
            source: "pingone-enterprise",
            instance: "default".to_owned(),
            stream: "events",
        }
    }

    #[tokio::test]
    async fn an_intent_is_found_until_it_is_cleared() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(LocalStore::open(folder.path().to_owned(), Arc::new(SystemClock)).unwrap());
        let intent = Intent::new(store, &stream());
        let at = "2026-11-20T12:00:00Z".parse().unwrap();
        assert_eq!(intent.unfinished().await.unwrap(), None);
        intent.declare(at).await.unwrap();
        assert_eq!(intent.unfinished().await.unwrap(), Some(at));
        intent.clear().await.unwrap();
        assert_eq!(intent.unfinished().await.unwrap(), None);
    }

    #[tokio::test]
    async fn an_unknown_version_is_refused_whatever_stands_beside_it_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(LocalStore::open(folder.path().to_owned(), Arc::new(SystemClock)).unwrap());
        let intent = Intent::new(store, &stream());
        let file = folder.path().join("intents/pingone-enterprise/default/events.json");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        for text in [
            r#"{"version":2,"at":"2026-11-20T12:00:00Z"}"#,
            r#"{"version":2,"since":7}"#,
        ] {
            std::fs::write(&file, text).unwrap();
            let error = intent.unfinished().await.unwrap_err();
            assert!(
                matches!(&error, StoreError::UnknownVersion { found, known: 1, .. } if found == "2"),
                "{error}"
            );
            assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
        }
    }
}
