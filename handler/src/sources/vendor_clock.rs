//! What the replies of a vendor tell of its clock.

use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;
use reqwest::header::{AGE, DATE, HeaderMap};

use crate::time::ClockOffset;

/// A reply counts for so long. Later one of the two clocks may have been set.
const LASTS: TimeDelta = TimeDelta::minutes(2);
/// `Date` has whole seconds. Source: RFC 9110, 5.6.7.
const RESOLUTION: TimeDelta = TimeDelta::seconds(1);

/// The clock of one account's vendor, as the `Date` headers of its replies show it.
#[derive(Debug, Default)]
pub struct VendorClock(Mutex<Option<ClockReading>>);

#[derive(Clone, Copy, Debug)]
struct ClockReading {
    /// When it came, by our clock.
    at: DateTime<Utc>,
    offset: ClockOffset,
}

impl VendorClock {
    /// Takes note of a reply that was asked for and received at these times. One without a `Date` that can be read
    /// tells nothing.
    pub fn note(&self, headers: &HeaderMap, sent: DateTime<Utc>, received: DateTime<Utc>) {
        let Some(date) = date_of(headers).filter(|_| sent <= received) else {
            return;
        };
        let offset = ClockOffset {
            least: date - received,
            most: date + RESOLUTION - sent,
        };
        let mut best = self.0.lock();
        // A reply that was held up on its way, or comes out of a cache, shows an earlier time than the clock does, and
        // none shows a later one.
        let is_better = best
            .filter(|best| best.counts_at(received))
            .is_none_or(|best| offset.least >= best.offset.least);
        if is_better {
            *best = Some(ClockReading { at: received, offset });
        }
    }

    /// How far it is from ours, if a reply told so within the last minutes before `now`.
    pub fn offset(&self, now: DateTime<Utc>) -> Option<ClockOffset> {
        let best = *self.0.lock();
        best.filter(|best| best.counts_at(now)).map(|best| best.offset)
    }
}

#[cfg(test)]
impl VendorClock {
    /// As in a process that has heard nothing yet.
    pub fn forget(&self) {
        *self.0.lock() = None;
    }
}

impl ClockReading {
    fn counts_at(&self, now: DateTime<Utc>) -> bool {
        self.at <= now && now - self.at <= LASTS
    }
}

/// A cache says in `Age` how long ago the vendor wrote the `Date`.
fn date_of(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    let date = headers.get(DATE)?.to_str().ok()?.trim();
    let date: DateTime<Utc> = httpdate::parse_http_date(date).ok()?.into();
    let age = headers
        .get(AGE)
        .and_then(|age| age.to_str().ok()?.trim().parse::<u32>().ok());
    date.checked_add_signed(TimeDelta::seconds(age.unwrap_or_default().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        "2026-11-20T12:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(second)
    }

    fn headers(second: i64) -> HeaderMap {
        let date = at(second).format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        HeaderMap::from_iter([(DATE, date.parse().unwrap())])
    }

    fn offset_after(replies: &[(i64, i64, i64)], now: i64) -> Option<ClockOffset> {
        let clock = VendorClock::default();
        for (date, sent, received) in replies {
            clock.note(&headers(*date), at(*sent), at(*received));
        }
        clock.offset(at(now))
    }

    #[test]
    fn a_clock_that_agrees_is_neither_ahead_nor_behind_however_slow_the_reply_was() {
        for reply in [(0, 0, 0), (0, 0, 1), (2, 0, 4), (0, 0, 60), (60, 0, 60)] {
            let offset = offset_after(&[reply], reply.2).unwrap();
            assert!(!offset.is_behind() && !offset.is_ahead(), "{reply:?}: {offset:?}");
            assert_eq!(offset.difference_seconds(), None);
        }
    }

    #[test]
    fn a_difference_has_its_direction_and_is_within_its_bounds() {
        let behind = offset_after(&[(-720, 0, 2)], 3).unwrap();
        assert!(behind.is_behind() && !behind.is_ahead() && behind.is_plausible());
        assert_eq!(
            (behind.least, behind.most),
            (TimeDelta::seconds(-722), TimeDelta::seconds(-719))
        );
        let ahead = offset_after(&[(720, 0, 2)], 3).unwrap();
        assert!(ahead.is_ahead() && !ahead.is_behind());
        assert_eq!(ahead.difference_seconds(), Some(719.5));
        assert!(!offset_after(&[(-8 * 86_400, 0, 0)], 0).unwrap().is_plausible());
    }

    #[test]
    fn of_several_replies_the_one_with_the_latest_time_counts() {
        let stale_between = [(-722, 0, 1), (-4000, 5, 6), (-716, 10, 14)];
        assert_eq!(
            offset_after(&stale_between, 20).unwrap().least,
            TimeDelta::seconds(-723)
        );
    }

    #[test]
    fn a_clock_that_was_set_is_learned_anew() {
        // Ours, ahead.
        assert_eq!(offset_after(&[(0, 0, 1)], 7200), None);
        let after = offset_after(&[(0, 0, 1), (60, 7260, 7261)], 7261).unwrap();
        assert!(after.is_behind());
        // Ours, back.
        assert_eq!(offset_after(&[(0, 7200, 7201)], 0), None);
        assert!(!offset_after(&[(0, 7200, 7201), (60, 60, 61)], 61).unwrap().is_behind());
    }

    #[test]
    fn the_age_of_a_cached_reply_counts_and_what_cannot_be_read_tells_nothing() {
        let clock = VendorClock::default();
        for date in ["", "soon", "2026-11-20T12:00:00Z", "Fri, 99 Nov 2026 12:00:00 GMT"] {
            clock.note(&HeaderMap::from_iter([(DATE, date.parse().unwrap())]), at(0), at(0));
        }
        clock.note(&HeaderMap::new(), at(0), at(0));
        assert_eq!(clock.offset(at(0)), None);
        let mut cached = headers(-600);
        cached.insert(AGE, "600".parse().unwrap());
        clock.note(&cached, at(0), at(0));
        assert!(!clock.offset(at(0)).unwrap().is_behind());
    }
}
