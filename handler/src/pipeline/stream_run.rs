//! One stream, one run.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::plan::{PullPlan, Target};
use super::table_sink::{SinkContext, SinkError, TableSink};
use super::window::PollRules;
use crate::health::{Outcome, StreamReport, TableReport};
use crate::sources::{EventKey, Page, SourceError, Window};
use crate::state::{Checkpoints, Counts, DeadLetters, Identities, Lease, Store, StoreError};
use crate::time::{Clock, Deadline};

/// An unchanged position is saved this often: an idle run writes nothing.
const SAVE_UNCHANGED_EVERY: TimeDelta = TimeDelta::minutes(10);
/// Kept back from the reading time for the last batches: a quarter of it, and no more than this.
const DELIVERY_RESERVE: Duration = Duration::from_secs(20);

/// What a run of a stream works with.
pub struct StreamRun<'a> {
    /// The stream and its tables.
    pub plan: &'a PullPlan,
    /// How windows are cut.
    pub rules: PollRules,
    /// The state.
    pub store: &'a Arc<dyn Store>,
    /// The time.
    pub clock: &'a Arc<dyn Clock>,
    /// The lease on the account.
    pub lease: &'a Lease,
    /// The end of the run.
    pub deadline: Deadline,
}

impl StreamRun<'_> {
    /// Reads from where the last run ended, and reports.
    pub async fn run(&self) -> StreamReport {
        let mut report = StreamReport::new(self.plan.stream.name().to_string());
        if let Err(error) = self.run_into(&mut report).await {
            report.problems.push(format!("{}: {error}", report.stream));
        }
        if !report.problems.is_empty() {
            report.outcome = Outcome::Failed;
        }
        report
    }

    async fn run_into(&self, report: &mut StreamReport) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut checkpoints = self.load(now, report).await?;
        for (window, targets) in self.windows(&checkpoints, now) {
            self.read_window(window, &targets, &mut checkpoints, now, report)
                .await?;
        }
        Ok(())
    }

    /// The positions, with one for every table. A new one is on the disk before the first page is asked for, so that
    /// a first run that fails does not slide its begin.
    async fn load(&self, now: DateTime<Utc>, report: &mut StreamReport) -> Result<Checkpoints, StoreError> {
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
        for target in &self.plan.targets {
            let name = target.table.name();
            if !checkpoints.current.tables.contains_key(&*name) {
                checkpoints
                    .current
                    .tables
                    .insert(name.to_string(), self.rules.first_position(now));
                changed = true;
            }
        }
        if changed {
            checkpoints.save(self.lease, now).await?;
        }
        Ok(checkpoints)
    }

    /// Tables that stand at the same place are read together; one that fell behind is read by itself.
    fn windows(&self, checkpoints: &Checkpoints, now: DateTime<Utc>) -> Vec<(Window, Vec<&Target>)> {
        let mut windows: BTreeMap<_, (Window, Vec<&Target>)> = BTreeMap::new();
        for target in &self.plan.targets {
            let Some(position) = checkpoints.current.tables.get(&*target.table.name()) else {
                continue;
            };
            let Some(window) = self.rules.window(position, now) else {
                continue;
            };
            windows
                .entry((window.from, window.to))
                .or_insert_with(|| (window, Vec::new()))
                .1
                .push(target);
        }
        windows.into_values().collect()
    }

    async fn read_window(
        &self,
        window: Window,
        targets: &[&Target],
        checkpoints: &mut Checkpoints,
        now: DateTime<Utc>,
        report: &mut StreamReport,
    ) -> Result<(), StoreError> {
        let mut sinks = Vec::with_capacity(targets.len());
        for target in targets {
            let folder = checkpoints.identities_of(&target.table.name());
            sinks.push(TableSink::new(
                target,
                Identities::load(self.store.clone(), folder).await?,
            ));
        }
        let dead_letters = DeadLetters::new(self.store.clone());
        let context = SinkContext {
            stream: self.plan.stream.name(),
            lease: self.lease,
            dead_letters: &dead_letters,
            arrival: now,
            deadline: self.deadline,
        };
        let mut window_run = WindowRun {
            window,
            context: &context,
            open: sinks,
            stopped: Vec::new(),
        };
        let read = self.read_pages(&mut window_run).await;
        window_run.flush().await;
        let complete = read.is_ok();
        self.note_end(read, &window_run, report);
        self.save(window_run, complete, checkpoints, now, report).await
    }

    async fn read_pages(&self, window_run: &mut WindowRun<'_, '_>) -> Result<(), SourceError> {
        let reserve = DELIVERY_RESERVE.min(self.deadline.remaining() / 4);
        let reading_deadline = self.deadline.less(reserve);
        let mut pages = self.plan.stream.open(window_run.window);
        while !window_run.open.is_empty() {
            let Some(page) = pages.next(reading_deadline).await? else {
                break;
            };
            self.take_page(&page, window_run).await;
        }
        Ok(())
    }

    async fn take_page(&self, page: &Page, window_run: &mut WindowRun<'_, '_>) {
        for sink in &mut window_run.open {
            sink.counts.replaced_bytes += page.replaced_bytes;
        }
        for event in page.events() {
            let key = self.plan.stream.key_of(event);
            window_run.offer(event, key).await;
        }
    }

    fn note_end(&self, read: Result<(), SourceError>, window_run: &WindowRun<'_, '_>, report: &mut StreamReport) {
        for (sink, error) in &window_run.stopped {
            report
                .problems
                .push(format!("{} -> {}: {error}", report.stream, sink.table()));
        }
        match read {
            Ok(()) => {}
            Err(error @ SourceError::OutOfTime { .. }) if window_run.made_progress() => {
                report.outcome = Outcome::BudgetEnded;
                report.notices.push(error.to_string());
            }
            Err(error) => report.problems.push(error.to_string()),
        }
    }

    /// The position moves only for tables that took everything of a window that was read to its end. The position is
    /// saved before identities are forgotten: the other way round a crash would leave doubles.
    async fn save(
        &self,
        window_run: WindowRun<'_, '_>,
        complete: bool,
        checkpoints: &mut Checkpoints,
        now: DateTime<Utc>,
        report: &mut StreamReport,
    ) -> Result<(), StoreError> {
        let WindowRun {
            window, open, stopped, ..
        } = window_run;
        let mut changed = now - checkpoints.current.saved_at >= SAVE_UNCHANGED_EVERY;
        let mut sinks: Vec<_> = open.into_iter().map(|sink| (sink, complete)).collect();
        sinks.extend(stopped.into_iter().map(|(sink, _)| (sink, false)));
        for (sink, took_all) in &sinks {
            let table = sink.table();
            let Some(position) = checkpoints.current.tables.get_mut(&*table) else {
                continue;
            };
            if *took_all {
                position.watermark = window.to;
                position.coverage.add(window.from, window.to);
            }
            position.counts += sink.counts;
            changed |= sink.counts.delivered + sink.counts.dead_lettered > 0;
            let watermark = position.watermark;
            report.tables.push(TableReport {
                table: table.to_string(),
                counts: sink.counts,
                watermark,
            });
        }
        if !changed {
            return Ok(());
        }
        checkpoints.save(self.lease, now).await?;
        for (sink, took_all) in &mut sinks {
            if *took_all {
                sink.compact(self.rules.identities_needed_from(window.to)).await?;
            }
        }
        Ok(())
    }
}

