//! How polling is done.

use std::time::Duration;

use crate::config::duration;
use crate::config::reader::Reader;
use crate::config::schedule::Schedule;
use crate::config::values;

/// How every source is polled.
#[derive(Debug, Clone, PartialEq)]
pub struct Poll {
    /// When `poll --watch` polls, and the timer in Azure: `POLL_SCHEDULE`, default `0 * * * * *`.
    pub schedule: Schedule,
    /// How far back a new stream starts: `POLL_LOOKBACK`, default 1 hour, at most 730 days.
    pub lookback: Duration,
    /// How far before its watermark a stream is read again: `POLL_OVERLAP`, default 10 minutes, at
    /// most 730 days; may be zero.
    pub overlap: Duration,
    /// How far before now a window ends: `POLL_SETTLE`, default 30 seconds, at most 730 days; may
    /// be zero.
    pub settle: Duration,
    /// How long a run may take: `POLL_BUDGET`, default 4 minutes.
    pub budget: Duration,
    /// How many streams are polled at once: `POLL_CONCURRENCY`, 1 to 64, default 8.
    pub concurrency: usize,
}

impl Poll {
    /// Reads `POLL_*`; none where the schedule is refused.
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        let schedule = reader.read_or("POLL_SCHEDULE", None, |text| Schedule::parse(text).map(Some));
        let lookback = reader.read_or("POLL_LOOKBACK", minutes(60), duration::above_zero);
        let overlap = reader.read_or("POLL_OVERLAP", minutes(10), duration::zero_or_more);
        let settle = reader.read_or("POLL_SETTLE", Duration::from_secs(30), duration::zero_or_more);
        let budget = reader.read_or("POLL_BUDGET", minutes(4), duration::above_zero);
        let concurrency = reader.read_or("POLL_CONCURRENCY", 8, values::concurrency);
        Some(Self {
            schedule: schedule.or_else(Schedule::every_minute)?,
            lookback,
            overlap,
            settle,
            budget,
            concurrency,
        })
    }
}
