//! Fills what a past window lacks, slice by slice, each under the lease of its account.
//!
//! Between two slices the lease is given back, so that a poller can run, and the checkpoint is read again. A
//! slice that was read to its end is added to the coverage; the watermark stays where it is. A window may also be read
//! anew, although the coverage has it: what the vendor showed late is found that way.

mod context;
mod count;
mod fill;
mod holes;
mod skipped_part;
mod slice;
mod walk;

use self::context::BackfillContext;
use self::count::WindowCounter;
use self::fill::BackfillRun;
use crate::jobs::job_context::JobContext;
use crate::jobs::plan::{PullPlan, StreamPlan};
use crate::report::StreamReport;
use crate::sources::Window;

pub use self::context::{BackfillMode, BackfillRequest, BackfillWatcher};
pub use self::count::{PerhapsTwice, WindowCount};

/// Why a stream cannot be filled.
pub fn why_not(plan: &StreamPlan) -> Option<String> {
    let name = plan.name();
    match plan {
        StreamPlan::Consumed(_) => Some(format!(
            "{name}: cannot be filled: the vendor gives every event once, to whoever polls first, and takes no times; what \
             was not taken for 7 days is gone"
        )),
        StreamPlan::Snapshot(_) => Some(format!(
            "{name}: has nothing to fill: it is read whole every time, because the vendor cannot be asked by time"
        )),
        StreamPlan::Windows(_) => None,
    }
}

/// Before the first of several streams is read, all of them know what is wanted: whatever ends the backfill, what was not
/// filled shows as a hole.
pub async fn note_what_is_wanted(
    jobs: &JobContext,
    plans: &[&PullPlan],
    request: BackfillRequest,
    watcher: &dyn BackfillWatcher,
) {
    // A single one notes it with its first slice.
    for plan in plans.iter().filter(|_| plans.len() > 1) {
        let context = BackfillContext::new(jobs, plan, request, watcher);
        BackfillRun::new(context).note().await;
    }
}

/// Fills what the tables of a stream lack of a window, or reads it anew.
pub async fn backfill(
    jobs: &JobContext,
    plan: &PullPlan,
    request: BackfillRequest,
    watcher: &dyn BackfillWatcher,
) -> StreamReport {
    let context = BackfillContext::new(jobs, plan, request, watcher);
    BackfillRun::new(context).run().await
}

/// Reads a window without sending anything: how many rows may arrive twice if it is read anew.
pub async fn count_before_reading_anew(
    jobs: &JobContext,
    plan: &PullPlan,
    window: Window,
    watcher: &dyn BackfillWatcher,
) -> WindowCount {
    let mode = BackfillMode::Anew;
    let request = BackfillRequest { window, mode };
    let context = BackfillContext::new(jobs, plan, request, watcher);
    WindowCounter::new(context).run().await
}
