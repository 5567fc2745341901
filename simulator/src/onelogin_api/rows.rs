//! The objects of one list, in the order of their ids.

use std::collections::BTreeMap;
use std::ops::Bound;

use chrono::{DateTime, Utc};

/// One object as it is shown.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) created_at: DateTime<Utc>,
    pub(super) event_type_id: Option<u32>,
    pub(super) json: String,
}

/// What is listed, and from where.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct RowSelection {
    /// Exclusive.
    pub(super) since: Option<DateTime<Utc>>,
    /// Exclusive.
    pub(super) until: Option<DateTime<Utc>>,
    pub(super) event_types: Option<Vec<u32>>,
    pub(super) descending: bool,
    /// The id of the last object of the page before.
    pub(super) after: Option<u64>,
}

/// One page.
#[derive(Debug)]
pub(super) struct RowPage {
    pub(super) objects: Vec<String>,
    /// The id that the next page goes on behind; `None` on the last one.
    pub(super) next_after: Option<u64>,
}

/// A list by id.
#[derive(Debug, Default)]
pub(super) struct Rows(BTreeMap<u64, Row>);

impl Rows {
    pub(super) fn show(&mut self, id: u64, row: Row) {
        self.0.insert(id, row);
    }

    pub(super) fn get(&self, id: u64) -> Option<&Row> {
        self.0.get(&id)
    }

    pub(super) fn page(&self, selection: &RowSelection, limit: usize) -> RowPage {
        let behind = selection.after.map_or(Bound::Unbounded, Bound::Excluded);
        let rows: Box<dyn Iterator<Item = (&u64, &Row)>> = if selection.descending {
            Box::new(self.0.range((Bound::Unbounded, behind)).rev())
        } else {
            Box::new(self.0.range((behind, Bound::Unbounded)))
        };
        let mut matching = rows.filter(|(_, row)| selection.holds(row));
        let taken: Vec<(&u64, &Row)> = matching.by_ref().take(limit).collect();
        let more = matching.next().is_some();
        RowPage {
            objects: taken.iter().map(|(_, row)| row.json.clone()).collect(),
            next_after: taken.last().filter(|_| more).map(|(id, _)| **id),
        }
    }
}

impl RowSelection {
    fn holds(&self, row: &Row) -> bool {
        self.since.is_none_or(|since| row.created_at > since)
            && self.until.is_none_or(|until| row.created_at < until)
            && self
                .event_types
                .as_ref()
                .is_none_or(|types| row.event_type_id.is_none_or(|id| types.contains(&id)))
    }
}
