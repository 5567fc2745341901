//! The host around a real process: the scripted handler beside this crate.
#![allow(
    clippy::expect_used,
    reason = "a broken assumption must stop the test with a message"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use simulator::functions_host::{FunctionsHost, HostError, HostOptions, Mode, TimerInfo};

fn options(mode: Mode, settings: &[(&str, &str)]) -> HostOptions {
    let env: BTreeMap<String, String> = settings
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    HostOptions {
        executable: PathBuf::from(env!("CARGO_BIN_EXE_scripted_handler")),
        working_dir: PathBuf::from(env!("CARGO_MANIFEST_DIR")),
        env,
        mode,
    }
}

async fn started(mode: Mode, settings: &[(&str, &str)]) -> FunctionsHost {
    let host = FunctionsHost::start(options(mode, settings)).await;
    host.expect("the scripted handler starts")
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("the description is JSON")
}

fn body_of(description: &Value) -> Vec<u8> {
    let encoded = description["body"].as_str().expect("a text");
    STANDARD.decode(encoded).expect("the body is base64")
}

fn headers(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
    pairs.iter().map(owned).collect()
}

/// Sends a webhook and gives the handler's description of what it got.
async fn described(mode: Mode, given: &[(&str, &str)], body: &[u8]) -> Value {
    let host = started(mode, &[]).await;
    let target = "/api/push/onelogin?code=k&a=1%202&a=3";
    let answer = host.http("POST", target, &headers(given), body.to_vec()).await;
    parsed(&answer.expect("the handler answers").text())
}

#[tokio::test]
async fn the_handler_gets_the_given_environment_and_what_the_host_adds() {
    let host = started(Mode::Proxy, &[("COLOUR", "green")]).await;

    let logs = host.timer().await.expect("the timer runs").logs;

    let environment = &parsed(&logs[0])["environment"];
    let names: Vec<&str> = environment
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    let expected = [
        "COLOUR",
        "FUNCTIONS_APP_ROOT_PATH",
        "FUNCTIONS_CUSTOMHANDLER_PORT",
        "FUNCTIONS_CUSTOMHANDLER_WORKER_ID",
        "FUNCTIONS_HTTPWORKER_ID",
        "FUNCTIONS_HTTPWORKER_PORT",
    ];
    assert_eq!(names, expected);
    assert_eq!(environment["FUNCTIONS_HTTPWORKER_PORT"], host.port().to_string());
}

#[tokio::test]
async fn the_timer_sends_a_chunked_envelope_with_the_headers_of_the_host() {
    let host = started(Mode::Proxy, &[]).await;

    let logs = host.timer().await.expect("the timer runs").logs;

    let seen = parsed(&logs[0]);
    assert_eq!(seen["method"], "POST");
    assert_eq!(seen["target"], "/function-timer");
    let sent = &seen["headers"];
    assert_eq!(sent["transfer-encoding"][0], "chunked");
    assert_eq!(sent["content-type"][0], "application/json; charset=utf-8");
    assert!(sent.get("content-length").is_none());
    for name in [
        "x-azure-functions-invocationid",
        "x-azure-functions-hostversion",
        "traceparent",
        "user-agent",
    ] {
        assert!(sent[name][0].is_string(), "{name}");
    }
    let envelope: Value = serde_json::from_slice(&body_of(&seen)).expect("the body is JSON");
    assert_eq!(
        envelope["Data"]["timer"],
        json!({"Schedule": {"AdjustForDST": true}, "ScheduleStatus": null, "IsPastDue": false})
    );
    assert_eq!(envelope["Metadata"]["sys"]["MethodName"], "function-timer");
}

#[tokio::test]
async fn the_timer_tells_that_it_is_late() {
    let host = started(Mode::Proxy, &[]).await;
    let info = TimerInfo {
        schedule_status: json!({"Last": "0001-01-01T00:00:00"}),
        is_past_due: true,
    };

    let logs = host.timer_with(&info).await.expect("the timer runs").logs;

    let envelope = body_of(&parsed(&logs[0]));
    let envelope: Value = serde_json::from_slice(&envelope).expect("the body is JSON");
    assert_eq!(envelope["Data"]["timer"]["IsPastDue"], true);
    assert!(envelope["Data"]["timer"]["ScheduleStatus"]["Last"].is_string());
}

