//! What only shows under the Functions host: the reason of a failed run, levels, ids of invocations, the schedule, and
//! the end of the handler with its host.

use std::net::TcpStream;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use super::run::{free_port, terminate};
use super::stand_in::{Answer, StandIn};
use crate::harness::*;

const INVOCATION: &str = "11111111-2222-4333-8444-555555555555";
const REFUSES: &[(&str, Answer)] = &[(
    "/web/api/",
    Answer::Json(401, r#"{"errors":[{"code":4010010,"title":"Authentication Failed"}]}"#),
)];

/// Five streams of a console that refuses the token.
async fn refused() -> (StandIn, Handler) {
    let console = StandIn::start(REFUSES).await;
    let mut handler = Handler::new();
    handler
        .set("SENTINELONE__URL", &format!("http://127.0.0.1:{}", console.port))
        .set("SENTINELONE__API_TOKEN", CLIENT_SECRET)
        .set("POLL_SCHEDULE", "0 * * * * *");
    (console, handler)
}

/// The handler as the host starts it.
struct UnderHost {
    child: Child,
    port: u16,
}

impl UnderHost {
    async fn start(handler: &Handler) -> Self {
        let port = free_port();
        let mut command = handler.command(&[]);
        let child = command
            .env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string())
            .spawn()
            .unwrap();
        listens(port).await;
        Self { child, port }
    }

    /// The lines of stdout and of stderr, each as JSON.
    async fn end(self) -> [Vec<Value>; 2] {
        terminate(&self.child).await;
        let output = self.child.wait_with_output().await.unwrap();
        [output.stdout, output.stderr].map(|bytes| {
            let text = String::from_utf8(bytes).unwrap();
            assert!(!text.contains(CLIENT_SECRET), "{text}");
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        })
    }
}

async fn listens(port: u16) {
    until("the handler listens", || {
        TcpStream::connect(("127.0.0.1", port)).is_ok()
    })
    .await;
}

