//! `handler status` and `GET /api/status`.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};
use simulator::functions_host::{FunctionsHost, HttpAnswer, Mode};
use simulator::pingone::{Fault, PingOne};
use tokio::process::Command;

use crate::harness::*;
use crate::ingestion::Azure;

const STREAM: &str = "pingone/default/activities";

async fn status_of(handler: &Handler) -> Value {
    let ended = handler.run(&["status", "--json"]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    serde_json::from_str(&ended.output).unwrap_or_else(|error| panic!("{error}: {}", ended.output))
}

fn stream<'s>(status: &'s Value, name: &str) -> &'s Value {
    let streams = status["streams"].as_array().unwrap();
    let found = streams.iter().find(|stream| stream["stream"] == name);
    found.unwrap_or_else(|| panic!("{name} is not in {status}"))
}

async fn get(host: &FunctionsHost, path: &str, accept: &str) -> HttpAnswer {
    let headers = [("Accept".to_owned(), accept.to_owned())];
    host.http("GET", path, &headers, Vec::new()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_never_ran_are_shown_and_looking_changes_nothing() {
    let pingone = PingOne::start(options());
    let mut handler = Handler::with_pingone(&pingone);
    handler.set("ONELOGIN__BEARER_TOKEN", PUSH_TOKEN);
    let status = status_of(&handler).await;
    assert_eq!(status["version"], 1);
    for (name, kind) in [(STREAM, "poll"), ("onelogin/default/push", "push")] {
        let stream = stream(&status, name);
        assert_eq!(
            (&stream["kind"], &stream["status"]),
            (&kind.into(), &"never_run".into())
        );
    }
    assert!(files_below(&handler.path("data/state/health")).is_empty());
    assert!(files_below(&handler.path("data/state/checkpoints")).is_empty());
    let text = handler.run(&["status"]).await;
    assert_eq!(text.code, Some(0));
    assert!(
        text.output.contains(STREAM) && text.output.contains("never run"),
        "{}",
        text.output
    );
    assert!(!text.output.contains('\u{1b}'));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_shows_how_far_a_stream_is_and_why_it_failed_last_also_while_it_runs() {
    let pingone = PingOne::start(options());
    pingone.publish(activities(120, 40, 30));
    let handler = Handler::with_pingone(&pingone);
    handler.poll_well().await;
    let status = status_of(&handler).await;
    let shown = stream(&status, STREAM);
    let table = &shown["tables"][0];
    assert_eq!((&shown["status"], &table["table"]), (&"ok".into(), &ACTIVITIES.into()));
    let counts = (&table["counts"]["received"], &table["counts"]["delivered"]);
    assert_eq!(counts, (&40.into(), &40.into()));
    assert!(table["watermark"].is_string() && table["lag_seconds"].is_number());
    assert_eq!((&table["overlap"], &table["holes"]), (&"every_run".into(), &json!([])));
    assert_eq!(table["coverage"].as_array().unwrap().len(), 1);
    assert!(shown["last_success"].is_string() && shown["last_error"].is_null());

    let refusal = Fault::Status {
        status: 403,
        retry_after: None,
    };
    for failures in 1..3 {
        pingone.fail_next([refusal.clone()]);
        assert_eq!(handler.poll().await.code, Some(1));
        let status = status_of(&handler).await;
        let shown = stream(&status, STREAM);
        let standing = (
            &shown["status"],
            &shown["consecutive_failures"],
            &shown["last_error"]["code"],
        );
        assert_eq!(
            standing,
            (&"failing".into(), &failures.into(), &"permission_denied".into()),
            "{shown}"
        );
        assert!(shown["last_error"]["message"].as_str().unwrap().contains("403"));
    }

    pingone.fail_next([Fault::Delay(Duration::from_secs(60))]);
    let mut other = handler.command(&["poll"]).spawn().unwrap();
    until("the other process asks for a page", || pingone.waiting_faults() == 0).await;
    assert_eq!(stream(&status_of(&handler).await, STREAM)["status"], "failing");
    other.kill().await.unwrap();

    handler.poll_well().await;
    let status = status_of(&handler).await;
    let shown = stream(&status, STREAM);
    let standing = (
        &shown["status"],
        &shown["consecutive_failures"],
        &shown["last_error"]["code"],
    );
    assert_eq!(
        standing,
        (&"ok".into(), &0.into(), &"permission_denied".into()),
        "{shown}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_run_writes_no_file_anew() {
    let pingone = PingOne::start(options());
    pingone.publish(activities(121, 20, 30));
    let handler = Handler::with_pingone(&pingone);
    handler.poll_well().await;
    let file = handler.path("data/state/health/pingone/default/activities.json");
    let before = fs::read(&file).unwrap();
    handler.poll_well().await;
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn pushes_the_spool_and_dead_letters_are_counted() {
    let azure = Azure::start();
    let mut handler = Handler::with_onelogin();
    azure.configure(&mut handler);
    handler.set("PUSH_DEADLINE", "1s");
    let host = handler.host(Mode::Proxy).await;
    let headers = [("Authorization".to_owned(), format!("Bearer {PUSH_TOKEN}"))];
    let event = |number: u64| json!({"event_timestamp": "2026-11-20 10:15:30 UTC", "user_id": number});
    let push = async |body: Value| {
        let body = body.to_string().into_bytes();
        let answer = host.http("POST", "/api/push/onelogin", &headers, body).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
    };
    push(json!([event(1), 7])).await;
    azure.ingestion.set_access(&azure.rule_id, false);
    push(json!([event(2)])).await;

    let status = status_of(&handler).await;
    let letters = &status["dead_letters"]["onelogin/default/push"];
    assert_eq!(
        (&letters["letters"], &letters["all_read"]),
        (&1.into(), &true.into()),
        "{status}"
    );
    assert!(letters["newest"].is_string());
    let queue = &status["spool"][0];
    assert_eq!(
        (&queue["entries"], &queue["stream"]),
        (&1.into(), &"onelogin/default/push".into())
    );
    assert!(queue["oldest"].is_string() && queue["bytes"].as_u64().unwrap() > 0);

    azure.ingestion.set_access(&azure.rule_id, true);
    handler.poll_well().await;
    let ended = Command::new("kill").arg(host.pid().to_string()).status().await.unwrap();
    assert!(ended.success());
    until("the handler has ended", || host.exit_status().is_some()).await;
    let status = status_of(&handler).await;
    assert_eq!(status["spool"], json!([]));
    let counts = &stream(&status, "onelogin/default/push")["tables"][0]["counts"];
    let numbers = ["received", "delivered", "dead_lettered", "spooled"].map(|name| counts[name].as_u64().unwrap());
    assert_eq!(numbers, [3, 2, 1, 0], "{counts}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_shows_in_its_own_stream_and_a_store_that_cannot_be_opened_is_an_error() {
    let pingone = PingOne::start(options());
    let mut handler = Handler::with_pingone(&pingone);
    let file = handler.path("data/state/checkpoints/pingone/default/activities.json");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, "{\"version\":99}").unwrap();
    let status = status_of(&handler).await;
    let shown = stream(&status, STREAM);
    assert_eq!(shown["status"], "failing");
    assert!(shown["state_error"].as_str().unwrap().contains("version 99"), "{shown}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "{\"version\":99}");

    handler.set("STATE_URL", "data/state/checkpoints/pingone/default/activities.json");
    let ended = handler.run(&["status"]).await;
    assert_eq!(ended.code, Some(1), "{}", ended.output);
    handler.set("PINGONE__REGION", "mars");
    assert_eq!(handler.run(&["status"]).await.code, Some(64));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_gets_a_page_whose_links_keep_the_key_and_programs_get_json() {
    let pingone = PingOne::start(options());
    pingone.publish(activities(122, 10, 30));
    let handler = Handler::with_pingone(&pingone);
    handler.poll_well().await;
    for mode in [Mode::Proxy, Mode::Forward, Mode::Envelope] {
        let host = handler.host(mode).await;
        let answer = get(&host, "/api/status", "*/*").await;
        assert_eq!(
            (answer.status, answer.header("cache-control")),
            (200, Some("no-store")),
            "{mode:?}"
        );
        let status: Value = serde_json::from_str(&answer.text()).unwrap();
        assert_eq!(stream(&status, STREAM)["status"], "ok");

        let page = get(&host, "/api/status?code=a%22b%3D%3D", "text/html,*/*;q=0.8").await;
        assert_eq!(
            (page.status, page.header("cache-control")),
            (200, Some("no-store")),
            "{mode:?}"
        );
        assert!(page.header("content-type").unwrap().starts_with("text/html"));
        let text = page.text();
        assert!(
            text.contains("href=\"?format=json&amp;code=a%22b%3D%3D\""),
            "{mode:?}: {text}"
        );
        assert!(text.contains(STREAM) && !text.contains("<script"));
        let followed = get(&host, "/api/status?format=json&code=a%22b%3D%3D", "text/html").await;
        assert!(serde_json::from_str::<Value>(&followed.text()).is_ok());
        let refused = host.http("POST", "/api/status", &[], Vec::new()).await.unwrap();
        assert_eq!(refused.status, 405, "{mode:?}");
    }
}
