//! What the status says of pushes: at once, while they wait for a run, and after a kill.

use serde_json::{Value, json};
use simulator::functions_host::{FunctionsHost, Mode};
use simulator::onelogin_api::{AccountOptions, OneLoginApi};

use crate::harness::*;
use crate::ingestion::Azure;

const PUSHED: &str = "onelogin/default/push";
const POLLED: &str = "onelogin/default/events";

async fn push(host: &FunctionsHost, users: std::ops::Range<u64>) {
    let event = |number: u64| json!({"event_timestamp": "2026-11-20 10:15:30 UTC", "user_id": number});
    push_events(host, users.map(event).collect()).await;
}

async fn push_events(host: &FunctionsHost, events: Vec<Value>) {
    let headers = [("Authorization".to_owned(), format!("Bearer {PUSH_TOKEN}"))];
    let body = json!(events).to_string().into_bytes();
    let answer = host.http("POST", "/api/push/onelogin", &headers, body).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
}

async fn asked(host: &FunctionsHost, stream: &str) -> Value {
    let answer = host.http("GET", "/api/status", &[], Vec::new()).await.unwrap();
    found(&answer.text(), stream)
}

async fn looked(handler: &Handler, stream: &str) -> Value {
    found(&handler.run(&["status", "--json"]).await.output, stream)
}

fn found(status: &str, name: &str) -> Value {
    let status: Value = serde_json::from_str(status).unwrap_or_else(|error| panic!("{error}: {status}"));
    let mut streams = status["streams"].as_array().unwrap().iter();
    streams.find(|stream| stream["stream"] == name).unwrap().clone()
}

/// Received, delivered, seen before, spooled.
fn numbers(counts: &Value) -> [u64; 4] {
    ["received", "delivered", "seen_before", "spooled"].map(|name| counts[name].as_u64().unwrap())
}

fn counts(stream: &Value) -> [u64; 4] {
    numbers(&stream["tables"][0]["counts"])
}

fn joined(vendor: &OneLoginApi, azure: &Azure) -> Handler {
    let options = AccountOptions::default();
    let mut handler = Handler::with_onelogin();
    handler
        .set("ONELOGIN__URL", &vendor.origin())
        .set("ONELOGIN__CLIENT_ID", &options.client_id)
        .set("ONELOGIN__CLIENT_SECRET", &options.client_secret);
    azure.configure(&mut handler);
    handler
}

