//! When a window has fewer events than its pages promise.
//!
//! `totalItems` counts what the window holds at the time of the page, so a last page behind which less was read than
//! it says is no end: the console left something out, and the window is read again. Three things keep that from
//! stopping a stream for good. Objects that change on the way leave the window and the later totals with it, so only
//! the total of the last page counts where it has one and brings something new; where it brings nothing, that it says
//! there is nothing more is not enough, and the largest total counts that was said on the way: if objects really left,
//! the window that is begun anew says so from its first page on. A total that is absent, or below what was read,
//! promises nothing. And a total may be an estimate: a window that is interrupted is halved by whoever reads it, and in one that is as short as windows get,
//! has a single page and is still short after every try, nothing more can be had; then the totals of this console are
//! not believed for a day, which is said.

use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;

use crate::sources::cursor_pages::PageRequest;

const NOT_BELIEVED_FOR: TimeDelta = TimeDelta::hours(24);

/// What is known of the totals of one stream.
#[derive(Debug, Default)]
pub struct Totals {
    said: Mutex<Said>,
    not_believed_until: Mutex<Option<DateTime<Utc>>>,
}

/// On the way to the last page of a window.
#[derive(Clone, Copy, Debug, Default)]
struct Said {
    /// The total of the page before.
    last: Option<u64>,
    largest: Option<u64>,
}

/// A page, as far as it concerns the total.
#[derive(Clone, Copy, Debug)]
pub struct Count {
    /// Events on it that did not come before.
    pub events: u64,
    /// The total that it says.
    pub total: Option<u64>,
    /// False if another page follows.
    pub is_last: bool,
    /// True if it has no list at all, not even an empty one: then a total is believed in any case.
    pub is_absent: bool,
}

impl Totals {
    /// The number of events that the window has, unless nobody knows it.
    pub fn promised(&self, request: PageRequest<'_>, count: Count, now: DateTime<Utc>) -> Option<u64> {
        let mut said = self.said.lock();
        if request.cursor.is_none() {
            *said = Said::default();
        }
        let total = count.total.filter(|total| *total >= request.read + count.events);
        said.last = total.or(said.last);
        said.largest = said.largest.max(total);
        let brings_nothing = request.cursor.is_some() && count.events == 0;
        let promised = if brings_nothing { said.largest } else { said.last };
        drop(said);
        promised.filter(|_| count.is_absent || self.are_believed(now))
    }

    /// Why the page cannot be the last of its window, if it cannot.
    pub fn shortfall(&self, request: PageRequest<'_>, count: Count, now: DateTime<Utc>) -> Option<String> {
        let promised = self.promised(request, count, now)?;
        let read = request.read + count.events;
        if !count.is_last || promised <= read {
            return None;
        }
        Some(format!(
            "it is the last page, and {read} of the {promised} events have come that totalItems promises"
        ))
    }

    /// Trying again did not help. True if the page is to be taken for the last one all the same.
    pub fn give_up(&self, request: PageRequest<'_>, now: DateTime<Utc>) -> bool {
        let gives_up = request.window.is_shortest() && request.cursor.is_none();
        if gives_up {
            let until = now.checked_add_signed(NOT_BELIEVED_FOR);
            *self.not_believed_until.lock() = until;
        }
        gives_up
    }

    /// What a person should know.
    pub fn notice(&self, now: DateTime<Utc>) -> Option<String> {
        let notice = "the console's totalItems is larger than what it shows, also for a single second; until it is tried \
                      again tomorrow, pages that are missing without an error are not noticed";
        (!self.are_believed(now)).then(|| notice.to_owned())
    }

    fn are_believed(&self, now: DateTime<Utc>) -> bool {
        let until = *self.not_believed_until.lock();
        until.is_none_or(|until| now >= until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::Window;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_000_000 + second, 0).unwrap()
    }

    fn window(seconds: i64) -> Window {
        Window {
            from: at(0),
            to: at(seconds),
        }
    }

