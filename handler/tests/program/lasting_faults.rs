//! Faults of a vendor that no waiting ends: the stream gets past them, and says what it left behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::harness::*;
use crate::scripted_vendor::{Asked, ScriptedVendor};

const UNIFIED: &str = "SentinelOneAlertsV2_CL";
const USERS: &str = "OneLoginUsersV2_CL";
const COUNT: usize = 200;
const PAGE: usize = 10;
const ALERTS: i64 = 8;
const BAD_ALERT: i64 = 3;

fn console(stream: &str, vendor: &ScriptedVendor) -> Handler {
    let mut handler = Handler::new();
    handler
        .set("SENTINELONE__URL", &vendor.origin)
        .set("SENTINELONE__API_TOKEN", CLIENT_SECRET)
        .set("SENTINELONE__STREAMS", stream);
    handler
}

fn alerts_since(born: DateTime<Utc>, asked: &Asked, broken: bool) -> String {
    if asked.body.contains("alertColumnMetadata") {
        return json!({"data": {"alertColumnMetadata": [{"fieldId": "updatedAt"}]}}).to_string();
    }
    let body: Value = serde_json::from_str(&asked.body).unwrap();
    let range = &body["variables"]["filters"][0]["dateTimeRange"];
    let bound = |name: &str| DateTime::from_timestamp_millis(range[name].as_i64().unwrap()).unwrap();
    let time = |number: i64| born + TimeDelta::seconds(number * 10);
    let numbers: Vec<_> = (0..ALERTS)
        .filter(|number| (bound("start")..bound("end")).contains(&time(*number)))
        .collect();
    let edge = |number: &i64| {
        let at = time(*number).to_rfc3339();
        json!({"node": {"id": number.to_string(), "name": "an alert", "createdAt": at, "updatedAt": at}})
    };
    let edges: Vec<_> = numbers.iter().map(edge).collect();
    let mut page = json!({"data": {"alerts": {"edges": edges, "pageInfo": {"hasNextPage": false}}}});
    if let Some(index) = numbers
        .iter()
        .position(|number| *number == BAD_ALERT)
        .filter(|_| broken)
    {
        page["errors"] = json!([{
            "message": "Exception while fetching data",
            "path": ["alerts", "edges", index, "node", "assignee"],
            "extensions": {"classification": "DataFetchingException"},
        }]);
    }
    page.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_with_a_lasting_error_is_set_aside_alone_and_those_behind_it_arrive() {
    let born = now() - TimeDelta::seconds(150);
    let vendor = ScriptedVendor::start(move |asked| (200, alerts_since(born, asked, true))).await;
    let mut handler = console("unified-alerts", &vendor);
    handler.set("POLL_LOOKBACK", "3m").set("POLL_BUDGET", "6s");
    let mut runs = 0;
    while handler.poll().await.code != Some(0) {
        runs += 1;
        assert!(runs < 15, "{} rows", handler.rows(UNIFIED).len());
    }
    let mut ids: Vec<_> = handler.rows(UNIFIED).iter().map(alert_id).collect();
    ids.sort();
    let expected = (0..ALERTS).filter(|number| *number != BAD_ALERT);
    assert_eq!(ids, expected.map(|number| number.to_string()).collect::<Vec<_>>());
    let letters = handler.dead_letters();
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert!(letters[0].contains("DataFetchingException"), "{letters:?}");
    handler.poll_well().await;
    assert_eq!(handler.rows(UNIFIED).len(), 7);
    assert_eq!(handler.dead_letters().len(), 1);
}

fn alert_id(row: &Value) -> String {
    let names = ["AlertId", "Id", "OriginalId"];
    let found = names.iter().find_map(|name| row[*name].as_str());
    found.unwrap_or_else(|| panic!("{row}")).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_field_is_left_out_whatever_the_status_and_also_beside_whole_data() {
    let words = "Cannot query field \"storylineId\" on type \"Alert\".";
    for (status, error, has_data) in [
        (200, json!({"message": words}), true),
        (
            400,
            json!({"code": 4000010, "title": "Bad Request", "detail": words}),
            false,
        ),
        (500, json!({"message": words}), false),
    ] {
        let born = now() - TimeDelta::seconds(150);
        let vendor = ScriptedVendor::start(move |asked| {
            let page = alerts_since(born, asked, false);
            if !asked.body.contains("storylineId") {
                return (200, page);
            }
            let mut answer: Value = serde_json::from_str(&page).unwrap();
            answer["errors"] = json!([error]);
            if !has_data {
                answer.as_object_mut().unwrap().remove("data");
            }
            (status, answer.to_string())
        })
        .await;
        let handler = console("unified-alerts", &vendor);
        let output = handler.poll_well().await;
        assert!(output.contains("storylineId"), "{output}");
        assert_eq!(handler.rows(UNIFIED).len(), 8, "{status}");
    }
}

/// Cursors begin with the age they were given in; those of another age get `dead`.
fn users_page(asked: &Asked, age: &str, dead: &(u16, Value)) -> (u16, String) {
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
    let cursor = asked
        .value("after_cursor")
        .map(|cursor| cursor.split_once('-').unwrap());
    if cursor.is_some_and(|(given_in, _)| given_in != age) {
        return (dead.0, dead.1.to_string());
    }
    let skipped: usize = cursor.map_or(0, |(_, number)| number.parse().unwrap());
    let end = COUNT.min(skipped + PAGE);
    let users = (skipped..end).map(|id| json!({"id": id, "username": format!("user {id}")}));
    page(users.collect(), (end < COUNT).then(|| format!("{age}-{end}")))
}

async fn with_dead_cursor(dead: (u16, Value)) {
    let is_new_age = Arc::new(AtomicBool::new(false));
    let (age, answer) = (is_new_age.clone(), dead.clone());
    let vendor = ScriptedVendor::start_slow("/users", Duration::from_millis(150), move |asked| {
        let age = if age.load(Ordering::SeqCst) { "new" } else { "old" };
        users_page(asked, age, &answer)
    })
    .await;
    let mut handler = Handler::new();
    handler
        .set("ONELOGIN__URL", &vendor.origin)
        .set("ONELOGIN__CLIENT_ID", "an-id")
        .set("ONELOGIN__CLIENT_SECRET", CLIENT_SECRET)
        .set("POLL_BUDGET", "2s");
    handler.poll().await;
    let came = handler.rows(USERS).len();
    assert!((1..COUNT).contains(&came), "the walk was to be cut off: {came}");
    is_new_age.store(true, Ordering::SeqCst);
    handler.set("POLL_BUDGET", "4m");
    let mut failed = 0;
    while handler.poll().await.code != Some(0) {
        failed += 1;
        assert!(failed < 4, "{dead:?}");
    }
    assert_eq!(handler.rows(USERS).len(), COUNT, "{dead:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_over_users_whose_saved_cursor_died_reads_everybody() {
    let mut variants = tokio::task::JoinSet::new();
    for dead in [
        (404, json!({"status": {"error": true}})),
        (403, json!({"status": {"error": true}})),
        (500, json!({})),
        (200, json!({"status": {"error": true, "code": 400}})),
        (
            200,
            json!({"status": {"error": false}, "pagination": {"after_cursor": null}, "data": []}),
        ),
        (200, json!({"status": {"error": false}, "data": null})),
    ] {
        variants.spawn(with_dead_cursor(dead));
    }
    while let Some(outcome) = variants.join_next().await {
        outcome.unwrap();
    }
}
