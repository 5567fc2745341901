//! One version of an object of a console.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::common::{cut, microseconds, parsed};
use crate::sentinelone::Stream;

/// One version of an object; activities have no other.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Object {
    /// Where it is shown.
    pub stream: Stream,
    /// Decimal text over 2^53 that carries its time, a uuid for unified alerts.
    pub id: String,
    /// `createdAt` of the object or of its part with the times, whole microseconds; for groups too, which cannot be
    /// filtered by it.
    pub created_at: DateTime<Utc>,
    /// `updatedAt` beside it.
    pub updated_at: DateTime<Utc>,
    /// The object as compact JSON text.
    pub json: String,
}

impl Object {
    /// The same object after `change`, which is given the whole of it. Its `updatedAt` at the pointer `part` is `at`.
    pub(super) fn changed(&self, at: DateTime<Utc>, part: &str, change: impl FnOnce(&mut Value)) -> Object {
        let updated_at = cut(at);
        let mut value = parsed(&self.json);
        change(&mut value);
        if let Some(part) = value.pointer_mut(part) {
            part["updatedAt"] = json!(microseconds(updated_at));
        }
        Object {
            updated_at,
            json: value.to_string(),
            ..self.clone()
        }
    }
}
