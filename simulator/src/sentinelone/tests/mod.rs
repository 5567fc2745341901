//! Helpers that act as a client; the tests are in the files beside.

mod faults;
mod graphql;
mod paging;
mod refusals;

use std::time::Duration;

use chrono::{TimeDelta, TimeZone};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Response;
use serde_json::Value;

use super::*;
use crate::client::plain_client;
use crate::generate::sentinelone::ConsoleObjects;

fn start_time() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 20, 10, 0, 0)
        .single()
        .expect("the time exists")
}

/// So many activities, three in every microsecond.
fn activities(count: i64) -> Vec<Object> {
    let mut generator = ConsoleObjects::new(11);
    (0..count)
        .map(|step| generator.new_object(Stream::Activities, start_time() + TimeDelta::microseconds(step / 3)))
        .collect()
}

/// A window that holds everything, on that field.
fn window(field: &str) -> [(String, String); 2] {
    [
        ("__gte", "2026-11-20T10:00:00.000000Z"),
        ("__lt", "2026-11-20T11:00:00Z"),
    ]
    .map(|(word, time)| (format!("{field}{word}"), time.to_owned()))
}

fn query(parameters: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    parameters.iter().map(owned).collect()
}

async fn get(server: &SentinelOne, stream: Stream, parameters: &[(String, String)]) -> Response {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let pairs: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
        .collect();
    let token = ConsoleOptions::default().api_token;
    plain_client()
        .get(format!("{}{}?{}", server.origin(), stream.path(), pairs.join("&")))
        .header("Authorization", format!("ApiToken {token}"))
        .send()
        .await
        .expect("the server answers")
}

async fn json_of(answer: Response) -> Value {
    let text = answer.text().await.expect("the body can be read");
    serde_json::from_str(&text).expect("the body is JSON")
}

fn ids(stream: Stream, page: &Value) -> Vec<String> {
    let objects = page["data"].as_array().expect("a list");
    let id = |object: &Value| object.pointer(stream.contract().id)?.as_str().map(str::to_owned);
    objects.iter().map(|object| id(object).unwrap_or_default()).collect()
}

/// Walks from the first page to the last and gives the ids of each page. A cursor is decoded once, as clients do.
async fn walk(server: &SentinelOne, stream: Stream, parameters: &[(String, String)]) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut with_cursor = parameters.to_vec();
        with_cursor.extend(cursor.map(|cursor| ("cursor".to_owned(), cursor)));
        let answer = get(server, stream, &with_cursor).await;
        assert_eq!(answer.status(), 200);
        let page = json_of(answer).await;
        pages.push(ids(stream, &page));
        let next = page["pagination"]["nextCursor"].as_str();
        let Some(next) = next else {
            return pages;
        };
        let decoded = percent_encoding::percent_decode_str(next).decode_utf8_lossy();
        cursor = Some(decoded.into_owned());
    }
}
