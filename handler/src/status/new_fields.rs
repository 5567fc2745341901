//! Keys of events that no definition knows: a vendor's news.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use crate::jobs::is_about_one_entry;
use crate::state::{Store, StoreError, new_keys_of};

/// So long a field is named in health rows.
const NEWS_FOR: TimeDelta = TimeDelta::hours(24);

/// A key of one table's events, which goes into no column of its own.
#[derive(Clone, Debug, Serialize)]
pub struct NewField {
    pub table: String,
    /// A dotted path; `[]` stands for the elements of a list.
    pub field: String,
    /// Events that had it.
    pub count: u64,
    pub first_seen: DateTime<Utc>,
    /// Up to ten minutes old.
    pub last_seen: DateTime<Utc>,
}

impl NewField {
    /// True within a day of its first event.
    pub fn is_news(&self, now: DateTime<Utc>) -> bool {
        now - self.first_seen < NEWS_FOR
    }
}

/// Of these tables, in the order of their names. A file that cannot be read is left out: every run that adds to it says
/// so.
pub async fn new_fields(
    store: &dyn Store,
    tables: BTreeSet<Arc<str>>,
    now: DateTime<Utc>,
) -> Result<Vec<NewField>, StoreError> {
    let mut fields = Vec::new();
    for table in tables {
        let keys = match new_keys_of(store, &table, now).await {
            Err(error) if is_about_one_entry(&error) => continue,
            keys => keys?,
        };
        fields.extend(keys.into_iter().map(|(field, key)| NewField {
            table: table.to_string(),
            field,
            count: key.count,
            first_seen: key.first_seen,
            last_seen: key.last_seen,
        }));
    }
    Ok(fields)
}
