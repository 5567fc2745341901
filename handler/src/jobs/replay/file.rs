//! The dead letters of one file, sent again in batches. After every batch what is left of the file is written, so that
//! a kill repeats that batch and none before it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::content::ReplayContent;
use crate::delivery::{BatchSender, EventRow, RowBatch, RowBatcher, Settlement, TableRoute};
use crate::destination::StreamFit;
use crate::state::{DeadLetters, Letter, LetterFile, LetterPlace, StoreError};
use crate::time::{Deadline, Shutdown};

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

/// What the files of one replay have in common.
pub struct ReplayRun<'a> {
    /// Where the files lie.
    pub dead_letters: &'a DeadLetters,
    /// The end of the run.
    pub deadline: Deadline,
    /// Triggered when the process is to end.
    pub shutdown: &'a Shutdown,
    /// True once it was shown that what is left of a file can be written.
    pub is_writable: bool,
    /// Tables that failed, and why.
    pub failing: BTreeMap<Arc<str>, String>,
    /// What came of the files so far.
    pub replayed: Replayed,
}

impl ReplayRun<'_> {
    /// Counts the letters of a file and their rows, once it was gone through.
    pub fn count(&mut self, file: FileReplay) {
        let replayed = &mut self.replayed;
        replayed.unusable += file.unusable;
        replayed.unknown += file.unknown;
        for unit in file.units.iter().filter(|unit| unit.is_accepted) {
            let of_stream = replayed
                .rows
                .entry(file.entries[unit.entry].stream.clone())
                .or_default();
            *of_stream.entry(unit.target.table.name().to_string()).or_default() += 1;
        }
        for entry in file.entries {
            if entry.remaining.is_empty() {
                replayed.sent += 1;
            } else if let Some(error) = entry.error {
                let before = replayed.failed.take().map_or(0, |(count, _)| count);
                replayed.failed = Some((before + 1, error));
            } else if entry.is_refused {
                replayed.refused += 1;
            }
        }
    }

    /// True if nothing more is begun.
    pub fn is_over(&self) -> bool {
        self.shutdown.is_requested() || self.deadline.has_passed()
    }
}

/// A file on its way.
pub struct FileReplay {
    place: LetterPlace,
    entries: Vec<LetterEntry>,
    units: Vec<LetterRow>,
    /// Letters that cannot be sent and stay, as in [`Replayed`].
    unusable: usize,
    unknown: usize,
}

/// A letter, and what stands in its place.
struct LetterEntry {
    /// Itself, or one for each table that has not taken its row; none once all have.
    remaining: Vec<Letter>,
    /// The numbers of its rows.
    units: Vec<usize>,
    /// Where it came from.
    stream: String,
    is_refused: bool,
    /// Why it was not sent.
    error: Option<String>,
}

/// A row of a letter.
struct LetterRow {
    entry: usize,
    target: TableRoute,
    row: EventRow,
    is_accepted: bool,
}

impl FileReplay {
    /// What each letter of the file is worth is told by `content_of`.
    pub fn new(file: LetterFile, content_of: impl Fn(&Letter) -> ReplayContent) -> Self {
        let mut replay = Self {
            place: file.place,
            entries: Vec::with_capacity(file.letters.len()),
            units: Vec::new(),
            unusable: 0,
            unknown: 0,
        };
        for letter in file.letters {
            let first = replay.units.len();
            match content_of(&letter) {
                ReplayContent::Rows(rows) => replay.units.extend(rows.into_iter().map(|(target, row)| LetterRow {
                    entry: replay.entries.len(),
                    target,
                    row,
                    is_accepted: false,
                })),
                ReplayContent::Unusable => replay.unusable += 1,
                ReplayContent::Unknown => replay.unknown += 1,
            }
            replay.entries.push(LetterEntry {
                stream: format!("{}/{}/{}", letter.source, letter.instance, letter.stream),
                remaining: vec![letter],
                units: (first..replay.units.len()).collect(),
                is_refused: false,
                error: None,
            });
        }
        replay
    }

