//! What could not become a row, kept whole with the reason.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::RawValue;

use super::key::Key;
use super::store::{Expected, Store, StoreError};
use crate::event::{Identity, StreamName};
use crate::json::compact_into;
use crate::time::rfc3339_millis;

/// An event, or a whole body, that is set aside.
#[derive(Clone, Debug)]
pub struct DeadLetter {
    /// Why, for people.
    pub reason: String,
    /// What came, as text.
    pub content: String,
}

/// Writes dead letters as files of JSON lines under `dead-letters/<source>/<instance>/<stream>/`.
#[derive(Clone, Debug)]
pub struct DeadLetters {
    store: Arc<dyn Store>,
}

#[derive(Serialize)]
struct Line<'a> {
    version: u32,
    at: String,
    source: &'a str,
    instance: &'a str,
    stream: &'a str,
    reason: &'a str,
    /// The event itself where it is JSON, else its text.
    event: Event<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Event<'a> {
    Json(Box<RawValue>),
    Text(&'a str),
}

impl DeadLetters {
    /// Over the given store.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// Keeps the letters of one page or body in one file. The file is named after the content, so the same letters
    /// set aside again (a sender that repeats itself) make no second file.
    pub async fn keep(
        &self,
        stream: &StreamName,
        letters: &[DeadLetter],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        if letters.is_empty() {
            return Ok(());
        }
        let contents: Vec<&str> = letters.iter().map(|letter| letter.content.as_str()).collect();
        let name = format!("{}.ndjson", Identity::of_parts(&contents).hex());
        let key = Key::new(["dead-letters", stream.source, &stream.instance, stream.stream, &name]);
        let mut lines = Vec::new();
        for letter in letters {
            let line = Line {
                version: 1,
                at: rfc3339_millis(now),
                source: stream.source,
                instance: &stream.instance,
                stream: stream.stream,
                reason: &letter.reason,
                event: event_of(&letter.content),
            };
            serde_json::to_writer(&mut lines, &line).map_err(|error| StoreError::Damaged {
                key: key.to_string(),
                reason: error.to_string(),
            })?;
            lines.push(b'\n');
        }
        match self.store.write(&key, lines, Expected::Absent).await {
            Ok(_) | Err(StoreError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn event_of(content: &str) -> Event<'_> {
    if serde_json::from_str::<&RawValue>(content).is_err() {
        return Event::Text(content);
    }
    let mut compact = Vec::with_capacity(content.len());
    compact_into(content, &mut compact);
    let compact = String::from_utf8(compact).unwrap_or_default();
    RawValue::from_string(compact).map_or(Event::Text(content), Event::Json)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::LocalStore;
    use crate::time::SystemClock;

    #[tokio::test]
    async fn a_dead_letter_holds_the_event_and_the_reason_and_is_kept_once() {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> =
            Arc::new(LocalStore::open(folder.path().to_owned(), Arc::new(SystemClock)).unwrap());
        let letters = DeadLetters::new(store.clone());
        let stream = StreamName {
            source: "onelogin",
            instance: "acme".to_owned(),
            stream: "push",
        };
        let now = "2026-11-20T12:00:00Z".parse().unwrap();
        let set_aside = ["[1,\n 2.0]", "{\"broken\n"].map(|content| DeadLetter {
            reason: "not an object".to_owned(),
            content: content.to_owned(),
        });
        for _ in 0..2 {
            letters.keep(&stream, &set_aside, now).await.unwrap();
        }
        let files = store
            .list(&Key::new(["dead-letters", "onelogin", "acme", "push"]))
            .await
            .unwrap();
        assert_eq!(files.len(), 1);
        let text = String::from_utf8(store.read(&files[0].key).await.unwrap().unwrap().bytes).unwrap();
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines[0]["event"], serde_json::json!([1, 2.0]));
        assert_eq!(lines[1]["event"], "{\"broken\n");
        assert_eq!(lines[1]["reason"], "not an object");
    }
}
