//! Durations in words such as `90s` or `1h 30m`.

use std::time::Duration;

use crate::config::invalid_value::InvalidValue;

/// The longest duration of any setting: with it, times can be added up without overflow.
const LONGEST: Duration = Duration::from_secs(730 * 24 * 60 * 60);

/// More digits than any duration up to [`LONGEST`] needs. The parser's own arithmetic can overflow
/// on longer ones.
const MOST_DIGITS: usize = 12;

/// Accepts a duration above zero, at most 730 days.
pub fn above_zero(text: &str) -> Result<Duration, InvalidValue> {
    parse(text)
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| InvalidValue::new("must be a duration above zero and at most 730days, such as 30s, 4m or 1h"))
}

/// Accepts a duration of zero or more, at most 730 days.
pub fn zero_or_more(text: &str) -> Result<Duration, InvalidValue> {
    parse(text).ok_or_else(|| InvalidValue::new("must be a duration of at most 730days, such as 0s, 100ms, 30s or 10m"))
}

fn parse(text: &str) -> Option<Duration> {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if digits > MOST_DIGITS {
        return None;
    }
    humantime::parse_duration(text)
        .ok()
        .filter(|duration| *duration <= LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_their_units() {
        for (written, seconds) in [("30s", 30), ("4m", 240), ("1h 30m", 5400), ("730days", 63_072_000)] {
            assert_eq!(above_zero(written), Ok(Duration::from_secs(seconds)));
            assert_eq!(zero_or_more(written), Ok(Duration::from_secs(seconds)));
        }
        assert_eq!(zero_or_more("100ms"), Ok(Duration::from_millis(100)));
    }

    #[test]
    fn zero_is_accepted_only_where_it_makes_sense() {
        for zero in ["0", "0s", "0ms 0h"] {
            assert_eq!(zero_or_more(zero), Ok(Duration::ZERO));
            assert!(above_zero(zero).is_err());
        }
    }

    #[test]
    fn what_is_no_reasonable_duration_is_refused_without_panic() {
        for refused in [
            "",
            "5",
            "-5s",
            "5 parsecs",
            "731days",
            "2years 1s",
            "18446744073709551615s 1000000000ns",
            "584542046090y 1000ms",
            "1h30",
            "PT5M",
            "00:05:00",
        ] {
            assert!(above_zero(refused).is_err(), "{refused}");
            assert!(zero_or_more(refused).is_err(), "{refused}");
        }
    }
}
