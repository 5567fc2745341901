//! Event -> row -> batch, with what is remarkable about each row.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::no_row::{NoRow, why_no_row};
use super::route::TableRoute;
use crate::destination::{Batch, BatchBuilder};
use crate::json::repair_surrogates;
use crate::state::Counts;
use crate::tables::{RowContext, RowNotes};
use crate::time::VendorTime;

/// Azure Monitor replaces a `TimeGenerated` that is older by the time of arrival. Source: "TimeGenerated" in the Azure
/// Monitor documentation of custom tables (two days).
pub const TIME_GENERATED_MAX_AGE: TimeDelta = TimeDelta::hours(48);

/// One row of a table, not yet in a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRow {
    /// A JSON object.
    pub bytes: Vec<u8>,
    /// Its `TimeGenerated`.
    pub time: DateTime<Utc>,
    /// What of the event was not carried over as it came.
    pub notes: RowNotes,
}

impl EventRow {
    /// The row of an event, or why there is none. `is_named` says whether the vendor's own key names the event; asked
    /// only where that decides. Keys of a row that the table's definition does not know are noted.
    pub fn of_event(
        route: &TableRoute,
        event: &str,
        context: RowContext<'_>,
        is_named: impl FnOnce() -> bool,
    ) -> Result<Self, NoRow> {
        let mut bytes = Vec::with_capacity(event.len() + 64);
        let projected = route.table.project(&repair_surrogates(event), context, &mut bytes);
        if let Some(why) = why_no_row(event, projected.reading, is_named) {
            return Err(why);
        }
        route
            .new_keys
            .note(&route.table, &projected.unknown_keys, context.arrival);
        Ok(Self {
            bytes,
            time: projected.time,
            notes: projected.notes,
        })
    }

    /// A row that was made before; `came_at` stands for its `TimeGenerated` if that cannot be read.
    pub fn made_before(row: &str, came_at: DateTime<Utc>) -> Self {
        Self {
            bytes: row.as_bytes().to_vec(),
            time: time_of(row).unwrap_or(came_at),
            notes: RowNotes::default(),
        }
    }

    /// What is to be counted of the row once it is accepted or set aside, if it is sent `now`.
    pub fn remarks(&self, now: DateTime<Utc>) -> Counts {
        Counts {
            unfit_values: self.notes.unfit,
            cut_values: self.notes.cut,
            old_rows: u64::from(now - self.time > TIME_GENERATED_MAX_AGE),
            ..Counts::default()
        }
    }
}

/// A batch, and what belongs to each of its rows: `T` names the event of a row.
#[derive(Clone, Debug)]
pub struct RowBatch<T> {
    /// The rows.
    pub batch: Batch,
    /// The events that they were, in the same order.
    pub events: Vec<T>,
    /// Of rows that are remarkable: their numbers, ascending, and what is to be counted of them.
    remarks: Vec<(usize, Counts)>,
}

impl<T> RowBatch<T> {
    /// What is to be counted of some of its rows.
    pub fn remarks_of(&self, rows: &[usize]) -> Counts {
        let mut sum = Counts::default();
        if self.remarks.is_empty() {
            return sum;
        }
        for row in rows {
            if let Ok(found) = self.remarks.binary_search_by_key(row, |(row, _)| *row) {
                sum += self.remarks.get(found).map(|(_, counts)| *counts).unwrap_or_default();
            }
        }
        sum
    }

    /// The events of some of its rows.
    pub fn events_of<'a>(&'a self, rows: &'a [usize]) -> impl Iterator<Item = &'a T> {
        rows.iter().filter_map(|row| self.events.get(*row))
    }
}

/// Collects the rows of one table up to the limit of a call.
#[derive(Debug)]
pub struct RowBatcher<T> {
    builder: BatchBuilder,
    events: Vec<T>,
    remarks: Vec<(usize, Counts)>,
}

impl<T> RowBatcher<T> {
    /// Empty.
    pub fn new(route: &TableRoute) -> Self {
        Self {
            builder: route.batch(),
            events: Vec::new(),
            remarks: Vec::new(),
        }
    }

    /// True if the row goes into the present batch. A row always finds room in an empty one.
    pub fn has_room_for(&self, row: &EventRow) -> bool {
        self.builder.has_room_for(&row.bytes)
    }

    /// True if all these rows go into the present batch.
    pub fn has_room_for_all<'r>(&self, rows: impl IntoIterator<Item = &'r EventRow>) -> bool {
        self.builder
            .has_room_for_all(rows.into_iter().map(|row| row.bytes.len()))
    }

    /// Adds a row and gives the batch before it, if that had to be closed first. `now` is when the row is sent: an
    /// event may have waited until it is old.
    pub fn add(&mut self, row: &EventRow, event: T, now: DateTime<Utc>) -> Option<RowBatch<T>> {
        let full = if self.has_room_for(row) { None } else { self.take() };
        self.builder.push(&row.bytes, row.time);
        let remarks = row.remarks(now);
        if remarks != Counts::default() {
            self.remarks.push((self.events.len(), remarks));
        }
        self.events.push(event);
        full
    }

    /// The batch, and the batcher is empty again. `None` if there are no rows.
    pub fn take(&mut self) -> Option<RowBatch<T>> {
        Some(RowBatch {
            batch: self.builder.take()?,
            events: std::mem::take(&mut self.events),
            remarks: std::mem::take(&mut self.remarks),
        })
    }

    /// Rows that were added since the last batch.
    pub fn rows(&self) -> usize {
        self.events.len()
    }
}