    fn behind(read: u64) -> PageRequest<'static> {
        PageRequest {
            cursor: (read > 0).then_some("c"),
            read,
            ..PageRequest::first(window(60), 1000)
        }
    }

    fn page(events: u64, total: Option<u64>, is_last: bool) -> Count {
        Count {
            events,
            total,
            is_last,
            is_absent: false,
        }
    }

    #[test]
    fn a_last_page_with_less_than_the_total_is_no_end_and_one_that_reaches_it_is() {
        for (read, events, total, is_short) in [
            (3, 0, Some(6), true),
            (3, 2, Some(6), true),
            (3, 3, Some(6), false),
            (3, 4, Some(6), false),
            (1000, 0, Some(1000), false),
            (0, 0, Some(1), true),
            (0, 0, Some(0), false),
            (3, 0, None, false),
        ] {
            let totals = Totals::default();
            let short = totals.shortfall(behind(read), page(events, total, true), at(0));
            assert_eq!(short.is_some(), is_short, "{read} {events} {total:?}");
        }
        let totals = Totals::default();
        assert_eq!(totals.shortfall(behind(0), page(3, Some(6), false), at(0)), None);
    }

    #[test]
    fn the_last_total_counts_and_an_earlier_one_where_the_last_page_has_none() {
        let totals = Totals::default();
        let shortfall = |place, count| totals.shortfall(place, count, at(0));
        // Two of six left the window on the way.
        assert_eq!(shortfall(behind(0), page(3, Some(6), false)), None);
        assert_eq!(shortfall(behind(3), page(1, Some(4), true)), None);
        assert_eq!(shortfall(behind(0), page(3, Some(6), false)), None);
        assert!(shortfall(behind(3), page(0, None, true)).is_some());
        // The next window owes nothing for it.
        assert_eq!(shortfall(behind(0), page(3, None, true)), None);
    }

    #[test]
    fn a_last_page_that_brings_nothing_is_measured_by_the_largest_total() {
        for (total, is_short) in [(0, true), (2, true), (3, true), (6, true)] {
            let totals = Totals::default();
            assert_eq!(totals.shortfall(behind(0), page(3, Some(6), false), at(0)), None);
            let short = totals.shortfall(behind(3), page(0, Some(total), true), at(0));
            assert_eq!(short.is_some(), is_short, "{total}");
            // Begun anew, without what left the window.
            assert_eq!(totals.shortfall(behind(0), page(3, Some(3), false), at(0)), None);
            assert_eq!(totals.shortfall(behind(3), page(0, Some(0), true), at(0)), None);
        }
    }

    #[test]
    fn a_total_below_what_was_read_takes_no_earlier_one_back() {
        let totals = Totals::default();
        assert_eq!(totals.shortfall(behind(0), page(3, Some(6), false), at(0)), None);
        assert!(totals.shortfall(behind(3), page(1, Some(2), true), at(0)).is_some());
    }

    #[test]
    fn an_estimate_stops_no_stream() {
        let totals = Totals::default();
        let estimate = page(3, Some(99), true);
        assert!(totals.shortfall(behind(0), estimate, at(0)).is_some());
        let of_a_second = |request| PageRequest {
            window: window(1),
            ..request
        };
        assert!(!totals.give_up(behind(0), at(0)));
        assert!(!totals.give_up(of_a_second(behind(1000)), at(0)));
        assert!(totals.give_up(of_a_second(behind(0)), at(0)));
        assert!(totals.notice(at(1)).is_some());
        assert_eq!(totals.shortfall(behind(0), estimate, at(1)), None);
        let absent = Count {
            is_absent: true,
            ..estimate
        };
        assert!(totals.shortfall(behind(0), absent, at(1)).is_some());
        assert!(totals.shortfall(behind(0), estimate, at(90_000)).is_some());
        assert_eq!(totals.notice(at(90_000)), None);
    }
}
