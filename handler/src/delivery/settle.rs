//! Answer -> what became of every row of a batch, and what is counted of that.

use chrono::{DateTime, Utc};

use super::row_batcher::RowBatch;
use crate::destination::{Batch, Delivery, DeliveryError, RefusedRow};
use crate::event::StreamName;
use crate::state::{Counts, DeadLetter, DeadLetters, RefusedBy, StoreError};

/// What became of the rows of a batch. Every row is in exactly one of the three lists, whatever the answer says.
#[derive(Debug, Default)]
pub struct Settlement {
    /// The destination has them.
    pub accepted: Vec<usize>,
    /// The destination never takes them. They are neither counted nor open until [`Self::keep_refused`].
    pub refused: Vec<usize>,
    /// To be sent again.
    pub open: Vec<usize>,
    /// What is to be counted of the rows that are accepted or set aside; `received` is the caller's.
    pub counts: Counts,
    /// Why rows are open.
    pub error: Option<DeliveryError>,
    letters: Vec<DeadLetter>,
    remarks_of_refused: Counts,
}

impl Settlement {
    /// Of a batch and the answer to it.
    pub fn of<T>(batch: &RowBatch<T>, answer: &Delivery) -> Self {
        let rows = batch.batch.rows;
        let mut is_open = vec![true; rows];
        let mut close = |row: usize| is_open.get_mut(row).is_some_and(std::mem::take);
        let accepted: Vec<usize> = answer.accepted.iter().copied().filter(|row| close(*row)).collect();
        let refusals: Vec<&RefusedRow> = answer.refused.iter().filter(|refused| close(refused.row)).collect();
        let refused: Vec<usize> = refusals.iter().map(|refused| refused.row).collect();
        let counts = Counts {
            delivered: accepted.len() as u64,
            perhaps_doubled: answer.unsure as u64,
            ..batch.remarks_of(&accepted)
        };
        Self {
            accepted,
            letters: refusals
                .iter()
                .map(|refused| letter_of(&batch.batch, refused))
                .collect(),
            remarks_of_refused: batch.remarks_of(&refused),
            refused,
            open: (0..rows).filter(|row| is_open[*row]).collect(),
            counts,
            error: answer.error.clone(),
        }
    }

    /// Writes the rows that were refused to the dead letters, and counts them. If they cannot be written they are open:
    /// they are sent again, and refused again.
    pub async fn keep_refused(
        &mut self,
        dead_letters: &DeadLetters,
        stream: &StreamName,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let kept = dead_letters.keep(stream, &self.letters, at).await;
        if kept.is_ok() {
            self.counts.dead_lettered += self.refused.len() as u64;
            self.counts += self.remarks_of_refused;
        } else {
            self.open.append(&mut self.refused);
            self.open.sort_unstable();
        }
        kept
    }
}

fn letter_of(batch: &Batch, refused: &RefusedRow) -> DeadLetter {
    DeadLetter {
        reason: refused.reason.clone(),
        content: String::from_utf8_lossy(batch.row(refused.row)).into_owned(),
        refused: Some(RefusedBy {
            table: batch.table.to_string(),
            request_id: refused.request_id.clone(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::delivery::RowBatcher;
    use crate::delivery::row_batcher::EventRow;
    use crate::delivery::testing::route;
    use crate::state::LocalStore;
    use crate::tables::RowNotes;
    use crate::time::SystemClock;

    const STREAM: StreamName = StreamName {
        source: "pingone",
        instance: String::new(),
        stream: "activities",
    };

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000, 0).unwrap()
    }

    /// Every third row has a value that does not fit.
    fn batch_of(rows: usize) -> RowBatch<usize> {
        let mut batcher = RowBatcher::new(&route());
        for number in 0..rows {
            let row = EventRow {
                bytes: format!("{{\"Id\":\"{number}\"}}").into_bytes(),
                time: now(),
                notes: RowNotes {
                    unfit: u64::from(number % 3 == 0),
                    cut: 0,
                },
            };
            assert!(batcher.add(&row, number, now()).is_none());
        }
        batcher.take().unwrap()
    }

    fn refused(row: usize) -> RefusedRow {
        RefusedRow {
            row,
            reason: format!("refused {row}"),
            request_id: None,
        }
    }

    fn unfit_of(rows: &[usize]) -> u64 {
        rows.iter().filter(|row| **row % 3 == 0).count() as u64
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// What five places of the code did each by itself: the accepted rows are delivered, the refused ones dead
        /// letters if these can be written, and the others, with those, open.
        #[test]
        fn every_row_is_counted_in_the_one_list_in_which_it_is(
            outcomes in proptest::collection::vec(0_u8..3, 1..40), unsure in 0_usize..5, can_write in any::<bool>()
        ) {
            let rows = |outcome: u8| (0..outcomes.len()).filter(|row| outcomes[*row] == outcome).collect::<Vec<_>>();
            let (accepted, refused_rows) = (rows(0), rows(1));
            let answer = Delivery {
                accepted: accepted.clone(),
                refused: refused_rows.iter().copied().map(refused).collect(),
                error: None,
                unsure,
            };
            let batch = batch_of(outcomes.len());
            let mut settlement = Settlement::of(&batch, &answer);
            prop_assert_eq!(&settlement.open, &answer.open(outcomes.len()));
            prop_assert_eq!(&settlement.accepted, &accepted);
            prop_assert_eq!(&settlement.refused, &refused_rows);

            let folder = tempfile::tempdir().unwrap();
            let store = LocalStore::open(folder.path().to_owned(), Arc::new(SystemClock)).unwrap();
            if !can_write {
                // No folder can be made in the place of a file.
                std::fs::write(folder.path().join("dead-letters"), "").unwrap();
            }
            let dead_letters = DeadLetters::new(Arc::new(store));
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let kept = runtime.block_on(settlement.keep_refused(&dead_letters, &STREAM, now()));
            let is_kept = can_write || refused_rows.is_empty();
            prop_assert_eq!(kept.is_ok(), is_kept);
            let settled = if is_kept { rows(0).len() + rows(1).len() } else { rows(0).len() };
            let expected = Counts {
                delivered: accepted.len() as u64,
                dead_lettered: if is_kept { refused_rows.len() as u64 } else { 0 },
                perhaps_doubled: unsure as u64,
                unfit_values: unfit_of(&accepted) + if is_kept { unfit_of(&refused_rows) } else { 0 },
                ..Counts::default()
            };
            prop_assert_eq!(settlement.counts, expected);
            prop_assert_eq!(settlement.open.len(), outcomes.len() - settled);
            prop_assert!(settlement.open.is_sorted());
        }

        #[test]
        fn no_answer_makes_a_row_count_twice_or_not_at_all(
            accepted in proptest::collection::vec(0_usize..12, 0..20), refused_rows in proptest::collection::vec(0_usize..12, 0..20)
        ) {
            let answer = Delivery {
                accepted,
                refused: refused_rows.into_iter().map(refused).collect(),
                ..Delivery::default()
            };
            let settlement = Settlement::of(&batch_of(10), &answer);
            let mut all = [settlement.accepted, settlement.refused, settlement.open].concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..10).collect::<Vec<_>>());
        }
    }
}
