//! What a run over a stream that is read by windows works with.

use chrono::{DateTime, TimeDelta, Utc};

use super::polled_run::PolledRun;
use super::vendor_clock::StreamClock;
use super::window::{PollRules, before};
use crate::delivery::StreamContext;
use crate::jobs::plan::PullPlan;
use crate::state::{Checkpoints, TablePosition};

/// An unchanged position is saved this often: an idle run writes nothing.
const SAVE_UNCHANGED_EVERY: TimeDelta = TimeDelta::minutes(10);

#[derive(Clone, Copy)]
pub struct WindowedRun<'a> {
    pub plan: &'a PullPlan,
    pub rules: PollRules,
    pub context: &'a StreamContext<'a>,
}

impl<'a> WindowedRun<'a> {
    pub fn polled(&self) -> PolledRun<'a> {
        PolledRun {
            stream: &*self.plan.stream,
            targets: &self.plan.targets,
            rules: self.rules,
            context: self.context,
        }
    }

    /// How our clock and the vendor's stand.
    pub fn clock(&self) -> StreamClock<'a> {
        StreamClock(self.polled())
    }

    /// Identities are kept from here on. Where the same events are pushed too they are kept for as long as the vendor
    /// may repeat a push.
    pub fn known_from(&self, position: &TablePosition) -> DateTime<Utc> {
        let needed_from = self.rules.identities_needed_from(position);
        match &self.plan.pushed {
            Some(pushed) => before(needed_from, pushed.form.repeats_for),
            None => needed_from,
        }
    }

    /// True if positions must be saved although nothing was delivered.
    pub fn is_save_due(&self, checkpoints: &Checkpoints) -> bool {
        let (saved_at, now) = (checkpoints.current.positions_saved_at, self.context.now);
        saved_at.is_none_or(|saved_at| now - saved_at >= SAVE_UNCHANGED_EVERY || saved_at > now)
    }
}
