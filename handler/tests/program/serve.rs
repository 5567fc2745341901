//! `handler serve` behind the Functions host.

use serde_json::{Value, json};
use simulator::functions_host::{HostError, Mode, TimerInfo};
use simulator::pingone::{Fault, PingOne};

use crate::harness::*;

/// Requests as no host should send them go over a plain client.
async fn post(port: u16, path: &str, body: &str) -> (u16, String) {
    let request = reqwest::Client::builder()
        .build()
        .unwrap()
        .post(format!("http://127.0.0.1:{port}{path}"));
    let response = request.body(body.to_owned()).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_of_the_timer_delivers_and_reports_in_the_invocation_log() {
    let pingone = PingOne::start(options());
    pingone.publish(activities(50, 700, 30));
    let handler = Handler::with_pingone(&pingone);
    let host = handler.host(Mode::Proxy).await;
    let invocation = host.timer().await.unwrap();
    assert_eq!(invocation.reply["Outputs"], json!({}));
    assert_eq!(invocation.reply["ReturnValue"], Value::Null);
    assert!(
        invocation.logs.iter().any(|line| line.contains("700 rows delivered")),
        "{:?}",
        invocation.logs
    );
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));

    let status = json!({"Last": "0001-01-01T00:00:00", "Next": "2026-11-20T12:00:00+00:00"});
    host.timer_with(&TimerInfo {
        schedule_status: status,
        is_past_due: true,
    })
    .await
    .unwrap();
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));
    assert_eq!(host.stderr_lines(), Vec::<String>::new());
    for line in host.stdout_lines() {
        let line: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(line["message"].is_string() && line["level"].is_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_failed_fails_the_invocation_and_its_reason_is_logged_before() {
    let pingone = PingOne::start(options());
    pingone.fail_next([Fault::Status {
        status: 403,
        retry_after: None,
    }]);
    let handler = Handler::with_pingone(&pingone);
    let host = handler.host(Mode::Proxy).await;
    let Err(HostError::InvocationFailed { status, reason, body }) = host.timer().await else {
        panic!("the invocation succeeded")
    };
    assert_eq!(status, 500);
    assert!(
        reason.starts_with("pingone/default/activities: permission_denied (403): "),
        "{reason}"
    );
    let reply: Value = serde_json::from_str(&body).unwrap();
    assert!(reply["Logs"].is_array() && reply["Outputs"].is_object());
    until("the reason is logged", || {
        host.stderr_lines()
            .iter()
            .any(|line| line.contains("403") && line.contains("\"error\""))
    })
    .await;
    // The next tick works again.
    host.timer().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn with_bad_settings_it_stays_up_and_refuses_what_would_be_lost() {
    let mut handler = Handler::with_onelogin();
    handler.set("POLL_BUDGET", "mars").set("PINGONE__REGION", "mars");
    let host = handler.host(Mode::Proxy).await;
    assert!(matches!(
        host.timer().await,
        Err(HostError::InvocationFailed { status: 500, .. })
    ));
    let headers = [("Authorization".to_owned(), format!("Bearer {PUSH_TOKEN}"))];
    let answer = host
        .http("POST", "/api/push/onelogin", &headers, b"[{}]".to_vec())
        .await
        .unwrap();
    assert_eq!(answer.status, 503);
    assert!(answer.header("retry-after").is_some());
    assert_eq!(post(host.port(), "/", "").await.0, 200);
    for name in ["POLL_BUDGET", "PINGONE__REGION"] {
        assert!(host.stderr_lines().iter().any(|line| line.contains(name)), "{name}");
    }
    assert!(host.exit_status().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn with_nothing_configured_it_says_so_once_and_answers() {
    let handler = Handler::new();
    let host = handler.host(Mode::Proxy).await;
    host.timer().await.unwrap();
    host.timer().await.unwrap();
    assert_eq!(
        host.http("POST", "/api/push/onelogin", &[], b"[]".to_vec())
            .await
            .unwrap()
            .status,
        404
    );
    let lines = host.stdout_lines();
    assert_eq!(
        lines
            .iter()
            .filter(|line| line.contains("nothing is configured"))
            .count(),
        1,
        "{lines:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_schedule_is_in_the_status_and_pushes_go_on() {
    let pingone = PingOne::start(options());
    let mut handler = Handler::with_pingone(&pingone);
    handler
        .set("ONELOGIN__BEARER_TOKEN", PUSH_TOKEN)
        .set("POLL_SCHEDULE", "");
    let host = handler.host(Mode::Proxy).await;
    let said = "POLL_SCHEDULE: is missing";
    until("the start says it", || {
        host.stderr_lines().iter().any(|line| line.contains(said))
    })
    .await;
    let headers = [("Authorization".to_owned(), format!("Bearer {PUSH_TOKEN}"))];
    let answer = host.http("POST", "/api/push/onelogin", &headers, b"[]".to_vec()).await;
    assert_eq!(answer.unwrap().status, 200);
    let browser = [("Accept".to_owned(), "text/html".to_owned())];
    for (headers, beginning) in [(&[][..], "{"), (&browser, "<!doctype")] {
        let shown = host
            .http("GET", "/api/status", headers, Vec::new())
            .await
            .unwrap()
            .text();
        assert!(shown.starts_with(beginning) && shown.contains(said), "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_answered_and_survived() {
    let pingone = PingOne::start(options());
    let handler = Handler::with_pingone(&pingone);
    let host = handler.host(Mode::Proxy).await;
    for body in [
        "",
        "null",
        "{",
        "[1]",
        "{\"Data\":{\"x\":\"\\\"{}\\\"\"}}",
        "\u{0}\u{1}",
    ] {
        let (status, reply) = post(host.port(), "/function-timer", body).await;
        let reply: Value = serde_json::from_str(&reply).unwrap();
        assert!(
            status == 200 && reply["Outputs"].is_object() && reply["Logs"].is_array(),
            "{body}: {reply}"
        );
        let (status, reply) = post(host.port(), "/function-http", body).await;
        let reply: Value = serde_json::from_str(&reply).unwrap();
        assert_eq!(
            (status, &reply["Outputs"]["res"]["statusCode"]),
            (200, &json!(400)),
            "{body}: {reply}"
        );
        assert!(reply["Logs"].is_array() && reply["ReturnValue"].is_null());
    }
    for (path, status) in [
        ("/api/nothing", 404),
        ("/api/push/other", 404),
        ("/elsewhere", 404),
        ("/function-timer/x", 404),
    ] {
        assert_eq!(post(host.port(), path, "x").await.0, status, "{path}");
    }
    host.timer().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_is_slow_holds_up_neither_the_readiness_nor_a_push() {
    let pingone = PingOne::start(options());
    pingone.fail_next([Fault::Delay(std::time::Duration::from_secs(30))]);
    let mut handler = Handler::with_pingone(&pingone);
    handler.set("ONELOGIN__BEARER_TOKEN", PUSH_TOKEN);
    let host = handler.host(Mode::Proxy).await;
    let port = host.port();
    let tick = tokio::spawn(async move { post(port, "/function-timer", "{}").await });
    until("the page is asked for", || pingone.waiting_faults() == 0).await;
    assert_eq!(post(port, "/", "").await.0, 200);
    let headers = [("Authorization".to_owned(), format!("Bearer {PUSH_TOKEN}"))];
    assert_eq!(
        host.http("POST", "/api/push/onelogin", &headers, b"[{}]".to_vec())
            .await
            .unwrap()
            .status,
        200
    );
    // A second tick meets the lease of the first: skipped, and no failure.
    let invocation = host.timer().await.unwrap();
    assert!(
        invocation.logs.iter().any(|line| line.contains("skipped")),
        "{:?}",
        invocation.logs
    );
    assert!(!tick.is_finished());
    tick.abort();
}