#[tokio::test]
async fn a_bad_reply_to_the_timer_is_a_failed_invocation() {
    let failing = [("SCRIPTED_STATUS", "500"), ("SCRIPTED_BODY", "{\"Logs\":[\"lost\"]}")];
    let host = started(Mode::Proxy, &failing).await;
    let failed = host.timer().await.expect_err("the invocation fails");
    assert!(matches!(failed, HostError::InvocationFailed { status: 500, .. }));
    assert_eq!(
        failed.to_string(),
        "Response status code does not indicate success: 500 (Internal Server Error)."
    );

    let host = started(Mode::Proxy, &[("SCRIPTED_BODY", "")]).await;
    assert!(matches!(host.timer().await, Err(HostError::WouldHang { .. })));

    let plain = [("SCRIPTED_BODY", "{}"), ("SCRIPTED_TYPE", "text/plain")];
    let host = started(Mode::Proxy, &plain).await;
    assert!(matches!(host.timer().await, Err(HostError::UnsupportedMediaType(_))));
}

#[tokio::test]
async fn an_invocation_over_its_time_kills_the_handler() {
    let mut host = started(Mode::Proxy, &[("SCRIPTED_ANSWER", "never")]).await;
    host.set_function_timeout(Duration::from_millis(50));

    assert!(matches!(host.timer().await, Err(HostError::TimedOut(_))));
    assert!(host.exit_status().is_some());
    assert!(matches!(host.timer().await, Err(HostError::Unreachable(_))));
}

#[tokio::test]
async fn proxying_passes_everything_on_but_the_headers_of_the_connection() {
    let given = [
        ("Content-Encoding", "gzip"),
        ("Content-Type", "application/json"),
        ("Keep-Alive", "timeout=5"),
        ("X-Mark", "a"),
        ("X-Mark", "b"),
    ];

    let seen = described(Mode::Proxy, &given, &[0x1f, 0x8b, 0xff]).await;

    assert_eq!(seen["target"], "/api/push/onelogin?code=k&a=1%202&a=3");
    assert_eq!(seen["headers"]["content-encoding"][0], "gzip");
    assert_eq!(seen["headers"]["x-mark"], json!(["a", "b"]));
    assert_eq!(seen["headers"]["content-length"][0], "3");
    assert!(seen["headers"].get("keep-alive").is_none());
    assert!(seen["headers"]["x-ms-invocation-id"][0].is_string());
    assert_eq!(body_of(&seen), [0x1f, 0x8b, 0xff]);
}

#[tokio::test]
async fn a_chunked_body_gets_through_the_proxy_fails_in_forwarding_and_is_absent_from_an_envelope() {
    let given = [("Transfer-Encoding", "chunked"), ("Content-Type", "application/json")];
    let body = vec![b'x'; 10_000];

    let proxied = described(Mode::Proxy, &given, &body).await;
    let forwarding = started(Mode::Forward, &[]).await;
    let forwarded = forwarding
        .http("POST", "/api/push/onelogin", &headers(&given), body.clone())
        .await
        .expect("the host answers");
    let enveloped = described(Mode::Envelope, &given, &body).await;

    assert_eq!(body_of(&proxied), body);
    assert_eq!(proxied["headers"]["transfer-encoding"][0], "chunked");
    assert_eq!((forwarded.status, forwarded.text().as_str()), (500, ""));
    let envelope: Value = serde_json::from_slice(&body_of(&enveloped)).expect("JSON");
    assert!(envelope["Data"]["req"].get("Body").is_none());
}

#[tokio::test]
async fn forwarding_loses_content_headers_and_joins_repeated_parameters() {
    let given = [
        ("Content-Encoding", "gzip"),
        ("Content-Type", "application/json"),
        ("User-Agent", "sender/1"),
    ];

    let seen = described(Mode::Forward, &given, b"[1]").await;

    assert_eq!(seen["target"], "/api/push/onelogin?code=k&a=1%202%2C3");
    assert!(seen["headers"].get("content-encoding").is_none());
    assert_eq!(seen["headers"]["content-type"][0], "application/json");
    assert_eq!(seen["headers"]["content-length"][0], "3");
    let agent = seen["headers"]["user-agent"][0].as_str().expect("a text");
    assert!(agent.starts_with("sender/1 Azure-Functions-Host/"));
    assert_eq!(body_of(&seen), b"[1]");
}

#[tokio::test]
async fn the_envelope_holds_the_request_and_its_metadata() {
    let given = [("Content-Type", "application/json"), ("X-Mark", "a"), ("X-Mark", "b")];
    let text = "\u{feff}{\"colour\":\"teal\",\"list\":[1],\"count\":7}";

    let seen = described(Mode::Envelope, &given, text.as_bytes()).await;

    assert_eq!(seen["target"], "/function-http");
    assert_eq!(seen["headers"]["transfer-encoding"][0], "chunked");
    let envelope: Value = serde_json::from_slice(&body_of(&seen)).expect("JSON");
    let request = &envelope["Data"]["req"];
    assert_eq!(request["Method"], "POST");
    assert_eq!(
        request["Url"],
        "http://localhost:7071/api/push/onelogin?code=k&a=1%202&a=3"
    );
    assert_eq!(request["Query"], json!({"a": "1 2,3", "code": "k"}));
    assert_eq!(request["Headers"]["X-Mark"], json!(["a", "b"]));
    assert_eq!(request["Params"], json!({"path": "push/onelogin"}));
    assert_eq!(request["Body"], text.trim_start_matches('\u{feff}'));
    let metadata = &envelope["Metadata"];
    assert_eq!(metadata["Headers"]["X-Mark"], "a");
    assert_eq!(metadata["a"], "\"1 2,3\"");
    assert_eq!(metadata["path"], "\"push/onelogin\"");
    assert_eq!(metadata["colour"], "\"teal\"");
    assert_eq!(metadata["count"], "7");
    assert!(metadata.get("list").is_none() && metadata.get("code").is_none());
}

