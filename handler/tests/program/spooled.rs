//! Pushes while the destination is slow, down or full, and what becomes of them later.

use std::time::Duration;

use serde_json::{Value, json};
use simulator::functions_host::{FunctionsHost, HttpAnswer, Mode};
use simulator::logs_ingestion::IngestionFault;
use simulator::pingone::PingOne;

use crate::harness::*;
use crate::ingestion::Azure;

fn event(number: u64) -> Value {
    json!({"event_timestamp": "2026-11-20 10:15:30 UTC", "event_type_id": 5, "user_id": number, "notes": format!("n{number};")})
}

fn large_event(number: u64, bytes: usize) -> Value {
    let mut event = event(number);
    event["custom_message"] = "x".repeat(bytes).into();
    event
}

async fn push(host: &FunctionsHost, body: String) -> HttpAnswer {
    let headers = [("Authorization".to_owned(), format!("Bearer {PUSH_TOKEN}"))];
    host.http("POST", "/api/push/onelogin", &headers, body.into_bytes())
        .await
        .unwrap()
}

fn user_ids(azure: &Azure) -> Vec<u64> {
    assert_eq!(azure.ingestion.violations(), Vec::<String>::new());
    let rows = azure.ingestion.rows(ONELOGIN);
    let mut ids: Vec<u64> = rows.iter().map(|row| row["user_id_d"].as_u64().unwrap()).collect();
    ids.sort_unstable();
    ids
}

fn spooled(handler: &Handler) -> usize {
    files_below(&handler.path("data/state/spool")).len()
}

fn handler_for(azure: &Azure) -> Handler {
    let mut handler = Handler::with_onelogin();
    azure.configure(&mut handler);
    handler.set("PUSH_DEADLINE", "1s");
    handler
}

fn down(times: usize) -> Vec<IngestionFault> {
    let fault = IngestionFault::Status {
        status: 503,
        retry_after: None,
        code: "ServiceUnavailable",
    };
    vec![fault; times]
}