    /// Sends table after table. A table that fails is left out of the files that follow as well.
    pub async fn run(&mut self, run: &mut ReplayRun<'_>) -> Result<(), StoreError> {
        let mut waiting: Vec<usize> = (0..self.units.len()).collect();
        waiting.sort_by_key(|unit| self.units[*unit].target.table.name());
        let mut waiting = waiting.as_slice();
        while let Some((target, rows)) = self.next_batch(waiting) {
            waiting = waiting.get(rows.events.len()..).unwrap_or_default();
            if run.is_over() {
                break;
            }
            if let Some(error) = run.failing.get(&target.table.name()) {
                self.note_error(&rows.events, error);
                continue;
            }
            if !run.is_writable {
                // What is sent and cannot be taken out would be sent again.
                self.leave(run.dead_letters).await?;
                run.is_writable = true;
            }
            self.send(&target, &rows, run).await?;
        }
        Ok(())
    }

    async fn send(
        &mut self,
        target: &TableRoute,
        rows: &RowBatch<usize>,
        run: &mut ReplayRun<'_>,
    ) -> Result<(), StoreError> {
        let sender = BatchSender {
            route: target,
            deadline: run.deadline,
            shutdown: run.shutdown,
        };
        // What is refused stays where it is, whoever is at fault. The send lock is held until the file is written.
        let sent = sender.send_knowing(StreamFit::Proven, &rows.batch).await;
        let settlement = Settlement::of(rows, &sent.delivery);
        for unit in rows.events_of(&settlement.accepted) {
            self.units[*unit].is_accepted = true;
        }
        for unit in rows.events_of(&settlement.refused) {
            let entry = self.units[*unit].entry;
            self.entries[entry].is_refused = true;
        }
        if let Some(error) = &settlement.error {
            let error = error.to_string();
            let open: Vec<usize> = rows.events_of(&settlement.open).copied().collect();
            self.note_error(&open, &error);
            run.failing.insert(target.table.name(), error);
        }
        if settlement.accepted.is_empty() {
            return Ok(());
        }
        self.settle(&rows.events)?;
        self.leave(run.dead_letters).await
    }

    /// As many of the first rows that wait as go into one call.
    fn next_batch(&self, waiting: &[usize]) -> Option<(TableRoute, RowBatch<usize>)> {
        let target = &self.units[*waiting.first()?].target;
        let mut batcher = RowBatcher::new(target);
        for number in waiting {
            let unit = &self.units[*number];
            if unit.target.table.name() != target.table.name() || !batcher.has_room_for(&unit.row) {
                break;
            }
            batcher.add(&unit.row, *number, unit.row.time);
        }
        Some((target.clone(), batcher.take()?))
    }

    fn note_error(&mut self, units: &[usize], error: &str) {
        for unit in units {
            let entry = self.units[*unit].entry;
            self.entries[entry].error = Some(error.to_owned());
        }
    }

    /// A letter goes when all its rows are accepted. Of one for several tables a row is left for each that has not
    /// taken it.
    fn settle(&mut self, sent: &[usize]) -> Result<(), StoreError> {
        for number in sent {
            let LetterRow { entry, is_accepted, .. } = self.units[*number];
            if !is_accepted {
                continue;
            }
            let Some(letter) = self.entries[entry].remaining.first() else {
                continue;
            };
            let units = self.entries[entry].units.iter().map(|unit| &self.units[*unit]);
            let left = units.filter(|unit| !unit.is_accepted);
            let rows: Result<Vec<Letter>, _> = left
                .map(|unit| letter.of_row(&unit.target.table.name(), &unit.row.bytes))
                .collect();
            self.entries[entry].remaining = rows.map_err(|error| self.place.damaged(&error))?;
        }
        Ok(())
    }

    async fn leave(&mut self, dead_letters: &DeadLetters) -> Result<(), StoreError> {
        let left = self.entries.iter().flat_map(|entry| &entry.remaining);
        dead_letters.leave(&mut self.place, left).await
    }
}
