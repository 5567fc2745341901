//! Fills what a past window lacks, slice by slice, each under the lease of its account.
//!
//! Between two slices the lease is given back, so that a poller gets its turn, and the checkpoint is read again. A
//! slice that was read to its end is added to the coverage; the watermark stays where it is. A window may also be read
//! anew, although the coverage has it: what the vendor showed late is found that way.

pub mod count;
pub mod holes;
pub mod left_out;
pub mod slice;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

use self::count::WindowCount;
use self::slice::{SliceFill, SliceOutcome};
use crate::event::StreamName;
use crate::jobs::account::lease_name;
use crate::jobs::plan::{PullPlan, StreamPlan};
use crate::jobs::poll::stream_run::StreamRun;
use crate::jobs::poll::window::before;
use crate::jobs::run::Poller;
use crate::report::Cause;
use crate::report::{ErrorCode, Outcome, Problem, StreamReport, TableReport};
use crate::sources::Window;
use crate::state::{HeldBy, Lease, LeaseAttempt, Store, StoreError};
use crate::status::in_words;
use crate::time::Deadline;

/// Slices begin with this length; they grow where little is read.
const FIRST_SLICE: TimeDelta = TimeDelta::hours(1);
/// Reading one slice takes no longer.
const TIME_FOR_A_SLICE: Duration = Duration::from_secs(600);
/// A lease is waited for so long: a run of the poller ends before.
const LONGEST_WAIT: Duration = Duration::from_secs(900);
/// To note what is wanted of a stream whose turn comes later, its lease is waited for only so long.
const WAIT_TO_NOTE: Duration = Duration::from_secs(30);
const ASK_EVERY: Duration = Duration::from_secs(1);
/// Somebody who waits for the lease asks more often than this.
const ROOM_FOR_OTHERS: Duration = Duration::from_millis(300);

/// Is told how far a backfill has come.
pub trait BackfillWatcher: Send + Sync {
    /// A sentence about what is left out, or waited for.
    fn says(&self, sentence: &str);
    /// So much of the stream's window was missing, and so much of it is still.
    fn stands_at(&self, stream: &StreamName, missing: TimeDelta, left: TimeDelta);
}

/// Which part of a window is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// What the coverage lacks.
    Missing,
    /// Everything, also what was read before.
    Anew,
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

/// One stream's backfill.
pub struct Backfill<'a> {
    /// Whose streams, state and clock.
    pub poller: &'a Poller,
    /// The stream and its tables.
    pub plan: &'a PullPlan,
    /// What shall be whole.
    pub wanted: Window,
    /// Which part of it is read.
    pub reading: Reading,
    /// Is told.
    pub watcher: &'a dyn BackfillWatcher,
    /// How long the next slice may be.
    length: TimeDelta,
    /// What was missing at the start.
    missing: Option<TimeDelta>,
    /// What is missing now.
    left: TimeDelta,
    /// True if a part of the window is not read, because it cannot be or because the poller will.
    is_cut: bool,
    tables: BTreeMap<String, TableReport>,
}

impl<'a> Backfill<'a> {
    /// Of a window that is cut to whole milliseconds.
    pub fn new(
        poller: &'a Poller,
        plan: &'a PullPlan,
        (wanted, reading): (Window, Reading),
        watcher: &'a dyn BackfillWatcher,
    ) -> Self {
        Self {
            poller,
            plan,
            wanted: Window {
                from: wanted.from.trunc_subsecs(3),
                to: wanted.to.trunc_subsecs(3),
            },
            reading,
            watcher,
            length: FIRST_SLICE,
            missing: None,
            left: TimeDelta::zero(),
            is_cut: false,
            tables: BTreeMap::new(),
        }
    }

    /// Reads until nothing is missing, something fails, or the process is to end.
    pub async fn run(mut self) -> StreamReport {
        let mut report = StreamReport::new(self.plan.stream.name().to_string());
        if let Err(error) = self.fill(&mut report).await {
            let message = format!("{}: {error}", report.stream);
            report.problems.push(error.problem_saying(message));
        }
        report.notices.extend(self.plan.stream.notices());
        report.tables = self.tables.into_values().collect();
        if !report.problems.is_empty() {
            report.outcome = Outcome::Failed;
        }
        report
    }

    /// Notes what is wanted, and reads nothing yet. What stands in the way is met again when the stream is filled.
    async fn note(mut self) {
        let mut report = StreamReport::new(self.plan.stream.name().to_string());
        if let Err(error) = self.note_under_lease(&mut report).await {
            log::debug!("{}: not noted in advance: {error}", report.stream);
        }
        for notice in &report.notices {
            self.watcher.says(notice);
        }
    }

    async fn note_under_lease(&mut self, report: &mut StreamReport) -> Result<(), StoreError> {
        if self.poller.stop.is_requested() {
            return Ok(());
        }
        let Some(lease) = self.lease(WAIT_TO_NOTE, report).await? else {
            return Ok(());
        };
        let store = lease.guard(self.poller.store.clone());
        let slice = SliceFill {
            backfill: self,
            lease: &lease,
            store: &store,
            deadline: Deadline::after(TIME_FOR_A_SLICE),
        };
        let noted = slice.note(report).await;
        lease.give_back().await;
        noted
    }

    async fn fill(&mut self, report: &mut StreamReport) -> Result<(), StoreError> {
        loop {
            let Some(lease) = self.lease(LONGEST_WAIT, report).await? else {
                return Ok(());
            };
            let outcome = self.fill_slice(&lease, report).await;
            lease.give_back().await;
            match outcome? {
                SliceOutcome::Whole => return Ok(()),
                SliceOutcome::Ended => return Ok(()),
                SliceOutcome::GoOn => {}
            }
            tokio::select! {
                () = self.poller.stop.requested() => {}
                () = tokio::time::sleep(ROOM_FOR_OTHERS) => {}
            }
        }
    }

