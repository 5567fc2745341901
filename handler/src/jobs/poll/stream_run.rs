//! One stream, one run: where its tables stand, and what comes of walking on from there.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::group_run::GroupRun;
use super::loading::in_time;
use super::polled_run::{PolledRun, note_no_time_left};
use super::window::{PollRules, before};
use crate::delivery::Counterparts;
use crate::delivery::DELIVERY_RESERVE;
use crate::delivery::TableRoute;
use crate::jobs::drain::pushed_run::{can_be_settled, deliver_pushed};
use crate::jobs::drain::spool_drain::note_waiting;
use crate::jobs::plan::PullPlan;
use crate::report::Cause;
use crate::report::{Outcome, StreamReport};
use crate::state::{Checkpoints, Lease, Store, StoreError, TablePosition};
use crate::time::{Clock, Deadline, Shutdown, rfc3339_millis};

/// An unchanged position is saved this often: an idle run writes nothing.
const SAVE_UNCHANGED_EVERY: TimeDelta = TimeDelta::minutes(10);

/// What a run of a stream works with.
pub struct StreamRun<'a> {
    /// The stream and its tables.
    pub plan: &'a PullPlan,
    /// How windows are cut.
    pub rules: PollRules,
    /// The state, written only as long as the lease holds.
    pub store: &'a Arc<dyn Store>,
    /// The time.
    pub clock: &'a Arc<dyn Clock>,
    /// The lease on the account.
    pub lease: &'a Lease,
    /// The end of the run.
    pub deadline: Deadline,
    /// The word that the process is to end.
    pub stop: &'a Shutdown,
    /// False where only what waits in the spool is delivered.
    pub reads: bool,
}

