//! Where tables stood before the first slice of which rows are held, see `TableWriter::is_in_doubt`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::state::{Checkpoints, TablePosition};

/// See the module.
#[derive(Default)]
pub struct HeldPositions(BTreeMap<Arc<str>, TablePosition>);

impl HeldPositions {
    /// True if every position is certain: one that may have to go back is not saved.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Rows of the table are held. The first slice of them counts.
    pub fn hold(&mut self, table: Arc<str>, position: &TablePosition) {
        self.0.entry(table).or_insert_with(|| position.clone());
    }

    /// Nothing of the table is held.
    pub fn release(&mut self, table: &str) {
        self.0.remove(table);
    }

    /// The tables go back to where they stood; what was learned of the lengths of slices stays.
    pub fn go_back(&mut self, checkpoints: &mut Checkpoints) {
        for (table, before) in std::mem::take(&mut self.0) {
            if let Some(position) = checkpoints.current.tables.get_mut(&*table) {
                let (slice_ms, narrow) = (position.slice_ms, std::mem::take(&mut position.narrow));
                *position = TablePosition {
                    slice_ms,
                    narrow,
                    ..before
                };
            }
        }
    }
}
