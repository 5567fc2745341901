//! What a backfill is asked for, and what it works with.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

use crate::delivery::TIME_GENERATED_MAX_AGE;
use crate::event::StreamName;
use crate::jobs::job_context::JobContext;
use crate::jobs::plan::PullPlan;
use crate::jobs::poll::window::before;
use crate::sources::Window;

/// Slices begin with this length; they grow where little is read.
pub const FIRST_SLICE: TimeDelta = TimeDelta::hours(1);

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

impl BackfillRequest {
    /// Whether the window begins with rows whose `TimeGenerated` Azure Monitor replaces by the time of arrival.
    pub fn begins_with_old_rows(&self, now: DateTime<Utc>) -> bool {
        now - self.window.from > TIME_GENERATED_MAX_AGE
    }
}

/// What a backfill works with.
#[derive(Clone, Copy)]
pub struct BackfillContext<'a> {
    /// The state, the time and the rules.
    pub jobs: &'a JobContext,
    /// The stream and its tables.
    pub plan: &'a PullPlan,
    /// What is wanted, in whole milliseconds.
    pub request: BackfillRequest,
    /// Is told.
    pub watcher: &'a dyn BackfillWatcher,
}

impl<'a> BackfillContext<'a> {
    /// A window is cut to whole milliseconds.
    pub fn new(
        jobs: &'a JobContext,
        plan: &'a PullPlan,
        request: BackfillRequest,
        watcher: &'a dyn BackfillWatcher,
    ) -> Self {
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
    pub fn readable_from(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let from = self.request.window.from;
        let oldest = self.plan.stream.readable_for().map(|time| before(now, time));
        oldest.map_or(from, |oldest| oldest.max(from))
    }
}