    async fn fill_slice(&mut self, lease: &Lease, report: &mut StreamReport) -> Result<SliceOutcome, StoreError> {
        let store = lease.guard(self.poller.store.clone());
        let mut slice = SliceFill {
            backfill: self,
            lease,
            store: &store,
            deadline: Deadline::after(TIME_FOR_A_SLICE),
        };
        Box::pin(slice.run(report)).await
    }

    /// `None` if there will be none; the report says why.
    async fn lease(&self, longest: Duration, report: &mut StreamReport) -> Result<Option<Lease>, StoreError> {
        let stream = self.plan.stream.name();
        let name = lease_name(stream, self.plan.stream.account());
        let patience = Deadline::after(longest);
        let mut has_said = false;
        loop {
            if self.poller.stop.is_requested() {
                self.was_told_to_end(report);
                return Ok(None);
            }
            let held: HeldBy = match self.poller.store.try_lease(&name, &self.poller.holder).await? {
                LeaseAttempt::Taken(lease) => return Ok(Some(lease)),
                LeaseAttempt::Held(held) => held,
            };
            if patience.has_passed() {
                let message = format!(
                    "{stream}: the lease on {} is {held}, and was not given back in {} minutes; try again later",
                    self.plan.stream.account(),
                    LONGEST_WAIT.as_secs() / 60
                );
                report.problems.push(Problem::new(ErrorCode::BudgetEnded, message));
                return Ok(None);
            }
            if !has_said {
                has_said = true;
                let account = self.plan.stream.account();
                self.watcher
                    .says(&format!("{stream}: waiting for the lease on {account}, {held}"));
            }
            tokio::select! {
                () = self.poller.stop.requested() => {}
                () = tokio::time::sleep(ASK_EVERY) => {}
            }
        }
    }

    /// Says what is left.
    pub fn was_told_to_end(&self, report: &mut StreamReport) {
        report.outcome = Outcome::BudgetEnded;
        let stream = self.plan.stream.name();
        let left = match self.missing {
            Some(missing) => format!("{} of {} are left to read", in_words(self.left), in_words(missing)),
            None => "nothing was read yet".to_owned(),
        };
        report.notices.push(format!(
            "{stream}: told to end; what was read is saved, {left}: the same command fills the rest"
        ));
    }

    /// What a slice works with.
    fn stream_run<'r>(&self, store: &'r Arc<dyn Store>, lease: &'r Lease, deadline: Deadline) -> StreamRun<'r>
    where
        'a: 'r,
    {
        StreamRun {
            plan: self.plan,
            rules: self.poller.rules,
            store,
            clock: &self.poller.clock,
            lease,
            deadline,
            stop: &self.poller.stop,
            reads: true,
        }
    }

    /// The start of the window, as far as the vendor still shows it.
    fn readable_from(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let oldest = self.plan.stream.readable_for().map(|time| before(now, time));
        oldest.map_or(self.wanted.from, |oldest| oldest.max(self.wanted.from))
    }

    /// How long the next slice may be.
    pub fn length(&self) -> TimeDelta {
        self.length
    }

    /// From now on.
    pub fn set_length(&mut self, length: TimeDelta) {
        self.length = length;
    }

    /// True before the first slice.
    pub fn is_at_start(&self) -> bool {
        self.missing.is_none()
    }

    /// So much is missing now.
    pub fn stands_at(&mut self, left: TimeDelta) {
        let missing = *self.missing.get_or_insert(left);
        self.left = left;
        if missing.max(left).is_zero() && self.is_cut {
            let stream = self.plan.stream.name();
            return self.watcher.says(&format!(
                "{stream}: nothing is missing in what can be read of this window"
            ));
        }
        self.watcher.stands_at(self.plan.stream.name(), missing.max(left), left);
    }

    /// What a slice did for a table.
    pub fn add(&mut self, done: TableReport) {
        let watermark = done.watermark;
        match self.tables.get_mut(&done.table) {
            Some(table) => {
                table.counts += done.counts;
                table.watermark = watermark;
            }
            None => drop(self.tables.insert(done.table.clone(), done)),
        }
    }
}

impl Poller {
    /// Before the first of several streams is read, all of them know what is wanted: whatever ends the backfill, what
    /// was not filled shows as a hole.
    pub async fn note_what_is_wanted(
        self: &Arc<Self>,
        plans: &[&PullPlan],
        wanted: (Window, Reading),
        watcher: &dyn BackfillWatcher,
    ) {
        // A single one notes it with its first slice.
        for plan in plans.iter().filter(|_| plans.len() > 1) {
            Backfill::new(self, plan, wanted, watcher).note().await;
        }
    }

    /// Fills what the tables of a stream lack of a window, or reads it anew.
    pub async fn backfill(
        self: &Arc<Self>,
        plan: &PullPlan,
        wanted: (Window, Reading),
        watcher: &dyn BackfillWatcher,
    ) -> StreamReport {
        Backfill::new(self, plan, wanted, watcher).run().await
    }

    /// Reads a window without sending anything: how many rows may arrive twice if it is read anew.
    pub async fn count_before_reading_anew(
        self: &Arc<Self>,
        plan: &PullPlan,
        wanted: Window,
        watcher: &dyn BackfillWatcher,
    ) -> WindowCount {
        Backfill::new(self, plan, (wanted, Reading::Anew), watcher)
            .count()
            .await
    }
}
