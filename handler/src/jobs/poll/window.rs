//! Which spans of vendor time a run reads, and in which slices.

use std::time::Duration;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

use crate::sources::{SHORTEST_WINDOW, Window};
use crate::state::{Span, TablePosition};

/// A slice with more pages than this is halved.
pub const MOST_PAGES: u32 = 20;
/// A slice with no more pages than this lets the next one be twice as long.
const FEW_PAGES: u32 = 5;
/// Slices are not halved below this.
const SHORTEST_SLICE: TimeDelta = SHORTEST_WINDOW;
/// Interrupted slices that are remembered.
const MOST_NARROW: usize = 100;
/// Where reading the overlap again costs too much it is done in one of so many runs.
const REREAD_EVERY: u32 = 10;

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
        TablePosition::beginning_at(before(now, self.lookback))
    }

    /// What this run reads, from the overlap before the watermark to the present less the settling time. `None` if
    /// nothing has settled since the watermark.
    pub fn plan_slices(
        &self,
        position: &TablePosition,
        now: DateTime<Utc>,
        pages_per_minute: Option<f64>,
    ) -> Option<SlicePlan> {
        let end = before(now, self.settle);
        if end <= position.watermark {
            return None;
        }
        let rereads = self.rereads(position, pages_per_minute);
        let at = if rereads {
            self.reread_from(position)
        } else {
            position.watermark
        };
        let slice = position
            .slice_ms
            .map_or(end - at, TimeDelta::milliseconds)
            .max(SHORTEST_SLICE);
        let reread_from = self.reread_from(position);
        let narrow = position.narrow.iter().filter(|span| span.to > reread_from);
        Some(SlicePlan {
            at,
            end,
            slice,
            rereads,
            narrow: narrow.copied().collect(),
        })
    }

    /// Identities from this time on may be shown again. A second more than the overlap, because vendors' bounds and
    /// ours may differ by a unit.
    pub fn identities_needed_from(&self, position: &TablePosition) -> DateTime<Utc> {
        self.reread_from(position) - TimeDelta::seconds(1)
    }

    /// Moves a position to the end of a slice that was read to its end.
    pub fn advance(&self, position: &mut TablePosition, slice: Window, slices: &SlicePlan) {
        position.coverage.add(slice.from, slice.to);
        position.narrow.clone_from(&slices.narrow);
        position.slice_ms = (slices.slice < slices.end - slice.to).then(|| slices.slice.num_milliseconds());
        if slice.to < position.watermark {
            return;
        }
        let reread_from = self.reread_from(position);
        position.watermark = slice.to;
        position.reread_cut_off = false;
        if slices.rereads {
            position.reread_from = Some(reread_from.max(before(slice.to, self.overlap)).max(position.begin));
            position.runs_without_reread = 0;
        } else {
            position.reread_from = Some(reread_from);
        }
    }

    /// A run that never got past the overlap would never get on: the next one leaves it out. Where it takes more than
    /// a third of the vendor's rate it is left to every tenth run.
    fn rereads(&self, position: &TablePosition, pages_per_minute: Option<f64>) -> bool {
        if position.reread_cut_off {
            return false;
        }
        let is_costly = position.is_costly_to_reread(pages_per_minute);
        !is_costly || position.runs_without_reread + 1 >= REREAD_EVERY
    }

    /// Identities reach back as far as the overlap did when they were stored, so a longer overlap in the settings
    /// takes effect from then on.
    fn reread_from(&self, position: &TablePosition) -> DateTime<Utc> {
        position
            .reread_from
            .unwrap_or_else(|| before(position.watermark, self.overlap))
            .max(position.begin)
    }
}

/// What a run reads, cut into slices, oldest first.
#[derive(Clone, Debug)]
pub struct SlicePlan {
    /// The start of the next slice.
    pub at: DateTime<Utc>,
    /// The end of the last one.
    pub end: DateTime<Utc>,
    /// How long the next slice may be.
    pub slice: TimeDelta,
    /// True if it begins before the watermark.
    pub rereads: bool,
    /// Slices that were interrupted, oldest first: none is that long again in their place.
    pub narrow: Vec<Span>,
}

impl SlicePlan {
    /// From `at` to `end`, in slices of at most that length.
    pub fn new(at: DateTime<Utc>, end: DateTime<Utc>, slice: TimeDelta) -> Self {
        Self {
            at,
            end,
            slice,
            rereads: false,
            narrow: Vec::new(),
        }
    }

