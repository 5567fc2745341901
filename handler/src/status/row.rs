//! The health row of a stream: what a run came to, for a table in the workspace.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::model::StreamState;
use crate::report::{ErrorCode, Outcome, Problem, ReportSubject, StreamReport, shortened};
use crate::state::{Counts, QueueStats};
use crate::time::rfc3339_millis;

/// Messages are cut to this many bytes.
const LONGEST_MESSAGE: usize = 1024;

/// One stream after one run. The names are what `infra/tables/SentinelConnectorHealth_CL.json` asks for.
#[derive(Clone, Debug, Serialize)]
pub struct HealthRow {
    time_generated: String,
    source: String,
    instance: String,
    /// Absent for a whole instance that is off.
    stream: Option<String>,
    /// In a word.
    status: &'static str,
    events_received: u64,
    rows_delivered: u64,
    already_seen: u64,
    dead_lettered: u64,
    spooled: u64,
    watermark: Option<String>,
    lag_seconds: Option<f64>,
    oldest_waiting: Option<String>,
    run_seconds: f64,
    error_code: Option<&'static str>,
    error_message: Option<String>,
    remedy: Option<String>,
    invocation_id: Option<String>,
    version: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    new_fields: Vec<String>,
}

/// What a row needs besides the reports of the run.
#[derive(Clone, Debug, Default)]
pub struct RowFacts {
    /// The end of the run.
    pub at: DateTime<Utc>,
    /// The host's id of the invocation.
    pub invocation_id: Option<String>,
    /// True if the stream's watermark is a position, and not only the time of the run.
    pub has_watermark: bool,
    /// True if the watermark is further back than it should be.
    pub is_late: bool,
    /// What waits in its queues.
    pub waiting: QueueStats,
    /// Fields of its tables that no definition knows and that came for the first time in the last 24 hours.
    pub new_fields: Vec<String>,
    /// Of a stream of pushes: what was received since its last row. The reports only empty its spool.
    pub pushed: Option<Counts>,
}

/// The earliest watermark of a stream's reports.
pub fn watermark_of(reports: &[&StreamReport]) -> Option<DateTime<Utc>> {
    let tables = reports.iter().flat_map(|report| &report.tables);
    let positions = reports.iter().flat_map(|report| report.read_to.values());
    tables.map(|table| &table.watermark).chain(positions).min().copied()
}

impl HealthRow {
    /// Of a stream, or of an instance that is disabled.
    pub fn new(subject: &ReportSubject, reports: &[&StreamReport], facts: RowFacts) -> Self {
        let mut counts = Counts::default();
        for table in reports.iter().flat_map(|report| &report.tables) {
            counts += table.counts;
        }
        if let Some(pushed) = facts.pushed {
            counts = with_pushed(counts, pushed);
        }
        let problem = problem_of(reports, counts);
        let of_problem = |text: fn(&Problem) -> &str| Some(shortened(text(problem.as_ref()?), LONGEST_MESSAGE));
        let watermark = watermark_of(reports).filter(|_| facts.has_watermark);
        let (source, instance, stream) = match subject {
            ReportSubject::Stream(name) => (name.source, name.instance.as_str(), Some(name.stream.to_owned())),
            ReportSubject::Instance { source, instance } => (*source, instance.as_str(), None),
            ReportSubject::Spool => ("spool", "", None),
        };
        let took: Duration = reports.iter().map(|report| report.took).sum();
        Self {
            time_generated: rfc3339_millis(facts.at),
            source: source.to_owned(),
            instance: instance.to_owned(),
            stream,
            status: state_of(reports, facts.is_late).word(),
            // What is given up is read again, and counted by the run that keeps it.
            events_received: counts.received.saturating_sub(counts.in_flight),
            rows_delivered: counts.delivered,
            already_seen: counts.seen_before,
            dead_lettered: counts.dead_lettered,
            // An entry whose events were not looked at counts as one.
            spooled: counts.spooled.max(facts.waiting.entries),
            lag_seconds: watermark.map(|watermark| (facts.at - watermark).as_seconds_f64().max(0.0)),
            watermark: watermark.map(rfc3339_millis),
            oldest_waiting: facts.waiting.oldest.map(rfc3339_millis),
            run_seconds: took.as_secs_f64(),
            error_code: problem.as_ref().map(|problem| problem.code.word()),
            error_message: of_problem(|problem| &problem.message),
            remedy: of_problem(Problem::remedy),
            invocation_id: facts.invocation_id,
            version: env!("CARGO_PKG_VERSION"),
            new_fields: facts.new_fields,
        }
    }

