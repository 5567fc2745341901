//! The published activities in their order, read in pages by key.

use std::collections::BTreeMap;
use std::ops::Bound;

use chrono::{DateTime, Utc};

use super::filter::Window;
use crate::generate::pingone::Activity;

/// The place of an event: time, then id, then order of publication.
pub(super) type Position = (DateTime<Utc>, String, u64);

/// All events of the environment.
#[derive(Debug, Default)]
pub(super) struct PublishedActivities {
    by_position: BTreeMap<Position, StoredActivity>,
    added: u64,
}

#[derive(Debug)]
struct StoredActivity {
    activity: Activity,
    /// An element that a test published as it is.
    raw: bool,
}

/// One page.
#[derive(Debug)]
pub(super) struct ActivityPage {
    /// The events as JSON text.
    pub(super) events: Vec<String>,
    /// Where the next page goes on; `None` on the last one.
    pub(super) next_after: Option<Position>,
}

/// What a page is cut from.
#[derive(Clone, Debug)]
pub(super) struct ActivitySelection {
    pub(super) window: Window,
    pub(super) limit: usize,
    /// The last event of the page before.
    pub(super) after: Option<Position>,
}

impl PublishedActivities {
    pub(super) fn add(&mut self, activity: Activity) {
        self.insert(activity, false);
    }

    pub(super) fn add_raw(&mut self, recorded_at: DateTime<Utc>, json: String) {
        let activity = Activity {
            id: String::new(),
            action_type: String::new(),
            recorded_at,
            created_at: recorded_at,
            json,
        };
        self.insert(activity, true);
    }

    fn insert(&mut self, activity: Activity, raw: bool) {
        self.added += 1;
        let position = (activity.recorded_at, activity.id.clone(), self.added);
        self.by_position.insert(position, StoredActivity { activity, raw });
    }

    /// The activities without the raw elements, oldest first.
    pub(super) fn activities(&self) -> Vec<Activity> {
        self.by_position
            .values()
            .filter(|stored| !stored.raw)
            .map(|stored| stored.activity.clone())
            .collect()
    }

    /// The JSON text of the event at that place.
    pub(super) fn at(&self, position: &Position) -> Option<String> {
        let stored = self.by_position.get(position)?;
        Some(stored.activity.json.clone())
    }

    /// The next page of a selection. The place of the last event is the key of the next page, so events that
    /// are published meanwhile shift nothing.
    pub(super) fn page(
        &self,
        selection: &ActivitySelection,
        newest_first: bool,
        oldest_readable: Option<DateTime<Utc>>,
    ) -> ActivityPage {
        let readable = |stored: &StoredActivity| {
            let activity = &stored.activity;
            selection.window.contains(activity.recorded_at, activity.created_at)
                && oldest_readable.is_none_or(|oldest| activity.recorded_at >= oldest)
        };
        let all = self.by_position.iter();
        let rest: Box<dyn Iterator<Item = (&Position, &StoredActivity)>> = match (&selection.after, newest_first) {
            (None, true) => Box::new(all.rev()),
            (None, false) => Box::new(all),
            (Some(after), true) => Box::new(self.by_position.range(..after).rev()),
            (Some(after), false) => Box::new(self.by_position.range((Bound::Excluded(after), Bound::Unbounded))),
        };
        let mut matching = rest.filter(|(_, stored)| readable(stored));
        let taken: Vec<(&Position, &StoredActivity)> = matching.by_ref().take(selection.limit).collect();
        let more = matching.next().is_some();
        ActivityPage {
            events: taken.iter().map(|(_, stored)| stored.activity.json.clone()).collect(),
            next_after: taken.last().filter(|_| more).map(|(position, _)| (*position).clone()),
        }
    }
}
