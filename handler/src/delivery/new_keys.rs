//! Keys that no definition knows, as this process meets them where events become rows. They are saved with the state, so
//! that a vendor's change is said once.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;

use crate::state::{MOST_NEW_KEYS, NewKey, NewKeysOfTable, SavedNewKeys, Store, StoreError, add_new_keys};
use crate::tables::Table;

/// Where no key is new, counts are saved this often.
const SAVE_COUNTS_EVERY: TimeDelta = TimeDelta::minutes(10);
/// A longer path is cut.
const LONGEST_PATH: usize = 200;
/// Whoever saves waits no longer.
const LONGEST: Duration = Duration::from_secs(5);

/// Of all tables, in this process.
#[derive(Debug, Default)]
pub struct NewKeys {
    tables: Mutex<BTreeMap<Arc<str>, MetKeys>>,
    /// Held during a save: two at once would count twice.
    saving: tokio::sync::Mutex<()>,
}

#[derive(Clone, Debug, Default)]
struct MetKeys {
    /// Since the last save.
    unsaved: NewKeysOfTable,
    /// What the state has. Empty before the first save.
    saved: BTreeSet<String>,
    saved_at: Option<DateTime<Utc>>,
    /// True if the values of these keys are delivered, in the column for what no other one takes.
    are_delivered: bool,
}

impl NewKeys {
    /// Notes the unknown keys of an event that came `at` that time.
    pub fn note(&self, table: &Table, keys: &[String], at: DateTime<Utc>) {
        if keys.is_empty() {
            return;
        }
        let mut tables = self.tables.lock();
        let met = tables.entry(table.name()).or_default();
        met.are_delivered = table.has_additional_fields();
        for key in keys {
            met.note(&printable(key), at);
        }
    }

    /// Saves what is due, and logs every key that the state did not have. What cannot be saved is logged, and saved the
    /// next time.
    pub async fn save(&self, store: &dyn Store, now: DateTime<Utc>) {
        let saved = tokio::time::timeout(LONGEST, self.save_due(store, now));
        match saved.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => log::warn!("new fields are not remembered: {error}"),
            Err(_) => log::warn!("new fields are not remembered: the state store did not answer in time"),
        }
    }

    async fn save_due(&self, store: &dyn Store, now: DateTime<Utc>) -> Result<(), StoreError> {
        let _one_at_a_time = self.saving.lock().await;
        let due: Vec<(Arc<str>, MetKeys)> = {
            let tables = self.tables.lock();
            let due = tables.iter().filter(|(_, met)| met.is_due(now));
            due.map(|(table, met)| (table.clone(), met.clone())).collect()
        };
        for (table, met) in due {
            let saved = add_new_keys(store, &table, &met.unsaved).await?;
            for key in &saved.added {
                log_new_field(&table, key, met.are_delivered);
            }
            if let Some(present) = self.tables.lock().get_mut(&table) {
                present.note_saved(&met.unsaved, saved, now);
            }
        }
        Ok(())
    }
}

impl MetKeys {
    fn note(&mut self, key: &str, at: DateTime<Utc>) {
        let seen = NewKey::seen_at(at);
        if let Some(known) = self.unsaved.get_mut(key) {
            known.add(&seen);
        } else if self.has_room_for(key) {
            self.unsaved.insert(key.to_owned(), seen);
        }
    }

    /// A key that finds no room in the state is not looked at again until counts are due.
    fn has_room_for(&self, key: &str) -> bool {
        let is_full = self.saved.len() >= MOST_NEW_KEYS && !self.saved.contains(key);
        !is_full && self.unsaved.len() < MOST_NEW_KEYS
    }

    fn is_due(&self, now: DateTime<Utc>) -> bool {
        let is_late = self.saved_at.is_none_or(|at| now - at >= SAVE_COUNTS_EVERY || at > now);
        let has_news = self.unsaved.keys().any(|key| !self.saved.contains(key));
        has_news || (is_late && !self.unsaved.is_empty())
    }