    /// The JSON object that the table's columns are taken from.
    pub fn to_json(&self) -> String {
        // Nothing in it can fail to be written.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The worst of the reports.
fn state_of(reports: &[&StreamReport], is_late: bool) -> StreamState {
    let has = |outcome: Outcome| reports.iter().any(|report| report.outcome == outcome);
    if has(Outcome::Off) {
        StreamState::Off
    } else if has(Outcome::Failed) {
        StreamState::Failing
    } else if has(Outcome::BudgetEnded) || is_late {
        StreamState::Behind
    } else {
        StreamState::Ok
    }
}

/// What is taken out of the spool was received before, perhaps in an earlier run; what waits is what the run left.
fn with_pushed(drained: Counts, pushed: Counts) -> Counts {
    Counts {
        received: pushed.received,
        delivered: pushed.delivered + drained.delivered,
        seen_before: pushed.seen_before,
        dead_lettered: pushed.dead_lettered + drained.dead_lettered,
        spooled: drained.spooled,
        ..drained
    }
}

/// The first thing that went wrong; else what is worth a look although nothing failed.
fn problem_of(reports: &[&StreamReport], counts: Counts) -> Option<Problem> {
    if let Some(problem) = reports.iter().flat_map(|report| &report.problems).next() {
        return Some(problem.clone());
    }
    if let Some(at) = reports.iter().flat_map(|report| &report.possible_losses).next() {
        let message = format!("events may have been lost around {}", rfc3339_millis(*at));
        return Some(Problem::new(ErrorCode::PossibleLoss, message));
    }
    if counts.dead_lettered > 0 {
        let message = format!(
            "{} events could not become rows, or their rows were refused",
            counts.dead_lettered
        );
        return Some(Problem::new(ErrorCode::DeadLetters, message));
    }
    let cut_off = reports.iter().find(|report| report.outcome == Outcome::BudgetEnded)?;
    let message = cut_off.notices.last().cloned();
    let message = message.unwrap_or_else(|| "the run's time ended before the work did".to_owned());
    Some(Problem::new(ErrorCode::BudgetEnded, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::StreamName;

    fn subject() -> ReportSubject {
        ReportSubject::Stream(StreamName {
            source: "pingone",
            instance: "default".to_owned(),
            stream: "activities",
        })
    }

    fn row(reports: &[&StreamReport], facts: RowFacts) -> serde_json::Value {
        serde_json::from_str(&HealthRow::new(&subject(), reports, facts).to_json()).unwrap()
    }

    fn report(outcome: Outcome) -> StreamReport {
        StreamReport {
            outcome,
            ..StreamReport::new(subject())
        }
    }

    #[test]
    fn the_worst_of_a_streams_reports_is_its_status() {
        let (done, cut_off, failed) = (
            report(Outcome::Done),
            report(Outcome::BudgetEnded),
            report(Outcome::Failed),
        );
        for (reports, expected) in [
            (vec![&done], "ok"),
            (vec![], "ok"),
            (vec![&done, &cut_off], "behind"),
            (vec![&failed, &cut_off], "failing"),
        ] {
            assert_eq!(row(&reports, RowFacts::default())["status"], expected);
        }
        let late = RowFacts {
            is_late: true,
            ..RowFacts::default()
        };
        assert_eq!(row(&[&done], late)["status"], "behind");
    }

    #[test]
    fn a_message_keeps_its_code_and_its_remedy_and_no_more_than_a_kibibyte() {
        let problem = Problem::new(ErrorCode::CredentialsRejected, "é".repeat(2000)).with_remedy(Some("renew it"));
        let failed = StreamReport::failed(subject(), problem);
        let row = row(&[&failed], RowFacts::default());
        assert_eq!(row["error_code"], "credentials_rejected");
        assert_eq!(row["remedy"], "renew it");
        assert!(row["error_message"].as_str().unwrap().len() <= LONGEST_MESSAGE);
    }

    #[test]
    fn dead_letters_are_named_although_the_run_is_well() {
        let facts = RowFacts {
            pushed: Some(Counts {
                received: 3,
                delivered: 1,
                dead_lettered: 2,
                ..Counts::default()
            }),
            ..RowFacts::default()
        };
        let row = row(&[], facts);
        assert_eq!(
            (&row["status"], &row["error_code"]),
            (&"ok".into(), &"dead_letters".into())
        );
        assert_eq!(row["dead_lettered"], 2);
    }
}
