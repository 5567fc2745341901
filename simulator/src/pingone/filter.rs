//! The `filter` of the activities endpoint: a lower and an upper bound on one time field.
//!
//! Vendor: the filter is mandatory and must hold a date range on `recordedAt` or `createdAt`; dates stand in
//! double quotes in the form `yyyy-MM-dd'T'HH:mm:ss.SSSZ`. Further groups exist at the vendor and are refused
//! here, because a filter that narrows the events loses the others.

use chrono::{DateTime, Utc};

use crate::times::utc_time;

/// The field that a window is on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum TimeField {
    RecordedAt,
    CreatedAt,
}

/// A bound and whether the bound itself is inside.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct TimeBound {
    pub(super) time: DateTime<Utc>,
    pub(super) inclusive: bool,
}

/// A parsed filter.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Window {
    pub(super) field: TimeField,
    pub(super) lower: TimeBound,
    pub(super) upper: TimeBound,
}

enum Side {
    Lower,
    Upper,
}

impl Window {
    /// Reads a filter; the error is one sentence for the client.
    pub(super) fn parse(filter: &str) -> Result<Window, String> {
        let words: Vec<&str> = filter.split_ascii_whitespace().collect();
        let [
            first_field,
            first_operator,
            first_date,
            joint,
            second_field,
            second_operator,
            second_date,
        ] = words[..]
        else {
            return Err("The filter must be two bounds joined with AND".to_owned());
        };
        if !joint.eq_ignore_ascii_case("and") {
            return Err(format!("'{joint}' does not join two bounds"));
        }
        let first = (field(first_field)?, bound(first_operator, first_date)?);
        let second = (field(second_field)?, bound(second_operator, second_date)?);
        if first.0 != second.0 {
            return Err("Both bounds must be on the same field".to_owned());
        }
        match (first.1, second.1) {
            ((Side::Lower, lower), (Side::Upper, upper)) | ((Side::Upper, upper), (Side::Lower, lower)) => Ok(Window {
                field: first.0,
                lower,
                upper,
            }),
            _ => Err("The filter must hold a lower and an upper bound".to_owned()),
        }
    }

    /// Whether an event with these times is inside.
    pub(super) fn contains(&self, recorded_at: DateTime<Utc>, created_at: DateTime<Utc>) -> bool {
        let time = match self.field {
            TimeField::RecordedAt => recorded_at,
            TimeField::CreatedAt => created_at,
        };
        let above = time > self.lower.time || (self.lower.inclusive && time == self.lower.time);
        let below = time < self.upper.time || (self.upper.inclusive && time == self.upper.time);
        above && below
    }
}

fn field(word: &str) -> Result<TimeField, String> {
    if word.eq_ignore_ascii_case("recordedAt") {
        return Ok(TimeField::RecordedAt);
    }
    if word.eq_ignore_ascii_case("createdAt") {
        return Ok(TimeField::CreatedAt);
    }
    Err(format!("'{word}' cannot be filtered on"))
}

fn bound(operator: &str, quoted_date: &str) -> Result<(Side, TimeBound), String> {
    let time = date(quoted_date)?;
    let (side, inclusive) = match operator {
        "gt" => (Side::Lower, false),
        "ge" => (Side::Lower, true),
        "lt" => (Side::Upper, false),
        "le" => (Side::Upper, true),
        _ => return Err(format!("'{operator}' is no operator for a date")),
    };
    Ok((side, TimeBound { time, inclusive }))
}

fn date(quoted: &str) -> Result<DateTime<Utc>, String> {
    let text = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    text.and_then(|text| utc_time(text, 1..=3))
        .ok_or_else(|| format!("{quoted} is no date in double quotes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOWER: &str = "\"2026-11-20T10:00:00.000Z\"";
    const UPPER: &str = "\"2026-11-20T11:00:00Z\"";

    #[test]
    fn a_window_is_read_in_either_order_and_any_case_of_the_field() {
        let usual = Window::parse(&format!("recordedAt ge {LOWER} AND recordedAt lt {UPPER}"));
        let turned = Window::parse(&format!("recordedat lt {UPPER} and RECORDEDAT ge {LOWER}"));

        let usual = usual.expect("the filter is good");
        assert_eq!(Ok(usual), turned);
        assert!(usual.lower.inclusive && !usual.upper.inclusive);
        assert!(usual.contains(usual.lower.time, usual.upper.time));
        assert!(!usual.contains(usual.upper.time, usual.lower.time));
    }

    #[test]
    fn a_window_on_created_at_looks_at_that_time() {
        let window =
            Window::parse(&format!("createdAt gt {LOWER} AND createdAt le {UPPER}")).expect("the filter is good");

        assert!(window.contains(window.lower.time, window.upper.time));
        assert!(!window.contains(window.upper.time, window.lower.time));
    }

    #[test]
    fn anything_but_a_lower_and_an_upper_bound_on_one_field_is_refused() {
        for filter in [
            String::new(),
            format!("recordedAt ge {LOWER}"),
            format!("recordedAt ge {LOWER} AND recordedAt gt {UPPER}"),
            format!("recordedAt ge {LOWER} AND createdAt lt {UPPER}"),
            format!("recordedAt ge {LOWER} OR recordedAt lt {UPPER}"),
            format!("recordedAt GE {LOWER} AND recordedAt lt {UPPER}"),
            format!("action.type eq {LOWER} AND recordedAt lt {UPPER}"),
            format!("recordedAt ge {LOWER} AND recordedAt lt {UPPER} AND action.type eq \"A\""),
        ] {
            assert!(Window::parse(&filter).is_err(), "{filter}");
        }
    }

    #[test]
    fn a_date_in_another_form_is_refused() {
        for date in [
            "2026-11-20T10:00:00.000Z",
            "\"2026-11-20T10:00:00.000\"",
            "\"2026-11-20T10:00:00.000+00:00\"",
            "\"2026-11-20T10:00:00.0000Z\"",
            "\"2026-11-20T10:00:00.Z\"",
            "\"2026-13-20T10:00:00Z\"",
            "\"2026-11-20\"",
        ] {
            let filter = format!("recordedAt ge {date} AND recordedAt lt {UPPER}");
            assert!(Window::parse(&filter).is_err(), "{date}");
        }
    }
}
