//! Rows that the destination refuses alone: at fault themselves, or sent by a stream that does not fit its table.

use chrono::TimeDelta;
use serde_json::{Value, json};
use simulator::functions_host::{FunctionsHost, Mode};
use simulator::generate::pingone_enterprise::SubscriptionEvents;
use simulator::logs_ingestion::IngestionFault;
use simulator::pingone::PingOne;
use simulator::pingone_enterprise::PingOneEnterprise;

use crate::harness::*;
use crate::ingestion::Azure;
use crate::named_wrappers::{enterprise, enterprise_event};

const ENTERPRISE: &str = "PingOneEnterprise_AuditEvents_CL";

fn event(number: u64) -> Value {
    json!({"event_timestamp": "2026-11-20 10:15:30 UTC", "event_type_id": 5, "user_id": number, "notes": format!("n{number};")})
}

async fn push(host: &FunctionsHost, events: &[Value]) -> Value {
    let headers = [("Authorization".to_owned(), format!("Bearer {PUSH_TOKEN}"))];
    let body = Value::from(events.to_vec()).to_string().into_bytes();
    let answer = host.http("POST", "/api/push/onelogin", &headers, body).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    serde_json::from_slice(&answer.body).unwrap()
}

fn handler_for(azure: &Azure) -> Handler {
    let mut handler = Handler::with_onelogin();
    azure.configure(&mut handler);
    handler.set("PUSH_DEADLINE", "1s");
    handler
}

fn users(azure: &Azure) -> Vec<u64> {
    let rows = azure.ingestion.rows(ONELOGIN);
    let mut users: Vec<u64> = rows.iter().map(|row| row["user_id_d"].as_u64().unwrap()).collect();
    users.sort_unstable();
    users
}

fn spooled(handler: &Handler) -> usize {
    files_below(&handler.path("data/state/spool")).len()
}

