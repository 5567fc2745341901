//! Times in parameters and objects.

use chrono::{DateTime, NaiveDateTime, Utc};

/// A time of the API: ISO-8601 with at most six digits of fraction and `Z` (swagger:
/// `2018-02-27T04:49:26.257525Z`).
pub(super) fn time(text: &str) -> Option<DateTime<Utc>> {
    let without_zone = text.strip_suffix('Z')?;
    let (whole, fraction) = match without_zone.split_once('.') {
        Some((whole, fraction)) => (whole, fraction),
        None => (without_zone, "0"),
    };
    let is_short = (1..=6).contains(&fraction.len()) && fraction.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() != "2018-02-27T04:49:26".len() || !is_short {
        return None;
    }
    let naive = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.fZ").ok()?;
    Some(naive.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_up_to_six_digits_of_fraction_and_z() {
        assert!(time("2026-11-20T10:00:00.123456Z").is_some());
        assert_eq!(time("2026-11-20T10:00:00Z"), time("2026-11-20T10:00:00.000000Z"));
        for bad in [
            "2026-11-20T10:00:00.1234567Z",
            "2026-11-20T10:00:00.Z",
            "2026-11-20T10:00:00+00:00",
            "2026-11-20T10:00:00",
            "2026-11-20",
            "1795168800000",
        ] {
            assert_eq!(time(bad), None, "{bad}");
        }
    }
}
