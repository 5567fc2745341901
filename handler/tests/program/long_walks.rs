//! Walks and turns that must come to an end.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::*;
use crate::scripted_vendor::{Asked, ScriptedVendor};

const USERS: &str = "OneLoginUsersV2_CL";
const COUNT: usize = 400;
const PAGE: usize = 10;

fn users_page(asked: &Asked) -> (u16, String) {
    if asked.path.ends_with("/token") {
        return (200, json!({"access_token": "a-token", "expires_in": 36000}).to_string());
    }
    let page = |data: Vec<Value>, next: Option<String>| {
        let page = json!({"status": {"error": false}, "pagination": {"after_cursor": next}, "data": data});
        (200, page.to_string())
    };
    if !asked.path.ends_with("/users") {
        return page(Vec::new(), None);
    }
    let skipped: usize = asked.value("after_cursor").map_or(0, |cursor| cursor.parse().unwrap());
    let end = COUNT.min(skipped + PAGE);
    let users = (skipped..end).map(|id| json!({"id": id, "username": format!("user {id}")}));
    page(users.collect(), (end < COUNT).then(|| end.to_string()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_over_users_that_takes_longer_than_a_run_goes_on_where_it_ended() {
    let vendor = ScriptedVendor::start_slow("/users", Duration::from_millis(100), users_page).await;
    let mut handler = Handler::new();
    handler
        .set("ONELOGIN__URL", &vendor.origin)
        .set("ONELOGIN__CLIENT_ID", "an-id")
        .set("ONELOGIN__CLIENT_SECRET", CLIENT_SECRET)
        .set("POLL_BUDGET", "2s");
    let mut runs = 0;
    while handler.rows(USERS).len() < COUNT {
        runs += 1;
        assert!(
            runs < 20,
            "{} of {COUNT} users after {runs} runs",
            handler.rows(USERS).len()
        );
        handler.poll_well().await;
    }
    assert!(runs > 1, "the walk was to be longer than a run");
    handler.set("POLL_BUDGET", "4m");
    handler.poll_well().await;
    let asked = vendor.asked("/users");
    assert!(
        asked.len() <= COUNT / PAGE + 2 * runs,
        "{} pages in {runs} runs",
        asked.len()
    );
    let ids: BTreeSet<String> = handler
        .rows(USERS)
        .iter()
        .map(|row| row["UserAttributesId"].to_string())
        .collect();
    assert_eq!((ids.len(), handler.rows(USERS).len()), (COUNT, COUNT));

    // It is over: nobody is asked for again before its time, and the next walk finds nobody new.
    handler.poll_well().await;
    assert_eq!(vendor.asked("/users").len(), asked.len());
    handler.set("ONELOGIN__USERS_EVERY", "1s");
    handler.poll_well().await;
    assert!(vendor.asked("/users").len() > asked.len());
    assert_eq!(handler.rows(USERS).len(), COUNT);
}

async fn subscription(replies: Vec<(u16, &'static str)>) -> (ScriptedVendor, Handler) {
    let next = Arc::new(AtomicUsize::new(0));
    let vendor = ScriptedVendor::start(move |_| {
        let number = next.fetch_add(1, Ordering::SeqCst);
        let (status, body) = replies.get(number).or(replies.last()).copied().unwrap();
        (status, body.to_owned())
    })
    .await;
    let url = format!("{}/v3/reports/a-1/poll-subscriptions/s-1/events", vendor.origin);
    let mut handler = Handler::new();
    handler
        .set("PINGONE_ENTERPRISE__POLL_URL", &url)
        .set("PINGONE_ENTERPRISE__USERNAME", "user")
        .set("PINGONE_ENTERPRISE__PASSWORD", CLIENT_SECRET)
        .set("POLL_BUDGET", "8s");
    (vendor, handler)
}

async fn possible_losses(handler: &Handler) -> usize {
    let status: Value = serde_json::from_str(&handler.run(&["status", "--json"]).await.output).unwrap();
    let streams = status["streams"].as_array().unwrap();
    let losses = streams.iter().filter_map(|stream| stream["possible_losses"].as_array());
    losses.map(Vec::len).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_gives_no_event_ends_the_turn_and_is_no_loss() {
    for reply in [
        (200, "[]"),
        (200, "[ ]"),
        (200, "\n"),
        (200, ""),
        (204, ""),
        (200, "null"),
        (200, "{}"),
    ] {
        let (vendor, handler) = subscription(vec![reply]).await;
        let output = handler.poll_well().await;
        assert_eq!(vendor.asked("/events").len(), 1, "{reply:?}");
        assert!(!output.contains("possible loss"), "{reply:?}: {output}");
        assert_eq!(
            (possible_losses(&handler).await, handler.dead_letters().len()),
            (0, 0),
            "{reply:?}"
        );
        assert!(files_below(&handler.path("data/state/spool")).is_empty());
        assert!(files_below(&handler.path("data/state/intents")).is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_are_no_list_end_the_turn_and_are_one_possible_loss_however_many_follow() {
    let page = (200, "<html>we are working on it</html>");
    let event = (
        200,
        r#"[{"id":"e-1","source":"SSO","recorded":"2026-11-20T10:00:00Z","action":{"type":"X"}}]"#,
    );
    let (vendor, handler) = subscription(vec![page, page, page, event, (200, "[]"), page]).await;
    let output = handler.poll_well().await;
    assert_eq!(output.matches("possible loss at").count(), 1, "{output}");
    for run in 2..4 {
        let ended = handler.poll().await;
        assert_eq!(ended.code, Some(1), "{}", ended.output);
        assert!(ended.output.contains("no list of events"), "{}", ended.output);
        assert_eq!(vendor.asked("/events").len(), run);
    }
    assert_eq!(possible_losses(&handler).await, 1);
    assert_eq!(handler.dead_letters().len(), 1);
    handler.poll_well().await;
    assert_eq!(vendor.asked("/events").len(), 5);
    assert_eq!(handler.rows("PingOneEnterprise_AuditEvents_CL").len(), 1);
    handler.poll_well().await;
    assert_eq!(possible_losses(&handler).await, 2);
}
