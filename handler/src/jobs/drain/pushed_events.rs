//! The events of spool entries, and what they stand for among the events that are read.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;

use crate::delivery::Counterparts;
use crate::jobs::plan::PushedPlan;
use crate::sources::{CounterpartRule, WebhookFormat};
use crate::state::{GuardedSpool, Key, Spool, SpoolEntry, StoreError};

/// Entries that are looked at before what was found is stored.
const LOOKS_AT_ONCE: usize = 500;

/// Notes which events were pushed, where they are known again by something else than their identity.
pub struct PushedCounterparts {
    pub form: Arc<WebhookFormat>,
    pub rule: CounterpartRule,
    pub records: Counterparts,
}

impl PushedCounterparts {
    pub fn note_pushed(&mut self, events: &[&RawValue], at: DateTime<Utc>) {
        for event in events.iter().map(|event| event.get()) {
            let common = (self.rule.key_of)(event);
            self.records.note_pushed(common, self.form.key_of(event).identity, at);
        }
    }

    /// Notes every event that waits, in whichever table's queue. What a read is compared with must be all of it.
    pub async fn note_waiting(&mut self, spool: &GuardedSpool, pushed: &PushedPlan) -> Result<(), StoreError> {
        let mut looks = 0;
        for target in &pushed.targets {
            for key in spool.waiting(&target.table.name()).await? {
                let is_forgotten = Spool::time_of(&key).is_some_and(|at| self.records.is_forgotten(at));
                if is_forgotten || self.records.knows_entry(&key) {
                    continue;
                }
                let entry = match spool.read(&key).await {
                    Ok(Some((entry, _))) => entry,
                    Ok(None) => continue,
                    // Whoever empties the queue says so.
                    Err(error) if is_about_one_entry(&error) => continue,
                    Err(error) => return Err(error),
                };
                let Ok(events) = events_of(&key, &entry) else { continue };
                self.note_pushed(&events, entry.at);
                self.records.note_entry(&key, entry.at);
                looks += 1;
                if looks % LOOKS_AT_ONCE == 0 {
                    self.records.save().await?;
                }
            }
        }
        self.records.save().await
    }
}

pub fn events_of<'e>(key: &Key, entry: &'e SpoolEntry) -> Result<Vec<&'e RawValue>, StoreError> {
    serde_json::from_str(&entry.body).map_err(|error| StoreError::Damaged {
        key: key.to_string(),
        reason: error.to_string(),
    })
}

/// True if only that entry cannot be used; the store itself works.
pub fn is_about_one_entry(error: &StoreError) -> bool {
    matches!(error, StoreError::Damaged { .. } | StoreError::UnknownVersion { .. })
}
