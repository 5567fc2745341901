//! `GET /api/wake`: a poll where the Functions host invokes the timer no more.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use simulator::functions_host::{FunctionsHost, HttpAnswer, Mode};
use simulator::generate::pingone::Activities;
use simulator::pingone::{Fault, PingOne};

use crate::harness::*;

const HEALTH: &str = "SentinelConnectorHealth_CL";
const RECORD: &str = "data/state/timer/invocations.json";
const TIMES: [&str; 3] = ["last_invocation", "watched_since", "last_wake_poll"];

fn handler_of(pingone: &PingOne) -> Handler {
    let mut handler = Handler::with_pingone(pingone);
    // What was published a moment ago shall be read in the same test.
    handler.set("POLL_SETTLE", "1s");
    handler
}

fn record(handler: &Handler) -> Value {
    serde_json::from_slice(&std::fs::read(handler.path(RECORD)).unwrap()).unwrap()
}

/// Moves the clock of the test: whatever the state remembers of the timer was so much earlier.
fn let_time_pass(handler: &Handler, time: TimeDelta) {
    let mut record = record(handler);
    for name in TIMES {
        if let Some(text) = record[name].as_str() {
            let moved = text.parse::<DateTime<Utc>>().unwrap() - time;
            record[name] = json!(moved);
        }
    }
    std::fs::write(handler.path(RECORD), record.to_string()).unwrap();
}

async fn wake(host: &FunctionsHost) -> HttpAnswer {
    host.http("GET", "/api/wake?code=function-key", &[], Vec::new())
        .await
        .unwrap()
}

/// The answer to a wake that has one.
async fn wake_well(host: &FunctionsHost) -> Value {
    let answer = wake(host).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
    serde_json::from_str(&answer.text()).unwrap()
}

