use std::sync::Arc;

/// The largest body of a call, uncompressed, brackets and commas counted. The service's limit is 1 MB for the
/// compressed and the uncompressed body alike; it counts 1,048,576 bytes, its documentation says 1 MB.
const BODY_LIMIT: usize = 1_000_000;

/// Rows of one table, ready to be sent: a JSON array.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The table's name, `_CL` included.
    pub table: Arc<str>,
    /// How many.
    pub rows: usize,
    /// `[{...},{...}]`
    pub body: Vec<u8>,
    /// Where each row ends in `body`.
    row_ends: Vec<usize>,
}

impl Batch {
    /// The rows as they stand in the body.
    pub fn rows(&self) -> impl Iterator<Item = &[u8]> {
        self.row_ends.iter().scan(1, |start, end| {
            let row = self.body.get(*start..*end);
            *start = end + 1;
            row
        })
    }
}

/// Collects rows up to the limit of a call.
#[derive(Debug)]
pub struct BatchBuilder {
    table: Arc<str>,
    body: Vec<u8>,
    row_ends: Vec<usize>,
}

impl BatchBuilder {
    /// For the named table.
    pub fn new(table: Arc<str>) -> Self {
        Self {
            table,
            body: Vec::new(),
            row_ends: Vec::new(),
        }
    }

    /// Adds a row (a JSON object). False, and nothing is added, if the batch must be sent first. A row always finds
    /// room in an empty batch: rows are made to fit.
    pub fn push(&mut self, row: &[u8]) -> bool {
        // One byte before the row (bracket or comma), one after the last.
        let is_full = self.body.len() + 1 + row.len() + 1 > BODY_LIMIT;
        if is_full && !self.row_ends.is_empty() {
            return false;
        }
        self.body.push(if self.row_ends.is_empty() { b'[' } else { b',' });
        self.body.extend_from_slice(row);
        self.row_ends.push(self.body.len());
        true
    }

    /// True if nothing was added since the last batch.
    pub fn is_empty(&self) -> bool {
        self.row_ends.is_empty()
    }

    /// The batch, and the builder is empty again. `None` if there are no rows.
    pub fn take(&mut self) -> Option<Batch> {
        if self.is_empty() {
            return None;
        }
        let mut body = std::mem::take(&mut self.body);
        body.push(b']');
        let row_ends = std::mem::take(&mut self.row_ends);
        Some(Batch {
            table: self.table.clone(),
            rows: row_ends.len(),
            body,
            row_ends,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn every_row_goes_into_one_batch_in_order_and_no_body_is_over_the_limit(
            lengths in proptest::collection::vec(0_usize..700_000, 1..12)
        ) {
            let rows: Vec<Vec<u8>> = lengths.iter().map(|length| format!("{{\"a\":\"{}\"}}", "x".repeat(*length)).into_bytes()).collect();
            let mut builder = BatchBuilder::new("T".into());
            let mut batches = Vec::new();
            for row in &rows {
                if !builder.push(row) {
                    batches.extend(builder.take());
                    prop_assert!(builder.push(row));
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
        let mut builder = BatchBuilder::new("T".into());
        assert!(builder.push(&vec![b'1'; BODY_LIMIT - 4]));
        assert!(!builder.push(b"22"));
        assert!(builder.push(b"2"));
        assert_eq!(builder.take().unwrap().body.len(), BODY_LIMIT);
    }
}