#[tokio::test]
async fn a_binary_body_is_base64_in_the_envelope_and_broken_text_is_replaced() {
    let binary = [("Content-Type", "application/octet-stream")];
    let text = [("Content-Type", "application/json")];

    let binary = described(Mode::Envelope, &binary, &[0xff, 0x00]).await;
    let text = described(Mode::Envelope, &text, &[b'"', 0xff, b'"']).await;

    let body = |seen: &Value| {
        let envelope: Value = serde_json::from_slice(&body_of(seen)).expect("JSON");
        envelope["Data"]["req"]["Body"].clone()
    };
    assert_eq!(body(&binary), "/wA=");
    assert_eq!(body(&text), "\"\u{fffd}\"");
}

#[tokio::test]
async fn an_answer_is_relayed_raw_and_rebuilt_from_an_envelope() {
    let teapot = [
        ("SCRIPTED_STATUS", "418"),
        ("SCRIPTED_BODY", "short"),
        ("SCRIPTED_TYPE", "a/b"),
    ];
    for mode in [Mode::Proxy, Mode::Forward] {
        let host = started(mode, &teapot).await;
        let answer = host.http("GET", "/api/status", &[], Vec::new()).await;
        let answer = answer.expect("the handler answers");
        assert_eq!((answer.status, answer.text().as_str()), (418, "short"));
        assert_eq!(answer.header("Content-Type"), Some("a/b"));
    }
    let host = started(Mode::Envelope, &[]).await;
    let answer = host.http("GET", "/api/status", &[], Vec::new()).await;
    assert_eq!(answer.expect("the handler answers").status, 201);
    let host = started(Mode::Envelope, &teapot).await;
    let failed = host.http("GET", "/api/status", &[], Vec::new()).await;
    assert!(matches!(failed, Err(HostError::InvocationFailed { status: 418, .. })));
}

#[tokio::test]
async fn a_handler_that_ends_or_is_missing_is_an_error_with_its_output() {
    let ended = FunctionsHost::start(options(Mode::Proxy, &[("SCRIPTED_START", "exit")])).await;
    let Err(HostError::ExitedEarly { status, output }) = ended else {
        panic!("the start fails");
    };
    assert_eq!(status.code(), Some(3));
    assert!(output.contains("no wish to start"));

    let missing = HostOptions {
        executable: PathBuf::from("no-such-handler"),
        ..options(Mode::Proxy, &[])
    };
    let missing = FunctionsHost::start(missing).await;
    assert!(matches!(missing, Err(HostError::Spawn { .. })));
}

#[tokio::test]
async fn output_and_memory_can_be_read_and_a_killed_handler_is_gone() {
    let host = started(Mode::Proxy, &[]).await;
    assert!(host.exit_status().is_none());
    assert!(host.time_to_ready() > Duration::ZERO);
    if cfg!(target_os = "linux") {
        assert!(host.peak_memory_kib().expect("Linux tells") > 0);
    }
    let port = host.port();

    let output = host.kill().await;

    assert_eq!(output.stdout, ["ready to listen"]);
    assert_eq!(output.stderr, ["a word on the error stream"]);
    assert!(tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_side_by_side_each_get_their_own_answer() {
    let host = Arc::new(started(Mode::Proxy, &[]).await);

    let asking: Vec<_> = (0..20)
        .map(|number| {
            let host = Arc::clone(&host);
            tokio::spawn(async move {
                let target = format!("/api/status?number={number}");
                let answer = host.http("GET", &target, &[], Vec::new()).await;
                (target, answer.expect("the handler answers"))
            })
        })
        .collect();

    for asked in asking {
        let (target, answer) = asked.await.expect("the request does not panic");
        assert_eq!(parsed(&answer.text())["target"], target);
    }
}

#[tokio::test]
async fn a_path_that_no_caller_could_send_is_refused() {
    let host = started(Mode::Proxy, &[]).await;

    let answer = host.http("GET", "api/status", &[], Vec::new()).await;

    assert!(matches!(answer, Err(HostError::BadRequest(_))));
}
