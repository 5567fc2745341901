use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::coverage::{Coverage, Span};

/// A past window that is being read anew, although the coverage has it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Reread {
    /// Inclusive.
    pub from: DateTime<Utc>,
    /// Exclusive.
    pub to: DateTime<Utc>,
    /// What of it was read to its end.
    pub read: Coverage,
}

impl Reread {
    /// Of a window of which nothing is read yet.
    pub fn of(from: DateTime<Utc>, to: DateTime<Utc>) -> Self {
        Self {
            from,
            to,
            read: Coverage::default(),
        }
    }

    /// True if it is that window.
    pub fn is_of(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> bool {
        (self.from, self.to) == (from, to)
    }

    /// What is still to be read of it between two times, oldest first.
    pub fn left(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Span> {
        self.read.holes(self.from.max(from), self.to.min(to))
    }

    /// True for an instant that is to be read and was not yet.
    pub fn awaits(&self, instant: DateTime<Utc>) -> bool {
        self.from <= instant && instant < self.to && !self.read.contains(instant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_anew_is_not_left() {
        let second = |number| DateTime::from_timestamp(number, 0).unwrap();
        let mut reread = Reread::of(second(10), second(20));
        reread.read.add(second(10), second(13));
        let left = |from, to| -> Vec<(i64, i64)> {
            let spans = reread.left(second(from), second(to)).into_iter();
            spans.map(|span| (span.from.timestamp(), span.to.timestamp())).collect()
        };
        assert_eq!(left(0, 100), [(13, 20)]);
        assert_eq!(left(15, 18), [(15, 18)]);
        assert_eq!(left(0, 5), []);
        assert!(reread.awaits(second(13)) && !reread.awaits(second(12)) && !reread.awaits(second(20)));
        assert!(reread.is_of(second(10), second(20)) && !reread.is_of(second(10), second(21)));
    }
}
