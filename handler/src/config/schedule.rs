//! When the timer fires.

use std::fmt;

use chrono::{DateTime, Utc};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

use crate::config::invalid_value::InvalidValue;

const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// A schedule in six fields, seconds first, in UTC: what the Functions host accepts.
#[derive(Clone, PartialEq, Eq)]
pub struct Schedule {
    text: String,
    cron: Cron,
}

impl Schedule {
    /// Reads a schedule such as `0 */5 * * * *`.
    ///
    /// # Errors
    /// Says the accepted form where the text is anything else, and never repeats the text.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        Self::read(text).ok_or_else(|| {
            InvalidValue::new(
                "must have six fields, second minute hour day month weekday, and a time at which \
                 it fires, such as 0 * * * * * or 0 */5 * * * *",
            )
        })
    }

    /// The schedule as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The first time after `time` at which the schedule fires; none where the calendar ends.
    pub fn next_after(&self, time: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.cron.find_next_occurrence(&time, false).ok()
    }

    fn read(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let [seconds, minutes, hours, days, months, weekdays] = fields.as_slice() else {
            return None;
        };
        // The host knows less than the parser: a schedule that only one of them understands would
        // fire at other times in Azure than here.
        let is_known = [seconds, minutes, hours, days]
            .iter()
            .all(|field| is_plain_field(field, &[]));
        if !is_known || !is_plain_field(months, &MONTHS) || !is_plain_field(weekdays, &DAYS) {
            return None;
        }
        // Sunday is 0, so it begins a range and never ends one.
        if weekdays.contains('7') || weekdays.to_ascii_uppercase().contains("-SUN") {
            return None;
        }

        let cron = CronParser::builder()
            .seconds(Seconds::Required)
            .year(Year::Disallowed)
            .dom_and_dow(true)
            .sloppy_ranges(true)
            .build()
            .parse(&fields.join(" "))
            .ok()?;
        let schedule = Self {
            text: text.to_owned(),
            cron,
        };
        schedule.next_after(DateTime::UNIX_EPOCH)?;
        Some(schedule)
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Schedule({})", self.text)
    }
}

/// Whether a field is a comma list of `*`, `a`, `a-b`, each with `/step` or without, where `a` and
/// `b` are numbers or one of `names`.
fn is_plain_field(field: &str, names: &[&str]) -> bool {
    field.split(',').all(|entry| {
        let (range, step) = entry.split_once('/').unwrap_or((entry, "1"));
        if !is_number(step) {
            return false;
        }
        let (from, to) = range.split_once('-').unwrap_or((range, "0"));
        let is_value = |text: &str| is_number(text) || names.iter().any(|name| name.eq_ignore_ascii_case(text));
        range == "*" || (is_value(from) && is_value(to))
    })
}

fn is_number(text: &str) -> bool {
    (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(schedule: &str, after: &str) -> String {
        let after: DateTime<Utc> = after.parse().unwrap();
        let next = Schedule::parse(schedule).unwrap().next_after(after);
        next.unwrap().format("%FT%TZ").to_string()
    }

    #[test]
    fn schedules_fire_when_the_host_fires_them() {
        for (schedule, after, expected) in [
            ("0 * * * * *", "2026-11-20T12:34:56Z", "2026-11-20T12:35:00Z"),
            ("0 * * * * *", "2026-11-20T12:35:00Z", "2026-11-20T12:36:00Z"),
            ("*/15 * * * * *", "2026-11-20T12:35:01Z", "2026-11-20T12:35:15Z"),
            ("0 5/20 * * * *", "2026-11-20T12:30:00Z", "2026-11-20T12:45:00Z"),
            ("0 0 6-8 * * mon-fri", "2026-11-20T09:00:00Z", "2026-11-23T06:00:00Z"),
            ("0 0 0 1,15 JAN *", "2026-11-20T09:00:00Z", "2027-01-01T00:00:00Z"),
            // Day and weekday: both must hold.
            ("0 0 0 13 * FRI", "2026-11-20T00:00:00Z", "2027-08-13T00:00:00Z"),
            ("0 0 0 29 2 *", "2026-11-20T00:00:00Z", "2028-02-29T00:00:00Z"),
        ] {
            assert_eq!(next(schedule, after), expected, "{schedule}");
        }
    }

    #[test]
    fn the_text_is_kept_as_written() {
        assert_eq!(Schedule::parse("0  */5 * * * *").unwrap().text(), "0  */5 * * * *");
        assert_eq!(Schedule::parse("0 * * * * *").unwrap().text(), "0 * * * * *");
    }

    #[test]
    fn other_schedules_are_refused() {
        for refused in [
            "",
            "* * * * *",
            "0 0 * * * * *",
            "@daily",
            "00:05:00",
            "60 * * * * *",
            "0 60 * * * *",
            "0 0 24 * * *",
            "0 0 0 0 * *",
            "0 0 0 32 * *",
            "0 0 0 * 13 *",
            "0 0 0 * * 7",
            "0 0 0 * * fri-sun",
            "0 0 0 * * 5-1",
            "0 0 0 L * *",
            "0 0 0 ? * *",
            "0 0 0 * * MON#2",
            "0 0 0 * * 5L",
            "0 0 0 15W * *",
            "0 0 0 * * +FRI",
            "JAN 0 0 * * *",
            "0 /5 * * * *",
            "0 */0 * * * *",
            "0 */-5 * * * *",
            "0 , * * * *",
            "0 5- * * * *",
            "0 0 0 30 2 *",
            "0 0 0 * \u{17f}EP *",
        ] {
            assert!(Schedule::parse(refused).is_err(), "{refused}");
        }
    }
}
