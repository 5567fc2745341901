//! The report of a run. The jobs fill it in; whoever started the run logs it, once.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::cause::Cause;
use super::problem::Problem;
use super::subject::ReportSubject;
use crate::event::StreamName;
use crate::state::{Counts, EndedRun, LastRun, RunOutcome, TableCounts};
use crate::time::ClockOffset;

/// How a stream's run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Read to the end of its window, and delivered.
    Done,
    /// The run's time ended first; what was read is delivered.
    BudgetEnded,
    /// Somebody else works on this account.
    Held,
    /// See the problems.
    Failed,
    /// Configured, and cannot run; see the problems.
    Off,
}

/// One table of a stream.
#[derive(Clone, Debug)]
pub struct TableReport {
    /// The table's name.
    pub table: String,
    /// Of this run.
    pub counts: Counts,
    /// Read and delivered up to here.
    pub watermark: DateTime<Utc>,
}

/// One stream of a run.
#[derive(Clone, Debug)]
pub struct StreamReport {
    /// What it is about.
    pub stream: ReportSubject,
    /// How it ended.
    pub outcome: Outcome,
    /// By table; empty if nothing could be begun.
    pub tables: Vec<TableReport>,
    /// What went wrong, each with what to do.
    pub problems: Vec<Problem>,
    /// What is worth knowing although nothing went wrong.
    pub notices: Vec<String>,
    /// Until when some of what waits in the spool is left alone, because it may still be on its way.
    pub held_until: Option<DateTime<Utc>>,
    /// When events may have been lost, as far as this run found out; said and remembered already.
    pub possible_losses: Vec<DateTime<Utc>>,
    /// How the vendor's clock stands to ours, if this run learned it.
    pub clock_offset: Option<ClockOffset>,
    /// How far each table is read at the end of the run, of a stream that is polled; also of one whose turn it was not.
    pub read_to: BTreeMap<String, DateTime<Utc>>,
    /// What was counted and is in no checkpoint, because nothing happened that is worth a write.
    pub unsaved: TableCounts,
    /// How long it took.
    pub took: Duration,
}

impl StreamReport {
    /// Nothing has happened yet.
    pub fn new(stream: impl Into<ReportSubject>) -> Self {
        Self {
            stream: stream.into(),
            outcome: Outcome::Done,
            tables: Vec::new(),
            problems: Vec::new(),
            notices: Vec::new(),
            held_until: None,
            possible_losses: Vec::new(),
            clock_offset: None,
            read_to: BTreeMap::new(),
            unsaved: TableCounts::new(),
            took: Duration::ZERO,
        }
    }

    /// A stream that could not be begun.
    pub fn failed(stream: impl Into<ReportSubject>, problem: Problem) -> Self {
        Self {
            outcome: Outcome::Failed,
            problems: vec![problem],
            ..Self::new(stream)
        }
    }

    /// Something failed.
    pub fn fail(&mut self, error: &impl Cause) {
        let message = format!("{}: {error}", self.stream);
        let problem = error.problem_saying(message);
        self.problems.push(problem.sharing(error.shared_text()));
    }

    /// Something of one table failed.
    pub fn fail_table(&mut self, table: &str, error: &impl Cause) {
        self.fail_table_saying(table, error, "");
    }

    /// The same, with what it means for the events.
    pub fn fail_table_saying(&mut self, table: &str, error: &impl Cause, consequence: &str) {
        let message = format!("{} -> {table}: {error}{consequence}", self.stream);
        let shared = error.shared_text().map(|text| text + consequence);
        self.problems.push(error.problem_saying(message).sharing(shared));
    }

    /// Adds the part of one table.
    pub fn add_table(&mut self, table: &str, counts: Counts, watermark: DateTime<Utc>) {
        self.tables.push(TableReport {
            table: table.to_owned(),
            counts,
            watermark,
        });
    }

    /// The run ended before the work did, and that is no failure.
    pub fn end_early(&mut self, notice: String) {
        self.outcome = Outcome::BudgetEnded;
        self.notices.push(notice);
    }

    /// Adds what a part of the run reported.
    pub fn absorb(&mut self, part: Self) {
        if part.outcome != Outcome::Done {
            self.outcome = part.outcome;
        }
        self.tables.extend(part.tables);
        self.problems.extend(part.problems);
        self.notices.extend(part.notices);
        self.held_until = self.held_until.max(part.held_until);
        self.possible_losses.extend(part.possible_losses);
        self.clock_offset = part.clock_offset.or(self.clock_offset);
        self.read_to.extend(part.read_to);
        self.unsaved.extend(part.unsaved);
    }

    /// A stream with a problem failed.
    pub fn concluded(mut self) -> Self {
        if !self.problems.is_empty() {
            self.outcome = Outcome::Failed;
        }
        self
    }

    /// True if it failed or is off.
    pub fn has_failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed | Outcome::Off)
    }

    /// What is left in the lease of a run that was well; `None` of one that was not, which is written at once.
    pub fn ended_run(&self, now: DateTime<Utc>, took: Duration) -> Option<EndedRun> {
        let is_well = matches!(self.outcome, Outcome::Done | Outcome::BudgetEnded) && self.problems.is_empty();
        is_well.then(|| EndedRun {
            run: LastRun {
                at: now,
                seconds: took.as_secs_f64(),
                outcome: run_outcome_of(&[self]),
                tables: counts_by_table(&[self]),
                // A run that has one writes its health record.
                warning: None,
            },
            read_to: self.read_to.clone(),
            unsaved: self.unsaved.clone(),
        })
    }
}

/// The reports of a run by what they are about, those of several tables or queues together.
pub fn by_subject(reports: &[StreamReport]) -> BTreeMap<&ReportSubject, Vec<&StreamReport>> {
    let mut by_subject: BTreeMap<&ReportSubject, Vec<&StreamReport>> = BTreeMap::new();
    for report in reports {
        by_subject.entry(&report.stream).or_default().push(report);
    }
    by_subject
}

/// How a stream's run ended, all its reports together.
pub fn run_outcome_of(reports: &[&StreamReport]) -> RunOutcome {
    let has = |outcome: Outcome| reports.iter().any(|report| report.outcome == outcome);
    if has(Outcome::Failed) {
        RunOutcome::Failed
    } else if has(Outcome::BudgetEnded) {
        RunOutcome::BudgetEnded
    } else {
        RunOutcome::Done
    }
}

/// What became of the events, all the reports of a stream together.
pub fn counts_by_table(reports: &[&StreamReport]) -> TableCounts {
    let mut tables = TableCounts::new();
    for table in reports.iter().flat_map(|report| &report.tables) {
        *tables.entry(table.table.clone()).or_default() += table.counts;
    }
    tables
}

/// All streams of a run.
#[derive(Clone, Debug, Default)]
pub struct RunReport {
    /// In the order of their names.
    pub streams: Vec<StreamReport>,
    /// From its beginning to its end.
    pub took: Duration,
}

impl RunReport {
    /// The streams whose credential the vendor did not accept: another secret might help.
    pub fn rejected_credentials(&self) -> impl Iterator<Item = &StreamName> {
        let is_rejected =
            |report: &&StreamReport| report.problems.iter().any(|problem| problem.code.is_about_credential());
        let rejected = self.streams.iter().filter(is_rejected);
        rejected.filter_map(|report| report.stream.stream())
    }

    /// True if a stream failed or is off. Leases held by others, and a run cut off by its budget, are no failure.
    pub fn failed(&self) -> bool {
        self.streams.iter().any(StreamReport::has_failed)
    }
}