    /// The next slice, if the end is not reached.
    pub fn next_slice(&self) -> Option<Window> {
        let up_to = |length: TimeDelta| {
            let to = self.at.checked_add_signed(length);
            to.map_or(self.end, |to| to.min(self.end))
        };
        let to = match self.narrow.iter().find(|span| span.to > self.at) {
            None => up_to(self.slice),
            Some(span) if self.at < span.from => up_to(self.slice).min(span.from),
            Some(span) => up_to(self.slice.min(half_of(span.to - span.from))),
        };
        (self.at < self.end).then_some(Window { from: self.at, to })
    }

    /// The slice was interrupted, and perhaps would be again however often it is asked for: halved, and not asked for
    /// again at that length. So what is at fault ends up in the shortest of slices. False if it is as short as it gets.
    pub fn narrow_down(&mut self, slice: Window) -> bool {
        if !self.halve(slice) {
            return false;
        }
        self.narrow
            .retain(|span| span.to <= slice.from || span.from >= slice.to);
        self.narrow.push(Span {
            from: slice.from,
            to: slice.to,
        });
        self.narrow.sort_by_key(|span| span.from);
        if self.narrow.len() > MOST_NARROW {
            self.narrow.remove(0);
        }
        true
    }

    /// The slice was read to its end, in so many pages.
    pub fn pass(&mut self, slice: Window, pages: u32) {
        self.at = slice.to;
        if pages <= FEW_PAGES {
            self.slice = self.slice.checked_mul(2).unwrap_or(self.slice);
        }
    }

    /// The slice is too long, or was interrupted: its older half comes first. False if it is as short as it gets.
    pub fn halve(&mut self, slice: Window) -> bool {
        let is_long = !slice.is_shortest();
        if is_long {
            self.slice = half_of(slice.to - slice.from);
        }
        is_long
    }
}

fn half_of(length: TimeDelta) -> TimeDelta {
    TimeDelta::milliseconds(length.num_milliseconds() / 2).max(SHORTEST_SLICE)
}

/// Windows begin and end on whole milliseconds: finer bounds could not be asked for.
pub fn before(instant: DateTime<Utc>, time: Duration) -> DateTime<Utc> {
    let earlier = TimeDelta::from_std(time)
        .ok()
        .and_then(|time| instant.checked_sub_signed(time));
    earlier.unwrap_or(DateTime::UNIX_EPOCH).trunc_subsecs(3)
}