fn time_of(row: &str) -> Option<DateTime<Utc>> {
    #[derive(Deserialize)]
    struct TimeOfRow {
        #[serde(rename = "TimeGenerated")]
        time: String,
    }
    let row: TimeOfRow = serde_json::from_str(row).ok()?;
    VendorTime::parse(&row.time).map(|time| time.utc())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::delivery::testing::route;
    use crate::json::{Kind, kind};

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000, 0).unwrap()
    }

    /// Events of all kinds: whole ones, old ones, ones without a time or a name, values that do not fit, half
    /// surrogates, and what is no event.
    fn event() -> impl Strategy<Value = String> {
        let id = prop_oneof![
            Just(String::new()),
            "[a-z]{1,8}".prop_map(|id| format!("\"id\":\"{id}\",")),
            Just("\"id\":\"\\ud800\",".to_owned()),
            Just("\"id\":{\"no\":\"string\"},".to_owned()),
            "[a-z]{1,8}".prop_map(|id| format!("\"id\":\"{}\",", id.repeat(9000))),
        ];
        let time = prop_oneof![
            Just(String::new()),
            (0_i64..80).prop_map(|hours| {
                let at = now() - TimeDelta::hours(hours);
                format!("\"recordedAt\":\"{}\",", crate::time::rfc3339_millis(at))
            }),
            Just("\"recordedAt\":\"no time\",".to_owned()),
        ];
        let object = (id, time).prop_map(|(id, time)| format!("{{{id}{time}\"other\":1}}"));
        prop_oneof![9 => object, 1 => Just("[1]".to_owned()), 1 => Just("\"text\"".to_owned()), 1 => Just("{}".to_owned())]
    }

    /// What the table writer, the spool, the push receiver, the spool fallback and the replay did, each by itself:
    /// project the repaired text, ask why there is no row, push it into the builder or close that first.
    #[derive(Default)]
    struct ByHand {
        bodies: Vec<Vec<u8>>,
        not_rows: Vec<NoRow>,
        counts: Counts,
    }

    fn by_hand(events: &[String], arrival: DateTime<Utc>, is_named: bool) -> ByHand {
        let route = route();
        let (mut builder, mut found) = (route.batch(), ByHand::default());
        for event in events {
            let mut row = Vec::new();
            let context = RowContext {
                arrival,
                constant_fields: &[],
            };
            let projected = route.table.project(&repair_surrogates(event), context, &mut row);
            if let Some(why) = why_no_row(event, projected.reading, || is_named) {
                found.not_rows.push(why);
                continue;
            }
            found.counts.unfit_values += projected.notes.unfit;
            found.counts.cut_values += projected.notes.cut;
            found.counts.old_rows += u64::from(arrival - projected.time > TIME_GENERATED_MAX_AGE);
            if !builder.push(&row, projected.time) {
                found.bodies.extend(builder.take().map(|batch| batch.body));
                builder.push(&row, projected.time);
            }
        }
        found.bodies.extend(builder.take().map(|batch| batch.body));
        found
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn events_become_the_rows_batches_and_counts_that_every_place_made_of_them_by_hand(
            events in proptest::collection::vec(event(), 0..60), is_named in any::<bool>()
        ) {
            let route = route();
            let mut batcher = RowBatcher::new(&route);
            let (mut batches, mut not_rows) = (Vec::new(), Vec::new());
            let context = RowContext { arrival: now(), constant_fields: &[] };
            for (number, event) in events.iter().enumerate() {
                match EventRow::of_event(&route, event, context, || is_named) {
                    Ok(row) => {
                        let had_room = batcher.has_room_for(&row);
                        let full = batcher.add(&row, number, now());
                        prop_assert_eq!(full.is_none(), had_room);
                        batches.extend(full);
                    }
                    Err(why) => not_rows.push(why),
                }
            }
            batches.extend(batcher.take());
            prop_assert!(batcher.take().is_none() && batcher.rows() == 0);
            let expected = by_hand(&events, now(), is_named);
            prop_assert_eq!(not_rows, expected.not_rows);
            let mut counts = Counts::default();
            for batch in &batches {
                let all: Vec<usize> = (0..batch.batch.rows).collect();
                prop_assert_eq!(batch.events.len(), batch.batch.rows);
                let one_by_one = all.iter().fold(Counts::default(), |mut sum, row| {
                    sum += batch.remarks_of(&[*row]);
                    sum
                });
                prop_assert_eq!(one_by_one, batch.remarks_of(&all));
                counts += one_by_one;
            }
            prop_assert_eq!(counts, expected.counts);
            let bodies: Vec<Vec<u8>> = batches.iter().map(|batch| batch.batch.body.clone()).collect();
            prop_assert_eq!(bodies, expected.bodies);
            let events_of_rows: Vec<usize> = batches.into_iter().flat_map(|batch| batch.events).collect();
            prop_assert!(events_of_rows.is_sorted() && events_of_rows.iter().all(|number| kind(&events[*number]) == Kind::Object));
        }

        /// What waits in the spool as rows is sent as it stands, and is as old as when it was made.
        #[test]
        fn a_row_that_was_made_before_is_the_same_row(events in proptest::collection::vec(event(), 1..20)) {
            let route = route();
            let context = RowContext { arrival: now(), constant_fields: &[] };
            for event in &events {
                let Ok(row) = EventRow::of_event(&route, event, context, || true) else { continue };
                let text = String::from_utf8(row.bytes.clone()).unwrap();
                let again = EventRow::made_before(&text, now());
                prop_assert_eq!((&again.bytes, again.time.timestamp_millis()), (&row.bytes, row.time.timestamp_millis()));
                prop_assert_eq!(again.remarks(now()).old_rows, row.remarks(now()).old_rows);
            }
        }
    }
}
