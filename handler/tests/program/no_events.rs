//! What looks like an event and says nothing, and events that come in the form of another product.

use chrono::TimeDelta;
use serde_json::{Value, json};
use simulator::functions_host::{FunctionsHost, Mode};
use simulator::pingone::PingOne;
use simulator::pingone_enterprise::PingOneEnterprise;
use simulator::sentinelone::{SentinelOne, Stream};

use crate::harness::*;

fn activity(id: &str) -> Value {
    let time = (now() - TimeDelta::minutes(5)).to_rfc3339();
    json!({"id": id, "recordedAt": time, "createdAt": time, "action": {"type": "USER.UPDATED"}})
}

async fn push(host: &FunctionsHost, vendor: &str, body: &Value) -> Value {
    let headers = [("Authorization".to_owned(), format!("Bearer {PUSH_TOKEN}"))];
    let path = format!("/api/push/{vendor}");
    let answer = host
        .http("POST", &path, &headers, body.to_string().into_bytes())
        .await
        .unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    serde_json::from_slice(&answer.body).unwrap()
}

fn said(stored: usize, dead_lettered: usize) -> Value {
    json!({"stored": stored, "dead_lettered": dead_lettered})
}

fn pingone_push_only() -> Handler {
    let mut handler = Handler::new();
    handler.set("PINGONE__PUSH_TOKEN", PUSH_TOKEN);
    handler
}

