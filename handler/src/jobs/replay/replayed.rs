//! What came of sending dead letters again.

use std::collections::BTreeMap;

/// How many rows are delivered, by stream (`<source>/<instance>/<stream>`) and table.
pub type ReplayedRows = BTreeMap<String, BTreeMap<String, u64>>;

/// What came of it.
#[derive(Debug, Default)]
pub struct Replayed {
    /// Letters that are delivered and gone.
    pub sent: usize,
    /// Letters that were refused again and stay.
    pub refused: usize,
    /// Letters that hold no row and cannot become one.
    pub unusable: usize,
    /// Letters of sources or tables that are not configured.
    pub unknown: usize,
    /// Letters that could not be sent now, with the last reason.
    pub failed: Option<(usize, String)>,
    /// Rows that are delivered, by stream and table.
    pub rows: ReplayedRows,
}

impl Replayed {
    /// Adds what came of one more file.
    pub fn add(&mut self, file: Self) {
        self.sent += file.sent;
        self.refused += file.refused;
        self.unusable += file.unusable;
        self.unknown += file.unknown;
        if let Some((count, reason)) = file.failed {
            let before = self.failed.take().map_or(0, |(before, _)| before);
            self.failed = Some((before + count, reason));
        }
        for (stream, tables) in file.rows {
            let sum = self.rows.entry(stream).or_default();
            for (table, rows) in tables {
                *sum.entry(table).or_default() += rows;
            }
        }
    }
}