impl StreamRun<'_> {
    /// Reads from where the last run ended, and reports.
    pub async fn run(&self) -> StreamReport {
        let mut report = StreamReport::new(self.plan.stream.name().to_string());
        if let Err(error) = self.run_into(&mut report).await {
            let message = format!("{}: {error}", report.stream);
            report.problems.push(error.problem_saying(message));
        }
        self.report_clock(&mut report);
        if !report.problems.is_empty() {
            report.outcome = Outcome::Failed;
        }
        report
    }

    /// What is common to all polled streams.
    pub fn polled(&self) -> PolledRun<'_> {
        PolledRun {
            stream: &*self.plan.stream,
            targets: &self.plan.targets,
            rules: self.rules,
            store: self.store,
            lease: self.lease,
            deadline: self.deadline,
        }
    }

    async fn run_into(&self, report: &mut StreamReport) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut checkpoints = self.polled().load(now, report).await?;
        let before = report.problems.len();
        let delivered = match &self.plan.pushed {
            Some(pushed) => deliver_pushed(self, pushed, &mut checkpoints, now, report).await,
            None => Ok(None),
        };
        let after_pushed = report.problems.len();
        let outcome = match delivered {
            Ok(oldest_left) if self.reads => self.read(&mut checkpoints, (oldest_left, now), report).await,
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        if let (Ok(()), Some(pushed)) = (
            &outcome,
            self.plan.pushed.as_ref().filter(|pushed| can_be_settled(pushed)),
        ) {
            // What was refused is said anew if it still is.
            report.problems.drain(before..after_pushed);
            deliver_pushed(self, pushed, &mut checkpoints, now, report).await?;
        }
        if checkpoints.has_news {
            checkpoints.save(self.lease, now).await?;
        }
        if self.reads && outcome.is_ok() {
            self.polled().note_positions(&checkpoints, report);
        }
        outcome
    }

    /// Reads on from the positions. What was pushed and is delivered in part must be remembered from `oldest_left` on.
    async fn read(
        &self,
        checkpoints: &mut Checkpoints,
        (oldest_left, now): (Option<DateTime<Utc>>, DateTime<Utc>),
        report: &mut StreamReport,
    ) -> Result<(), StoreError> {
        if self.deadline.is_within_reserve(DELIVERY_RESERVE) {
            note_no_time_left(report);
            return Ok(());
        }
        // The vendor's clock may show only while this run reads: then it goes back, and reads once more.
        for _ in 0..2 {
            if self.come_back_from_the_future(checkpoints, now, report) {
                checkpoints.save(self.lease, now).await?;
            }
            self.step_over_what_is_gone(checkpoints, self.earlier_now(now), report);
            for targets in self.groups(checkpoints) {
                GroupRun::begin(self, checkpoints, &targets, now)
                    .await?
                    .keeping_from(oldest_left)
                    .run(report)
                    .await?;
            }
            if !self.is_in_the_future(checkpoints, now) {
                break;
            }
        }
        Ok(())
    }

    /// A gap that reaches back beyond what the vendor still shows cannot be filled any more. That is said, and stays
    /// visible as a hole in the coverage.
    fn step_over_what_is_gone(&self, checkpoints: &mut Checkpoints, now: DateTime<Utc>, report: &mut StreamReport) {
        let Some(readable_for) = self.plan.stream.readable_for() else {
            return;
        };
        let oldest = before(now, readable_for);
        for (table, position) in &mut checkpoints.current.tables {
            if position.watermark >= oldest {
                continue;
            }
            report.notices.push(format!(
                "{} -> {table}: events recorded between {} and {} were not read in time and are not shown by the vendor any more; \
                 fetch them from the vendor's archive if you need them",
                report.stream,
                rfc3339_millis(position.watermark),
                rfc3339_millis(oldest),
            ));
            position.watermark = oldest;
            position.reread_from = Some(oldest);
        }
    }

    /// Tables that stand at the same place are read together; one that fell behind is read by itself.
    fn groups(&self, checkpoints: &Checkpoints) -> Vec<Vec<&TableRoute>> {
        let mut groups: BTreeMap<_, Vec<&TableRoute>> = BTreeMap::new();
        for target in &self.plan.targets {
            let position = checkpoints.current.tables.get(&*target.table.name());
            let place = position.map(|position| (position.watermark, position.begin, position.reread_from));
            groups.entry(place).or_default().push(target);
        }
        groups.into_values().collect()
    }

    /// Identities are kept from here on. Where the same events are pushed too they are kept for as long as the vendor
    /// may repeat a push.
    pub fn known_from(&self, position: &TablePosition) -> DateTime<Utc> {
        let needed_from = self.rules.identities_needed_from(position);
        match &self.plan.pushed {
            Some(pushed) => before(needed_from, pushed.form.repeats_for()),
            None => needed_from,
        }
    }

    /// What is stored of this stream's counterparts, if it has any.
    pub async fn stored_counterparts(&self, checkpoints: &Checkpoints) -> Result<Option<Counterparts>, StoreError> {
        if self.plan.counterparts.is_none() {
            return Ok(None);
        }
        let folder = checkpoints.identities_of("counterpart-records");
        let what = folder.to_string();
        let load = Counterparts::load(self.store.clone(), folder);
        in_time(self.deadline, &what, load).await.map(Some)
    }

    /// What a read is compared with: all that was pushed, waiting or delivered. While something waits of which nothing
    /// is known, nothing may be read: it would be taken for a gap.
    pub async fn counterparts(&self, checkpoints: &Checkpoints) -> Result<Option<Counterparts>, StoreError> {
        let mut stored = self.stored_counterparts(checkpoints).await?;
        if let (Some(counterparts), Some(pushed), Some(rule)) = (&mut stored, &self.plan.pushed, self.plan.counterparts)
        {
            let spool = pushed.spool.guarded(self.store.clone());
            let what = format!("what was pushed to {} and waits in the spool", self.plan.stream.name());
            in_time(self.deadline, &what, note_waiting(&spool, pushed, rule, counterparts)).await?;
        }
        Ok(stored)
    }

    /// True if a position must be saved although nothing was delivered.
    pub fn is_due(&self, checkpoints: &Checkpoints, now: DateTime<Utc>) -> bool {
        let saved_at = checkpoints.current.positions_saved_at;
        saved_at.is_none_or(|saved_at| now - saved_at >= SAVE_UNCHANGED_EVERY || saved_at > now)
    }
}

/// The position of a table; one is made for every table before anything is read.
pub fn position_of<'a>(checkpoints: &'a mut Checkpoints, table: &str) -> Option<&'a mut TablePosition> {
    checkpoints.current.tables.get_mut(table)
}
