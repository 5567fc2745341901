use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

/// What one call may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallLimits {
    /// Bytes of the body, uncompressed, brackets and commas counted.
    pub body: usize,
    /// The most time that its rows may span, where the table limits it.
    pub span: Option<TimeDelta>,
}

/// Rows of one table, ready to be sent: a JSON array.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The table's name, `_CL` included.
    pub table: Arc<str>,
    /// How many.
    pub rows: usize,
    /// `[{...},{...}]`
    pub body: Vec<u8>,
    /// What one call may hold.
    pub limits: CallLimits,
    /// Where each row ends in `body`.
    row_ends: Vec<usize>,
    /// When each row's event happened.
    times: Vec<DateTime<Utc>>,
}

impl Batch {
    /// No rows: what a call with it brings says something about the call.
    pub fn without_rows(table: Arc<str>) -> Self {
        Self {
            body: b"[]".to_vec(),
            ..Self::begun(table, CallLimits { body: 2, span: None })
        }
    }

    fn begun(table: Arc<str>, limits: CallLimits) -> Self {
        Self {
            table,
            rows: 0,
            body: Vec::new(),
            limits,
            row_ends: Vec::new(),
            times: Vec::new(),
        }
    }

    /// The rows as they stand in the body.
    pub fn rows(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.rows).map(|number| self.row(number))
    }

    /// One row.
    pub fn row(&self, number: usize) -> &[u8] {
        let start = match number.checked_sub(1) {
            Some(before) => self.row_ends.get(before).map_or(0, |end| end + 1),
            None => 1,
        };
        let end = self.row_ends.get(number).copied().unwrap_or(start);
        self.body.get(start..end).unwrap_or_default()
    }

    /// The body of a call with only these rows.
    pub fn body_of(&self, rows: &[usize]) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.body.len());
        for number in rows {
            body.push(if body.is_empty() { b'[' } else { b',' });
            body.extend_from_slice(self.row(*number));
        }
        body.push(b']');
        body
    }

    /// A batch of only these rows.
    pub fn only(&self, rows: &[usize]) -> Option<Self> {
        let mut builder = BatchBuilder::new(self.table.clone(), self.limits);
        for number in rows {
            builder.push(self.row(*number), self.time(*number));
        }
        builder.take()
    }

    /// The rows in groups that each span no more time than `longest`, oldest first.
    pub fn by_time(&self, rows: &[usize], longest: TimeDelta) -> Vec<Vec<usize>> {
        let mut sorted = rows.to_vec();
        sorted.sort_by_key(|number| self.time(*number));
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut group_start = None;
        for number in sorted {
            let time = self.time(number);
            match (group_start, groups.last_mut()) {
                (Some(start), Some(group)) if time - start <= longest => group.push(number),
                _ => {
                    group_start = Some(time);
                    groups.push(vec![number]);
                }
            }
        }
        groups
    }

    fn time(&self, number: usize) -> DateTime<Utc> {
        self.times.get(number).copied().unwrap_or_default()
    }
}

/// Collects rows up to the limit of a call.
#[derive(Debug)]
pub struct BatchBuilder {
    /// Its body has no end yet.
    batch: Batch,
}

impl BatchBuilder {
    /// For the named table.
    pub fn new(table: Arc<str>, limits: CallLimits) -> Self {
        Self {
            batch: Batch::begun(table, limits),
        }
    }

    /// Adds a row (a JSON object) of an event of that time. False, and nothing is added, if the batch must be sent
    /// first. A row always finds room in an empty batch: rows are made to fit.
    pub fn push(&mut self, row: &[u8], time: DateTime<Utc>) -> bool {
        if !self.has_room_for(row) {
            return false;
        }
        let batch = &mut self.batch;
        batch.body.push(if batch.rows == 0 { b'[' } else { b',' });
        batch.body.extend_from_slice(row);
        batch.rows += 1;
        batch.row_ends.push(batch.body.len());
        batch.times.push(time);
        true
    }

    /// True if the row can be added to what is there.
    pub fn has_room_for(&self, row: &[u8]) -> bool {
        // One byte before the row (bracket or comma), one after the last.
        self.is_empty() || self.has_room_for_all([row.len()])
    }

