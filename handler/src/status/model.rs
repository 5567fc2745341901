//! How everything stands, from the store alone: data for a person's page, a person's terminal, and programs.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Serialize, Serializer};

use super::new_fields::NewField;
use super::warning::remembered;
use crate::event::StreamName;
use crate::report::{ErrorCode, Problem, ReportSubject};
use crate::state::{Counts, DeadLetterStats, LastError, LastRun, QueueStats, RunOutcome, Span, StreamHealth};
use crate::time::{clock_remark, span_text};

/// The name of a fact.
pub const LAST_FAILURE: &str = "last failure";
/// The version of the JSON form: members are added to it, and none is renamed or taken away.
const VERSION: u32 = 1;

#[derive(Clone, Debug, Serialize)]
pub struct Status {
    version: u32,
    /// When it was looked at.
    pub at: DateTime<Utc>,
    /// The version of the executable that looked.
    pub handler: &'static str,
    /// What is wrong with the settings of the whole program, although it runs: one line each.
    pub problems: Vec<String>,
    /// When the host invoked the timer function last.
    pub last_timer_invocation: Option<DateTime<Utc>>,
    /// When a wake polled last in its place.
    pub last_wake_poll: Option<DateTime<Utc>>,
    /// Everything that is configured, in the order of the names.
    pub streams: Vec<StreamStatus>,
    /// The queues of the spool that hold something.
    pub spool: Vec<QueueStatus>,
    /// The streams that have dead letters, by name (`<source>/<instance>/<stream>`), also those that are configured no
    /// more.
    pub dead_letters: BTreeMap<String, DeadLetterStats>,
    /// What vendors send that no definition knows.
    pub new_fields: Vec<NewField>,
}

/// How a stream stands, in a word. Health rows have the same words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamState {
    Ok,
    /// It works, and has more to read than it got through.
    Behind,
    /// The last run failed.
    Failing,
    /// It is configured and cannot run.
    Off,
    /// Configured, and nothing is stored of it yet.
    NeverRun,
}

/// What brings the events of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamKind {
    /// We ask.
    Poll,
    /// We are sent them.
    Push,
    /// Of something that is off: the instance.
    Instance,
}

/// How often what was read is read again, for events that the vendor shows late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// As it should be.
    EveryRun,
    /// It would take more than a third of the vendor's rate.
    EveryTenthRun,
}

#[derive(Clone, Debug, Serialize)]
pub struct StreamStatus {
    /// The stream, or the instance of what is disabled.
    pub stream: ReportSubject,
    /// How it gets its events.
    pub kind: StreamKind,
    /// In a word.
    pub status: StreamState,
    /// In the order of their names.
    pub tables: Vec<TableStatus>,
    /// When events may have been lost that nobody can read again.
    pub possible_losses: Vec<DateTime<Utc>>,
    /// The end of the last run that did not fail; up to ten minutes old while nothing happens.
    pub last_success: Option<DateTime<Utc>>,
    /// The end of the last run that failed.
    pub last_failure: Option<DateTime<Utc>>,
    /// Since the last success.
    pub consecutive_failures: u32,
    /// Why the last failure was one; it may be over.
    pub last_error: Option<LastError>,
    /// The last run that is remembered.
    pub last_run: Option<LastRun>,
    /// How many seconds the vendor's clock is ahead of this machine's (behind, where negative), if they do not agree.
    pub clock_offset_seconds: Option<f64>,
    /// Why what is stored of it cannot be read.
    pub state_error: Option<String>,
    /// What is wrong now: why it fails or is off, or what is worth a look of the last run. Health rows have the same.
    /// Its text stands in `last_error`, in the last run or in `state_error` already.
    #[serde(rename = "error_code", serialize_with = "code_alone")]
    pub problem: Option<LastError>,
}

/// One table of a stream.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TableStatus {
    pub table: String,
    /// Nothing before it is ever asked for.
    pub begin: Option<DateTime<Utc>>,
    /// Read and delivered up to here.
    pub watermark: Option<DateTime<Utc>>,
    /// Seconds from there to now.
    pub lag_seconds: Option<f64>,
    /// Seconds from now to there, if it lies in the future: a clock was wrong, and the next run goes back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ahead_seconds: Option<f64>,
    /// What was read to its end.
    pub coverage: Vec<Span>,
    /// What between the first and the last of it was not.
    pub holes: Vec<Span>,
    /// Of a stream with windows.
    pub overlap: Option<Overlap>,
    /// Since the beginning.
    pub counts: Counts,
    /// What was pushed beside the poller and delivered in its runs, since the beginning.
    pub pushed: Option<Counts>,
}

