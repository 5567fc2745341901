//! SentinelOne's answers that hold errors, or less than they promise.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::harness::*;
use crate::scripted_vendor::{Asked, ScriptedVendor};

const ACTIVITIES: &str = "SentinelOneActivities_CL";
const UNIFIED: &str = "SentinelOneAlertsV2_CL";
const PAGE: usize = 3;

/// A console with some objects of half an hour ago, three to a page.
#[derive(Clone)]
struct Console {
    count: i64,
    born: DateTime<Utc>,
    /// Answers as the test says instead of as it should.
    is_sick: Arc<AtomicBool>,
}

impl Console {
    fn with(count: i64) -> Self {
        Self {
            count,
            born: now() - TimeDelta::minutes(30),
            is_sick: Arc::new(AtomicBool::new(true)),
        }
    }

    fn heal(&self) {
        self.is_sick.store(false, Ordering::SeqCst);
    }

    fn is_sick(&self) -> bool {
        self.is_sick.load(Ordering::SeqCst)
    }

    fn time(&self, number: i64) -> DateTime<Utc> {
        self.born + TimeDelta::milliseconds(number)
    }

    fn between(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<i64> {
        let numbers = 0..self.count;
        numbers
            .filter(|number| (from..to).contains(&self.time(*number)))
            .collect()
    }

    /// The right page of activities, and whether it is the first and the last.
    fn activities(&self, asked: &Asked) -> (Value, bool, bool) {
        let bound = |name: &str| asked.value(name).unwrap().parse::<DateTime<Utc>>().unwrap();
        let numbers = self.between(bound("createdAt__gte"), bound("createdAt__lt"));
        let skipped: usize = asked.value("cursor").map_or(0, |cursor| cursor.parse().unwrap());
        let data: Vec<_> = numbers.iter().skip(skipped).take(PAGE).collect();
        let data: Vec<_> = data
            .iter()
            .map(|number| json!({"id": number.to_string(), "activityType": 27, "createdAt": self.time(**number).to_rfc3339()}))
            .collect();
        let end = skipped + data.len();
        let next = (end < numbers.len()).then(|| end.to_string());
        let is_last = next.is_none();
        let page = json!({"data": data, "pagination": {"nextCursor": next, "totalItems": numbers.len()}});
        (page, skipped == 0, is_last)
    }

    /// The right page of alerts, likewise.
    fn alerts(&self, asked: &Asked) -> (Value, bool, bool) {
        let body: Value = serde_json::from_str(&asked.body).unwrap();
        let range = &body["variables"]["filters"][0]["dateTimeRange"];
        let bound = |name: &str| DateTime::from_timestamp_millis(range[name].as_i64().unwrap()).unwrap();
        let numbers = self.between(bound("start"), bound("end"));
        let skipped = body["variables"]["after"]
            .as_str()
            .map_or(0, |after| after.parse().unwrap());
        let edges: Vec<_> = numbers.iter().skip(skipped).take(PAGE).collect();
        let edges: Vec<_> = edges
            .iter()
            .map(|number| {
                let at = self.time(**number).to_rfc3339();
                json!({"node": {"id": number.to_string(), "name": "an alert", "createdAt": at, "updatedAt": at}})
            })
            .collect();
        let end = skipped + edges.len();
        let has_next = end < numbers.len();
        let page_info = json!({"hasNextPage": has_next, "endCursor": end.to_string()});
        let page = json!({"data": {"alerts": {"edges": edges, "pageInfo": page_info}}});
        (page, skipped == 0, !has_next)
    }
}

fn configured(vendor: &ScriptedVendor, stream: &str) -> Handler {
    let mut handler = Handler::new();
    handler
        .set("SENTINELONE__URL", &vendor.origin)
        .set("SENTINELONE__API_TOKEN", CLIENT_SECRET)
        .set("SENTINELONE__STREAMS", stream);
    handler
}

fn ids(handler: &Handler, table: &str) -> Vec<String> {
    let rows = handler.rows(table);
    let id = |row: &Value| {
        let found = ["ActivityId", "AlertId", "Id", "OriginalId"]
            .iter()
            .find_map(|name| row[*name].as_str());
        found.unwrap_or_else(|| panic!("{row}")).to_owned()
    };
    let mut ids: Vec<_> = rows.iter().map(id).collect();
    ids.sort();
    ids
}

fn every(count: i64) -> Vec<String> {
    (0..count).map(|number| number.to_string()).collect()
}

/// While the console is sick the run fails and keeps its place; the next one brings the rest, and nothing twice.
async fn assert_interrupted(console: &Console, vendor: &ScriptedVendor, stream: &str, table: &str, words: &str) {
    let handler = configured(vendor, stream);
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(1), "{}", ended.output);
    let name = format!("sentinelone/default/{stream}");
    assert!(ended.output.contains(&name), "{}", ended.output);
    assert!(ended.output.contains(words), "{words}: {}", ended.output);
    console.heal();
    handler.poll_well().await;
    assert_eq!(ids(&handler, table), every(6));
    handler.poll_well().await;
    assert_eq!(ids(&handler, table), every(6));
}