/// What the status says is wrong now with the one stream.
async fn error_code(handler: &Handler) -> Value {
    let status: Value = serde_json::from_str(&handler.run(&["status", "--json"]).await.output).unwrap();
    status["streams"][0]["error_code"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_timer_died_data_stay_under_six_minutes_old() {
    for mode in [Mode::Proxy, Mode::Forward, Mode::Envelope] {
        let pingone = PingOne::start(options());
        let handler = handler_of(&pingone);
        let host = handler.host(mode).await;
        host.freeze_between_invocations();
        host.pass_a_minute().await.unwrap();
        host.let_the_timer_die();
        let mut generator = Activities::new(700, ENVIRONMENT_ID);
        let mut published: Vec<(usize, String)> = Vec::new();
        for minute in 1..=12 {
            let activity = generator.at(now() - TimeDelta::seconds(5));
            published.push((minute, activity.id.clone()));
            pingone.publish([activity]);
            let_time_pass(&handler, TimeDelta::minutes(1));
            assert_eq!(host.pass_a_minute().await.unwrap().status, 200);
            let delivered = handler.ids(ACTIVITIES);
            let waiting = published.iter().filter(|(_, id)| !delivered.contains(id));
            let oldest = waiting.map(|(since, _)| minute - since).max();
            assert!(
                oldest.is_none_or(|age| age < 6),
                "{mode:?}: after {minute} minutes {oldest:?} old"
            );
        }
        assert_eq!(handler.rows(ACTIVITIES).len(), published.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wake_polls_after_three_due_times_without_the_timer_and_not_before() {
    let pingone = PingOne::start(options());
    pingone.publish(activities(701, 9, 30));
    let mut handler = handler_of(&pingone);
    handler.set("HEALTH__ENABLED", "true");
    let host = handler.host(Mode::Proxy).await;
    // Nothing is known of the timer: it may not have been due yet.
    let first = wake_well(&host).await;
    assert_eq!(
        (&first["polled"], &first["last_timer_invocation"]),
        (&json!(false), &Value::Null)
    );
    assert!(first["polls_from"].is_string(), "{first}");
    assert!(handler.rows(ACTIVITIES).is_empty());
    let_time_pass(&handler, TimeDelta::minutes(1));
    assert_eq!(wake_well(&host).await["polled"], false);
    let_time_pass(&handler, TimeDelta::minutes(2));
    let polled = wake_well(&host).await;
    assert_eq!(polled["polled"], true, "{polled}");
    assert_eq!(handler.rows(ACTIVITIES).len(), 9);
    // Said by the status, as text and as JSON, and by the health row of the run.
    assert_eq!(error_code(&handler).await, "timer_silent");
    let text = handler.run(&["status"]).await.output;
    assert!(text.contains("GET /api/wake polled in its place"), "{text}");
    let row = handler.rows(HEALTH).pop().unwrap();
    assert_eq!(
        (&row["Status"], &row["ErrorCode"]),
        (&json!("ok"), &json!("timer_silent")),
        "{row}"
    );
    // The timer lives.
    host.timer().await.unwrap();
    assert_eq!(error_code(&handler).await, Value::Null);
    assert!(handler.rows(HEALTH).pop().unwrap()["ErrorCode"].is_null());
    let alive = wake_well(&host).await;
    assert_eq!(alive["polled"], false, "{alive}");
    assert!(
        alive["last_timer_invocation"].is_string() && alive["last_wake_poll"].is_string(),
        "{alive}"
    );
    // A clock was wrong: the stamp says nothing, and due times are counted from now on.
    let_time_pass(&handler, -TimeDelta::hours(5));
    let wrong = wake_well(&host).await;
    assert!(wrong["reason"].as_str().unwrap().contains("future"), "{wrong}");
    let_time_pass(&handler, TimeDelta::minutes(3));
    assert_eq!(wake_well(&host).await["polled"], true);
    let other = host.http("POST", "/api/wake", &[], Vec::new()).await.unwrap();
    assert_eq!((other.status, other.header("Allow")), (405, Some("GET")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_that_is_switched_off_stays_off() {
    let pingone = PingOne::start(options());
    pingone.publish(activities(702, 9, 30));
    let mut handler = handler_of(&pingone);
    handler.set("AzureWebJobs.function-timer.Disabled", "true");
    let host = handler.host(Mode::Proxy).await;
    host.timer().await.unwrap();
    pingone.publish(activities(703, 9, 30));
    let_time_pass(&handler, TimeDelta::hours(1));
    let answer = wake_well(&host).await;
    assert_eq!(answer["polled"], false);
    assert!(answer["reason"].as_str().unwrap().contains("Disabled"), "{answer}");
    assert_eq!(handler.rows(ACTIVITIES).len(), 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_wakes_at_once_the_lease_lets_one_poll_and_the_other_says_so() {
    let pingone = PingOne::start(options());
    pingone.publish(activities(704, 9, 30));
    let handler = handler_of(&pingone);
    let (one, other) = (handler.host(Mode::Proxy).await, handler.host(Mode::Proxy).await);
    one.timer().await.unwrap();
    let mut generator = Activities::new(705, ENVIRONMENT_ID);
    pingone.publish([generator.at(now() - TimeDelta::seconds(5))]);
    let_time_pass(&handler, TimeDelta::minutes(3));
    pingone.fail_next([Fault::Delay(Duration::from_secs(2))]);
    let (first, second) = tokio::join!(wake_well(&one), wake_well(&other));
    let (polled, held) = match first["polled"] == true {
        true => (first, second),
        false => (second, first),
    };
    assert_eq!(
        (&polled["polled"], &held["polled"]),
        (&json!(true), &json!(false)),
        "{polled} {held}"
    );
    assert_eq!(held["held"], json!(["pingone/default/activities"]));
    assert_eq!(handler.rows(ACTIVITIES).len(), 10);
    // A run of the timer that is under way holds the lease too.
    pingone.publish([generator.at(now() - TimeDelta::seconds(5))]);
    let_time_pass(&handler, TimeDelta::minutes(3));
    pingone.fail_next([Fault::Delay(Duration::from_secs(2))]);
    let (invocation, _) = tokio::join!(one.timer(), wake_well(&other));
    invocation.unwrap();
    assert_eq!(handler.rows(ACTIVITIES).len(), 11);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wake_that_cannot_tell_answers_503_and_one_whose_stream_failed_500() {
    let pingone = PingOne::start(options());
    let handler = handler_of(&pingone);
    let host = handler.host(Mode::Proxy).await;
    host.timer().await.unwrap();
    std::fs::write(handler.path(RECORD), r#"{"version":2}"#).unwrap();
    let answer = wake(&host).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(
        answer.text().contains("timer/invocations.json has version 2"),
        "{}",
        answer.text()
    );

    std::fs::remove_file(handler.path(RECORD)).unwrap();
    assert_eq!(wake_well(&host).await["polled"], false);
    let_time_pass(&handler, TimeDelta::minutes(3));
    pingone.fail_next([Fault::Status {
        status: 403,
        retry_after: None,
    }]);
    let answer = wake(&host).await;
    assert_eq!(answer.status, 500, "{}", answer.text());
    let failed: Value = serde_json::from_str(&answer.text()).unwrap();
    assert_eq!(failed["polled"], true);
    assert!(
        failed["failure"]
            .as_str()
            .unwrap()
            .contains("pingone/default/activities"),
        "{failed}"
    );

    let mut bad = handler_of(&pingone);
    bad.set("POLL_SCHEDULE", "every minute");
    let host = bad.host(Mode::Proxy).await;
    let answer = wake(&host).await;
    assert_eq!(answer.status, 503);
    assert!(answer.text().contains("POLL_SCHEDULE"), "{}", answer.text());
}
