//! What could not become a row, kept whole with the reason.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::document::{Document, damaged};
use super::key::Key;
use super::store::{Expected, Store, StoreError, Version};
use crate::event::{Identity, StreamName};
use crate::json::compact_into;
use crate::time::rfc3339_millis;

/// What is set aside: an event, a whole body, or a row that the destination refused.
#[derive(Clone, Debug)]
pub struct DeadLetter {
    /// Why, for people.
    pub reason: String,
    /// What came, as text; of a refused row the row.
    pub content: String,
    /// Of a row that the destination refused.
    pub refused: Option<RefusedBy>,
}

/// Which table refused a row.
#[derive(Clone, Debug)]
pub struct RefusedBy {
    pub table: String,
    /// The service's number of the call.
    pub request_id: Option<String>,
}

impl DeadLetter {
    /// Of something that could not become a row.
    pub fn of_event(reason: String, content: String) -> Self {
        Self {
            reason,
            content,
            refused: None,
        }
    }
}

/// Writes dead letters as files of JSON lines under `dead-letters/<source>/<instance>/<stream>/`.
#[derive(Clone, Debug)]
pub struct DeadLetters {
    store: Arc<dyn Store>,
}

/// A line of such a file.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Letter {
    version: u32,
    /// When it was set aside.
    pub at: String,
    /// The stream it came from.
    pub source: String,
    pub instance: String,
    pub stream: String,
    /// Why it was set aside.
    pub reason: String,
    /// The table that refused the row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// The service's number of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The row that was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<Box<RawValue>>,
    /// The event itself where it is JSON, else its text as a JSON string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Box<RawValue>>,
}

impl Document for Letter {
    const VERSION: u32 = 1;
}

/// Where a file of letters lies, and as what it was read or written.
#[derive(Debug)]
pub struct LetterPlace {
    key: Key,
    version: Version,
}

impl LetterPlace {
    /// A letter of the file cannot be written as JSON.
    pub fn damaged(&self, error: &serde_json::Error) -> StoreError {
        damaged(&self.key, error)
    }
}

impl Letter {
    /// For one of the tables that an event goes to, where the others have it.
    pub fn of_row(&self, table: &str, row: &[u8]) -> Result<Self, serde_json::Error> {
        Ok(Self {
            table: Some(table.to_owned()),
            row: Some(raw(&String::from_utf8_lossy(row))?),
            event: None,
            ..self.clone()
        })
    }
}

/// A file of letters, as it lies in the store.
#[derive(Debug)]
pub struct LetterFile {
    /// Where it lies.
    pub place: LetterPlace,
    /// In the order in which they were set aside.
    pub letters: Vec<Letter>,
}

impl DeadLetters {
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
        let contents = letters.iter().flat_map(|letter| {
            let table = letter.refused.as_ref().map_or("", |by| by.table.as_str());
            [table, letter.content.as_str()]
        });
        let contents: Vec<&str> = contents.collect();
        let name = format!("{}.ndjson", Identity::of_parts(&contents).hex());
        let key = Key::new(["dead-letters", stream.source, &stream.instance, stream.stream, &name]);
        let mut lines = Vec::new();
        for letter in letters {
            let content = raw(&letter.content).map_err(|error| damaged(&key, &error))?;
            let (row, event) = match letter.refused {
                Some(_) => (Some(content), None),
                None => (None, Some(content)),
            };
            let line = Letter {
                version: Letter::VERSION,
                at: rfc3339_millis(now),
                source: stream.source.to_owned(),
                instance: stream.instance.clone(),
                stream: stream.stream.to_owned(),
                reason: letter.reason.clone(),
                table: letter.refused.as_ref().map(|by| by.table.clone()),
                request_id: letter.refused.as_ref().and_then(|by| by.request_id.clone()),
                row,
                event,
            };
            push_line(&key, &line, &mut lines)?;
        }
        match self.store.write(&key, lines, Expected::Absent).await {
            Ok(_) | Err(StoreError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Where all files lie, in the order of their names.
    pub async fn files(&self) -> Result<Vec<Key>, StoreError> {
        let listed = self.store.list(&Key::new(["dead-letters"])).await?;
        Ok(listed.into_iter().map(|listed| listed.key).collect())
    }

    /// A file, or `None` if it is gone.
    pub async fn read(&self, key: &Key) -> Result<Option<LetterFile>, StoreError> {
        let Some(stored) = self.store.read(key).await? else {
            return Ok(None);
        };
        let lines = stored.bytes.split(|byte| *byte == b'\n');
        let letters = lines
            .filter(|line| !line.is_empty())
            .map(|line| Letter::read(key, line));
        Ok(Some(LetterFile {
            letters: letters.collect::<Result<_, _>>()?,
            place: LetterPlace {
                key: key.clone(),
                version: stored.version,
            },
        }))
    }

    /// Writes the letters that are left of a file; without letters it goes.
    pub async fn leave<'l>(
        &self,
        place: &mut LetterPlace,
        letters: impl Iterator<Item = &'l Letter>,
    ) -> Result<(), StoreError> {
        let mut lines = Vec::new();
        for letter in letters {
            push_line(&place.key, letter, &mut lines)?;
        }
        if lines.is_empty() {
            return self.store.remove(&place.key).await;
        }
        let expected = Expected::Version(place.version.clone());
        place.version = self.store.write(&place.key, lines, expected).await?;
        Ok(())
    }
}

fn push_line(key: &Key, letter: &Letter, lines: &mut Vec<u8>) -> Result<(), StoreError> {
    lines.append(&mut letter.encode(key)?);
    lines.push(b'\n');
    Ok(())
}

/// Compact JSON, or the text as a JSON string.
fn raw(content: &str) -> Result<Box<RawValue>, serde_json::Error> {
    if serde_json::from_str::<&RawValue>(content).is_err() {
        return serde_json::value::to_raw_value(content);
    }
    let mut compact = Vec::with_capacity(content.len());
    compact_into(content, &mut compact);
    RawValue::from_string(String::from_utf8(compact).unwrap_or_default())
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
        let mut set_aside: Vec<DeadLetter> = ["[1,\n 2.0]", "{\"broken\n"]
            .map(|content| DeadLetter::of_event("not an object".to_owned(), content.to_owned()))
            .into();
        set_aside.push(DeadLetter {
            refused: Some(RefusedBy {
                table: "T_CL".to_owned(),
                request_id: Some("r-1".to_owned()),
            }),
            ..DeadLetter::of_event("refused".to_owned(), "{\"Id\":7}".to_owned())
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
        assert_eq!(lines[2]["row"], serde_json::json!({"Id": 7}));
        assert_eq!(
            (&lines[2]["table"], &lines[2]["request_id"]),
            (&"T_CL".into(), &"r-1".into())
        );

        let mut file = letters.read(&letters.files().await.unwrap()[0]).await.unwrap().unwrap();
        letters.leave(&mut file.place, file.letters[..2].iter()).await.unwrap();
        let mut file = letters.read(&files[0].key).await.unwrap().unwrap();
        assert_eq!(file.letters.len(), 2);
        letters.leave(&mut file.place, file.letters[1..].iter()).await.unwrap();
        letters.leave(&mut file.place, [].iter()).await.unwrap();
        assert_eq!(letters.files().await.unwrap(), []);
    }
}
