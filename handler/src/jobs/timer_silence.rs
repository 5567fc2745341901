//! When a timer that is not invoked counts as one that died.

use chrono::{DateTime, TimeDelta, Utc};

use crate::config::Schedule;

/// So many due times pass without an invocation.
const MISSED_DUE_TIMES: u32 = 3;
/// The host may invoke the timer this much before its due time: that due time is then not missed.
const EARLY_INVOCATION: TimeDelta = TimeDelta::milliseconds(500);

/// The time at which the schedule was due three times since the last invocation; `None` if it never will be.
pub fn dead_from(schedule: &Schedule, last_invocation: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let mut time = last_invocation + EARLY_INVOCATION;
    for _ in 0..MISSED_DUE_TIMES {
        time = schedule.next_after(time)?;
    }
    Some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_is_dead_after_three_due_times() {
        for (schedule, last_invocation, expected) in [
            ("0 * * * * *", "2026-11-20T12:00:00.200Z", "2026-11-20T12:03:00Z"),
            // Invoked a little early, and a little late.
            ("0 * * * * *", "2026-11-20T11:59:59.990Z", "2026-11-20T12:03:00Z"),
            ("0 * * * * *", "2026-11-20T12:00:59.400Z", "2026-11-20T12:03:00Z"),
            ("* * * * * *", "2026-11-20T12:00:00.010Z", "2026-11-20T12:00:03Z"),
            // From Friday evening to Monday.
            ("0 0 8-18 * * 1-5", "2026-11-20T18:00:01Z", "2026-11-23T10:00:00Z"),
        ] {
            let [last_invocation, expected] = [last_invocation, expected].map(|text| text.parse().unwrap());
            let schedule = Schedule::parse(schedule).unwrap();
            assert_eq!(
                dead_from(&schedule, last_invocation),
                Some(expected),
                "{last_invocation}"
            );
        }
    }
}
