//! What a run did, in the log: the one place where that is said.

use std::collections::BTreeSet;

use super::grouped::{MessageGroup, RunMessage, grouped};
use super::problem::ErrorCode;
use super::run::{Outcome, RunReport, StreamReport, TableReport};
use super::subject::ReportSubject;
use crate::state::Counts;
use crate::time::rfc3339_millis;

/// Which tables have a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoggedTables {
    /// Those of which something was read or delivered.
    #[default]
    Moved,
    /// Every one.
    All,
}

/// A line for every table with rows, one for each cause of what is worth knowing or failed, and one for the run.
pub fn log_run(run: &RunReport, logged: LoggedTables) {
    for stream in &run.streams {
        log_tables(stream, logged);
    }
    for group in notices(run) {
        log::warn!(stream = stream_names(&group).as_str(); "{}", group.line());
    }
    for group in problems(run) {
        let code = group.code().map(ErrorCode::word).unwrap_or_default();
        log::error!(stream = stream_names(&group).as_str(), code = code; "{}", group.line());
    }
    let totals = RunTotals::of(run);
    if let Some(summary) = totals.summary(run) {
        log::info!(
            streams = totals.streams, events_read = totals.events_read, rows_delivered = totals.rows_delivered,
            failed = totals.failed, seconds = run.took.as_secs_f64();
            "{summary}"
        );
    }
}

/// The same lines for the host's log of the invocation.
pub fn run_lines(run: &RunReport) -> Vec<String> {
    let mut lines = Vec::new();
    for stream in &run.streams {
        let tables = tables(stream, LoggedTables::Moved);
        lines.extend(tables.map(|table| table_summary(&stream.stream, table)));
    }
    let messages = notices(run).into_iter().chain(problems(run));
    lines.extend(messages.map(|group| group.line()));
    lines.extend(RunTotals::of(run).summary(run));
    lines
}

fn log_tables(report: &StreamReport, logged: LoggedTables) {
    let name = report.stream.to_string();
    let stream = name.as_str();
    for table in tables(report, logged) {
        let summary = table_summary(&report.stream, table);
        log::info!(
            stream = stream, table = table.table.as_str(), received = table.counts.received,
            delivered = table.counts.delivered, seen_before = table.counts.seen_before,
            dead_lettered = table.counts.dead_lettered, spooled = table.counts.spooled,
            perhaps_doubled = table.counts.perhaps_doubled, watermark = rfc3339_millis(table.watermark).as_str();
            "{summary}"
        );
        if table.counts.dead_lettered > 0 {
            log::warn!(
                stream = stream, dead_lettered = table.counts.dead_lettered;
                "{}: {} events could not become rows, or their rows were refused; they lie in the state store under dead-letters/, with the reason",
                report.stream, table.counts.dead_lettered
            );
        }
    }
}

fn tables(report: &StreamReport, logged: LoggedTables) -> impl Iterator<Item = &TableReport> {
    let tables = report.tables.iter();
    tables.filter(move |table| logged == LoggedTables::All || table.counts != Counts::default())
}

fn notices(run: &RunReport) -> Vec<MessageGroup> {
    let messages = run.streams.iter().flat_map(|report| {
        let notices = report.notices.iter();
        notices.map(|notice| RunMessage::new(&report.stream, notice.clone()))
    });
    grouped(messages)
}

fn problems(run: &RunReport) -> Vec<MessageGroup> {
    let messages = run.streams.iter().flat_map(|report| {
        let problems = report.problems.iter();
        problems.map(|problem| RunMessage::of_problem(&report.stream, problem))
    });
    grouped(messages)
}

fn stream_names(group: &MessageGroup) -> String {
    let names: Vec<String> = group.subjects.iter().map(ToString::to_string).collect();
    names.join(", ")
}

