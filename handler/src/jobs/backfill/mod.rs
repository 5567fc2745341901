//! Fills what a past window lacks, slice by slice, each under the lease of its account.
//!
//! Between two slices the lease is given back, so that a poller gets its turn, and the checkpoint is read again. A
//! slice that was read to its end is added to the coverage; the watermark stays where it is. A window may also be read
//! anew, although the coverage has it: what the vendor showed late is found that way.

pub mod count;
mod fill;
mod holes;
mod lease_wait;
mod left_out;
mod slice;

use std::time::Duration;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

use self::count::{WindowCount, WindowCounter};
use self::fill::BackfillRun;
use crate::event::StreamName;
use crate::jobs::plan::{PullPlan, StreamPlan};
use crate::jobs::poll::window::before;
use crate::jobs::run::Poller;
use crate::report::StreamReport;
use crate::sources::Window;

/// Slices begin with this length; they grow where little is read.
const FIRST_SLICE: TimeDelta = TimeDelta::hours(1);
/// Reading one slice takes no longer.
const TIME_FOR_A_SLICE: Duration = Duration::from_secs(600);
/// Between two slices; longer than the polling interval of whoever waits for the lease.
const PAUSE_FOR_OTHERS: Duration = Duration::from_millis(300);

/// Is told how far a backfill has come.
pub trait BackfillWatcher: Send + Sync {
    /// A sentence about what is left out, or waited for.
    fn says(&self, sentence: &str);
    /// So much of the stream's window was missing, and so much of it is still.
    fn stands_at(&self, stream: &StreamName, missing: TimeDelta, left: TimeDelta);
}

/// Which part of a window is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackfillMode {
    /// What the coverage lacks.
    Missing,
    /// Everything, also what was read before.
    Anew,
}

/// What is wanted.
#[derive(Clone, Copy, Debug)]
pub struct BackfillRequest {
    /// Shall be whole.
    pub window: Window,
    /// Which part of it is read.
    pub mode: BackfillMode,
}

/// What a backfill works with.
#[derive(Clone, Copy)]
pub struct BackfillContext<'a> {
    /// The state, the time and the rules.
    pub jobs: &'a Poller,
    /// The stream and its tables.
    pub plan: &'a PullPlan,
    /// What is wanted, in whole milliseconds.
    pub request: BackfillRequest,
    /// Is told.
    pub watcher: &'a dyn BackfillWatcher,
}

impl<'a> BackfillContext<'a> {
    fn new(jobs: &'a Poller, plan: &'a PullPlan, request: BackfillRequest, watcher: &'a dyn BackfillWatcher) -> Self {
        let BackfillRequest { window, mode } = request;
        let window = Window {
            from: window.from.trunc_subsecs(3),
            to: window.to.trunc_subsecs(3),
        };
        Self {
            jobs,
            plan,
            request: BackfillRequest { window, mode },
            watcher,
        }
    }

    /// The start of the window, as far as the vendor still shows it.
    fn readable_from(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let from = self.request.window.from;
        let oldest = self.plan.stream.readable_for().map(|time| before(now, time));
        oldest.map_or(from, |oldest| oldest.max(from))
    }

    async fn pause_for_others(&self) {
        tokio::select! {
            () = self.jobs.stop.requested() => {}
            () = tokio::time::sleep(PAUSE_FOR_OTHERS) => {}
        }
    }
}

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
    jobs: &Poller,
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
    jobs: &Poller,
    plan: &PullPlan,
    request: BackfillRequest,
    watcher: &dyn BackfillWatcher,
) -> StreamReport {
    let context = BackfillContext::new(jobs, plan, request, watcher);
    BackfillRun::new(context).run().await
}

/// Reads a window without sending anything: how many rows may arrive twice if it is read anew.
pub async fn count_before_reading_anew(
    jobs: &Poller,
    plan: &PullPlan,
    window: Window,
    watcher: &dyn BackfillWatcher,
) -> WindowCount {
    let mode = BackfillMode::Anew;
    let request = BackfillRequest { window, mode };
    let context = BackfillContext::new(jobs, plan, request, watcher);
    WindowCounter::new(context).run().await
}
