//! What of a window a backfill does not read, and says so: what the vendor shows no more, and what is the poller's.

use chrono::{DateTime, Utc};

use crate::jobs::backfill::Backfill;
use crate::report::{ErrorCode, Problem, StreamReport};
use crate::state::Checkpoints;
use crate::time::rfc3339_millis;

/// How much of a window is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOut {
    /// All of it is read.
    Nothing,
    /// The rest is read.
    APart,
    /// The poller is not past any of it.
    AllToThePoller,
    /// The vendor shows nothing of it any more.
    AllUnreadable,
}

impl Backfill<'_> {
    /// Says what is left out; it is a problem where nothing else was asked for than what cannot be read.
    pub fn leave_out(&mut self, checkpoints: &Checkpoints, now: DateTime<Utc>, report: &mut StreamReport) -> LeftOut {
        let stream = self.plan.stream.name();
        let readable_from = self.readable_from(now);
        let shown_from = rfc3339_millis(readable_from);
        if readable_from >= self.wanted.to {
            let message = format!(
                "{stream}: nothing of this window can be read: the vendor shows nothing from before {shown_from}; what is \
                 older must come from the vendor's archive"
            );
            report.problems.push(Problem::new(ErrorCode::PossibleLoss, message));
            return LeftOut::AllUnreadable;
        }
        let is_unreadable = readable_from > self.wanted.from;
        if is_unreadable {
            self.watcher.says(&format!(
                "{stream}: the vendor shows nothing from before {shown_from}; what is older must come from the vendor's \
                 archive"
            ));
        }
        let (mut is_left, mut is_all_left) = (false, true);
        for target in &self.plan.targets {
            let table = target.table.name();
            let Some(position) = checkpoints.current.tables.get(&*table) else {
                continue;
            };
            let watermark = position.watermark;
            is_all_left &= watermark <= readable_from;
            if watermark < self.wanted.to {
                is_left = true;
                self.watcher.says(&format!(
                    "{stream} -> {table}: what was recorded since {} is left to `handler poll`, which reads it with its \
                     next run",
                    rfc3339_millis(watermark)
                ));
            }
        }
        self.is_cut = is_unreadable || is_left;
        match (is_left && is_all_left, self.is_cut) {
            (true, _) => LeftOut::AllToThePoller,
            (false, true) => LeftOut::APart,
            (false, false) => LeftOut::Nothing,
        }
    }
}
