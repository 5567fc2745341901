//! Events that a window brings and that are none of its own.
//!
//! Vendors' bounds are coarser than ours, and what is read may change while it is read. What lies beyond the edge of a
//! slice is read by a neighbour; where there is none yet, a backfill may ask for it later.

use chrono::{DateTime, TimeDelta, Utc};

use crate::sources::Window;

/// A window brings events of so much time just before it.
const COARSEST_BOUND: TimeDelta = TimeDelta::seconds(1);

/// Where the edges are.
#[derive(Clone, Copy, Debug)]
pub enum BoundaryFilter {
    /// At the start of the stream's first window. Slices overlap, and identities tell what was delivered.
    Begin(DateTime<Utc>),
    /// At those of the slice.
    Slice,
}

impl BoundaryFilter {
    /// True for an event that is read, or was, somewhere else. One that is far too old for its slice has a time that
    /// cannot be right, and is taken.
    pub fn exclude(self, time: DateTime<Utc>, slice: Window) -> bool {
        let begin = match self {
            Self::Begin(begin) => begin,
            Self::Slice => slice.from,
        };
        let is_just_before = time < begin && begin - time <= COARSEST_BOUND;
        let is_after = matches!(self, Self::Slice) && time >= slice.to;
        is_just_before || is_after
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64, millis: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(second * 1000 + millis).unwrap()
    }

    #[test]
    fn neighbours_of_a_slice_are_left_to_others_and_absurd_times_are_not() {
        let slice = Window {
            from: at(100, 0),
            to: at(200, 0),
        };
        for (time, of_slice, of_stream) in [
            (at(100, 0), false, false),
            (at(199, 999), false, false),
            (at(99, 999), true, false),
            (at(99, 0), true, false),
            (at(98, 999), false, false),
            (at(200, 0), true, false),
            (at(5000, 0), true, false),
            (at(50, 0), false, false),
            (at(49, 500), false, true),
            (at(10, 0), false, false),
        ] {
            assert_eq!(
                BoundaryFilter::Slice.exclude(time, slice),
                of_slice,
                "{time} of the slice"
            );
            assert_eq!(
                BoundaryFilter::Begin(at(50, 0)).exclude(time, slice),
                of_stream,
                "{time} of the stream"
            );
        }
    }
}