async fn killed(host: FunctionsHost) {
    let pid = host.pid().to_string();
    let ended = tokio::process::Command::new("kill").args(["-9", &pid]).status().await;
    assert!(ended.unwrap().success());
    until("the handler has ended", || host.exit_status().is_some()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pushed_shows_at_once_and_outlives_a_kill() {
    let handler = Handler::with_onelogin();
    let host = handler.host(Mode::Proxy).await;
    assert_eq!(asked(&host, PUSHED).await["status"], "never_run");
    push(&host, 0..5).await;
    let shown = asked(&host, PUSHED).await;
    assert_eq!((&shown["status"], counts(&shown)), (&"ok".into(), [5, 5, 0, 0]));
    push(&host, 5..8).await;
    let ledger = handler.path("data/state/ledgers/onelogin/default/push");
    let of_all = |file: &std::path::PathBuf| std::fs::read_to_string(file).is_ok_and(|text| text.contains(":8,"));
    until("the counts are saved", || files_below(&ledger).iter().any(of_all)).await;
    killed(host).await;
    assert_eq!(counts(&looked(&handler, PUSHED).await), [8, 8, 0, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn pushes_that_wait_for_a_pollers_run_are_not_called_delivered_and_fail_with_it() {
    let vendor = OneLoginApi::start(AccountOptions::default());
    let azure = Azure::with_tables(&[ONELOGIN, "OneLoginEventsV2_CL", "OneLoginUsersV2_CL"]);
    let handler = joined(&vendor, &azure);
    let host = handler.host(Mode::Proxy).await;
    azure.ingestion.set_access(&azure.rule_id, false);
    push(&host, 0..5).await;
    assert_eq!(counts(&asked(&host, PUSHED).await), [5, 0, 0, 5]);
    assert!(host.timer().await.is_err());
    let shown = asked(&host, PUSHED).await;
    assert_eq!((&shown["status"], counts(&shown)), (&"failing".into(), [5, 0, 0, 5]));
    assert_eq!(shown["last_error"]["code"], "destination_refused", "{shown}");
    azure.ingestion.set_access(&azure.rule_id, true);
    host.timer().await.unwrap();
    let shown = asked(&host, PUSHED).await;
    assert_eq!((&shown["status"], counts(&shown)), (&"ok".into(), [5, 5, 0, 0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_process_received_and_the_next_one_delivers_was_received() {
    let vendor = OneLoginApi::start(AccountOptions::default());
    let azure = Azure::with_tables(&[ONELOGIN, "OneLoginEventsV2_CL", "OneLoginUsersV2_CL"]);
    let handler = joined(&vendor, &azure);
    let host = handler.host(Mode::Proxy).await;
    push(&host, 0..5).await;
    killed(host).await;
    let waiting = looked(&handler, PUSHED).await;
    assert_eq!(waiting["status"], "ok", "{waiting}");
    handler.poll_well().await;
    let shown = looked(&handler, PUSHED).await;
    assert_eq!((&shown["status"], counts(&shown)), (&"ok".into(), [5, 5, 0, 0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_is_tried_again_is_counted_once() {
    let vendor = OneLoginApi::start(AccountOptions::default());
    let azure = Azure::with_tables(&[ONELOGIN, "OneLoginEventsV2_CL", "OneLoginUsersV2_CL"]);
    let handler = joined(&vendor, &azure);
    let host = handler.host(Mode::Proxy).await;
    push(&host, 0..4).await;
    host.timer().await.unwrap();
    // Another process does not know what this one received.
    killed(host).await;
    let host = handler.host(Mode::Proxy).await;
    azure.ingestion.set_access(&azure.rule_id, false);
    push(&host, 0..7).await;
    let pushed = async || {
        let polled = looked(&handler, POLLED).await;
        let mut tables = polled["tables"].as_array().unwrap().iter();
        numbers(&tables.find(|table| table["table"] == ONELOGIN).unwrap()["pushed"])
    };
    for _ in 0..3 {
        assert!(host.timer().await.is_err());
        assert_eq!(pushed().await, [11, 4, 0, 7]);
    }
    azure.ingestion.set_access(&azure.rule_id, true);
    host.timer().await.unwrap();
    assert_eq!(pushed().await, [11, 7, 4, 0]);
}

/// Received, delivered, seen before, dead-lettered, spooled; and they balance.
fn balanced(stream: &Value) -> [u64; 5] {
    let counts = &stream["tables"][0]["counts"];
    let count = |name: &str| counts[name].as_u64().unwrap_or_default();
    let found = ["received", "delivered", "seen_before", "dead_lettered", "spooled"].map(count);
    assert_eq!(
        found[0],
        found[1..].iter().sum::<u64>() + count("in_flight"),
        "{stream}"
    );
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn the_counts_balance_over_pushes_an_outage_kills_and_the_runs_that_empty_the_spool() {
    for is_polled_too in [false, true] {
        let vendor = OneLoginApi::start(AccountOptions::default());
        let azure = Azure::with_tables(&[ONELOGIN, "OneLoginEventsV2_CL", "OneLoginUsersV2_CL"]);
        let handler = match is_polled_too {
            true => joined(&vendor, &azure),
            false => {
                let mut handler = Handler::with_onelogin();
                azure.configure(&mut handler);
                handler
            }
        };
        let host = handler.host(Mode::Proxy).await;
        push(&host, 0..4).await;
        host.timer().await.unwrap();
        assert_eq!(balanced(&asked(&host, PUSHED).await), [4, 4, 0, 0, 0]);
        push(&host, 0..4).await;
        push_events(&host, vec![json!({})]).await;
        assert_eq!(balanced(&asked(&host, PUSHED).await), [9, 4, 4, 1, 0]);

        azure.ingestion.set_access(&azure.rule_id, false);
        push(&host, 4..9).await;
        assert_eq!(balanced(&asked(&host, PUSHED).await), [14, 4, 4, 1, 5]);
        killed(host).await;
        assert_eq!(balanced(&looked(&handler, PUSHED).await), [14, 4, 4, 1, 5]);
        let host = handler.host(Mode::Proxy).await;
        push(&host, 9..12).await;
        assert!(host.timer().await.is_err());
        assert_eq!(balanced(&asked(&host, PUSHED).await), [17, 4, 4, 1, 8]);

        azure.ingestion.set_access(&azure.rule_id, true);
        host.timer().await.unwrap();
        assert_eq!(balanced(&asked(&host, PUSHED).await), [17, 12, 4, 1, 0]);
        killed(host).await;
        assert_eq!(balanced(&looked(&handler, PUSHED).await), [17, 12, 4, 1, 0]);
    }
}
