//! What an object must be like to be listed.

use chrono::{DateTime, Utc};

use super::stored::Stored;

/// How a time is compared with a bound.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Comparison {
    Gt,
    Gte,
    Lt,
    Lte,
}

impl Comparison {
    /// The word behind the two underscores.
    pub(super) fn of_word(word: &str) -> Option<Self> {
        match word {
            "gt" => Some(Comparison::Gt),
            "gte" => Some(Comparison::Gte),
            "lt" => Some(Comparison::Lt),
            "lte" => Some(Comparison::Lte),
            _ => None,
        }
    }

    fn holds(self, time: DateTime<Utc>, bound: DateTime<Utc>) -> bool {
        match self {
            Comparison::Gt => time > bound,
            Comparison::Gte => time >= bound,
            Comparison::Lt => time < bound,
            Comparison::Lte => time <= bound,
        }
    }
}

/// One condition; all must hold.
#[derive(Clone, Debug)]
pub(super) enum Filter {
    /// The time at this place among the times of the contract.
    Time {
        column: usize,
        comparison: Comparison,
        bound: DateTime<Utc>,
    },
    /// The value at the pointer, as text, is none of these.
    NoneOf { pointer: &'static str, values: Vec<String> },
}

impl Filter {
    pub(super) fn holds(&self, stored: &Stored) -> bool {
        match self {
            // An element without the time was put there by a test to be seen.
            Filter::Time {
                column,
                comparison,
                bound,
            } => stored
                .times
                .get(*column)
                .copied()
                .flatten()
                .is_none_or(|time| comparison.holds(time, *bound)),
            Filter::NoneOf { pointer, values } => !values.contains(&stored.text_at(pointer)),
        }
    }
}