/// One queue of the spool.
#[derive(Clone, Debug, Serialize)]
pub struct QueueStatus {
    /// `spool/<table>/<source>-<instance>-<stream>`
    pub queue: String,
    /// The stream whose runs empty it; none if it is configured no more.
    pub stream: Option<StreamName>,
    /// What it holds.
    #[serde(flatten)]
    pub waiting: QueueStats,
}

impl Status {
    /// Nothing yet.
    pub fn new(at: DateTime<Utc>) -> Self {
        Self {
            version: VERSION,
            at,
            handler: env!("CARGO_PKG_VERSION"),
            problems: Vec::new(),
            last_timer_invocation: None,
            last_wake_poll: None,
            streams: Vec::new(),
            spool: Vec::new(),
            dead_letters: BTreeMap::new(),
            new_fields: Vec::new(),
        }
    }

    /// For programs.
    pub fn to_json(&self) -> String {
        // Nothing in it can fail to be written.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

impl StreamStatus {
    /// A stream of which nothing is stored.
    pub fn never_run(stream: impl Into<ReportSubject>, kind: StreamKind) -> Self {
        Self {
            stream: stream.into(),
            kind,
            status: StreamState::NeverRun,
            tables: Vec::new(),
            possible_losses: Vec::new(),
            last_success: None,
            last_failure: None,
            consecutive_failures: 0,
            last_error: None,
            last_run: None,
            clock_offset_seconds: None,
            state_error: None,
            problem: None,
        }
    }

    /// With what is wrong now, when all else is known.
    #[must_use]
    pub fn with_problem(mut self) -> Self {
        self.problem = match (&self.state_error, self.status) {
            // No run has met it yet.
            (Some(error), _) if self.consecutive_failures == 0 => {
                let problem = Problem::new(ErrorCode::StateUnavailable, error.clone());
                Some(remembered(&problem, None))
            }
            (_, StreamState::Failing | StreamState::Off) => self.last_error.clone(),
            _ => self.last_run.as_ref().and_then(|run| run.warning.clone()),
        };
        self
    }

    /// How its last runs went and what is wrong with it, for people: each with its name.
    pub fn facts(&self, now: DateTime<Utc>) -> Vec<(&'static str, String)> {
        let is_over = matches!(self.status, StreamState::Ok | StreamState::Behind);
        let ago = |at| format!("{}, {} ago", whole_second(at), span_text(now - at));
        let mut facts = Vec::new();
        facts.extend(self.last_success.map(|at| ("last success", ago(at))));
        let failure = self
            .last_failure
            .map(|at| match self.last_error.as_ref().filter(|_| is_over) {
                Some(error) => format!("{}; {}: {}", ago(at), error.code, error.message),
                None => ago(at),
            });
        facts.extend(failure.map(|failure| (LAST_FAILURE, failure)));
        if let Some(error) = self.last_error.as_ref().filter(|_| !is_over) {
            facts.push(("last error", format!("{}: {}", error.code, error.message)));
            // Most messages end with it.
            facts.extend((!error.message.contains(&error.remedy)).then(|| ("remedy", error.remedy.clone())));
        }
        if let Some(warning) = self.last_run.as_ref().and_then(|run| run.warning.as_ref())
            && self.problem.as_ref() == Some(warning)
        {
            facts.push(("warning", format!("{}: {}", warning.code, warning.message)));
            facts.push(("remedy", warning.remedy.clone()));
        }
        let losses = self.possible_losses.iter();
        facts.extend(losses.map(|at| ("possible loss", whole_second(*at))));
        facts.extend(self.clock_offset_seconds.map(|offset| ("clock", clock_remark(offset))));
        facts.extend(self.state_error.clone().map(|error| ("state", error)));
        facts
    }

    /// Takes over how the last runs went.
    pub fn take_health(&mut self, health: StreamHealth) {
        let last_run = health.last_run.as_ref();
        let was_cut_off = last_run.is_some_and(|run| run.outcome == RunOutcome::BudgetEnded);
        self.status = if health.consecutive_failures > 0 {
            StreamState::Failing
        } else if was_cut_off {
            StreamState::Behind
        } else if health.last_run.is_some() {
            StreamState::Ok
        } else {
            StreamState::NeverRun
        };
        self.last_success = health.last_success;
        self.last_failure = health.last_failure;
        self.consecutive_failures = health.consecutive_failures;
        self.last_error = health.last_error;
        self.last_run = health.last_run;
        self.clock_offset_seconds = health.clock_offset_seconds;
    }
}

impl StreamState {
    /// For people and rows.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Behind => "behind",
            Self::Failing => "failing",
            Self::Off => "off",
            Self::NeverRun => "never run",
        }
    }
}

