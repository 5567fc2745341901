//! Whether a stream is further back than its schedule explains.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::config::Schedule;
use crate::jobs::PollRules;
use crate::jobs::StreamPlan;

/// So many ticks of the schedule may pass before a stream counts as late.
const TICKS: u32 = 3;

/// How far behind the present a stream's watermark stands right after a run that went well.
pub fn expected_lag(plan: &StreamPlan, rules: &PollRules) -> Duration {
    match plan {
        StreamPlan::Windows(plan) => {
            let patience = plan.counterparts.map(|rule| rule.patience).unwrap_or_default();
            rules.settle.max(patience)
        }
        StreamPlan::Snapshot(plan) => plan.stream.scan_interval().max(rules.settle),
        StreamPlan::Consumed(_) => Duration::ZERO,
    }
}

/// True if more than three ticks came and went since the watermark should have moved.
pub fn is_late(schedule: &Schedule, watermark: DateTime<Utc>, expected_lag: Duration, now: DateTime<Utc>) -> bool {
    let mut tick = watermark + expected_lag;
    for _ in 0..TICKS {
        let Some(next) = schedule.next_after(tick) else {
            return false;
        };
        tick = next;
    }
    tick < now
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_of_the_schedule_makes_nobody_late() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let settle = Duration::from_secs(30);
        let (every_minute, on_weekdays) = ("0 * * * * *", "0 0 8-18 * * 1-5");
        for (schedule, watermark, now, expected) in [
            (every_minute, "2026-11-20T12:00:10Z", "2026-11-20T12:02:40Z", false),
            (every_minute, "2026-11-20T12:00:10Z", "2026-11-20T12:03:01Z", true),
            // The tick that came before the settling time was over does not count.
            (every_minute, "2026-11-20T11:59:50Z", "2026-11-20T12:02:30Z", false),
            // From Friday evening to Monday noon.
            (on_weekdays, "2026-11-20T17:59:30Z", "2026-11-23T08:30:00Z", false),
            (on_weekdays, "2026-11-20T17:59:30Z", "2026-11-23T12:00:00Z", true),
        ] {
            let schedule = Schedule::parse(schedule).unwrap();
            assert_eq!(is_late(&schedule, at(watermark), settle, at(now)), expected, "{now}");
        }
    }
}