    /// True if rows of these lengths can all be added to what is there.
    pub fn has_room_for_all(&self, lengths: impl IntoIterator<Item = usize>) -> bool {
        let more: usize = lengths.into_iter().map(|length| length + 1).sum();
        self.batch.body.len() + more < self.batch.limits.body
    }

    /// True if nothing was added since the last batch.
    pub fn is_empty(&self) -> bool {
        self.batch.rows == 0
    }

    /// The batch, and the builder is empty again. `None` if there are no rows.
    pub fn take(&mut self) -> Option<Batch> {
        if self.is_empty() {
            return None;
        }
        let next = Batch::begun(self.batch.table.clone(), self.batch.limits);
        let mut batch = std::mem::replace(&mut self.batch, next);
        batch.body.push(b']');
        Some(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BODY_LIMIT: usize = 1_000_000;
    const LIMITS: CallLimits = CallLimits {
        body: BODY_LIMIT,
        span: None,
    };

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn every_row_goes_into_one_batch_in_order_and_no_body_is_over_the_limit(
            lengths in proptest::collection::vec(0_usize..700_000, 1..12)
        ) {
            let rows: Vec<Vec<u8>> = lengths.iter().map(|length| format!("{{\"a\":\"{}\"}}", "x".repeat(*length)).into_bytes()).collect();
            let mut builder = BatchBuilder::new("T".into(), LIMITS);
            let mut batches = Vec::new();
            for row in &rows {
                if !builder.push(row, DateTime::UNIX_EPOCH) {
                    batches.extend(builder.take());
                    prop_assert!(builder.push(row, DateTime::UNIX_EPOCH));
                }
            }
            batches.extend(builder.take());
            prop_assert!(builder.take().is_none());
            for batch in &batches {
                prop_assert!(batch.body.len() <= BODY_LIMIT);
                let parsed: Vec<serde_json::Value> = serde_json::from_slice(&batch.body).unwrap();
                prop_assert_eq!(parsed.len(), batch.rows);
            }
            let sent: Vec<&[u8]> = batches.iter().flat_map(Batch::rows).collect();
            prop_assert_eq!(sent, rows.iter().map(Vec::as_slice).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_batch_of_exactly_the_limit_is_filled_and_one_byte_more_is_not() {
        let mut builder = BatchBuilder::new("T".into(), LIMITS);
        assert!(builder.push(&vec![b'1'; BODY_LIMIT - 4], DateTime::UNIX_EPOCH));
        assert!(!builder.push(b"22", DateTime::UNIX_EPOCH));
        assert!(builder.push(b"2", DateTime::UNIX_EPOCH));
        assert_eq!(builder.take().unwrap().body.len(), BODY_LIMIT);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn rows_that_have_room_together_are_all_taken_and_others_are_not(
            before in 0_usize..20, lengths in proptest::collection::vec(2_usize..30, 1..12)
        ) {
            let mut builder = BatchBuilder::new("T".into(), CallLimits { body: 200, span: None });
            for _ in 0..before.min(9) {
                builder.push(&[b'1'; 19], DateTime::UNIX_EPOCH);
            }
            let have_room = builder.has_room_for_all(lengths.iter().copied());
            // The first row of an empty batch is always taken: none here is longer than the limit.
            let all_taken = lengths.iter().all(|length| builder.push(&vec![b'1'; *length], DateTime::UNIX_EPOCH));
            prop_assert_eq!(have_room, all_taken);
        }
    }

    #[test]
    fn rows_are_grouped_by_time_and_chosen_by_number() {
        let mut builder = BatchBuilder::new("T".into(), LIMITS);
        let minutes = [50, 0, 31, 29, 61, 30];
        for minute in minutes {
            let time = DateTime::UNIX_EPOCH + TimeDelta::minutes(minute);
            builder.push(format!("{{\"m\":{minute}}}").as_bytes(), time);
        }
        let batch = builder.take().unwrap();
        let all: Vec<usize> = (0..minutes.len()).collect();
        let groups = batch.by_time(&all, TimeDelta::minutes(30));
        assert_eq!(groups, [vec![1, 3, 5], vec![2, 0, 4]]);
        assert_eq!(batch.body_of(&all), batch.body);
        assert_eq!(batch.body_of(&[4, 0]), br#"[{"m":61},{"m":50}]"#);
        assert_eq!(batch.only(&[2]).unwrap().body, br#"[{"m":31}]"#);
        assert!(batch.only(&[]).is_none());
    }
}