/// A window being read into its tables. A table that fails stops by itself; the others go on.
struct WindowRun<'a, 'c> {
    window: Window,
    context: &'c SinkContext<'c>,
    open: Vec<TableSink<'a>>,
    stopped: Vec<(TableSink<'a>, SinkError)>,
}

impl WindowRun<'_, '_> {
    async fn offer(&mut self, event: &str, key: EventKey) {
        let mut index = 0;
        while let Some(sink) = self.open.get_mut(index) {
            match sink.offer(event, key, self.window, self.context).await {
                Ok(()) => index += 1,
                Err(error) => self.stop(index, error),
            }
        }
    }

    async fn flush(&mut self) {
        let mut index = 0;
        while let Some(sink) = self.open.get_mut(index) {
            match sink.flush(self.context).await {
                Ok(()) => index += 1,
                Err(error) => self.stop(index, error),
            }
        }
    }

    fn stop(&mut self, index: usize, error: SinkError) {
        let sink = self.open.remove(index);
        self.stopped.push((sink, error));
    }

    fn made_progress(&self) -> bool {
        let progress = |counts: &Counts| counts.delivered + counts.dead_lettered > 0;
        self.open.iter().any(|sink| progress(&sink.counts))
            || self.stopped.iter().any(|(sink, _)| progress(&sink.counts))
    }
}