/// So large that no other row goes into its call.
fn large_activity(id: &str, minutes_ago: i64) -> (chrono::DateTime<chrono::Utc>, String) {
    let at = now() - TimeDelta::minutes(minutes_ago);
    let long = "x".repeat(60_000);
    let person = json!({"id": long, "name": long, "type": long});
    let event = json!({"id": id, "recordedAt": at.to_rfc3339(), "createdAt": at.to_rfc3339(), "correlationId": long,
        "actors": {"client": person, "user": person}, "action": {"type": long, "description": long}});
    (at, event.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_takes_no_row_keeps_them_all_and_fails_the_stream_however_few_they_are() {
    for count in [1, 3, 8, 9, 30] {
        let (azure, pingone) = (Azure::start(), PingOne::start(options()));
        pingone.publish(activities(80, count, 30));
        let mut handler = Handler::with_pingone(&pingone);
        azure.configure(&mut handler);
        azure.ingestion.refuse_rows_with("\"Id\"");
        for _ in 0..2 {
            let ended = handler.poll().await;
            assert_eq!(ended.code, Some(1), "{count}: {}", ended.output);
            for word in [
                "400",
                &format!("none of {count} rows"),
                "Custom-PingOne_AuditActivitiesV2_CL",
                "The rows are kept",
            ] {
                assert!(ended.output.contains(word), "{word}: {}", ended.output);
            }
            assert_eq!(handler.dead_letters(), Vec::<String>::new(), "{count}");
        }
        let status: Value = serde_json::from_str(&handler.run(&["status", "--json"]).await.output).unwrap();
        assert!(status.to_string().contains("destination_refused"), "{status}");

        azure.ingestion.take_refused_rows();
        handler.poll_well().await;
        assert_each_once(&pingone, &azure.ids(ACTIVITIES));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_a_later_batch_shows_that_the_one_before_is_at_fault_itself() {
    let (azure, pingone) = (Azure::start(), PingOne::start(options()));
    // Whatever the order in which the vendor shows them: there is one on each side.
    for (id, minutes_ago) in [("poison-1", 30), ("good", 20), ("poison-2", 10)] {
        let (at, text) = large_activity(id, minutes_ago);
        pingone.publish_raw(at, text);
    }
    let mut handler = Handler::with_pingone(&pingone);
    azure.configure(&mut handler);
    azure.ingestion.refuse_rows_with("poison");
    handler.poll_well().await;
    assert_eq!(azure.ids(ACTIVITIES), ["good"]);
    let letters = handler.dead_letters();
    assert_eq!(letters.len(), 2);
    assert!(
        letters
            .iter()
            .all(|letter| letter.contains("poison") && letter.contains("400"))
    );
    // They count as delivered.
    handler.poll_well().await;
    assert_eq!((azure.ids(ACTIVITIES).len(), handler.dead_letters().len()), (1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_row_waits_alone_until_another_row_of_the_table_is_taken() {
    let (azure, pingone) = (Azure::start(), PingOne::start(options()));
    let (at, text) = large_activity("poison", 30);
    pingone.publish_raw(at, text);
    let mut handler = Handler::with_pingone(&pingone);
    azure.configure(&mut handler);
    azure.ingestion.refuse_rows_with("poison");
    for _ in 0..2 {
        assert_eq!(handler.poll().await.code, Some(1));
        assert!(handler.dead_letters().is_empty());
    }
    let (at, text) = large_activity("good", 5);
    pingone.publish_raw(at, text);
    handler.poll_well().await;
    assert_eq!(
        (azure.ids(ACTIVITIES), handler.dead_letters().len()),
        (vec!["good".to_owned()], 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_of_which_no_row_is_taken_waits_and_the_entries_behind_it_are_delivered() {
    let azure = Azure::start();
    let handler = handler_for(&azure);
    let host = handler.host(Mode::Proxy).await;
    azure.ingestion.refuse_rows_with("n7;");
    let said = push(&host, &[event(7)]).await;
    assert_eq!((&said["stored"], &said["dead_lettered"]), (&json!(1), &json!(0)));
    until("the push is in the spool", || spooled(&handler) == 1).await;
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(1), "{}", ended.output);
    assert!(
        ended.output.contains("none of 1 rows") && ended.output.contains("waits in the spool"),
        "{}",
        ended.output
    );
    assert_eq!((spooled(&handler), handler.dead_letters().len()), (1, 0));

    // Behind it come good ones, which only the timer sends.
    azure.ingestion.set_access(&azure.rule_id, false);
    for number in [8, 9] {
        push(&host, &[event(number)]).await;
    }
    azure.ingestion.set_access(&azure.rule_id, true);
    handler.poll_well().await;
    assert_eq!((users(&azure), spooled(&handler)), (vec![8, 9], 0));
    let letters = handler.dead_letters();
    assert!(letters.len() == 1 && letters[0].contains("n7;"), "{letters:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_timer_fails_while_nothing_is_taken_and_a_push_that_is_taken_meanwhile_settles_it() {
    let azure = Azure::start();
    let handler = handler_for(&azure);
    let host = handler.host(Mode::Proxy).await;
    push(&host, &[event(1)]).await;
    azure.ingestion.refuse_rows_with("user_id_d");
    push(&host, &[event(7)]).await;
    until("the push is in the spool", || spooled(&handler) == 1).await;
    for _ in 0..2 {
        assert!(host.timer().await.is_err());
        assert_eq!((spooled(&handler), handler.dead_letters().len()), (1, 0));
    }
    azure.ingestion.take_refused_rows();
    azure.ingestion.refuse_rows_with("n7;");
    push(&host, &[event(8)]).await;
    host.timer().await.unwrap();
    assert_eq!(
        (users(&azure), spooled(&handler), handler.dead_letters().len()),
        (vec![1, 8], 0, 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pushed_beside_a_poller_is_settled_by_what_the_same_run_reads() {
    let (azure, pingone) = (Azure::start(), PingOne::start(options()));
    let mut handler = Handler::with_pingone(&pingone);
    azure.configure(&mut handler);
    handler.set("PINGONE__PUSH_TOKEN", PUSH_TOKEN);
    let host = handler.host(Mode::Proxy).await;
    azure.ingestion.refuse_rows_with("poison");
    let (_, poison) = large_activity("poison", 10);
    let headers = [("Authorization".to_owned(), format!("Bearer {PUSH_TOKEN}"))];
    let answer = host
        .http("POST", "/api/push/pingone", &headers, poison.into_bytes())
        .await
        .unwrap();
    assert_eq!((answer.status, spooled(&handler)), (200, 1));
    assert!(host.timer().await.is_err());
    assert_eq!((spooled(&handler), handler.dead_letters().len()), (1, 0));

    pingone.publish(activities(83, 5, 8));
    host.timer().await.unwrap();
    assert_eq!(
        (
            azure.ids(ACTIVITIES).len(),
            spooled(&handler),
            handler.dead_letters().len()
        ),
        (5, 0, 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_of_a_consuming_read_of_which_no_row_is_taken_waits_until_a_later_one_is() {
    let azure = Azure::with_tables(&[ENTERPRISE]);
    let vendor = PingOneEnterprise::start(Default::default());
    let mut events = SubscriptionEvents::new(81);
    let mut handler = Handler::new();
    let options = simulator::pingone_enterprise::SubscriptionOptions::default();
    handler.set("PINGONE_ENTERPRISE__POLL_URL", &vendor.poll_url());
    handler.set("PINGONE_ENTERPRISE__CLIENT_ID", &options.client_id);
    handler.set("PINGONE_ENTERPRISE__CLIENT_SECRET", &options.client_secret);
    handler.set("PINGONE_ENTERPRISE__TOKEN_URL", &vendor.token_url());
    azure.configure(&mut handler);
    let first = events.at(now() - TimeDelta::minutes(5));
    azure.ingestion.refuse_rows_with(&first.id);
    vendor.publish([first]);
    for _ in 0..2 {
        let ended = handler.poll().await;
        assert_eq!(ended.code, Some(1), "{}", ended.output);
        assert_eq!((spooled(&handler), handler.dead_letters().len()), (1, 0));
    }
    vendor.publish([events.at(now() - TimeDelta::minutes(4))]);
    handler.poll_well().await;
    assert_eq!(
        (
            azure.ingestion.rows(ENTERPRISE).len(),
            handler.dead_letters().len(),
            spooled(&handler)
        ),
        (1, 1, 0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_not_of_the_service_is_no_acceptance() {
    let page = |status| IngestionFault::Status {
        status,
        retry_after: None,
        code: "SignIn",
    };
    let (azure, pingone) = (Azure::start(), PingOne::start(options()));
    pingone.publish(activities(82, 20, 30));
    let mut handler = Handler::with_pingone(&pingone);
    azure.configure(&mut handler);
    azure.ingestion.fail_next([page(200), page(202)]);
    handler.poll_well().await;
    assert_eq!(azure.ingestion.waiting_faults(), 0);
    assert_each_once(&pingone, &azure.ids(ACTIVITIES));

    let azure = Azure::start();
    let handler = handler_for(&azure);
    let host = handler.host(Mode::Proxy).await;
    azure.ingestion.fail_next(vec![page(200); 5]);
    push(&host, &[event(1)]).await;
    until("the upload is given up", || azure.ingestion.waiting_faults() == 0).await;
    until("the row is taken in the end", || users(&azure) == [1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_bad_replies_than_can_be_held_do_not_block_the_good_one_behind_them() {
    let azure = Azure::with_tables(&[ENTERPRISE]);
    azure.ingestion.refuse_rows_with("poison");
    let reply = |id: String| Value::from(vec![enterprise_event(&id)]).to_string();
    let mut replies: Vec<String> = (0..70).map(|number| reply(format!("poison-{number}"))).collect();
    replies.push(reply("good".to_owned()));
    let (mut handler, _vendor) = enterprise(replies, "[]").await;
    azure.configure(&mut handler);
    handler.set("POLL_BUDGET", "60s");
    for _ in 0..2 {
        let ended = handler.poll().await;
        assert_eq!(azure.ids(ENTERPRISE), ["good"], "{}", ended.output);
    }
    // None was lost: each lies in the dead letters, or waits.
    let waiting = files_below(&handler.path("data/state/spool")).len();
    assert_eq!(handler.dead_letters().len() + waiting, 70);
}
