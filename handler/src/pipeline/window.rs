//! Which span of vendor time a run reads.

use std::time::Duration;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

use crate::sources::Window;
use crate::state::TablePosition;

/// How windows are cut, and how long a run may take.
#[derive(Clone, Copy, Debug)]
pub struct PollRules {
    /// How far back a stream begins that was never read.
    pub lookback: Duration,
    /// What is read again before the watermark, for events that the vendor shows late.
    pub overlap: Duration,
    /// How far a window stays behind the present.
    pub settle: Duration,
    /// Streams at the same time.
    pub concurrency: usize,
}

impl PollRules {
    /// The position of a table that was never read.
    pub fn first_position(&self, now: DateTime<Utc>) -> TablePosition {
        let begin = before(now, self.lookback);
        TablePosition {
            begin,
            watermark: begin,
            coverage: Default::default(),
            counts: Default::default(),
        }
    }

    /// The window to read from a position: from the overlap before its watermark, but never from before its begin,
    /// to the present less the settling time. `None` if that is empty.
    pub fn window(&self, position: &TablePosition, now: DateTime<Utc>) -> Option<Window> {
        let from = position.begin.max(before(position.watermark, self.overlap));
        let to = before(now, self.settle);
        (to > from && to > position.watermark).then_some(Window { from, to })
    }

    /// Identities from this time on may be shown again by a window that follows `watermark`. A second more than the
    /// overlap, because vendors' bounds and ours may differ by a unit.
    pub fn identities_needed_from(&self, watermark: DateTime<Utc>) -> DateTime<Utc> {
        before(watermark, self.overlap) - TimeDelta::seconds(1)
    }
}

/// Windows begin and end on whole milliseconds: finer bounds could not be asked for.
fn before(instant: DateTime<Utc>, time: Duration) -> DateTime<Utc> {
    let earlier = TimeDelta::from_std(time)
        .ok()
        .and_then(|time| instant.checked_sub_signed(time));
    earlier.unwrap_or(DateTime::UNIX_EPOCH).trunc_subsecs(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn rules() -> PollRules {
        let minutes = |count: u64| Duration::from_secs(count * 60);
        PollRules {
            lookback: minutes(60),
            overlap: minutes(10),
            settle: minutes(1),
            concurrency: 1,
        }
    }

    #[test]
    fn the_first_window_begins_at_the_lookback_and_never_before() {
        let now = at("2026-11-20T12:00:00.123456Z");
        let position = rules().first_position(now);
        let window = rules().window(&position, now).unwrap();
        assert_eq!(
            window,
            Window {
                from: at("2026-11-20T11:00:00.123Z"),
                to: at("2026-11-20T11:59:00.123Z")
            }
        );
    }

    #[test]
    fn later_windows_read_the_overlap_again() {
        let mut position = rules().first_position(at("2026-11-20T08:00:00Z"));
        position.watermark = at("2026-11-20T11:30:00Z");
        let window = rules().window(&position, at("2026-11-20T12:00:00Z")).unwrap();
        assert_eq!(window.from, at("2026-11-20T11:20:00Z"));
        assert!(rules().identities_needed_from(position.watermark) < window.from);
    }

    #[test]
    fn there_is_no_window_while_nothing_has_settled_or_the_clock_went_back() {
        let mut position = rules().first_position(at("2026-11-20T08:00:00Z"));
        position.watermark = at("2026-11-20T11:59:30Z");
        assert_eq!(rules().window(&position, at("2026-11-20T12:00:00Z")), None);
        assert_eq!(rules().window(&position, at("2026-11-20T02:00:00Z")), None);
    }
}