fn wrapped(event: &Value) -> Vec<Value> {
    vec![
        json!([{"event": event, "host": "h", "time": 1, "source": "pingone", "sourcetype": "_json"}]),
        json!({"event": event}),
        json!({"event": event.to_string()}),
        json!({"events": [event]}),
        json!([{"common": {"attributes": {"vendor": "x"}}, "logs": [{"timestamp": 1, "message": event.to_string(), "attributes": {"a": 1}}]}]),
        json!([{"eventType": "x", "attributes": event}]),
        json!([{"timestamp": 1, "message": event}]),
        json!({"data": [event]}),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_activity_wrapped_and_bare_is_one_row() {
    let handler = pingone_push_only();
    let host = handler.host(Mode::Proxy).await;
    let event = activity("a1");
    for (number, body) in wrapped(&event).into_iter().enumerate() {
        assert_eq!(push(&host, "pingone", &body).await, said(1, 0), "{body}");
        // The same in every form, and one that has come in no other.
        let own = activity(&format!("own-{number}"));
        assert_eq!(push(&host, "pingone", &wrapped(&own)[number]).await, said(1, 0));
    }
    assert_eq!(push(&host, "pingone", &json!([event])).await, said(1, 0));
    let mut ids = handler.ids(ACTIVITIES);
    ids.sort();
    let expected: Vec<String> = ["a1".to_owned()]
        .into_iter()
        .chain((0..8).map(|number| format!("own-{number}")))
        .collect();
    assert_eq!(ids, expected);
    assert!(handler.dead_letters().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_onelogin_event_is_opened_too_and_needs_neither_key_nor_time() {
    let handler = Handler::with_onelogin();
    let host = handler.host(Mode::Proxy).await;
    let event = json!({"event_type_id": 8, "user_id": 1});
    for body in wrapped(&event) {
        assert_eq!(push(&host, "onelogin", &body).await, said(1, 0), "{body}");
    }
    assert_eq!(push(&host, "onelogin", &event).await, said(1, 0));
    assert_eq!(handler.rows(ONELOGIN).len(), 1);
    assert_eq!(
        push(
            &host,
            "onelogin",
            &json!({"events": [{"event_type_id": 5}, {"event_type_id": 6}]})
        )
        .await,
        said(2, 0)
    );
    assert_eq!(handler.rows(ONELOGIN).len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_which_one_of_two_tables_shows_nothing_is_stored_and_its_dead_letter_is_said_once() {
    let mut handler = pingone_push_only();
    handler.set("PINGONE__TABLES", &format!("{ACTIVITIES},{ACTIVITIES_OLD}"));
    let host = handler.host(Mode::Proxy).await;
    let mut nameless = activity("");
    nameless.as_object_mut().unwrap().remove("id");
    let body = json!([activity("in-both"), nameless]);
    assert_eq!(push(&host, "pingone", &body).await, said(2, 1));
    assert_eq!(push(&host, "pingone", &body).await, said(2, 0));
    assert_eq!(
        (handler.rows(ACTIVITIES).len(), handler.ids(ACTIVITIES_OLD)),
        (2, vec!["in-both".to_owned()])
    );
    let letters = handler.dead_letters();
    assert!(letters.len() == 1 && letters[0].contains(ACTIVITIES_OLD), "{letters:?}");
    // The handler that shows its own status saves what it has counted first.
    let status = host.http("GET", "/api/status", &[], Vec::new()).await.unwrap();
    let status: Value = serde_json::from_slice(&status.body).unwrap();
    let stream = status["streams"]
        .as_array()
        .unwrap()
        .iter()
        .find(|stream| stream["stream"] == "pingone/default/push");
    let tables = stream.unwrap()["tables"].as_array().unwrap();
    let counts_of = |table: &str| {
        let counts = &tables.iter().find(|shown| shown["table"] == table).unwrap()["counts"];
        ["received", "delivered", "seen_before", "dead_lettered"].map(|name| counts[name].as_u64().unwrap())
    };
    assert_eq!(counts_of(ACTIVITIES), [4, 2, 2, 0], "{status}");
    assert_eq!(counts_of(ACTIVITIES_OLD), [4, 1, 2, 1], "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fills_no_column_or_has_neither_name_nor_time_is_set_aside_and_the_push_is_answered_200() {
    for is_polled_too in [false, true] {
        let pingone = PingOne::start(options());
        let mut handler = if is_polled_too {
            Handler::with_pingone(&pingone)
        } else {
            Handler::new()
        };
        handler.set("PINGONE__PUSH_TOKEN", PUSH_TOKEN);
        let host = handler.host(Mode::Proxy).await;
        let body = json!([
            {}, {"unknown": {"form": 1}}, {"event": {"a": 1}, "host": "h"}, {"action": {"type": "USER.CREATED"}},
            {"id": null, "createdAt": "yesterday"}, activity("good"), {"id": "no-time", "action": {"type": "USER.CREATED"}},
        ]);
        for _ in 0..2 {
            assert_eq!(push(&host, "pingone", &body).await, said(2, 5));
        }
        assert_eq!(
            push(&host, "pingone", &json!({"events": [activity("beside"), {}]})).await,
            said(1, 1)
        );
        host.timer().await.unwrap();
        let mut ids = handler.ids(ACTIVITIES);
        ids.sort();
        assert_eq!(ids, ["beside", "good", "no-time"]);
        let letters = handler.dead_letters();
        assert_eq!(letters.len(), 6, "{letters:?}");
        for word in [
            "no column of PingOne_AuditActivitiesV2_CL",
            "neither an identity nor a time",
            "\"form\":1",
        ] {
            assert!(
                letters.iter().any(|letter| letter.contains(word)),
                "{word}: {letters:?}"
            );
        }
        // Nobody makes a row of them later.
        let ended = handler.run(&["replay", "--dead-letters"]).await;
        assert!(ended.output.contains("0 delivered"), "{}", ended.output);
        assert_eq!((handler.ids(ACTIVITIES).len(), handler.dead_letters().len()), (3, 6));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_polled_and_says_nothing_is_a_dead_letter_and_the_rest_arrives() {
    let pingone = PingOne::start(options());
    pingone.publish(activities(90, 5, 30));
    let recorded_at = now() - TimeDelta::minutes(5);
    for text in ["{}", r#"{"_links":{},"note":1}"#, r#"{"action":{"type":"x"}}"#] {
        pingone.publish_raw(recorded_at, text.to_owned());
    }
    let console = SentinelOne::start(console_options());
    let mut estate = Estate::new(90);
    estate.publish(&console, Stream::Activities, [recorded_at]);
    console.publish_raw(
        Stream::Activities,
        format!(r#"{{"createdAt":"{}"}}"#, recorded_at.to_rfc3339()),
    );
    console.publish_raw(Stream::Activities, "{}".to_owned());
    let mut handler = Handler::with_pingone(&pingone);
    handler.add_sentinelone("SENTINELONE__", &console);
    handler.set("SENTINELONE__STREAMS", "activities");
    for _ in 0..2 {
        handler.poll_well().await;
        assert_eq!(
            (
                handler.rows(ACTIVITIES).len(),
                handler.rows("SentinelOneActivities_CL").len()
            ),
            (5, 2)
        );
        assert_eq!(handler.dead_letters().len(), 4);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_consuming_read_gives_is_opened_or_set_aside() {
    let vendor = PingOneEnterprise::start(Default::default());
    let options = simulator::pingone_enterprise::SubscriptionOptions::default();
    let mut handler = Handler::new();
    handler.set("PINGONE_ENTERPRISE__POLL_URL", &vendor.poll_url());
    handler.set("PINGONE_ENTERPRISE__CLIENT_ID", &options.client_id);
    handler.set("PINGONE_ENTERPRISE__CLIENT_SECRET", &options.client_secret);
    handler.set("PINGONE_ENTERPRISE__TOKEN_URL", &vendor.token_url());
    let mut events = simulator::generate::pingone_enterprise::SubscriptionEvents::new(91);
    let bare = events.at(now() - TimeDelta::minutes(4));
    vendor.publish_raw(format!(
        r#"{{"event":{}}}"#,
        events.at(now() - TimeDelta::minutes(3)).json
    ));
    vendor.publish_raw("{}".to_owned());
    vendor.publish([bare]);
    handler.poll_well().await;
    let rows = handler.rows("PingOneEnterprise_AuditEvents_CL");
    assert!(
        rows.len() == 2 && rows.iter().all(|row| row["Id"].is_string()),
        "{rows:?}"
    );
    assert_eq!(handler.dead_letters().len(), 1);
}
