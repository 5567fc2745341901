//! What is particular to each of the API's lists.

use crate::sources::EventKey;

/// A list under `/api/1/`.
#[derive(Debug)]
pub struct ListSpec {
    /// Behind `/api/1/`.
    pub path: &'static str,
    /// What it is, in words, for errors.
    pub asked: &'static str,
    /// False for a list that is always read whole.
    pub has_windows: bool,
    /// Names an object.
    pub key_of: fn(&str) -> EventKey,
}
