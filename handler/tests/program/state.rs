//! What survives, and what is refused rather than overwritten.

use std::fs;

use simulator::functions_host::Mode;
use simulator::pingone::{EnvironmentOptions, Fault, PingOne};

use crate::harness::*;

const CHECKPOINT: &str = "data/state/checkpoints/pingone/default/activities.json";

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_between_two_pages_loses_nothing_and_doubles_nothing() {
    let pingone = PingOne::start(options());
    pingone.publish(activities(30, 1800, 40));
    pingone.fail_next([
        Fault::Delay(std::time::Duration::ZERO),
        Fault::Delay(std::time::Duration::from_secs(60)),
    ]);
    let handler = Handler::with_pingone(&pingone);
    let mut child = handler.command(&["poll"]).spawn().unwrap();
    until("the second page is asked for", || pingone.waiting_faults() == 0).await;
    child.kill().await.unwrap();
    handler.poll_well().await;
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_another_process_works_on_is_skipped_and_that_is_no_failure() {
    let pingone = PingOne::start(options());
    pingone.publish(activities(31, 10, 30));
    pingone.fail_next([Fault::Delay(std::time::Duration::from_secs(60))]);
    let handler = Handler::with_pingone(&pingone);
    let mut first = handler.command(&["poll"]).spawn().unwrap();
    until("the first process asks for a page", || pingone.waiting_faults() == 0).await;
    let pid = first.id().unwrap();
    let output = handler.poll_well().await;
    assert!(
        output.contains("skipped") && output.contains(&format!("process {pid}")) && output.contains("until"),
        "{output}"
    );
    // The lock of a process that is killed is free at once.
    first.kill().await.unwrap();
    handler.poll_well().await;
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_of_an_unknown_version_is_refused_and_not_overwritten() {
    let pingone = PingOne::start(options());
    pingone.publish(activities(32, 10, 30));
    let handler = Handler::with_pingone(&pingone);
    let file = handler.path(CHECKPOINT);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    for text in ["{\"version\":99}", "half a fi"] {
        fs::write(&file, text).unwrap();
        let ended = handler.poll().await;
        assert_eq!(ended.code, Some(1));
        assert!(ended.output.contains("activities.json"), "{}", ended.output);
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
    }
    assert!(handler.rows(ACTIVITIES).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_account_starts_anew_with_a_warning_and_the_old_file_stays() {
    let second_id = "5f1c2d3e-0000-4000-8000-00000000e002";
    let first = PingOne::start(options());
    let second = PingOne::start(EnvironmentOptions {
        environment_id: second_id.to_owned(),
        auth_environment_id: second_id.to_owned(),
        ..options()
    });
    first.publish(activities(33, 10, 30));
    second.publish(activities(34, 10, 30));
    let mut handler = Handler::with_pingone(&first);
    handler.poll_well().await;
    let before = fs::read_to_string(handler.path(CHECKPOINT)).unwrap();
    handler.add_pingone("PINGONE__", second_id, &second);
    let output = handler.poll_well().await;
    assert!(
        output.contains("another account") && output.contains(ENVIRONMENT_ID),
        "{output}"
    );
    let files = files_below(&handler.path("data/state/checkpoints/pingone/default"));
    let kept = files.iter().filter_map(|file| fs::read_to_string(file).ok());
    assert!(
        kept.map(|text| serde_json::from_str::<serde_json::Value>(&text).unwrap_or_default())
            .any(|kept| {
                let before: serde_json::Value = serde_json::from_str(&before).unwrap();
                kept == before
            })
    );

    // Back again: nothing twice.
    handler.add_pingone("PINGONE__", ENVIRONMENT_ID, &first);
    handler.poll_well().await;
    let mut published: Vec<_> = first
        .published()
        .into_iter()
        .chain(second.published())
        .map(|activity| activity.id)
        .collect();
    let mut delivered = handler.ids(ACTIVITIES);
    published.sort();
    delivered.sort();
    assert_eq!(delivered, published);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_torn_last_line_is_repaired_by_the_next_run() {
    let pingone = PingOne::start(options());
    pingone.publish(activities(35, 10, 30));
    let handler = Handler::with_pingone(&pingone);
    handler.poll_well().await;
    let file = handler.path("data/tables").join(format!("{ACTIVITIES}.ndjson"));
    let whole = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{whole}{{\"TimeGenerated\":\"2026-")).unwrap();
    handler.poll_well().await;
    assert_eq!(fs::read_to_string(&file).unwrap(), whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_run_writes_nothing() {
    let pingone = PingOne::start(options());
    pingone.publish(activities(36, 10, 30));
    let handler = Handler::with_pingone(&pingone);
    handler.poll_well().await;
    let state = |handler: &Handler| {
        let files = files_below(&handler.path("data/state/checkpoints"));
        files
            .into_iter()
            .map(|file| (fs::read(&file).unwrap(), file))
            .collect::<Vec<_>>()
    };
    let before = state(&handler);
    handler.poll_well().await;
    assert_eq!(state(&handler), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn state_that_cannot_be_written_fails_the_run_with_the_place() {
    let pingone = PingOne::start(options());
    let mut handler = Handler::with_pingone(&pingone);
    fs::write(handler.path("in-the-way"), "").unwrap();
    handler.set("STATE_URL", "in-the-way/state");
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.output.contains("STATE_URL") && ended.output.contains("in-the-way"),
        "{}",
        ended.output
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_folder_that_is_deleted_under_a_running_handler_is_made_again_and_nothing_is_missing() {
    let pingone = PingOne::start(options());
    pingone.publish(activities(39, 10, 5));
    let mut handler = Handler::with_pingone(&pingone);
    handler.set("PINGONE__PUSH_TOKEN", PUSH_TOKEN);
    let host = handler.host(Mode::Proxy).await;
    for round in 1..=2 {
        host.timer().await.unwrap();
        fs::remove_dir_all(handler.path("data/state")).unwrap();
        // Pushed and polled: it waits in the spool.
        let pushed = activities(39 + round, 3, 5);
        let texts: Vec<&str> = pushed.iter().map(|activity| activity.json.as_str()).collect();
        let headers = [("Authorization".to_owned(), format!("Bearer {PUSH_TOKEN}"))];
        let body = format!("[{}]", texts.join(","));
        let answer = host
            .http("POST", "/api/push/pingone", &headers, body.into_bytes())
            .await
            .unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        pingone.publish(pushed);
    }
    host.timer().await.unwrap();
    let delivered: std::collections::BTreeSet<String> = handler.ids(ACTIVITIES).into_iter().collect();
    // Doubles are what a state that is gone costs.
    assert_each_once(&pingone, &delivered.into_iter().collect::<Vec<_>>());
    assert!(handler.path(CHECKPOINT).exists());
    let said = host.stderr_lines().join("\n");
    assert!(said.contains("was deleted while this process runs"), "{said}");
}
