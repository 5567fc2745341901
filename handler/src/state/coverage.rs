use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// The spans of vendor time that were read to their end: sorted, apart from each other, half open.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Coverage(Vec<Span>);

/// `from` belongs to it, `to` does not.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Span {
    /// Inclusive.
    pub from: DateTime<Utc>,
    /// Exclusive.
    pub to: DateTime<Utc>,
}

impl Coverage {
    /// Adds a span and joins what touches.
    pub fn add(&mut self, from: DateTime<Utc>, to: DateTime<Utc>) {
        if to <= from {
            return;
        }
        let mut joined = Span { from, to };
        let mut apart = Vec::with_capacity(self.0.len() + 1);
        for span in self.0.drain(..) {
            if span.to < joined.from || span.from > joined.to {
                apart.push(span);
            } else {
                joined = Span {
                    from: joined.from.min(span.from),
                    to: joined.to.max(span.to),
                };
            }
        }
        apart.push(joined);
        apart.sort_by_key(|span| span.from);
        self.0 = apart;
    }

    /// Takes back that anything was read from an instant on.
    pub fn take_back_from(&mut self, instant: DateTime<Utc>) {
        self.0.retain(|span| span.from < instant);
        if let Some(last) = self.0.last_mut() {
            last.to = last.to.min(instant);
        }
    }

    /// What is missing of the span from `from` to `to`, oldest first.
    pub fn holes(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Span> {
        let mut holes = Vec::new();
        let mut at = from;
        for span in self.0.iter().filter(|span| span.to > from && span.from < to) {
            if at < span.from {
                holes.push(Span {
                    from: at,
                    to: span.from,
                });
            }
            at = at.max(span.to);
        }
        if at < to {
            holes.push(Span { from: at, to });
        }
        holes
    }

    /// How much time it spans in all.
    pub fn length(&self) -> TimeDelta {
        self.0.iter().map(|span| span.to - span.from).sum()
    }

    /// True if that instant was read.
    pub fn contains(&self, instant: DateTime<Utc>) -> bool {
        self.0.iter().any(|span| span.from <= instant && instant < span.to)
    }

    pub fn spans(&self) -> &[Span] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn second(number: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(number, 0).unwrap()
    }

    proptest! {
        #[test]
        fn exactly_the_added_seconds_are_covered(spans in proptest::collection::vec((0_i64..60, 0_i64..12), 0..12)) {
            let mut coverage = Coverage::default();
            for (from, length) in &spans {
                coverage.add(second(*from), second(from + length));
            }
            for number in 0..80 {
                let added = spans.iter().any(|(from, length)| (*from..from + length).contains(&number));
                prop_assert_eq!(coverage.contains(second(number)), added);
                let covered = coverage.spans().iter().filter(|span| span.from <= second(number) && second(number) < span.to).count();
                prop_assert_eq!(covered, usize::from(added));
            }
            let holes = coverage.holes(second(5), second(70));
            for number in 0..80 {
                let in_hole = holes.iter().filter(|hole| hole.from <= second(number) && second(number) < hole.to).count();
                let is_missing = (5..70).contains(&number) && !coverage.contains(second(number));
                prop_assert_eq!(in_hole, usize::from(is_missing));
            }
            prop_assert!(coverage.spans().windows(2).all(|pair| pair[0].to < pair[1].from));
        }

        #[test]
        fn what_is_taken_back_is_not_covered_and_what_lies_before_it_still_is(
            spans in proptest::collection::vec((0_i64..60, 0_i64..12), 0..12),
            from in 0_i64..80,
        ) {
            let mut coverage = Coverage::default();
            for (from, length) in &spans {
                coverage.add(second(*from), second(from + length));
            }
            let before = coverage.clone();
            coverage.take_back_from(second(from));
            for number in 0..80 {
                let expected = number < from && before.contains(second(number));
                prop_assert_eq!(coverage.contains(second(number)), expected);
            }
            prop_assert!(coverage.spans().iter().all(|span| span.from < span.to));
        }

        #[test]
        fn holes_are_exactly_the_seconds_that_are_not_covered_and_filling_them_leaves_none(
            spans in proptest::collection::vec((0_i64..60, 0_i64..12), 0..12),
            from in 0_i64..80,
            length in 0_i64..80,
        ) {
            let mut coverage = Coverage::default();
            for (from, length) in &spans {
                coverage.add(second(*from), second(from + length));
            }
            let to = from + length;
            let holes = coverage.holes(second(from), second(to));
            for number in -5..170 {
                let is_missing = (from..to).contains(&number) && !coverage.contains(second(number));
                let found = holes.iter().filter(|hole| hole.from <= second(number) && second(number) < hole.to).count();
                prop_assert_eq!(found, usize::from(is_missing), "second {}", number);
            }
            prop_assert!(holes.iter().all(|hole| hole.from < hole.to));
            prop_assert!(holes.windows(2).all(|pair| pair[0].to < pair[1].from));
            let before = coverage.length();
            let missing: TimeDelta = holes.iter().map(|hole| hole.to - hole.from).sum();
            for hole in holes {
                coverage.add(hole.from, hole.to);
            }
            prop_assert_eq!(coverage.holes(second(from), second(to)), Vec::new());
            prop_assert_eq!(coverage.length(), before + missing);
        }
    }
}
