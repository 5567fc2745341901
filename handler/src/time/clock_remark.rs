//! What is said of a vendor's clock that does not agree with this machine's.

use chrono::TimeDelta;

use super::clock_offset::ClockOffset;
use super::span_text::span_text;

/// A sentence with what to do, for a vendor's clock that is so far ahead of this machine's (behind, where negative).
pub fn clock_remark(offset_seconds: f64) -> String {
    let rounding = if offset_seconds.abs() < 60.0 { 1.0 } else { 10.0 };
    // Converting a number that is too large ends at the largest.
    #[allow(clippy::cast_possible_truncation, reason = "it is rounded before, and saturates")]
    let seconds = ((offset_seconds / rounding).round() * rounding) as i64;
    let offset = TimeDelta::try_seconds(seconds).unwrap_or(TimeDelta::MAX);
    let difference = span_text(offset.abs());
    if !ClockOffset::exactly(offset).is_plausible() {
        return format!(
            "the Date header of the vendor's replies differs from this machine's clock by {difference}: that is too much \
             for a clock that is set wrong, so it is not believed, and windows end at this machine's time; check this \
             machine's clock"
        );
    }
    match offset < TimeDelta::zero() {
        true => format!(
            "the vendor's clock is {difference} behind this machine's: set this machine's clock right (NTP). Until then \
             windows end at the vendor's time, so that nothing is passed over"
        ),
        false => format!(
            "the vendor's clock is {difference} ahead of this machine's: set this machine's clock right (NTP). Nothing \
             is lost; until then events arrive so much later"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_which_way_how_much_and_what_to_do() {
        for (seconds, words) in [
            (-719.5, "is 12 min behind this machine's: set this machine's clock"),
            (7199.4, "is 2 h 0 min ahead of this machine's: set this machine's clock"),
            (-8.4, "is 8 s behind this machine's"),
            (-1.0e9, "is not believed"),
            (1.0e300, "is not believed"),
        ] {
            let remark = clock_remark(seconds);
            assert!(remark.contains(words), "{seconds}: {remark}");
        }
    }
}