async fn with_activities(on_first: bool, words: &'static str, spoil: impl Fn(Value) -> Value + Send + Sync + 'static) {
    let console = Console::with(6);
    let answering = console.clone();
    let vendor = ScriptedVendor::start(move |asked| {
        let (page, is_first, is_last) = answering.activities(asked);
        let is_meant = if on_first { is_first } else { is_last && !is_first };
        let page = if is_meant && answering.is_sick() {
            spoil(page)
        } else {
            page
        };
        (200, page.to_string())
    })
    .await;
    assert_interrupted(&console, &vendor, "activities", ACTIVITIES, words).await;
}

fn with(mut page: Value, key: &str, value: Value) -> Value {
    page[key] = value;
    page
}

fn error() -> Value {
    json!({"code": 5000010, "title": "Internal server error", "detail": "not now"})
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_in_a_page_of_a_list_are_no_end_of_it_in_whatever_form_the_data_is_missing() {
    let title = "Internal server error";
    let mut variants = tokio::task::JoinSet::new();
    for data in [json!([]), Value::Null, json!({}), json!("")] {
        variants.spawn(with_activities(false, title, move |page| {
            with(with(page, "data", data.clone()), "errors", json!([error()]))
        }));
    }
    variants.spawn(with_activities(false, title, |_| json!({"errors": [error()]})));
    variants.spawn(with_activities(false, title, |page| with(page, "errors", error())));
    variants.spawn(with_activities(false, title, move |page| {
        with(page, "errors", json!(title))
    }));
    variants.spawn(with_activities(true, title, |page| {
        with(page, "errors", json!([error()]))
    }));
    while let Some(outcome) = variants.join_next().await {
        outcome.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_last_page_that_leaves_the_total_unreached_is_no_end() {
    let mut variants = tokio::task::JoinSet::new();
    for total in [json!(6), json!("6")] {
        for data in [json!([]), Value::Null] {
            let pagination = json!({"nextCursor": null, "totalItems": total});
            variants.spawn(with_activities(
                false,
                "3 of the 6",
                move |_| json!({"data": data, "pagination": pagination}),
            ));
        }
    }
    for (data, total) in [(json!([]), 0), (Value::Null, 0), (Value::Null, 3), (json!([]), 2)] {
        let pagination = json!({"nextCursor": null, "totalItems": total});
        variants.spawn(with_activities(
            false,
            "3 of the 6",
            move |_| json!({"data": data, "pagination": pagination}),
        ));
    }
    variants.spawn(with_activities(
        false,
        "3 of the 6",
        |_| json!({"data": [], "pagination": null}),
    ));
    variants.spawn(with_activities(true, "3 of the 6", |page| {
        with(page, "pagination", json!({"nextCursor": null, "totalItems": 6}))
    }));
    variants.spawn(with_activities(false, "4 of the 6", |mut page| {
        page["data"].as_array_mut().unwrap().truncate(1);
        page
    }));
    while let Some(outcome) = variants.join_next().await {
        outcome.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_page_behind_a_cursor_is_the_end_once_the_total_is_reached() {
    for (data, total, errors) in [
        (Value::Null, json!(3), Value::Null),
        (json!([]), json!(3), json!([])),
        (Value::Null, json!("3"), json!([])),
        (json!([]), Value::Null, Value::Null),
        (json!([]), json!(2), Value::Null),
    ] {
        let console = Console::with(3);
        let last = json!({"data": data, "errors": errors, "pagination": {"nextCursor": null, "totalItems": total}});
        let said = last.to_string();
        let vendor = ScriptedVendor::start(move |asked| {
            if asked.value("cursor").is_some() {
                return (200, said.clone());
            }
            let (mut page, ..) = console.activities(asked);
            page["pagination"]["nextCursor"] = json!("3");
            if total.is_null() {
                page["pagination"]["totalItems"] = Value::Null;
            }
            (200, page.to_string())
        })
        .await;
        let handler = configured(&vendor, "activities");
        handler.poll_well().await;
        assert_eq!(ids(&handler, ACTIVITIES), every(3), "{last}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_come_twice_count_once_toward_the_total() {
    let console = Console::with(6);
    let answering = console.clone();
    let vendor = ScriptedVendor::start(move |asked| {
        let (page, is_first, _) = answering.activities(asked);
        if is_first || !answering.is_sick() {
            return (200, page.to_string());
        }
        let mut first = asked.clone();
        first.query.retain(|(name, _)| name != "cursor");
        let (again, ..) = answering.activities(&first);
        (
            200,
            with(again, "pagination", json!({"nextCursor": null, "totalItems": 6})).to_string(),
        )
    })
    .await;
    assert_interrupted(&console, &vendor, "activities", ACTIVITIES, "3 of the 6").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_page_that_leads_on_is_the_end_once_the_total_is_reached() {
    for data in [Value::Null, json!([])] {
        let console = Console::with(3);
        let vendor = ScriptedVendor::start(move |asked| {
            let (mut page, ..) = console.activities(asked);
            let number = asked
                .value("cursor")
                .map_or(3, |cursor| cursor.parse::<u64>().unwrap() + 1);
            page["pagination"]["nextCursor"] = json!(number.to_string());
            if asked.value("cursor").is_some() {
                page["data"] = data.clone();
            }
            (200, page.to_string())
        })
        .await;
        let handler = configured(&vendor, "activities");
        handler.poll_well().await;
        assert_eq!(ids(&handler, ACTIVITIES), every(3));
        assert!(vendor.asked("/activities").len() < 5);
    }
}

async fn with_alerts(on_first: bool, words: &'static str, spoil: impl Fn(Value) -> Value + Send + Sync + 'static) {
    let console = Console::with(6);
    let answering = console.clone();
    let vendor = ScriptedVendor::start(move |asked| {
        if asked.body.contains("alertColumnMetadata") {
            return (
                200,
                json!({"data": {"alertColumnMetadata": [{"fieldId": "updatedAt"}]}}).to_string(),
            );
        }
        let (page, is_first, is_last) = answering.alerts(asked);
        let is_meant = if on_first { is_first } else { is_last && !is_first };
        let page = if is_meant && answering.is_sick() {
            spoil(page)
        } else {
            page
        };
        (200, page.to_string())
    })
    .await;
    assert_interrupted(&console, &vendor, "unified-alerts", UNIFIED, words).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn graphql_answers_with_errors_or_without_a_part_are_no_whole_pages() {
    let class = "DataFetchingException";
    let failed = move || {
        json!([{
            "message": "Exception while fetching data (/alerts/edges) : late",
            "path": ["alerts", "edges"],
            "extensions": {"classification": class},
        }])
    };
    let mut variants = tokio::task::JoinSet::new();
    variants.spawn(with_alerts(
        false,
        class,
        move |_| json!({"data": {"alerts": {"edges": null, "pageInfo": null}}, "errors": failed()}),
    ));
    variants.spawn(with_alerts(true, class, move |mut page| {
        page["data"]["alerts"]["pageInfo"] = Value::Null;
        with(page, "errors", failed())
    }));
    variants.spawn(with_alerts(false, class, move |page| with(page, "errors", failed())));
    variants.spawn(with_alerts(
        false,
        class,
        move |_| json!({"data": {"alerts": null}, "errors": failed()}),
    ));
    variants.spawn(with_alerts(false, class, move |_| json!({"errors": failed()})));
    variants.spawn(with_alerts(true, "next page", |mut page| {
        page["data"]["alerts"].as_object_mut().unwrap().remove("pageInfo");
        page
    }));
    variants.spawn(with_alerts(true, "not where", |mut page| {
        page["data"]["alerts"]["pageInfo"]["endCursor"] = Value::Null;
        page
    }));
    variants.spawn(with_alerts(false, "edges", |mut page| {
        page["data"]["alerts"].as_object_mut().unwrap().remove("edges");
        page
    }));
    while let Some(outcome) = variants.join_next().await {
        outcome.unwrap();
    }
}

/// A console whose schema knows every field but one; `status` and the words are its server's.
async fn console_without(field: &'static str, status: u16, message: String) -> ScriptedVendor {
    let console = Console::with(3);
    ScriptedVendor::start(move |asked| {
        if asked.body.contains("alertColumnMetadata") {
            return (
                200,
                json!({"data": {"alertColumnMetadata": [{"fieldId": "updatedAt"}]}}).to_string(),
            );
        }
        let body: Value = serde_json::from_str(&asked.body).unwrap();
        let query = body["query"].as_str().unwrap();
        if query.split([' ', '{', '}']).any(|word| word == field) {
            let errors = json!([{"message": message, "extensions": {"classification": "ValidationError"}}]);
            return (status, json!({"errors": errors}).to_string());
        }
        (200, console.alerts(asked).0.to_string())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_the_schema_does_not_know_is_left_out_and_said() {
    for (status, message) in [
        (
            200,
            "Validation error (FieldUndefined@[alerts/edges/node/storylineId]) : Field 'storylineId' in type 'Alert' is undefined",
        ),
        (400, "Cannot query field \"storylineId\" on type \"Alert\"."),
    ] {
        let vendor = console_without("storylineId", status, message.to_owned()).await;
        let handler = configured(&vendor, "unified-alerts");
        let output = handler.poll_well().await;
        assert!(output.contains("storylineId"), "{output}");
        assert_eq!(ids(&handler, UNIFIED), every(3));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_cannot_be_left_out_is_named_with_what_to_do() {
    let message = "Cannot query field \"updatedAt\" on type \"Alert\".";
    let vendor = console_without("updatedAt", 200, message.to_owned()).await;
    let handler = configured(&vendor, "unified-alerts");
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(1), "{}", ended.output);
    for words in [
        "sentinelone/default/unified-alerts",
        "updatedAt",
        "SENTINELONE__STREAMS",
    ] {
        assert!(ended.output.contains(words), "{words}: {}", ended.output);
    }
}
