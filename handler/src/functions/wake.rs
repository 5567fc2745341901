//! `GET /api/wake`: polls in place of a timer that the host invokes no more, and else says how the timer stands.
//!
//! On Flex Consumption timers stopped for good after a deployment while HTTP went on (Azure/azure-functions-host #11828).

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::app::{Runtime, RuntimeProvider};
use crate::host::{HttpCall, HttpReply};
use crate::jobs::{RunRequest, dead_from};
use crate::report::{Outcome, RunReport, failure_reason, run_lines};
use crate::state::{StoreError, TimerRecord};
use crate::time::{Deadline, rfc3339_millis};

/// An availability test of Azure Monitor waits two minutes at most, and the platform's load balancer 230 seconds.
const LONGEST_RUN: Duration = Duration::from_secs(100);

/// What the caller is told.
#[derive(Serialize)]
struct WakeAnswer {
    /// Whether this request polled.
    polled: bool,
    /// Why, or why not.
    reason: String,
    last_timer_invocation: Option<DateTime<Utc>>,
    /// Before this request.
    last_wake_poll: Option<DateTime<Utc>>,
    /// From when on a wake polls, if the timer is not invoked before.
    #[serde(skip_serializing_if = "Option::is_none")]
    polls_from: Option<DateTime<Utc>>,
    /// What is wrong with the settings of the whole program, although it runs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<String>,
    /// Streams that somebody else polls at this time, so that this request did not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    held: Vec<String>,
    /// Why a stream failed, in a line.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    /// What the run did.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lines: Vec<String>,
}

/// Answers a request, after a whole run where the timer is dead.
pub async fn answer(provider: &RuntimeProvider, call: HttpCall) -> HttpReply {
    let reply = match call.method.as_str() {
        "GET" => wake_reply(provider, call.invocation_id).await,
        _ => HttpReply::error(405, "a wake is asked for with GET").with_header("Allow", "GET"),
    };
    reply.with_header("Cache-Control", "no-store")
}

async fn wake_reply(provider: &RuntimeProvider, invocation_id: Option<String>) -> HttpReply {
    let runtime = match provider.for_push().await {
        Ok(runtime) => runtime,
        Err(reason) => return cannot_tell(&reason.to_string()),
    };
    let record = match runtime.timer_records.read().await {
        Ok(record) => record,
        Err(error) => return cannot_tell(&error.to_string()),
    };
    let mut answer = WakeAnswer::new(&runtime, &record);
    if runtime.timer_is_disabled {
        answer.reason =
            "the app setting AzureWebJobs.function-timer.Disabled switches the timer off, so nothing is polled \
                         here either"
                .to_owned();
        return answer.reply(200);
    }
    match silence(&runtime, &record).await {
        Ok(Silence::Over(since)) => poll(provider, answer, since, invocation_id).await,
        Ok(Silence::Lasts(from, reason)) => {
            answer.polls_from = from;
            answer.reason = reason;
            answer.reply(200)
        }
        Err(error) => cannot_tell(&error.to_string()),
    }
}

/// Whether the timer has been silent for too long.
enum Silence {
    /// It is dead; it was not invoked since.
    Over(DateTime<Utc>),
    /// From when on it is, and what is known of it.
    Lasts(Option<DateTime<Utc>>, String),
}

async fn silence(runtime: &Runtime, record: &TimerRecord) -> Result<Silence, StoreError> {
    let (now, schedule) = (runtime.context.clock.now(), &runtime.plans.schedule);
    let Some(since) = record.silent_since(now) else {
        runtime.timer_records.watch_from(now).await?;
        let reason = match record.last_invocation {
            Some(time) => format!(
                "the last invocation of function-timer is noted for {}, which lies in the future: a clock was wrong, so \
                 due times are counted from now on",
                rfc3339_millis(time)
            ),
            None => "function-timer was never invoked on this state; due times are counted from now on".to_owned(),
        };
        return Ok(Silence::Lasts(dead_from(schedule, now), reason));
    };
    Ok(match dead_from(schedule, since) {
        Some(time) if time <= now => Silence::Over(since),
        from => {
            let reason = match record.last_invocation {
                Some(_) => "function-timer was invoked within its last three due times",
                None => {
                    "function-timer was never invoked on this state, and was not due three times since a wake looked first"
                }
            };
            Silence::Lasts(from, reason.to_owned())
        }
    })
}

async fn poll(
    provider: &RuntimeProvider,
    mut answer: WakeAnswer,
    since: DateTime<Utc>,
    invocation_id: Option<String>,
) -> HttpReply {
    // Waits for secrets that are due, as a run of the timer does.
    let runtime = match provider.for_run().await {
        Ok(runtime) => runtime,
        Err(reason) => return cannot_tell(&reason.to_string()),
    };
    let silent = format!(
        "function-timer was not invoked since {} and was due three times",
        rfc3339_millis(since)
    );
    log::warn!(
        "GET /api/wake polls: {silent}; restart the function app, and if function-timer stays silent open a support case for it"
    );
    // Before the run, whose health rows say it too.
    if let Err(error) = runtime.timer_records.note_wake_poll(runtime.context.clock.now()).await {
        log::warn!("it is not remembered that a wake polled: {error}");
    }
    let request = RunRequest {
        invocation_id,
        ..RunRequest::everything(Deadline::after(runtime.budget.min(LONGEST_RUN)))
    };
    let report = runtime.run(&request).await;
    provider.run_ended(&report);
    answer.take(&report, &silent);
    // As a failed stream fails an invocation of the timer.
    answer.reply(if answer.failure.is_some() { 500 } else { 200 })
}

fn cannot_tell(reason: &str) -> HttpReply {
    log::error!("GET /api/wake: answered 503: {reason}");
    HttpReply::unavailable(reason)
}

impl WakeAnswer {
    fn new(runtime: &Runtime, record: &TimerRecord) -> Self {
        Self {
            polled: false,
            reason: String::new(),
            last_timer_invocation: record.last_invocation,
            last_wake_poll: record.last_wake_poll,
            polls_from: None,
            problems: runtime.problems.iter().map(ToString::to_string).collect(),
            held: Vec::new(),
            failure: None,
            lines: Vec::new(),
        }
    }

    fn take(&mut self, report: &RunReport, silent: &str) {
        let held = report.streams.iter().filter(|stream| stream.outcome == Outcome::Held);
        self.held = held.map(|stream| stream.stream.to_string()).collect();
        let is_ours = |outcome| !matches!(outcome, Outcome::Held | Outcome::Off);
        self.polled = self.held.is_empty() || report.streams.iter().any(|stream| is_ours(stream.outcome));
        self.reason = match (self.polled, self.held.is_empty()) {
            (true, true) => format!("{silent}, so this request polled"),
            (true, false) => format!("{silent}, so this request polled what nobody else polls at this time"),
            (false, _) => format!("{silent}, but somebody else polls everything at this time"),
        };
        self.failure = failure_reason(&report.streams);
        self.lines = run_lines(report);
    }

    fn reply(&self, status: u16) -> HttpReply {
        // Nothing in it can fail to be written.
        HttpReply::json(status, serde_json::to_string(self).unwrap_or_default())
    }
}
