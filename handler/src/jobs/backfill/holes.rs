//! What tables are missing, and in which pieces it is read.

use chrono::TimeDelta;

use crate::sources::Window;
use crate::state::{Coverage, Span};

/// A span that is missing in the same tables throughout.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece {
    /// The span.
    pub window: Window,
    /// The numbers of the tables.
    pub tables: Vec<usize>,
}

/// The oldest piece of the tables' holes, each oldest first.
pub fn oldest_piece(holes: &[Vec<Span>]) -> Option<Piece> {
    let firsts = || {
        let tables = holes.iter().enumerate();
        tables.filter_map(|(table, holes)| Some((table, *holes.first()?)))
    };
    let from = firsts().map(|(_, hole)| hole.from).min()?;
    // It ends where one of its tables is whole again, or where another one begins to miss something.
    let to = firsts().map(|(_, hole)| if hole.from == from { hole.to } else { hole.from });
    let to = to.min()?;
    let tables = firsts().filter(|(_, hole)| hole.from == from);
    Some(Piece {
        window: Window { from, to },
        tables: tables.map(|(table, _)| table).collect(),
    })
}

/// How much time is missing in at least one of the tables.
pub fn missing(holes: &[Vec<Span>]) -> TimeDelta {
    let mut joined = Coverage::default();
    for hole in holes.iter().flatten() {
        joined.add(hole.from, hole.to);
    }
    joined.length()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, Utc};
    use proptest::prelude::*;

    fn second(number: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(number, 0).unwrap()
    }

    proptest! {
        #[test]
        fn piece_by_piece_every_table_is_filled_and_nothing_is_read_that_it_has(
            tables in proptest::collection::vec(proptest::collection::vec((0_i64..60, 1_i64..12), 0..6), 1..4),
        ) {
            let mut coverages: Vec<Coverage> = Vec::new();
            for spans in &tables {
                let mut coverage = Coverage::default();
                for (from, length) in spans {
                    coverage.add(second(*from), second(from + length));
                }
                coverages.push(coverage);
            }
            let holes = |coverages: &[Coverage]| -> Vec<Vec<Span>> {
                coverages.iter().map(|coverage| coverage.holes(second(0), second(75))).collect()
            };
            let mut left = missing(&holes(&coverages));
            let mut pieces = 0;
            while let Some(piece) = oldest_piece(&holes(&coverages)) {
                let Window { from, to } = piece.window;
                prop_assert!(from < to && !piece.tables.is_empty());
                for (number, coverage) in coverages.iter_mut().enumerate() {
                    let is_meant = piece.tables.contains(&number);
                    let holes = coverage.holes(from, to);
                    let expected = if is_meant { vec![Span { from, to }] } else { Vec::new() };
                    prop_assert_eq!(holes, expected, "table {} of {:?}", number, piece);
                    if is_meant {
                        coverage.add(from, to);
                    }
                }
                left -= to - from;
                prop_assert_eq!(left, missing(&holes(&coverages)));
                pieces += 1;
                prop_assert!(pieces < 100);
            }
            prop_assert_eq!(left, TimeDelta::zero());
        }
    }
}