/// Whether nothing listens there within ten seconds.
async fn ends(port: u16) -> bool {
    for _ in 0..1000 {
        if TcpStream::connect(("127.0.0.1", port)).is_err() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    false
}

/// The whole answer to a tick, with its status line.
async fn tick(port: u16) -> String {
    let body = r#"{"Data":{"timer":{"IsPastDue":false}},"Metadata":{}}"#;
    post(port, "/function-timer", body).await
}

/// The whole answer, with its status line.
async fn post(port: u16, path: &str, body: &str) -> String {
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX-Azure-Functions-InvocationId: {INVOCATION}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut connection = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn many_refused_pushes_are_a_line_and_a_count() {
    const PUSHES: usize = 50;
    let handler = Handler::with_onelogin();
    let host = UnderHost::start(&handler).await;
    for _ in 0..PUSHES {
        let answer = post(host.port, "/api/push/onelogin", "[]").await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    }
    let [_, stderr] = host.end().await;
    let messages = stderr.iter().map(|line| line["message"].as_str().unwrap());
    let counts = messages.filter_map(|message| message.strip_prefix("push/onelogin: answered 401: "));
    let counts: Vec<usize> = counts
        .map(|text| match text.split_once(" more since") {
            Some((count, _)) => count.parse().unwrap(),
            None => 1,
        })
        .collect();
    assert_eq!(counts.iter().sum::<usize>(), PUSHES, "{stderr:#?}");
    // One line a minute, whatever the time that this takes.
    assert!(counts.len() < PUSHES / 5, "{stderr:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reason_phrase_of_a_failed_run_says_the_first_reason() {
    let (_console, handler) = refused().await;
    let host = UnderHost::start(&handler).await;
    let answer = tick(host.port).await;
    host.end().await;
    let status_line = answer.lines().next().unwrap();
    let reason = status_line.strip_prefix("HTTP/1.1 500 ").unwrap();
    for word in [
        "sentinelone/default",
        "credentials_rejected",
        "401",
        "SENTINELONE__API_TOKEN",
    ] {
        assert!(reason.contains(word), "{word}: {reason}");
    }
    assert!(reason.len() <= 200, "{} bytes: {reason}", reason.len());
    assert!(reason.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{reason:?}");
    assert!(!reason.contains(CLIENT_SECRET));
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_and_warnings_go_to_stderr_and_arrive_with_their_level() {
    let (_console, mut handler) = refused().await;
    // A name that nobody knows is a warning.
    handler.set("SENTINELONE__FUTURE_OPTION", "x");
    let host = UnderHost::start(&handler).await;
    tick(host.port).await;
    let [stdout, stderr] = host.end().await;
    let level = |line: &Value| line["level"].as_str().unwrap().to_owned();
    assert!(stdout.iter().all(|line| level(line) == "info"), "{stdout:#?}");
    for wanted in ["warn", "error"] {
        assert!(stderr.iter().any(|line| level(line) == wanted), "{wanted}: {stderr:#?}");
    }
    // The host takes a line on stderr that contains "warn", in any case, for a warning and any other for an error.
    for line in &stderr {
        let is_taken_for_a_warning = line.to_string().to_ascii_lowercase().contains("warn");
        assert_eq!(is_taken_for_a_warning, level(line) == "warn", "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_of_an_invocation_carries_its_id() {
    let (_console, handler) = refused().await;
    let host = UnderHost::start(&handler).await;
    tick(host.port).await;
    let lines = host.end().await.concat();
    let of_the_run = lines
        .iter()
        .filter(|line| line.to_string().contains("sentinelone/default"));
    let of_the_run: Vec<&Value> = of_the_run
        .filter(|line| !line.to_string().contains("listens on"))
        .collect();
    assert!(!of_the_run.is_empty(), "{lines:#?}");
    for line in of_the_run {
        assert_eq!(line["invocation_id"], INVOCATION, "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_that_is_missing_under_the_host_is_an_error_everywhere() {
    let (_console, mut handler) = refused().await;
    handler.environment.remove("POLL_SCHEDULE");
    let host = UnderHost::start(&handler).await;
    let [_, stderr] = host.end().await;
    let said = |line: &Value| line["level"] == "error" && line["message"].to_string().contains("POLL_SCHEDULE");
    assert!(stderr.iter().any(said), "{stderr:#?}");

    handler
        .set("FUNCTIONS_CUSTOMHANDLER_PORT", "1")
        .set("LOG_FORMAT", "text");
    let check = handler.run(&["check"]).await;
    assert_eq!(check.code, Some(1));
    assert!(check.output.contains("FAILED POLL_SCHEDULE: "), "{}", check.output);
    let status = handler.run(&["status"]).await;
    assert!(status.output.contains("POLL_SCHEDULE"), "{}", status.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_handler_ends_when_its_parent_has_gone() {
    let (_console, handler) = refused().await;
    let port = free_port();
    // The shell is the host; what the handler writes goes nowhere, so that only its parent can tell.
    let script = "\"$0\" >/dev/null 2>&1 & echo $!; exec sleep 600";
    let mut host = Command::new("/bin/sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_handler")])
        .envs(&handler.environment)
        .env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string())
        .current_dir(handler.path(""))
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut pid = [0; 16];
    let read = host.stdout.as_mut().unwrap().read(&mut pid).await.unwrap();
    let pid = String::from_utf8_lossy(&pid[..read]).trim().to_owned();
    listens(port).await;
    host.kill().await.unwrap();
    let has_ended = ends(port).await;
    if !has_ended {
        let _ = Command::new("kill").args(["-KILL", &pid]).status().await;
    }
    assert!(has_ended, "the handler outlives its host");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_handler_ends_when_nobody_reads_its_output() {
    let (_console, handler) = refused().await;
    let mut host = UnderHost::start(&handler).await;
    drop((host.child.stdout.take(), host.child.stderr.take()));
    tick(host.port).await;
    assert!(
        ends(host.port).await,
        "the handler goes on although nobody reads what it says"
    );
}