impl TableStatus {
    /// How far it was read, for people.
    pub fn read_up_to(&self, now: DateTime<Utc>) -> Option<String> {
        let watermark = self.watermark?;
        let lag = span_text(now - watermark);
        Some(format!("read up to {}, {lag} ago", whole_second(watermark)))
    }

    /// What is worth knowing of it, for people: one sentence each.
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks: Vec<String> = self
            .holes
            .iter()
            .map(|hole| format!("not read: {} to {}", whole_second(hole.from), whole_second(hole.to)))
            .collect();
        remarks.extend(self.ahead_seconds.map(|seconds| {
            let ahead = span_text(TimeDelta::milliseconds((seconds * 1000.0) as i64));
            format!(
                "read up to a time that lies {ahead} in the future: a clock is or was wrong; once it is right, the next run \
                 goes back and reads on from the present"
            )
        }));
        if self.overlap == Some(Overlap::EveryTenthRun) {
            remarks.push(
                "the overlap is read again only in every tenth run: it takes over a third of the rate".to_owned(),
            );
        }
        remarks
    }

    /// The counts with their names, those that are always worth seeing and those that are not zero.
    pub fn numbers(&self) -> String {
        let counts = self.counts;
        let always = [
            ("received", counts.received),
            ("delivered", counts.delivered),
            ("seen before", counts.seen_before),
        ];
        let pushed = self.pushed.unwrap_or_default();
        let others = [
            ("dead lettered", counts.dead_lettered),
            ("spooled", counts.spooled),
            ("in flight", counts.in_flight),
            ("perhaps doubled", counts.perhaps_doubled),
            ("older than 48 h", counts.old_rows),
            ("pushed", pushed.received),
            ("pushed and delivered", pushed.delivered),
            ("pushed and seen before", pushed.seen_before),
            ("pushed and spooled", pushed.spooled),
            ("pushed and dead lettered", pushed.dead_lettered),
        ];
        let others = others.into_iter().filter(|(_, count)| *count > 0);
        let numbers = always.into_iter().chain(others);
        let numbers: Vec<String> = numbers.map(|(name, count)| format!("{count} {name}")).collect();
        numbers.join(", ")
    }
}

#[allow(clippy::ref_option, reason = "the form that serde asks for")]
fn code_alone<S: Serializer>(problem: &Option<LastError>, serializer: S) -> Result<S::Ok, S::Error> {
    problem.as_ref().map(|problem| &problem.code).serialize(serializer)
}

/// `2026-11-20 10:15:30Z`
pub fn whole_second(instant: DateTime<Utc>) -> String {
    instant.format("%Y-%m-%d %H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remedy_stands_once_and_an_error_that_is_over_is_a_last_failure() {
        let name = StreamName {
            source: "pingone",
            instance: "default".to_owned(),
            stream: "activities",
        };
        let at = DateTime::UNIX_EPOCH;
        let mut stream = StreamStatus::never_run(name, StreamKind::Poll);
        stream.status = StreamState::Failing;
        stream.last_failure = Some(at);
        stream.last_error = Some(LastError {
            at: Some(at),
            code: "vendor_refused".to_owned(),
            message: "answered 404: check the region".to_owned(),
            remedy: "check the region".to_owned(),
        });
        let error = (
            "last error",
            "vendor_refused: answered 404: check the region".to_owned(),
        );
        let failure = (LAST_FAILURE, "1970-01-01 00:00:00Z, 0 s ago".to_owned());
        assert_eq!(stream.facts(at), [failure.clone(), error.clone()]);
        stream.last_error.as_mut().unwrap().remedy = "ask the vendor".to_owned();
        let remedy = ("remedy", "ask the vendor".to_owned());
        assert_eq!(stream.facts(at), [failure.clone(), error.clone(), remedy]);
        stream.status = StreamState::Ok;
        assert_eq!(
            stream.facts(at),
            [(LAST_FAILURE, format!("{}; {}", failure.1, error.1))]
        );
    }

    #[test]
    fn the_json_form_has_its_version_and_its_words() {
        let mut status = Status::new(DateTime::UNIX_EPOCH);
        let name = StreamName {
            source: "pingone",
            instance: "default".to_owned(),
            stream: "activities",
        };
        status.streams.push(StreamStatus::never_run(name, StreamKind::Poll));
        let json: serde_json::Value = serde_json::from_str(&status.to_json()).unwrap();
        assert_eq!(
            (&json["version"], &json["at"]),
            (&1.into(), &"1970-01-01T00:00:00Z".into())
        );
        assert_eq!(json["streams"][0]["status"], "never_run");
        assert_eq!(json["streams"][0]["kind"], "poll");
        assert_eq!(json["streams"][0]["stream"], "pingone/default/activities");
    }
}
