//! What of a window a backfill does not read, and says so: what the vendor shows no more, and what is the poller's.

use chrono::{DateTime, Utc};

use super::context::BackfillContext;
use crate::report::{ErrorCode, Problem};
use crate::state::Checkpoints;
use crate::time::rfc3339_millis;

/// How much of a window is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SkippedPart {
    /// All of it is read.
    Nothing,
    /// The rest is read.
    APart,
    /// The poller is not past any of it.
    AllToThePoller,
    /// The vendor shows nothing of it any more: a problem, because nothing else was asked for.
    AllUnreadable(Problem),
}

/// Says what is left out.
pub fn skip_part(context: &BackfillContext<'_>, checkpoints: &Checkpoints, now: DateTime<Utc>) -> SkippedPart {
    let BackfillContext {
        plan, request, watcher, ..
    } = context;
    let stream = plan.stream.name();
    let readable_from = context.readable_from(now);
    let shown_from = rfc3339_millis(readable_from);
    if readable_from >= request.window.to {
        let message = format!(
            "{stream}: nothing of this window can be read: the vendor shows nothing from before {shown_from}; what is \
             older must come from the vendor's archive"
        );
        return SkippedPart::AllUnreadable(Problem::new(ErrorCode::PossibleLoss, message));
    }
    let is_unreadable = readable_from > request.window.from;
    if is_unreadable {
        watcher.says(&format!(
            "{stream}: the vendor shows nothing from before {shown_from}; what is older must come from the vendor's \
             archive"
        ));
    }
    let (mut is_left, mut is_all_left) = (false, true);
    for target in &plan.targets {
        let table = target.table.name();
        let Some(position) = checkpoints.current.tables.get(&*table) else {
            continue;
        };
        let watermark = position.watermark;
        is_all_left &= watermark <= readable_from;
        if watermark < request.window.to {
            is_left = true;
            watcher.says(&format!(
                "{stream} -> {table}: what was recorded since {} is left to `handler poll`, which reads it with its \
                 next run",
                rfc3339_millis(watermark)
            ));
        }
    }
    match (is_left && is_all_left, is_unreadable || is_left) {
        (true, _) => SkippedPart::AllToThePoller,
        (false, true) => SkippedPart::APart,
        (false, false) => SkippedPart::Nothing,
    }
}
