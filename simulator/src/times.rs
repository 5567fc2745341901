//! Times as the vendors write them: `yyyy-MM-ddTHH:mm:ss`, a fraction and `Z`.

use std::ops::RangeInclusive;

use chrono::{DateTime, NaiveDateTime, Utc};

/// A time whose fraction, if there is one, has so many digits.
pub(crate) fn utc_time(text: &str, digits: RangeInclusive<usize>) -> Option<DateTime<Utc>> {
    let without_zone = text.strip_suffix('Z')?;
    let (whole, fraction) = match without_zone.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (without_zone, None),
    };
    let shape: String = whole
        .chars()
        .map(|letter| if letter.is_ascii_digit() { '0' } else { letter })
        .collect();
    let is_short =
        |fraction: &str| digits.contains(&fraction.len()) && fraction.bytes().all(|byte| byte.is_ascii_digit());
    if shape != "0000-00-00T00:00:00" || !fraction.is_none_or(is_short) {
        return None;
    }
    let naive = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.fZ").ok()?;
    Some(naive.and_utc())
}

/// With three digits of fraction.
pub(crate) fn milliseconds(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_so_many_digits_of_fraction_and_z() {
        for good in [
            "2026-11-20T10:00:00.123456Z",
            "2026-11-20T10:00:00.1Z",
            "2026-11-20T10:00:00Z",
        ] {
            assert!(utc_time(good, 1..=6).is_some(), "{good}");
        }
        assert_eq!(utc_time("2026-11-20T10:00:00.1234Z", 1..=3), None);
        assert_eq!(utc_time("2026-11-20T10:00:00.12Z", 3..=3), None);
        assert_eq!(
            utc_time("2026-11-20T10:00:00Z", 3..=3),
            utc_time("2026-11-20T10:00:00.000Z", 3..=3)
        );
        for bad in [
            "2026-11-20T10:00:00.1234567Z",
            "2026-11-20T10:00:00.Z",
            "2026-11-20T10:00:00.-1Z",
            "2026-11-20T10:00:00+00:00",
            "2026-11-20T10:00:00",
            "2026-11-20 10:00:00Z",
            "+026-11-20T10:00:00Z",
            "2026-11- 2T10:00:00Z",
            "2026-13-20T10:00:00Z",
            "2026-11-20",
            "1795168800000",
        ] {
            assert_eq!(utc_time(bad, 1..=6), None, "{bad}");
        }
    }
}
