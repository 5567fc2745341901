//! Helpers that act as a client; the tests are in the files beside.

mod faults;
mod paging;
mod refusals;

use std::time::Duration;

use chrono::{TimeDelta, TimeZone};
use reqwest::Response;
use serde_json::Value;

use super::*;
use crate::client::plain_client;
use crate::generate::pingone::Activities;

fn start_time() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 20, 10, 0, 0)
        .single()
        .expect("the time exists")
}

/// So many activities, two in every millisecond.
fn activities(count: i64) -> Vec<Activity> {
    let mut generator = Activities::new(11, &EnvironmentOptions::default().environment_id);
    (0..count)
        .map(|step| generator.at(start_time() + TimeDelta::milliseconds(step / 2)))
        .collect()
}

async fn ask_token(server: &PingOne, environment: &str, style: TokenStyle, secret: &str) -> Response {
    let options = EnvironmentOptions::default();
    let request = plain_client()
        .post(format!("{}/{environment}/as/token", server.origin()))
        .header("Content-Type", "application/x-www-form-urlencoded");
    let request = match style {
        TokenStyle::Basic => request
            .basic_auth(&options.client_id, Some(secret))
            .body("grant_type=client_credentials"),
        TokenStyle::Body => request.body(format!(
            "grant_type=client_credentials&client_id={}&client_secret={secret}",
            options.client_id
        )),
    };
    request.send().await.expect("the token endpoint answers")
}

async fn token(server: &PingOne) -> String {
    let options = EnvironmentOptions::default();
    let answer = ask_token(
        server,
        &options.auth_environment_id,
        TokenStyle::Basic,
        &options.client_secret,
    )
    .await;
    assert_eq!(answer.status(), 200);
    let body = json_of(answer).await;
    assert_eq!(body["expires_in"], 3600);
    assert_eq!(body["token_type"], "Bearer");
    body["access_token"].as_str().expect("a token").to_owned()
}

async fn json_of(answer: Response) -> Value {
    let text = answer.text().await.expect("the body can be read");
    serde_json::from_str(&text).expect("the body is JSON")
}

fn window(field: &str) -> String {
    format!("{field} ge \"2026-11-20T10:00:00.000Z\" AND {field} lt \"2026-11-20T11:00:00.000Z\"")
}

/// The URL of the activities with these parameters, encoded.
fn url(server: &PingOne, parameters: &[(&str, &str)]) -> String {
    let query: Vec<String> = parameters
        .iter()
        .map(|(name, value)| {
            let value = percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC);
            format!("{name}={value}")
        })
        .collect();
    format!(
        "{}/v1/environments/{}/activities?{}",
        server.origin(),
        EnvironmentOptions::default().environment_id,
        query.join("&")
    )
}

async fn get(url: &str, token: &str) -> Response {
    let request = plain_client().get(url).bearer_auth(token);
    request.send().await.expect("the server answers")
}

fn ids(page: &Value) -> Vec<String> {
    let events = page["_embedded"]["activities"].as_array().expect("a list");
    events
        .iter()
        .map(|event| event["id"].as_str().unwrap_or("-").to_owned())
        .collect()
}

/// Walks from the first page to the last and gives the ids of each page.
async fn walk(server: &PingOne, token: &str, first: String) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut next = Some(first);
    while let Some(url) = next {
        let answer = get(&url, token).await;
        assert_eq!(answer.status(), 200);
        let page = json_of(answer).await;
        pages.push(ids(&page));
        next = page["_links"]["next"]["href"].as_str().map(str::to_owned);
        assert!(next.as_ref().is_none_or(|link| link.starts_with(&server.origin())));
    }
    pages
}
