//! State as JSON with a version: an unknown version is refused, never overwritten.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::key::Key;
use super::store::{Store, StoreError, Version};

/// A file, or a line of one, with a member `version`.
pub trait Document: DeserializeOwned + Serialize {
    /// The version that this executable reads and writes.
    const VERSION: u32;

    /// The version is looked at first: a later one may have other members.
    ///
    /// # Errors
    /// For another version, and for what is no such document.
    fn read(key: &Key, bytes: &[u8]) -> Result<Self, StoreError> {
        let VersionOnly { version } = serde_json::from_slice(bytes).map_err(|error| damaged(key, &error))?;
        if version.is_null() {
            return Err(damaged(key, &"it has no version"));
        }
        if version != Self::VERSION {
            return Err(StoreError::UnknownVersion {
                key: key.to_string(),
                found: version.to_string(),
                known: Self::VERSION,
            });
        }
        serde_json::from_slice(bytes).map_err(|error| damaged(key, &error))
    }

    /// In one line, without its end.
    ///
    /// # Errors
    /// Where it has no form in JSON.
    fn encode(&self, key: &Key) -> Result<Vec<u8>, StoreError> {
        serde_json::to_vec(self).map_err(|error| damaged(key, &error))
    }

    /// For people too: indented, and with the end of its last line.
    ///
    /// # Errors
    /// Where it has no form in JSON.
    fn encode_pretty(&self, key: &Key) -> Result<Vec<u8>, StoreError> {
        let mut bytes = serde_json::to_vec_pretty(self).map_err(|error| damaged(key, &error))?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

/// What is stored under `key`, and as what it was read; `None` if nothing is.
pub async fn read_document<T: Document>(store: &dyn Store, key: &Key) -> Result<Option<(T, Version)>, StoreError> {
    match store.read(key).await? {
        Some(stored) => Ok(Some((T::read(key, &stored.bytes)?, stored.version))),
        None => Ok(None),
    }
}

#[derive(Deserialize)]
struct VersionOnly {
    #[serde(default)]
    version: serde_json::Value,
}

/// A file that cannot be read as state, or be written as such.
pub fn damaged(key: &Key, reason: &dyn fmt::Display) -> StoreError {
    StoreError::Damaged {
        key: key.to_string(),
        reason: reason.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq, Serialize)]
    struct Example {
        version: u32,
        text: String,
    }

    impl Document for Example {
        const VERSION: u32 = 1;
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again_and_no_other_version_is(text: String, version in 0..4_u32) {
            let (key, example) = (Key::new(["example.json"]), Example { version, text });
            for bytes in [example.encode(&key).unwrap(), example.encode_pretty(&key).unwrap()] {
                match Example::read(&key, &bytes) {
                    Ok(read) => prop_assert_eq!((version, &read), (1, &example)),
                    Err(StoreError::UnknownVersion { found, .. }) => {
                        prop_assert!(version != 1 && found == version.to_string());
                    }
                    Err(error) => return Err(TestCaseError::fail(error.to_string())),
                }
            }
        }
    }

    #[test]
    fn a_later_version_may_have_other_members_and_what_has_no_version_is_damaged() {
        let read = |text: &str| Example::read(&Key::new(["example.json"]), text.as_bytes()).unwrap_err();
        assert!(matches!(
            read(r#"{"version":2,"lines":[]}"#),
            StoreError::UnknownVersion { .. }
        ));
        for damaged in [r#"{"version":1}"#, r#"{"text":""}"#, "[]", ""] {
            assert!(matches!(read(damaged), StoreError::Damaged { .. }), "{damaged}");
        }
    }
}