    /// Events go on coming while this is saved.
    fn note_saved(&mut self, written: &NewKeysOfTable, saved: SavedNewKeys, now: DateTime<Utc>) {
        for (key, counted) in written {
            if let Some(unsaved) = self.unsaved.get_mut(key) {
                unsaved.count = unsaved.count.saturating_sub(counted.count);
            }
        }
        self.unsaved.retain(|_, seen| seen.count > 0);
        self.saved = saved.keys.into_keys().collect();
        self.saved_at = Some(now);
    }
}

fn log_new_field(table: &str, key: &str, is_delivered: bool) {
    let values = match is_delivered {
        true => "its values go into AdditionalFields",
        false => "its values are left out, because ADDITIONAL_FIELDS of the source is false",
    };
    log::warn!(table = table, field = key;
        "new field: {key} in {table}, which this version has no column for; {values}");
}

/// Short, and in one line: a vendor chooses the key.
fn printable(key: &str) -> Cow<'_, str> {
    let key = &key[..key.floor_char_boundary(LONGEST_PATH)];
    match key.contains(char::is_control) {
        true => Cow::Owned(key.replace(char::is_control, "?")),
        false => Cow::Borrowed(key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{BlobStore, new_keys_of};
    use crate::tables::table;
    use crate::time::VirtualClock;

    const TABLE: &str = "PingOne_AuditActivitiesV2_CL";

    struct World {
        store: BlobStore,
        keys: NewKeys,
        now: DateTime<Utc>,
    }

    impl World {
        fn new() -> Self {
            let clock = Arc::new(VirtualClock::at("2026-11-25T12:00:00Z"));
            Self {
                store: BlobStore::new(Arc::new(object_store::memory::InMemory::new()), "memory", clock, None),
                keys: NewKeys::default(),
                now: "2026-11-25T12:00:00Z".parse().unwrap(),
            }
        }

        fn note(&self, keys: &[&str]) {
            let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
            self.keys.note(&table(TABLE).unwrap(), &keys, self.now);
        }

        /// The counts that the state has after a save so many minutes later.
        async fn saved(&mut self, minutes: i64) -> Vec<u64> {
            self.now += TimeDelta::minutes(minutes);
            self.keys.save(&self.store, self.now).await;
            let keys = new_keys_of(&self.store, TABLE, self.now).await.unwrap();
            keys.into_values().map(|key| key.count).collect()
        }
    }

    #[tokio::test]
    async fn a_key_is_saved_at_once_and_its_count_now_and_then() {
        let mut world = World::new();
        assert_eq!(world.saved(0).await, [0; 0]);
        world.note(&["a"]);
        world.note(&["a"]);
        assert_eq!(world.saved(0).await, [2]);
        world.note(&["a"]);
        assert_eq!(world.saved(1).await, [2]);
        assert_eq!(world.saved(10).await, [3]);
        assert_eq!(world.saved(10).await, [3]);
        world.note(&["a", "b"]);
        assert_eq!(world.saved(1).await, [4, 1]);
    }

    #[tokio::test]
    async fn a_key_writes_no_line_of_its_own_into_the_log() {
        let mut world = World::new();
        world.note(&["a\nERROR forged"]);
        world.saved(0).await;
        let tables = world.keys.tables.lock();
        assert!(tables[TABLE].saved.contains("a?ERROR forged"));
    }

    #[tokio::test]
    async fn memory_is_bounded_and_a_long_path_is_cut() {
        let mut world = World::new();
        let many: Vec<String> = (0..250).map(|number| format!("k{number}{}", "é".repeat(400))).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for _ in 0..3 {
            world.note(&many);
            assert_eq!(world.saved(1).await.len(), MOST_NEW_KEYS);
        }
        let tables = world.keys.tables.lock();
        let met = &tables[TABLE];
        assert!(met.unsaved.len() <= MOST_NEW_KEYS && met.saved.iter().all(|key| key.len() <= LONGEST_PATH));
    }
}
