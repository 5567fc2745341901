//! One stream, one run: where its tables stand, and what comes of walking on from there.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::group_run::GroupRun;
use super::loading::in_time;
use super::lost_checkpoint::Lost;
use super::snapshot_run::WalkRun;
use super::window::{PollRules, before};
use crate::delivery::Counterparts;
use crate::delivery::DELIVERY_RESERVE;
use crate::delivery::TableRoute;
use crate::delivery::{Standing, opened};
use crate::delivery::{is_named, why_no_row};
use crate::jobs::drain::pushed_run::{can_be_settled, deliver_pushed};
use crate::jobs::drain::spool_drain::note_waiting;
use crate::jobs::plan::PullPlan;
use crate::report::Cause;
use crate::report::{ErrorCode, Outcome, Problem, StreamReport};
use crate::state::{Checkpoints, Lease, Store, StoreError, TablePosition};
use crate::tables::Reading;
use crate::time::{Clock, Deadline, Shutdown, rfc3339_millis};

/// An unchanged position is saved this often: an idle run writes nothing.
const SAVE_UNCHANGED_EVERY: TimeDelta = TimeDelta::minutes(10);
/// Events in one wrapper; one that holds more is set aside whole.
const MOST_WRAPPED: usize = 50_000;

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

    /// An event that was read, or what it wraps: its key, its time and its counterpart are those of the bare event.
    pub fn opened<'e>(&self, event: &'e str, arrival: DateTime<Utc>) -> Vec<Cow<'e, str>> {
        let standing = |event: &str| {
            let mut reading = Reading::default();
            for target in &self.plan.targets {
                reading |= target.table.read(event, arrival);
            }
            let is_named = || is_named(event, &self.plan.stream.key_of(event));
            Standing::of(reading, why_no_row(event, reading, is_named))
        };
        opened(event, &standing, MOST_WRAPPED)
    }

    async fn run_into(&self, report: &mut StreamReport) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut checkpoints = self.load(now, report).await?;
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
            self.note_positions(&checkpoints, report);
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
            let message = format!(
                "{}: nothing was read, because the time of the run (POLL_BUDGET) was over before its turn came; the next run \
                 reads on. If this lasts, raise POLL_BUDGET or POLL_CONCURRENCY",
                report.stream
            );
            // What was pushed and could be delivered is progress; a run without any could not even begin.
            if report.tables.iter().any(|table| table.counts.delivered > 0) {
                report.outcome = Outcome::BudgetEnded;
                report.notices.push(message);
            } else {
                report.problems.push(Problem::new(ErrorCode::BudgetEnded, message));
            }
            return Ok(());
        }
        if let Some(every) = self.plan.stream.walked_every() {
            return WalkRun { run: self, every, now }.run(checkpoints, report).await;
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

    /// For whoever asks how the stream stands before its checkpoint is saved again.
    fn note_positions(&self, checkpoints: &Checkpoints, report: &mut StreamReport) {
        for target in &self.plan.targets {
            let table = target.table.name();
            if let Some(position) = checkpoints.current.tables.get(&*table) {
                report.read_to.insert(table.to_string(), position.watermark);
            }
        }
        report.unsaved = checkpoints.unsaved_counts();
    }

    /// The positions, with one for every table. A new one is on the disk before the first page is asked for, so that
    /// a first run that fails does not slide its begin.
    pub async fn load(&self, now: DateTime<Utc>, report: &mut StreamReport) -> Result<Checkpoints, StoreError> {
        let stream = &self.plan.stream;
        let mut checkpoints = Checkpoints::load(self.store.clone(), stream.name(), stream.account(), now).await?;
        if let Some(other) = &checkpoints.moved_from {
            let from = if checkpoints.is_new {
                "POLL_LOOKBACK"
            } else {
                "where it was left"
            };
            report.notices.push(format!(
                "{}: the checkpoint belonged to another account ({other}); it is set aside and this account is read from {from}",
                report.stream
            ));
        }
        let mut changed = checkpoints.is_new || checkpoints.moved_from.is_some();
        let is_gone = checkpoints.is_new && checkpoints.moved_from.is_none();
        let lost = if is_gone {
            Lost::find(self, &checkpoints, now).await?
        } else {
            None
        };
        report
            .notices
            .extend(lost.as_ref().map(|lost| lost.notice(&report.stream)));
        for target in &self.plan.targets {
            let name = target.table.name();
            if !checkpoints.current.tables.contains_key(&*name) {
                let known = lost.as_ref().and_then(|lost| lost.position(&name, self.rules.overlap));
                let position = known.unwrap_or_else(|| self.rules.first_position(now));
                checkpoints.current.tables.insert(name.to_string(), position);
                changed = true;
            }
        }
        if changed {
            checkpoints.save(self.lease, now).await?;
        }
        Ok(checkpoints)
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