/// An instant, or `limit` if that is earlier.
pub fn no_later_than(instant: DateTime<Utc>, limit: Option<DateTime<Utc>>) -> DateTime<Utc> {
    limit.map_or(instant, |limit| limit.min(instant))
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

    fn plan(position: &TablePosition, now: &str) -> Option<SlicePlan> {
        rules().plan_slices(position, at(now), Some(210.0))
    }

    #[test]
    fn the_first_window_begins_at_the_lookback_and_never_before() {
        let now = at("2026-11-20T12:00:00.123456Z");
        let slices = rules().plan_slices(&rules().first_position(now), now, None).unwrap();
        let expected = Window {
            from: at("2026-11-20T11:00:00.123Z"),
            to: at("2026-11-20T11:59:00.123Z"),
        };
        assert_eq!(slices.next_slice(), Some(expected));
    }

    #[test]
    fn later_windows_read_the_overlap_again() {
        let mut position = rules().first_position(at("2026-11-20T08:00:00Z"));
        let first = plan(&position, "2026-11-20T11:31:00Z").unwrap();
        rules().advance(&mut position, first.next_slice().unwrap(), &first);
        assert_eq!(position.watermark, at("2026-11-20T11:30:00Z"));
        let second = plan(&position, "2026-11-20T12:00:00Z").unwrap();
        assert_eq!(second.next_slice().unwrap().from, at("2026-11-20T11:20:00Z"));
        assert!(rules().identities_needed_from(&position) < second.at);
    }

    #[test]
    fn there_is_no_window_while_nothing_has_settled_or_the_clock_went_back() {
        let position = TablePosition::beginning_at(at("2026-11-20T11:59:30Z"));
        assert!(plan(&position, "2026-11-20T12:00:00Z").is_none());
        assert!(plan(&position, "2026-11-20T02:00:00Z").is_none());
    }

    #[test]
    fn a_longer_overlap_never_reaches_back_beyond_the_identities() {
        let mut position = rules().first_position(at("2026-11-20T08:00:00Z"));
        let first = plan(&position, "2026-11-20T11:31:00Z").unwrap();
        rules().advance(&mut position, first.next_slice().unwrap(), &first);
        let longer = PollRules {
            overlap: Duration::from_secs(7200),
            ..rules()
        };
        let second = longer.plan_slices(&position, at("2026-11-20T12:00:00Z"), None).unwrap();
        assert_eq!(second.at, at("2026-11-20T11:20:00Z"));
        longer.advance(&mut position, second.next_slice().unwrap(), &second);
        assert_eq!(position.reread_from, Some(at("2026-11-20T11:20:00Z")));
    }

    #[test]
    fn a_long_slice_is_halved_until_it_is_short_and_grows_again_when_it_is_easy() {
        let position = rules().first_position(at("2026-11-20T08:00:00Z"));
        let mut slices = plan(&position, "2026-11-20T09:01:00Z").unwrap();
        let mut lengths = Vec::new();
        while slices.halve(slices.next_slice().unwrap()) {
            lengths.push(slices.slice);
        }
        assert_eq!(lengths[0], TimeDelta::minutes(60));
        assert!(slices.slice >= SHORTEST_SLICE && lengths.len() == 12, "{lengths:?}");
        let mut passed = 0;
        while let Some(slice) = slices.next_slice() {
            slices.pass(slice, 1);
            passed += 1;
        }
        assert!(passed < 16, "{passed}");
    }

    /// What a vendor gives who fails wherever a slice holds one of these times and is not as short as slices get.
    fn run_against(bad: &[DateTime<Utc>], position: &mut TablePosition, now: &str) -> Result<(), ()> {
        let Some(mut run) = plan(position, now) else {
            return Ok(());
        };
        while let Some(slice) = run.next_slice() {
            let fails = bad.iter().any(|bad| (slice.from..slice.to).contains(bad));
            if fails && run.narrow_down(slice) {
                position.slice_ms = Some(run.slice.num_milliseconds());
                position.narrow.clone_from(&run.narrow);
                return Err(());
            }
            run.pass(slice, 1);
            rules().advance(position, slice, &run);
        }
        Ok(())
    }

    #[test]
    fn a_slice_does_not_grow_back_over_what_interrupted_it() {
        let mut position = rules().first_position(at("2026-11-20T11:00:00Z"));
        let bad = [
            at("2026-11-20T10:20:00Z"),
            at("2026-11-20T10:22:00.500Z"),
            at("2026-11-20T10:50:07Z"),
        ];
        let now = "2026-11-20T11:00:00Z";
        let failed = (0..100)
            .take_while(|_| run_against(&bad, &mut position, now).is_err())
            .count();
        assert!(failed < 40, "{failed}");
        assert_eq!(position.watermark, at("2026-11-20T10:59:00Z"));
        // What is read again is not interrupted again.
        assert_eq!(run_against(&bad, &mut position, "2026-11-20T11:05:00Z"), Ok(()));
        let slices = plan(&position, "2026-11-20T12:30:00Z").unwrap();
        assert!(
            slices.narrow.is_empty() && slices.next_slice().unwrap().to == slices.end,
            "{slices:?}"
        );
    }

    #[test]
    fn an_overlap_that_costs_too_much_is_read_in_every_tenth_run_and_nothing_of_it_is_forgotten() {
        let mut position = rules().first_position(at("2026-11-20T08:00:00Z"));
        position.reread_pages = 100;
        position.watermark = at("2026-11-20T10:00:00Z");
        position.reread_from = Some(at("2026-11-20T09:50:00Z"));
        let mut rereads = Vec::new();
        for minute in 2..22 {
            let run = plan(&position, &format!("2026-11-20T10:{minute:02}:00Z")).unwrap();
            rereads.push(run.rereads);
            if run.rereads {
                assert_eq!(run.at, position.reread_from.unwrap());
            } else {
                position.runs_without_reread += 1;
            }
            rules().advance(&mut position, run.next_slice().unwrap(), &run);
        }
        assert_eq!(rereads.iter().filter(|reread| **reread).count(), 2, "{rereads:?}");
    }

    #[test]
    fn a_run_that_was_cut_off_in_the_overlap_is_followed_by_one_without_it() {
        let mut position = rules().first_position(at("2026-11-20T08:00:00Z"));
        position.watermark = at("2026-11-20T10:00:00Z");
        position.reread_cut_off = true;
        let run = plan(&position, "2026-11-20T10:05:00Z").unwrap();
        assert_eq!(run.at, position.watermark);
        rules().advance(&mut position, run.next_slice().unwrap(), &run);
        assert_eq!(
            plan(&position, "2026-11-20T10:06:00Z").unwrap().at,
            at("2026-11-20T09:50:00Z")
        );
    }
}
