//! Events in wrappers that have a name and a time of their own, pushed, read and consumed; and replies of a consuming
//! read that bring nothing new.

use chrono::TimeDelta;
use serde_json::{Value, json};
use simulator::functions_host::Mode;
use simulator::pingone::PingOne;
use simulator::sentinelone::{SentinelOne, Stream};

use crate::harness::*;
use crate::scripted_vendor::ScriptedVendor;

const ENTERPRISE: &str = "PingOneEnterprise_AuditEvents_CL";

fn recent() -> String {
    (now() - TimeDelta::minutes(5)).to_rfc3339()
}

fn activity(id: &str) -> Value {
    json!({"id": id, "recordedAt": recent(), "createdAt": recent(), "action": {"type": "USER.UPDATED"}})
}

pub fn enterprise_event(id: &str) -> Value {
    json!({"id": id, "recorded": recent(), "action": {"type": "AUTHENTICATION"}, "actors": [{"name": "a"}]})
}

fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort();
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pushed_wrapper_with_a_time_of_its_own_hides_no_event() {
    let mut handler = Handler::with_onelogin();
    handler.set("PINGONE__PUSH_TOKEN", &format!("{PUSH_TOKEN}-of-pingone"));
    let host = handler.host(Mode::Proxy).await;
    let second = |user: u64| json!({"event_type_id": 8, "user_id": user, "event_timestamp": "2026-11-20 10:00:00 UTC"});
    for (vendor, token, body, stored) in [
        (
            "pingone",
            format!("{PUSH_TOKEN}-of-pingone"),
            json!({"createdAt": recent(), "id": "w", "events": [activity("a1"), activity("a2")]}),
            2,
        ),
        (
            "pingone",
            format!("{PUSH_TOKEN}-of-pingone"),
            json!({"recordedAt": recent(), "event": activity("a3")}),
            1,
        ),
        (
            "onelogin",
            PUSH_TOKEN.to_owned(),
            json!({"event_timestamp": "2026-11-20 10:00:00 UTC", "events": [second(1), second(2)]}),
            2,
        ),
        (
            // An event that says something itself stays whole.
            "pingone",
            format!("{PUSH_TOKEN}-of-pingone"),
            json!({"id": "whole", "recordedAt": recent(), "action": {"type": "x"}, "event": activity("inner")}),
            1,
        ),
    ] {
        let headers = [("Authorization".to_owned(), format!("Bearer {token}"))];
        let path = format!("/api/push/{vendor}");
        let answer = host.http("POST", &path, &headers, body.to_string().into_bytes()).await;
        let answer = answer.unwrap();
        let said: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(said["stored"], stored, "{body}: {}", answer.text());
    }
    assert_eq!(sorted(handler.ids(ACTIVITIES)), ["a1", "a2", "a3", "whole"]);
    assert_eq!(handler.rows(ONELOGIN).len(), 2);
    assert!(handler.dead_letters().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn wrappers_in_a_polled_list_are_opened_and_their_events_known_again_when_they_come_bare() {
    let pingone = PingOne::start(options());
    let at = now() - TimeDelta::minutes(5);
    for wrapper in [
        json!({"event": activity("a1"), "time": 1}),
        json!({"events": [activity("a2"), activity("a3")]}),
        json!({"message": activity("a4").to_string()}),
        json!({"id": "w", "recordedAt": recent(), "events": [activity("a5")]}),
        activity("a1"),
    ] {
        pingone.publish_raw(at, wrapper.to_string());
    }
    let handler = Handler::with_pingone(&pingone);
    handler.poll_well().await;
    handler.poll_well().await;
    assert_eq!(sorted(handler.ids(ACTIVITIES)), ["a1", "a2", "a3", "a4", "a5"]);
    assert!(handler.dead_letters().is_empty());

    let console = SentinelOne::start(console_options());
    let activity = |id: &str| json!({"id": id, "createdAt": recent(), "updatedAt": recent(), "activityType": 5, "primaryDescription": "d"});
    for wrapper in [
        json!({"createdAt": recent(), "updatedAt": recent(), "events": [activity("s1")]}),
        json!({"createdAt": recent(), "updatedAt": recent(), "event": activity("s2")}),
        json!({"createdAt": recent(), "updatedAt": recent(), "id": "w", "data": [activity("s3")]}),
    ] {
        console.publish_raw(Stream::Activities, wrapper.to_string());
    }
    let handler = Handler::with_sentinelone(&console, "activities");
    handler.poll_well().await;
    assert_eq!(sorted(handler.ids("SentinelOneActivities_CL")), ["s1", "s2", "s3"]);
    assert!(handler.dead_letters().is_empty());
}

pub async fn enterprise(replies: Vec<String>, then: &str) -> (Handler, ScriptedVendor) {
    let (replies, then) = (parking_lot::Mutex::new(replies.into_iter()), then.to_owned());
    let vendor = ScriptedVendor::start(move |asked| {
        if asked.path.ends_with("token") {
            let token = json!({"access_token": "t", "expires_in": 3600, "token_type": "Bearer"});
            return (200, token.to_string());
        }
        let next = replies.lock().next();
        (200, next.unwrap_or_else(|| then.clone()))
    })
    .await;
    let mut handler = Handler::new();
    let origin = &vendor.origin;
    handler.set(
        "PINGONE_ENTERPRISE__POLL_URL",
        &format!("{origin}/v3/reports/acc/poll-subscriptions/sub/events"),
    );
    handler.set("PINGONE_ENTERPRISE__USERNAME", "u");
    handler.set("PINGONE_ENTERPRISE__PASSWORD", "p");
    handler.set("POLL_BUDGET", "8s");
    (handler, vendor)
}

#[tokio::test(flavor = "multi_thread")]
async fn consumed_wrappers_with_a_time_of_their_own_hide_no_event() {
    let replies = vec![
        json!([{"recorded": recent(), "events": [enterprise_event("e1"), enterprise_event("e2")]}]).to_string(),
        json!([{"id": "w", "recorded": recent(), "event": enterprise_event("e3")}]).to_string(),
        json!({"id": "w", "recorded": recent(), "event": enterprise_event("e4")}).to_string(),
    ];
    let (handler, _vendor) = enterprise(replies, "[]").await;
    handler.poll_well().await;
    assert_eq!(sorted(handler.ids(ENTERPRISE)), ["e1", "e2", "e3", "e4"]);
    assert!(handler.dead_letters().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_brings_nothing_new_ends_the_turn() {
    let same = json!([enterprise_event("e1")]).to_string();
    for (reply, polls, dead_letters) in [
        ("[null]", 1, 1),
        ("[7]", 1, 1),
        (r#"["busy"]"#, 1, 1),
        (r#"[{"error":"x","code":5}]"#, 1, 1),
        (r#"{"events":[{}]}"#, 1, 1),
        ("[{}]", 1, 1),
        ("[[]]", 1, 1),
        ("[]", 1, 0),
        ("{}", 1, 0),
        (r#"{"events":[]}"#, 1, 0),
        (&same, 2, 0),
    ] {
        let (handler, vendor) = enterprise(Vec::new(), reply).await;
        let ended = handler.poll().await;
        let asked = vendor.asked("/v3/reports/acc/poll-subscriptions/sub/events").len();
        assert_eq!((ended.code, asked), (Some(0), polls), "{reply}: {}", ended.output);
        assert_eq!(handler.dead_letters().len(), dead_letters, "{reply}");
    }
}
