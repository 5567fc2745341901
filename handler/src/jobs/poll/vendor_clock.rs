//! How far a run may go: to the earlier of this machine's present and the vendor's, and back from a position that lies
//! beyond both.
//!
//! The vendor's clock shows in its replies, so the first window of a process may be cut by ours alone. What was read
//! of it is therefore counted as read only as far as the vendor's clock was at that time. Where a vendor shows no time,
//! only a position that lies ahead of our present tells that our clock was wrong.

use chrono::{DateTime, TimeDelta, Utc};

use super::polled_run::PolledRun;
use super::window::{PollRules, SlicePlan, before};
use crate::sources::Window;
use crate::state::{Checkpoints, TablePosition};
use crate::time::{ClockOffset, clock_remark, rfc3339_millis};

/// A clock of ours that is so far behind delays events long enough to be told.
const WORTH_TELLING: TimeDelta = TimeDelta::seconds(60);

/// How our clock and the vendor's stand while a stream is read.
pub struct StreamClock<'a>(pub PolledRun<'a>);

/// What was taken back because a clock was wrong.
#[derive(Default)]
pub struct TakenBack {
    pub is_moved: bool,
    pub notices: Vec<String>,
}

impl StreamClock<'_> {
    /// The earlier of our present and the vendor's, as far as that is known.
    pub fn earlier_now(&self) -> DateTime<Utc> {
        let now = self.0.context.now;
        self.clock_behind().map_or(now, |offset| now + offset.least)
    }

    /// The vendor's clock is certainly not beyond this.
    fn latest_now(&self) -> DateTime<Utc> {
        let now = self.0.context.now;
        self.clock_behind().map_or(now, |offset| now + offset.most)
    }

    /// The part of a slice that lies before the vendor's settled present; the plan ends there too. `None` if there is
    /// none.
    pub fn settled_part(&self, slice: Window, slices: &mut SlicePlan) -> Option<Window> {
        let end = before(self.earlier_now(), self.0.rules.settle);
        slices.end = slices.end.min(end);
        let part = Window {
            to: slice.to.min(end),
            ..slice
        };
        (part.from < part.to).then_some(part)
    }

    /// True if a position lies beyond the present: somebody's clock was wrong when it was saved, or is.
    pub fn is_in_the_future(&self, checkpoints: &Checkpoints) -> bool {
        let latest_now = self.latest_now();
        let mut positions = checkpoints.current.tables.values();
        positions.any(|position| position.watermark > latest_now)
    }

    /// Takes back what a wrong clock took as read: events that came in the meantime were passed over.
    pub fn come_back_from_the_future(&self, checkpoints: &mut Checkpoints) -> TakenBack {
        let (earlier_now, latest_now) = (self.earlier_now(), self.latest_now());
        let mut taken_back = TakenBack::default();
        for (table, position) in &mut checkpoints.current.tables {
            if position.watermark <= latest_now {
                continue;
            }
            taken_back.is_moved = true;
            if position.coverage.spans().is_empty() && position.counts.received == 0 {
                let first = self.0.rules.first_position(earlier_now);
                position.begin = first.begin;
                position.watermark = first.watermark;
                position.reread_from = None;
                continue;
            }
            let future = position.watermark;
            let back = back_to(&self.0.rules, position, earlier_now);
            go_back(position, back);
            taken_back.notices.push(format!(
                "{} -> {table}: the checkpoint ({}) lies in the future, so a clock was wrong; reading goes on from {}, and rows \
                 since then may arrive twice. If the clock was wrong for longer, `handler backfill --again` reads the time before",
                self.0.stream.name(),
                rfc3339_millis(future),
                rfc3339_millis(back),
            ));
        }
        taken_back
    }

    /// How the vendor's clock stands to ours, if that is known, and what is to be said if it does something to windows
    /// or delays events.
    pub fn offset_and_notice(&self) -> Option<(ClockOffset, Option<String>)> {
        let offset = self.clock_offset()?;
        let changes_something = offset.is_behind() || !offset.is_plausible() || offset.least >= WORTH_TELLING;
        let seconds = offset.difference_seconds().filter(|_| changes_something);
        let notice = seconds.map(|seconds| format!("{}: {}", self.0.stream.name(), clock_remark(seconds)));
        Some((offset, notice))
    }

    fn clock_offset(&self) -> Option<ClockOffset> {
        self.0.stream.vendor_clock()?.offset(self.0.context.clock.now())
    }

    fn clock_behind(&self) -> Option<ClockOffset> {
        self.clock_offset()
            .filter(|offset| offset.is_plausible() && offset.is_behind())
    }
}

/// When the clock went wrong is not known. Until the newest event that was read it was right enough: that event was
/// there. Where none is known the stream begins as one that was never read.
fn back_to(rules: &PollRules, position: &TablePosition, now: DateTime<Utc>) -> DateTime<Utc> {
    let settled = before(now, rules.settle);
    let newest = position.newest_event.filter(|newest| *newest <= now);
    let back = match newest {
        Some(newest) => before(newest.min(settled), rules.overlap),
        None => before(settled, rules.overlap.max(rules.lookback)),
    };
    if position.begin <= settled {
        back.max(position.begin)
    } else {
        back
    }
}

fn go_back(position: &mut TablePosition, back: DateTime<Utc>) {
    position.watermark = back;
    position.reread_from = Some(back);
    position.reread_cut_off = false;
    position.begin = position.begin.min(back);
    position.coverage.take_back_from(back);
}

#[cfg(test)]
mod model;

#[cfg(test)]
mod tests {
    use std::time::Duration;

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

    fn position(newest: Option<&str>) -> TablePosition {
        let mut position = TablePosition::beginning_at(at("2026-11-20T08:00:00Z"));
        position.watermark = at("2026-11-20T14:00:00Z");
        position.coverage.add(position.begin, position.watermark);
        position.newest_event = newest.map(at);
        position
    }

    #[test]
    fn reading_begins_anew_before_the_newest_event_and_never_before_the_first_window() {
        let now = at("2026-11-20T12:00:00Z");
        for (newest, expected) in [
            (Some("2026-11-20T11:30:00Z"), "2026-11-20T11:20:00Z"),
            (Some("2026-11-20T11:59:59Z"), "2026-11-20T11:49:00Z"),
            (Some("2026-11-20T08:05:00Z"), "2026-11-20T08:00:00Z"),
            (Some("2026-11-20T13:30:00Z"), "2026-11-20T10:59:00Z"),
            (None, "2026-11-20T10:59:00Z"),
        ] {
            let mut position = position(newest);
            let back = back_to(&rules(), &position, now);
            assert_eq!(back, at(expected), "{newest:?}");
            go_back(&mut position, back);
            assert_eq!(position.holes(), Vec::new());
            assert!(!position.coverage.contains(back));
            let slices = rules().plan_slices(&position, now, None).unwrap();
            assert_eq!(slices.at, back);
        }
    }
}