#[tokio::test(flavor = "multi_thread")]
async fn small_pushes_that_come_together_share_a_call() {
    let azure = Azure::start();
    let mut handler = handler_for(&azure);
    handler.set("PUSH_LINGER", "500ms").set("PUSH_DEADLINE", "5s");
    let host = handler.host(Mode::Proxy).await;
    let pushes = (0..40).map(|number| push(&host, json!([event(number)]).to_string()));
    let answers = futures_util::future::join_all(pushes).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(user_ids(&azure), (0..40).collect::<Vec<_>>());
    let calls = azure.ingestion.calls().len();
    assert!(calls < 20, "{calls} calls for 40 pushes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_is_taken_late_is_answered_from_the_spool_and_leaves_it_again() {
    let azure = Azure::start();
    let handler = handler_for(&azure);
    let host = handler.host(Mode::Proxy).await;
    azure
        .ingestion
        .fail_next([IngestionFault::Delay(Duration::from_secs(3))]);
    let answer = push(&host, json!([event(1)]).to_string()).await;
    assert_eq!((answer.status, spooled(&handler)), (200, 1), "{}", answer.text());
    // The upload is still on its way: nobody else may send the rows.
    handler.poll_well().await;
    until("the late answer empties the spool", || spooled(&handler) == 0).await;
    handler.poll_well().await;
    assert_eq!(user_ids(&azure), [1]);
    // The counts were saved while the batch was both in the spool and on its way.
    let lines = [host.stdout_lines(), host.stderr_lines()].concat().concat();
    assert!(!lines.contains("does not balance"), "{lines}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pushes_to_a_destination_that_is_down_wait_and_are_delivered_once_when_it_is_back() {
    let azure = Azure::start();
    let handler = handler_for(&azure);
    let host = handler.host(Mode::Proxy).await;
    azure.ingestion.set_access(&azure.rule_id, false);
    for number in 0..5 {
        assert_eq!(push(&host, json!([event(number)]).to_string()).await.status, 200);
        // A sender that repeats itself is known.
        assert_eq!(push(&host, json!([event(number)]).to_string()).await.status, 200);
    }
    assert_eq!(spooled(&handler), 5);
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(1));
    for word in ["onelogin/default/push", "403", "waits in the spool"] {
        assert!(ended.output.contains(word), "{word}: {}", ended.output);
    }
    azure.ingestion.set_access(&azure.rule_id, true);
    handler.poll_well().await;
    assert_eq!((user_ids(&azure), spooled(&handler)), ((0..5).collect(), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_timer_empties_the_spool() {
    let azure = Azure::start();
    let handler = handler_for(&azure);
    let host = handler.host(Mode::Proxy).await;
    azure.ingestion.set_access(&azure.rule_id, false);
    assert_eq!(push(&host, json!([event(1)]).to_string()).await.status, 200);
    azure.ingestion.set_access(&azure.rule_id, true);
    host.timer().await.unwrap();
    assert_eq!((user_ids(&azure), spooled(&handler)), (vec![1], 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_of_several_batches_is_spooled_whole_and_arrives_once() {
    let azure = Azure::start();
    let handler = handler_for(&azure);
    let host = handler.host(Mode::Proxy).await;
    azure.ingestion.fail_next(down(3));
    let events: Vec<Value> = (0..60).map(|number| large_event(number, 60_000)).collect();
    let answer = push(&host, Value::from(events).to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    until("all of it arrived and left the spool", || {
        azure.ingestion.rows(ONELOGIN).len() == 60 && spooled(&handler) == 0
    })
    .await;
    handler.poll_well().await;
    assert_eq!(user_ids(&azure), (0..60).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_push_of_several_batches_that_the_spool_cannot_take_whole_nothing_is_sent() {
    let azure = Azure::start();
    let mut handler = handler_for(&azure);
    handler.set("SPOOL_MAX_BYTES", "2MB");
    let host = handler.host(Mode::Proxy).await;
    let events: Vec<Value> = (0..60).map(|number| large_event(number, 60_000)).collect();
    let answer = push(&host, Value::from(events).to_string()).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    until("the spool gives back what it took", || spooled(&handler) == 0).await;
    assert_eq!(user_ids(&azure), Vec::<u64>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_spool_takes_no_push_and_loses_none() {
    let azure = Azure::start();
    let mut handler = handler_for(&azure);
    handler.set("SPOOL_MAX_BYTES", "1500");
    let host = handler.host(Mode::Proxy).await;
    azure.ingestion.set_access(&azure.rule_id, false);
    let mut acknowledged = Vec::new();
    let mut refused = Vec::new();
    for number in 0..20 {
        let answer = push(&host, json!([event(number)]).to_string()).await;
        match answer.status {
            200 => acknowledged.push(number),
            503 => refused.push(number),
            other => panic!("{other}: {}", answer.text()),
        }
    }
    assert!(!acknowledged.is_empty() && !refused.is_empty());
    let bytes: u64 = files_below(&handler.path("data/state/spool"))
        .iter()
        .map(|file| file.metadata().unwrap().len())
        .sum();
    assert!(bytes < 3000, "{bytes}");
    azure.ingestion.set_access(&azure.rule_id, true);
    handler.poll_well().await;
    assert_eq!(user_ids(&azure), acknowledged);
    for number in refused {
        assert_eq!(push(&host, json!([event(number)]).to_string()).await.status, 200);
    }
    assert_eq!(user_ids(&azure), (0..20).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_the_destination_refuses_is_set_aside_alone_and_can_be_replayed() {
    let azure = Azure::start();
    let handler = handler_for(&azure);
    let host = handler.host(Mode::Proxy).await;
    azure.ingestion.refuse_rows_with("n7;");
    let events: Vec<Value> = (0..20).map(event).collect();
    let answer = push(&host, Value::from(events).to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(user_ids(&azure), (0..20).filter(|id| *id != 7).collect::<Vec<_>>());
    let letters = handler.dead_letters();
    assert_eq!(letters.len(), 1);
    let letter: Value = serde_json::from_str(&letters[0]).unwrap();
    assert_eq!(
        (&letter["table"], &letter["row"]["user_id_d"]),
        (&json!(ONELOGIN), &json!(7))
    );
    assert!(letter["reason"].as_str().unwrap().contains("400"), "{letter}");
    assert!(letter["request_id"].is_string() && letter["at"].is_string(), "{letter}");

    // Still refused: it stays.
    let ended = handler.run(&["replay", "--dead-letters"]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    assert!(ended.output.contains("1 refused again"), "{}", ended.output);
    assert_eq!(handler.dead_letters().len(), 1);

    // The table takes it by now: another endpoint stands for a mended rule.
    let mended = Azure::start();
    let mut handler = handler;
    mended.configure(&mut handler);
    let ended = handler.run(&["replay"]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    assert!(ended.output.contains("1 delivered"), "{}", ended.output);
    assert_eq!((user_ids(&mended), handler.dead_letters().len()), (vec![7], 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_is_begun_that_only_fails_because_the_run_ends() {
    let azure = Azure::start();
    let mut handler = handler_for(&azure);
    let host = handler.host(Mode::Proxy).await;
    azure.ingestion.set_access(&azure.rule_id, false);
    for number in 0..4 {
        assert_eq!(push(&host, json!([event(number)]).to_string()).await.status, 200);
    }
    azure.ingestion.set_access(&azure.rule_id, true);
    handler.set("POLL_BUDGET", "7s");
    azure
        .ingestion
        .fail_next(vec![IngestionFault::Delay(Duration::from_secs(3)); 4]);
    for _ in 0..4 {
        let ended = handler.poll().await;
        assert_eq!(ended.code, Some(0), "{}", ended.output);
        assert!(!ended.output.contains("doubled"), "{}", ended.output);
    }
    assert_eq!((user_ids(&azure), spooled(&handler)), ((0..4).collect(), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_time_went_into_what_was_pushed_is_no_failure_and_the_next_one_reads() {
    let azure = Azure::start();
    let pingone = PingOne::start(options());
    let events = activities(110, 10, 30);
    pingone.publish(events.clone());
    let mut handler = Handler::with_pingone(&pingone);
    azure.configure(&mut handler);
    handler.set("PINGONE__PUSH_TOKEN", PUSH_TOKEN).set("POLL_BUDGET", "8s");
    let host = handler.host(Mode::Proxy).await;
    let headers = [("Authorization".to_owned(), format!("Bearer {PUSH_TOKEN}"))];
    let body = format!("[{}]", events[0].json).into_bytes();
    let answer = host.http("POST", "/api/push/pingone", &headers, body).await.unwrap();
    assert_eq!(answer.status, 200);
    azure
        .ingestion
        .fail_next([IngestionFault::Delay(Duration::from_millis(6500))]);
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    assert!(ended.output.contains("nothing was read"), "{}", ended.output);
    handler.poll_well().await;
    assert_each_once(&pingone, &azure.ids(ACTIVITIES));
}

#[tokio::test(flavor = "multi_thread")]
async fn large_pushes_are_kept_however_long_the_destination_hangs() {
    let azure = Azure::start();
    let handler = handler_for(&azure);
    let host = handler.host(Mode::Proxy).await;
    azure
        .ingestion
        .fail_next(vec![IngestionFault::Delay(Duration::from_secs(40)); 2]);
    // Together more than fits into the memory for pushes, twice.
    for number in 0..32 {
        let events: Vec<Value> = (0..80)
            .map(|event| large_event(number * 1000 + event, 50_000))
            .collect();
        let answer = push(&host, Value::from(events).to_string()).await;
        assert_eq!(answer.status, 200, "push {number}: {}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_that_somebody_else_replays_are_skipped_and_that_is_no_failure() {
    let handler = Handler::with_onelogin();
    let leases = handler.path("data/state/leases");
    std::fs::create_dir_all(&leases).unwrap();
    let lease = std::fs::File::create(leases.join("dead-letters.lock")).unwrap();
    lease.lock().unwrap();
    let ended = handler.run(&["replay", "--dead-letters"]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    for word in ["skipped", "another process"] {
        assert!(ended.output.contains(word), "{word}: {}", ended.output);
    }
    drop(lease);
    let ended = handler.run(&["replay", "--dead-letters"]).await;
    assert!(!ended.output.contains("skipped"), "{}", ended.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn replay_sends_the_spool() {
    let azure = Azure::start();
    let handler = handler_for(&azure);
    let host = handler.host(Mode::Proxy).await;
    azure.ingestion.set_access(&azure.rule_id, false);
    assert_eq!(push(&host, json!([event(1)]).to_string()).await.status, 200);
    let ended = handler.run(&["replay", "--spool"]).await;
    assert_eq!(ended.code, Some(1), "{}", ended.output);
    azure.ingestion.set_access(&azure.rule_id, true);
    let ended = handler.run(&["replay", "--spool"]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    assert_eq!((user_ids(&azure), spooled(&handler)), (vec![1], 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_entry_is_named_and_stays_and_the_others_are_delivered() {
    let azure = Azure::start();
    let handler = handler_for(&azure);
    let host = handler.host(Mode::Proxy).await;
    azure.ingestion.set_access(&azure.rule_id, false);
    for number in 0..3 {
        assert_eq!(push(&host, json!([event(number)]).to_string()).await.status, 200);
    }
    let entries = files_below(&handler.path("data/state/spool"));
    std::fs::write(&entries[1], "half a li").unwrap();
    azure.ingestion.set_access(&azure.rule_id, true);
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(1));
    let name = entries[1].file_name().unwrap().to_str().unwrap();
    assert!(ended.output.contains(name), "{}", ended.output);
    assert_eq!(user_ids(&azure), [0, 2]);
    assert_eq!(files_below(&handler.path("data/state/spool")), [entries[1].clone()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn pushes_that_waited_for_a_poller_are_delivered_when_it_is_no_longer_configured() {
    let azure = Azure::start();
    let pingone = PingOne::start(options());
    let mut handler = Handler::with_pingone(&pingone);
    azure.configure(&mut handler);
    handler.set("PINGONE__PUSH_TOKEN", PUSH_TOKEN);
    let host = handler.host(Mode::Proxy).await;
    let headers = [("Authorization".to_owned(), format!("Bearer {PUSH_TOKEN}"))];
    let activities: Vec<Value> = (0..40)
        .map(|number| {
            json!({"id": format!("a{number}"), "createdAt": "2026-11-20T10:00:00Z", "recordedAt": "2026-11-20T10:00:00Z",
                "correlationId": "x".repeat(60_000)})
        })
        .collect();
    let body = Value::from(activities).to_string().into_bytes();
    let answer = host.http("POST", "/api/push/pingone", &headers, body).await.unwrap();
    assert_eq!((answer.status, spooled(&handler)), (200, 1), "{}", answer.text());
    drop(host);
    for key in ["ENVIRONMENT_ID", "CLIENT_ID", "CLIENT_SECRET"] {
        handler.environment.remove(&format!("PINGONE__{key}"));
    }
    handler.poll_well().await;
    let mut ids = azure.ids(ACTIVITIES);
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), azure.ids(ACTIVITIES).len(), spooled(&handler)), (40, 40, 0));
}
