use super::DeliveryError;

/// What is known of a table's stream before a batch is sent to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamFit {
    /// It took rows in this run: a row that is refused alone is at fault itself.
    Proven,
    /// Nothing. Where no row of the batch is taken, the stream may be at fault, and no row counts as refused.
    Unknown,
}

/// What became of the rows of a batch, by their numbers. A row is accepted, refused, or neither: then it is to be sent
/// again.
#[derive(Debug, Default)]
pub struct Delivery {
    /// The destination has them.
    pub accepted: Vec<usize>,
    /// The destination never takes them.
    pub refused: Vec<RefusedRow>,
    /// Why the others were not taken.
    pub error: Option<DeliveryError>,
    /// Rows of calls whose answer was lost: the service may have stored them although it never said so, and sending
    /// them again may double them.
    pub unsure: usize,
}

/// A row that would be refused again.
#[derive(Clone, Debug)]
pub struct RefusedRow {
    /// Its number in the batch.
    pub row: usize,
    /// Why, for people.
    pub reason: String,
    /// What the service's support asks for.
    pub request_id: Option<String>,
}

impl Delivery {
    /// All rows of a batch of so many.
    pub fn whole(rows: usize) -> Self {
        Self {
            accepted: (0..rows).collect(),
            ..Self::default()
        }
    }

    /// No row.
    pub fn failed(error: DeliveryError) -> Self {
        Self {
            error: Some(error),
            ..Self::default()
        }
    }

    /// The rows that are to be sent again, of a batch of so many.
    #[cfg(test)]
    pub fn open(&self, rows: usize) -> Vec<usize> {
        let is_refused = |row| self.refused.iter().any(|refused| refused.row == row);
        let is_open = |row: &usize| !self.accepted.contains(row) && !is_refused(*row);
        (0..rows).filter(is_open).collect()
    }
}
