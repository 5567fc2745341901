//! Pages of which one event cannot be read, and pages that lead nowhere or back.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::harness::*;
use crate::scripted_vendor::{Asked, ScriptedVendor};

/// What stands in the links of the last page, which begins at a place.
type Way = Box<dyn Fn(&Asked, usize) -> Value + Send + Sync>;

const UNREADABLE: [&str; 4] = [
    "{\"id\":\"bad\",\"note\":\"a\tb\"}",
    r#"{"id":"bad","score":NaN}"#,
    r#"{"id":"bad","note":"\q"}"#,
    r#"{"id":"bad","path":"C:\temp\"}"#,
];

fn token(asked: &Asked) -> Option<(u16, String)> {
    let is_token = asked.path.ends_with("/token");
    let body = json!({"access_token": "a-token", "token_type": "Bearer", "expires_in": 3600});
    is_token.then(|| (200, body.to_string()))
}

/// Activities at five minutes ago and now and then more, ten to a page.
fn pingone_page(asked: &Asked, count: i64, next: impl Fn(usize, usize) -> Value) -> String {
    let filter = asked.value("filter").unwrap_or_default().to_owned();
    let bound = |place: usize| filter.split('"').nth(place).unwrap().parse::<DateTime<Utc>>().unwrap();
    let skipped: usize = asked.value("from").map_or(0, |from| from.parse().unwrap());
    let start = now() - TimeDelta::minutes(20);
    let times = (0..count).map(|number| (number, start));
    let shown: Vec<_> = times.filter(|(_, at)| *at > bound(1) && *at < bound(3)).collect();
    let events: Vec<_> = shown
        .iter()
        .skip(skipped)
        .take(10)
        .map(|(number, at)| json!({"id": format!("a{number}"), "recordedAt": at.to_rfc3339(), "action": {"type": "X"}}))
        .collect();
    let is_last = skipped + events.len() >= shown.len();
    let links = match is_last {
        true => next(skipped, events.len()),
        false => {
            let query = url_query(asked, skipped + 10);
            json!({"next": {"href": format!("{}?{query}", asked.path)}})
        }
    };
    json!({"_links": links, "_embedded": {"activities": events}}).to_string()
}

fn url_query(asked: &Asked, from: usize) -> String {
    let mut url = reqwest::Url::parse("http://x/").unwrap();
    for (key, value) in asked.query.iter().filter(|(key, _)| key != "from") {
        url.query_pairs_mut().append_pair(key, value);
    }
    url.query_pairs_mut().append_pair("from", &from.to_string());
    url.query().unwrap().to_owned()
}

fn pingone(vendor: &ScriptedVendor) -> Handler {
    let mut handler = Handler::new();
    for (key, value) in [
        ("ENVIRONMENT_ID", ENVIRONMENT_ID),
        ("CLIENT_ID", "worker"),
        ("CLIENT_SECRET", CLIENT_SECRET),
        ("API_URL", &vendor.origin),
        ("AUTH_URL", &vendor.origin),
        ("REQUESTS_PER_SECOND", "1000"),
    ] {
        handler.set(&format!("PINGONE__{key}"), value);
    }
    handler
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_leads_back_or_nowhere_is_delivered_and_ends_the_walk() {
    let own =
        |asked: &Asked, from: usize| json!({"next": {"href": format!("{}?{}", asked.path, url_query(asked, from))}});
    let ways: Vec<Way> = vec![
        Box::new(own),
        Box::new(move |asked, from| own(asked, from.saturating_sub(10))),
        Box::new(|_, _| json!({"next": ""})),
        Box::new(|_, _| json!({"next": {}})),
        Box::new(|_, _| json!({"next": []})),
        Box::new(|_, _| json!({"next": {"href": ""}})),
        Box::new(|_, _| json!([])),
        Box::new(|_, _| json!("")),
        Box::new(|_, _| Value::Null),
    ];
    for way in ways {
        let count = Arc::new(AtomicI64::new(40));
        let published = count.clone();
        let vendor = ScriptedVendor::start(move |asked| {
            let page = || pingone_page(asked, published.load(Ordering::SeqCst), |from, _| way(asked, from));
            token(asked).unwrap_or_else(|| (200, page()))
        })
        .await;
        let handler = pingone(&vendor);
        handler.poll_well().await;
        assert_eq!(handler.rows(ACTIVITIES).len(), 40);
        count.store(50, Ordering::SeqCst);
        let mut handler_later = handler;
        handler_later.set("POLL_OVERLAP", "40m");
        handler_later.poll_well().await;
        let ids = handler_later.ids(ACTIVITIES);
        let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(ids.len(), distinct.len());
    }
}

/// Puts an unreadable event between the first and the second event of a page.
fn spoiled(page: &str, bad: &str) -> String {
    page.replacen("},{\"", &format!("}},{bad},{{\""), 1)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_event_is_set_aside_alone_and_the_stream_goes_on() {
    for bad in UNREADABLE {
        let at = (now() - TimeDelta::minutes(5)).to_rfc3339();
        let vendor = ScriptedVendor::start(move |asked| {
            let events = |time: &str, count: i64| -> Vec<Value> {
                (0..count).map(|number| json!({"id": number.to_string(), time: at})).collect()
            };
            let page = match asked.path.as_str() {
                path if path.ends_with("/token") => return token(asked).unwrap(),
                path if path.starts_with("/v1/") => json!({"_embedded": {"activities": events("recordedAt", 20)}}),
                path if path.starts_with("/web/") => {
                    json!({"data": events("createdAt", 20), "pagination": {"nextCursor": null, "totalItems": 21}})
                }
                path if path.ends_with("/events") => {
                    json!({"status": {"error": false}, "pagination": {"after_cursor": null}, "data": events("created_at", 20)})
                }
                _ => json!({"status": {"error": false}, "pagination": {"after_cursor": null}, "data": []}),
            };
            (200, spoiled(&page.to_string(), bad))
        })
        .await;
        let mut handler = pingone(&vendor);
        handler
            .set("SENTINELONE__URL", &vendor.origin)
            .set("SENTINELONE__API_TOKEN", CLIENT_SECRET)
            .set("SENTINELONE__STREAMS", "activities")
            .set("ONELOGIN__URL", &vendor.origin)
            .set("ONELOGIN__CLIENT_ID", "an-id")
            .set("ONELOGIN__CLIENT_SECRET", CLIENT_SECRET);
        for _ in 0..2 {
            let ended = handler.poll().await;
            assert_eq!(ended.code, Some(0), "{bad}: {}", ended.output);
            for table in [ACTIVITIES, "SentinelOneActivities_CL", "OneLoginEventsV2_CL"] {
                assert_eq!(handler.rows(table).len(), 20, "{bad} {table}");
            }
            let letters = handler.dead_letters();
            assert_eq!(letters.len(), 3, "{bad}: {letters:?}");
            assert!(
                letters
                    .iter()
                    .all(|letter| letter.contains("is not JSON") && letter.contains("bad"))
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_region_or_environment_is_named() {
    for status in [400, 404] {
        let vendor =
            ScriptedVendor::start(move |_| (status, r#"{"code":"NOT_FOUND","message":"no"}"#.to_owned())).await;
        let ended = pingone(&vendor).poll().await;
        assert_eq!(ended.code, Some(1));
        for setting in ["PINGONE__REGION", "PINGONE__ENVIRONMENT_ID"] {
            assert!(ended.output.contains(setting), "{setting}: {}", ended.output);
        }
    }
}
