//! Reads an instant in the forms that the vendors use, and writes it as RFC 3339 in UTC.

use std::ops::RangeInclusive;

use chrono::{DateTime, Datelike, Duration, NaiveDate, NaiveDateTime, SecondsFormat, Utc};

/// RFC 3339 has four digits for the year, and a datetime of Azure Monitor begins with the year 1. Source: "The datetime
/// data type" in the documentation of Kusto.
const YEARS: RangeInclusive<i32> = 1..=9999;

/// An instant, with the fraction of a second exactly as the vendor wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VendorTime<'a> {
    seconds: NaiveDateTime,
    fraction: &'a str,
}

impl<'a> VendorTime<'a> {
    /// Accepts `2026-11-20T10:15:30.123Z`, offsets (`+01:00`, `+0100`, `+01`), a blank instead of the `T`, a
    /// trailing ` UTC` and no zone at all (then UTC), and a date alone. `None` for everything else,
    /// impossible dates included.
    pub fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim_ascii();
        let date = NaiveDate::from_ymd_opt(
            i32::try_from(number(text, 0, 4)?).ok()?,
            separated(text, 4, b"-", 2)?,
            separated(text, 7, b"-", 2)?,
        )?;
        let rest = text.get(10..)?;
        if rest.is_empty() {
            return YEARS.contains(&date.year()).then_some(Self {
                seconds: date.and_hms_opt(0, 0, 0)?,
                fraction: "",
            });
        }
        let seconds = date.and_hms_opt(
            separated(rest, 0, b"Tt ", 2)?,
            separated(rest, 3, b":", 2)?,
            separated(rest, 6, b":", 2)?,
        )?;
        let (fraction, zone) = split_fraction(rest.get(9..)?)?;
        let seconds = seconds.checked_sub_signed(offset(zone)?)?;
        YEARS.contains(&seconds.year()).then_some(Self { seconds, fraction })
    }

    /// The instant, to the nanosecond.
    pub fn utc(&self) -> DateTime<Utc> {
        let digits = self.fraction.get(..self.fraction.len().min(9)).unwrap_or_default();
        let scale = 10_i64.pow(9 - u32::try_from(digits.len()).unwrap_or(9));
        let nanoseconds = digits.parse::<i64>().unwrap_or(0) * scale;
        self.seconds.and_utc() + Duration::nanoseconds(nanoseconds)
    }

    /// Writes `2026-11-20T10:15:30.123Z`, with the vendor's fraction.
    pub fn write_into(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.seconds.format("%Y-%m-%dT%H:%M:%S").to_string().as_bytes());
        if !self.fraction.is_empty() {
            out.push(b'.');
            out.extend_from_slice(self.fraction.as_bytes());
        }
        out.push(b'Z');
    }
}

/// `2026-11-20T10:15:30.123Z`
pub fn rfc3339_millis(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn number(text: &str, at: usize, digits: usize) -> Option<u32> {
    let slice = text.get(at..at + digits)?;
    if !slice.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    slice.parse().ok()
}

fn separated(text: &str, at: usize, separators: &[u8], digits: usize) -> Option<u32> {
    let separator = text.as_bytes().get(at)?;
    if !separators.contains(separator) {
        return None;
    }
    number(text, at + 1, digits)
}

fn split_fraction(rest: &str) -> Option<(&str, &str)> {
    let Some(after_point) = rest.strip_prefix(['.', ',']) else {
        return Some(("", rest));
    };
    let length = after_point.bytes().take_while(u8::is_ascii_digit).count();
    if length == 0 {
        return None;
    }
    Some(after_point.split_at(length))
}

fn offset(zone: &str) -> Option<Duration> {
    let zone = zone.trim_ascii();
    if zone.is_empty() || ["Z", "UTC", "GMT"].iter().any(|utc| zone.eq_ignore_ascii_case(utc)) {
        return Some(Duration::zero());
    }
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits: String = zone[1..].chars().filter(|character| *character != ':').collect();
    let (hours, minutes) = match digits.len() {
        2 => (number(&digits, 0, 2)?, 0),
        4 => (number(&digits, 0, 2)?, number(&digits, 2, 2)?),
        _ => return None,
    };
    if hours > 23 || minutes > 59 {
        return None;
    }
    Some(Duration::minutes(sign * i64::from(hours * 60 + minutes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(text: &str) -> Option<String> {
        let mut out = Vec::new();
        VendorTime::parse(text)?.write_into(&mut out);
        String::from_utf8(out).ok()
    }

    #[test]
    fn the_forms_that_vendors_use_become_utc_with_their_own_fraction() {
        for (text, expected) in [
            ("2026-11-20T10:15:30.120Z", "2026-11-20T10:15:30.120Z"),
            ("2026-11-20T10:15:30Z", "2026-11-20T10:15:30Z"),
            ("2026-11-20T10:15:30.0096035+00:00", "2026-11-20T10:15:30.0096035Z"),
            ("2026-11-20T00:15:30+0130", "2026-11-19T22:45:30Z"),
            ("2026-11-20T23:15:30-05", "2026-11-21T04:15:30Z"),
            ("2026-11-20 10:15:30 UTC", "2026-11-20T10:15:30Z"),
            ("2026-11-20 10:15:30", "2026-11-20T10:15:30Z"),
            ("2026-11-20", "2026-11-20T00:00:00Z"),
        ] {
            assert_eq!(written(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for text in [
            "",
            "soon",
            "2026-02-30T00:00:00Z",
            "2026-11-20T25:00:00Z",
            "20261120",
            "2026-11-20Tx",
            "2026-11-20T10:15",
            "2026-11-20T10:15:30.Z",
            "2026-11-20T10:15:30+99:00",
            "+026-11-20T10:15:30Z",
            "2026-11-20T10:15:30é",
        ] {
            assert_eq!(VendorTime::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_fraction_counts_in_the_instant() {
        let instant = VendorTime::parse("2026-11-20T10:15:30.5Z").unwrap().utc();
        assert_eq!(rfc3339_millis(instant), "2026-11-20T10:15:30.500Z");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in "\\PC{0,40}") {
            let _ = VendorTime::parse(&text);
        }

        #[test]
        fn every_millisecond_comes_back_as_it_was(millis in -62_135_596_800_000_i64..253_402_300_799_000) {
            let instant = DateTime::from_timestamp_millis(millis).unwrap();
            prop_assert_eq!(VendorTime::parse(&rfc3339_millis(instant)).unwrap().utc(), instant);
        }
    }
}
