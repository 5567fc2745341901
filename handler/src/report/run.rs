//! The report of a run. The pipeline fills it in, whoever started the run logs it: once, here.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::cause::Cause;
use super::problem::Problem;
use crate::event::StreamName;
use crate::state::{Counts, TableCounts};
use crate::time::{ClockOffset, rfc3339_millis};

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
    /// `pingone/default/activities`
    pub stream: String,
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
    pub fn new(stream: String) -> Self {
        Self {
            stream,
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
    pub fn failed(stream: String, problem: Problem) -> Self {
        Self {
            outcome: Outcome::Failed,
            problems: vec![problem],
            ..Self::new(stream)
        }
    }

    /// An instance that is configured and cannot run, because a setting is bad or a secret could not be had.
    pub fn off(stream: String, problem: Problem) -> Self {
        Self {
            outcome: Outcome::Off,
            problems: vec![problem],
            ..Self::new(stream)
        }
    }

    /// Something failed.
    pub fn fail(&mut self, error: &impl Cause) {
        let message = format!("{}: {error}", self.stream);
        self.problems.push(error.problem_saying(message));
    }

    /// Something of one table failed.
    pub fn fail_table(&mut self, table: &str, error: &impl Cause) {
        self.fail_table_saying(table, error, "");
    }

    /// The same, with what it means for the events.
    pub fn fail_table_saying(&mut self, table: &str, error: &impl Cause, consequence: &str) {
        let message = format!("{} -> {table}: {error}{consequence}", self.stream);
        self.problems.push(error.problem_saying(message));
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

    fn summary(&self, table: &TableReport) -> String {
        let Counts {
            received,
            taken_up,
            delivered,
            seen_before,
            dead_lettered,
            spooled,
            in_flight,
            perhaps_doubled,
            old_rows,
            unfit_values,
            cut_values,
            replaced_bytes,
        } = table.counts;
        let mut line = format!(
            "{} -> {}: {} events read, {delivered} rows delivered, {seen_before} seen before",
            self.stream,
            table.table,
            received + taken_up
        );
        for (count, what) in [
            (dead_lettered, "set aside as dead letters"),
            (spooled, "wait in the spool"),
            (in_flight, "given up for the next run"),
            (perhaps_doubled, "rows perhaps doubled, because an answer was lost"),
            (old_rows, "rows older than 48 hours, whose TimeGenerated Azure replaces"),
            (unfit_values, "values did not fit their column"),
            (cut_values, "values cut to fit"),
            (replaced_bytes, "places were not UTF-8"),
        ] {
            if count > 0 {
                line.push_str(&format!(", {count} {what}"));
            }
        }
        line
    }

    fn log(&self) {
        for table in &self.tables {
            let summary = self.summary(table);
            log::info!(
                stream = self.stream.as_str(), table = table.table.as_str(), received = table.counts.received,
                delivered = table.counts.delivered, seen_before = table.counts.seen_before,
                dead_lettered = table.counts.dead_lettered, spooled = table.counts.spooled,
                perhaps_doubled = table.counts.perhaps_doubled, watermark = rfc3339_millis(table.watermark).as_str();
                "{summary}"
            );
            if table.counts.dead_lettered > 0 {
                log::warn!(
                    stream = self.stream.as_str(), dead_lettered = table.counts.dead_lettered;
                    "{}: {} events could not become rows, or their rows were refused; they lie in the state store under dead-letters/, with the reason",
                    self.stream, table.counts.dead_lettered
                );
            }
        }
        for notice in &self.notices {
            log::warn!(stream = self.stream.as_str(); "{notice}");
        }
        for problem in &self.problems {
            log::error!(stream = self.stream.as_str(), code = problem.code.word(); "{problem}");
        }
    }
}

/// All streams of a run.
#[derive(Clone, Debug, Default)]
pub struct RunReport {
    /// In the order of their names.
    pub streams: Vec<StreamReport>,
}

impl RunReport {
    /// Whether the vendor did not accept the credential of a stream: another secret might help.
    pub fn rejects_credential_of(&self, stream: &StreamName) -> bool {
        let stream = stream.to_string();
        let mut reports = self.streams.iter().filter(|report| report.stream == stream);
        reports.any(|report| report.problems.iter().any(|problem| problem.code.is_about_credential()))
    }

    /// True if a stream failed or is off. Leases held by others, and a run cut off by its budget, are no failure.
    pub fn failed(&self) -> bool {
        self.streams
            .iter()
            .any(|stream| matches!(stream.outcome, Outcome::Failed | Outcome::Off))
    }

    /// Logs every stream: the one place where the result of a run is logged.
    pub fn log(&self) {
        for stream in &self.streams {
            stream.log();
        }
    }

    /// A few lines for the host's log of the invocation.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for stream in &self.streams {
            lines.extend(stream.tables.iter().map(|table| stream.summary(table)));
            lines.extend(stream.notices.iter().cloned());
            lines.extend(stream.problems.iter().map(ToString::to_string));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_names_the_stream_the_table_and_only_the_counts_that_matter() {
        let mut report = StreamReport::new("pingone/default/activities".to_owned());
        let counts = Counts {
            received: 12,
            delivered: 9,
            seen_before: 2,
            dead_lettered: 1,
            ..Counts::default()
        };
        report.tables.push(TableReport {
            table: "T_CL".to_owned(),
            counts,
            watermark: DateTime::UNIX_EPOCH,
        });
        let run = RunReport { streams: vec![report] };
        let expected = "pingone/default/activities -> T_CL: 12 events read, 9 rows delivered, 2 seen before, 1 set aside as dead letters";
        assert_eq!(run.lines(), [expected]);
        assert!(!run.failed());
    }
}