fn table_summary(subject: &ReportSubject, table: &TableReport) -> String {
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
        subject,
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

/// All streams together.
#[derive(Default)]
struct RunTotals {
    streams: usize,
    events_read: u64,
    rows_delivered: u64,
    dead_lettered: u64,
    failed: usize,
    skipped: usize,
    switched_off: usize,
}

impl RunTotals {
    fn of(run: &RunReport) -> Self {
        let count = |is_counted: &dyn Fn(&StreamReport) -> bool| {
            let of_accounts = run.streams.iter().filter(|report| report.stream.account().is_some());
            let reports = of_accounts.filter(|report| is_counted(report));
            let subjects: BTreeSet<&ReportSubject> = reports.map(|report| &report.stream).collect();
            subjects.len()
        };
        let mut totals = Self {
            streams: count(&|report| report.stream.stream().is_some()),
            failed: count(&|report| report.outcome == Outcome::Failed),
            skipped: count(&|report| report.outcome == Outcome::Held),
            switched_off: count(&|report| report.outcome == Outcome::Off),
            ..Self::default()
        };
        for table in run.streams.iter().flat_map(|report| &report.tables) {
            totals.events_read += table.counts.received + table.counts.taken_up;
            totals.rows_delivered += table.counts.delivered;
            totals.dead_lettered += table.counts.dead_lettered;
        }
        totals
    }

    /// `5 streams: 12 events read, 12 rows delivered, 1 failed, 0.4 s`. That nothing was read is said only where nothing
    /// stood in the way.
    fn summary(&self, run: &RunReport) -> Option<String> {
        let streams = match self.streams {
            0 => return None,
            1 => "1 stream".to_owned(),
            streams => format!("{streams} streams"),
        };
        let is_whole = self.failed + self.skipped == 0;
        let mut parts = Vec::new();
        for (count, what) in [
            (self.events_read, "events read"),
            (self.rows_delivered, "rows delivered"),
        ] {
            if is_whole || count > 0 {
                parts.push(format!("{count} {what}"));
            }
        }
        for (count, what) in [
            (self.dead_lettered, "set aside as dead letters"),
            (self.failed as u64, "failed"),
            (self.skipped as u64, "skipped"),
            (self.switched_off as u64, "switched off"),
        ] {
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        }
        Some(format!(
            "{streams}: {}, {:.1} s",
            parts.join(", "),
            run.took.as_secs_f64()
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::DateTime;

    use super::*;
    use crate::event::StreamName;
    use crate::report::{ErrorCode, Problem};

    fn stream(stream: &'static str) -> StreamName {
        StreamName {
            source: "sentinelone",
            instance: "default".to_owned(),
            stream,
        }
    }

    fn report(name: &'static str, counts: Counts) -> StreamReport {
        let mut report = StreamReport::new(stream(name));
        report.tables.push(TableReport {
            table: "T_CL".to_owned(),
            counts,
            watermark: DateTime::UNIX_EPOCH,
        });
        report
    }

    fn run(streams: Vec<StreamReport>) -> RunReport {
        RunReport {
            streams,
            took: Duration::from_millis(440),
        }
    }

    #[test]
    fn a_table_is_said_with_the_counts_that_matter_and_the_run_with_their_sums() {
        let counts = Counts {
            received: 12,
            delivered: 9,
            seen_before: 2,
            dead_lettered: 1,
            ..Counts::default()
        };
        let run = run(vec![report("threats", counts), report("groups", Counts::default())]);
        assert_eq!(
            run_lines(&run),
            [
                "sentinelone/default/threats -> T_CL: 12 events read, 9 rows delivered, 2 seen before, 1 set aside as dead letters",
                "2 streams: 12 events read, 9 rows delivered, 1 set aside as dead letters, 0.4 s",
            ]
        );
        assert!(!run.failed());
    }

    #[test]
    fn a_run_without_news_is_one_line_and_a_failed_one_does_not_say_that_nothing_was_read() {
        let quiet = run(vec![report("threats", Counts::default())]);
        assert_eq!(run_lines(&quiet), ["1 stream: 0 events read, 0 rows delivered, 0.4 s"]);
        let failed = ["agents", "threats"].map(|name| {
            let problem = Problem::new(ErrorCode::VendorUnavailable, format!("{}: answered 503", stream(name)));
            StreamReport::failed(stream(name), problem)
        });
        assert_eq!(
            run_lines(&run(failed.into())),
            [
                "sentinelone/default (agents, threats): answered 503",
                "2 streams: 2 failed, 0.4 s"
            ]
        );
    }
}
