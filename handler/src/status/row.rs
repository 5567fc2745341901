//! The health row of a stream: what a run came to, for a table in the workspace.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::model::StreamStatus;
use crate::report::{ReportSubject, shortened};
use crate::state::{Counts, LastError, QueueStats};
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
    error_code: Option<String>,
    error_message: Option<String>,
    remedy: Option<String>,
    invocation_id: Option<String>,
    version: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    new_fields: Vec<String>,
    /// Absent outside of Azure.
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<String>,
}

/// What a row says of the run, besides how the stream stands after it.
#[derive(Clone, Debug, Default)]
pub struct RunFacts {
    /// The time of the row, and of the status that it is made from.
    pub at: DateTime<Utc>,
    /// The host's id of the invocation.
    pub invocation_id: Option<String>,
    /// How long the stream's part of the run took.
    pub took: Duration,
    /// What became of the run's events.
    pub counts: Counts,
    /// What waits in the queues that the stream's runs empty.
    pub waiting: QueueStats,
    /// Fields of its tables that no definition knows and that came for the first time in the last 24 hours.
    pub new_fields: Vec<String>,
}

impl HealthRow {
    /// Of a stream, or of an instance that is disabled. State, position and problem are those of its status.
    pub fn new(stream: &StreamStatus, run: RunFacts) -> Self {
        let problem = stream.problem.as_ref();
        let of_problem = |text: fn(&LastError) -> &str| Some(shortened(text(problem?), LONGEST_MESSAGE));
        let (source, instance, name) = match &stream.stream {
            ReportSubject::Stream(name) => (name.source, name.instance.as_str(), Some(name.stream.to_owned())),
            ReportSubject::Instance { source, instance } => (*source, instance.as_str(), None),
            ReportSubject::Spool => ("spool", "", None),
        };
        let tables = stream.tables.iter();
        let watermark = tables.clone().filter_map(|table| table.watermark).min();
        let lag_seconds = tables
            .clone()
            .filter_map(|table| table.lag_seconds)
            .max_by(f64::total_cmp);
        let spooled: u64 = tables.map(|table| table.counts.spooled).sum();
        Self {
            time_generated: rfc3339_millis(run.at),
            source: source.to_owned(),
            instance: instance.to_owned(),
            stream: name,
            status: stream.status.word(),
            // What is given up is read again, and counted by the run that keeps it.
            events_received: run.counts.received.saturating_sub(run.counts.in_flight),
            rows_delivered: run.counts.delivered,
            already_seen: run.counts.seen_before,
            dead_lettered: run.counts.dead_lettered,
            // An entry whose events were not looked at counts as one.
            spooled: spooled.max(run.counts.spooled).max(run.waiting.entries),
            lag_seconds,
            watermark: watermark.map(rfc3339_millis),
            oldest_waiting: run.waiting.oldest.map(rfc3339_millis),
            run_seconds: run.took.as_secs_f64(),
            error_code: problem.map(|problem| problem.code.clone()),
            error_message: of_problem(|problem| &problem.message),
            remedy: of_problem(|problem| &problem.remedy),
            invocation_id: run.invocation_id,
            version: env!("CARGO_PKG_VERSION"),
            new_fields: run.new_fields,
            app: None,
        }
    }

    /// The same row with the name of the function app that writes it.
    #[must_use]
    pub fn written_by(self, app: Option<String>) -> Self {
        Self { app, ..self }
    }

    /// The JSON object that the table's columns are taken from.
    pub fn to_json(&self) -> String {
        // Nothing in it can fail to be written.
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::StreamName;
    use crate::status::model::{StreamKind, StreamState, TableStatus};

    fn stream() -> StreamStatus {
        let name = StreamName {
            source: "pingone",
            instance: "default".to_owned(),
            stream: "activities",
        };
        StreamStatus::never_run(name, StreamKind::Poll)
    }

    fn row(stream: &StreamStatus) -> serde_json::Value {
        serde_json::from_str(&HealthRow::new(stream, RunFacts::default()).to_json()).unwrap()
    }

    #[test]
    fn the_table_that_is_furthest_back_gives_position_and_lag() {
        let mut stream = stream();
        for (minute, lag) in [(2, 60.0), (1, 120.0), (3, 0.0)] {
            stream.tables.push(TableStatus {
                watermark: Some(DateTime::UNIX_EPOCH + chrono::TimeDelta::minutes(minute)),
                lag_seconds: Some(lag),
                ..TableStatus::default()
            });
        }
        let row = row(&stream);
        assert_eq!(row["watermark"], "1970-01-01T00:01:00.000Z");
        assert_eq!(
            (&row["lag_seconds"], &row["status"]),
            (&120.0.into(), &"never run".into())
        );
    }

    #[test]
    fn a_message_keeps_its_code_and_its_remedy_and_no_more_than_a_kibibyte() {
        let mut stream = stream();
        stream.status = StreamState::Failing;
        stream.last_error = Some(LastError {
            at: None,
            code: "credentials_rejected".to_owned(),
            message: "é".repeat(2000),
            remedy: "renew it".to_owned(),
        });
        let row = row(&stream.with_problem());
        assert_eq!(row["error_code"], "credentials_rejected");
        assert_eq!(row["remedy"], "renew it");
        assert!(row["error_message"].as_str().unwrap().len() <= LONGEST_MESSAGE);
    }
}
