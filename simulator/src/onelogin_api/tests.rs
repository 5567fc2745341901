use std::time::Duration;

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

use super::*;
use crate::client::plain_client;
use crate::generate::onelogin_api::{ApiEvents, Users};

fn start_time() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 20, 10, 0, 0)
        .single()
        .expect("the time exists")
}

fn events(count: i64) -> Vec<ApiEvent> {
    let mut generator = ApiEvents::new(4, 70_412);
    (0..count)
        .map(|step| generator.at(start_time() + TimeDelta::milliseconds(step / 2)))
        .collect()
}

fn token_request(server: &OneLoginApi) -> RequestBuilder {
    plain_client()
        .post(format!("{}/auth/oauth2/v2/token", server.origin()))
        .header("Content-Type", "application/json")
        .body(json!({"grant_type": "client_credentials"}).to_string())
}

async fn token(server: &OneLoginApi) -> String {
    let options = AccountOptions::default();
    let header = format!(
        "client_id:{}, client_secret:{}",
        options.client_id, options.client_secret
    );
    let answer = token_request(server).header("Authorization", header).send().await;
    let body = json_of(answer.expect("the token endpoint answers")).await;
    body["access_token"].as_str().expect("a token").to_owned()
}

async fn get(server: &OneLoginApi, path: &str, token: &str) -> Response {
    plain_client()
        .get(format!("{}/api/1/{path}", server.origin()))
        .header("Authorization", format!("bearer:{token}"))
        .send()
        .await
        .expect("the server answers")
}

async fn json_of(answer: Response) -> Value {
    let text = answer.text().await.expect("the body can be read");
    serde_json::from_str(&text).expect("the body is JSON")
}

fn ids(page: &Value) -> Vec<u64> {
    let objects = page["data"].as_array().expect("a list");
    objects.iter().filter_map(|object| object["id"].as_u64()).collect()
}

async fn walk(server: &OneLoginApi, first: &str, token: &str) -> Vec<Vec<u64>> {
    let mut pages = Vec::new();
    let mut page = json_of(get(server, first, token).await).await;
    loop {
        pages.push(ids(&page));
        let Some(link) = page["pagination"]["next_link"].as_str() else {
            return pages;
        };
        let request = plain_client().get(link).bearer_auth(token);
        page = json_of(request.send().await.expect("an answer")).await;
    }
}

#[tokio::test]
async fn events_are_read_in_pages_by_either_form_of_the_header() {
    let server = OneLoginApi::start(AccountOptions::default());
    server.publish_events(events(120));
    let token = token(&server).await;
    let expected: Vec<u64> = events(120).into_iter().map(|event| event.id).collect();

    let pages = walk(&server, "events", &token).await;
    let mut backwards = walk(&server, "events?sort=-id&limit=7", &token).await.concat();
    backwards.reverse();

    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [50, 50, 20]);
    assert_eq!(pages.concat(), expected);
    assert_eq!(backwards, expected);
    assert_eq!(server.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn since_and_until_are_exclusive_to_the_millisecond() {
    let server = OneLoginApi::start(AccountOptions::default());
    server.publish_events(events(20));
    let token = token(&server).await;
    let count = async |query: &str| ids(&json_of(get(&server, &format!("events?{query}"), &token).await).await).len();

    assert_eq!(count("since=2026-11-20T10:00:00.003Z").await, 12);
    assert_eq!(count("until=2026-11-20T10:00:00.003Z").await, 6);
    assert_eq!(
        count("since=2026-11-20T10:00:00.003Z&until=2026-11-20T10:00:00.005Z").await,
        2
    );
    assert_eq!(count("since=2026-11-20T10:00:00Z").await, 18);
    assert_eq!(count("since=2026-11-20T09:59:59Z&event_type_id=1,3").await, 2);
}

#[tokio::test]
async fn users_show_their_newest_version_and_are_found_by_their_creation_only() {
    let server = OneLoginApi::start(AccountOptions::default());
    let mut users = Users::new(1);
    let user = users.new_object(start_time());
    let changed = users.update(&user, start_time() + TimeDelta::hours(2));
    let other = users.new_object(start_time());
    server.publish_users([user, other.clone(), changed.clone()]);
    let token = token(&server).await;

    let all = json_of(get(&server, "users?limit=1000", &token).await).await;
    let recent = json_of(get(&server, "users?since=2026-11-20T11:00:00Z", &token).await).await;

    assert_eq!(ids(&all), [changed.id, other.id]);
    assert_eq!(all["data"][0]["title"], "Head");
    assert_eq!(ids(&recent), Vec::<u64>::new());
    assert_eq!(server.current_users(), [changed, other]);
    assert_eq!(server.published_users().len(), 3);
}

#[tokio::test]
async fn credentials_go_into_the_header_in_either_form() {
    let options = AccountOptions::default();
    let server = OneLoginApi::start(AccountOptions::default());
    let basic = |secret: &str| token_request(&server).basic_auth(&options.client_id, Some(secret.to_owned()));
    server.fail_next_tokens([500]);

    let mut statuses = Vec::new();
    for request in [
        basic(&options.client_secret),
        basic(&options.client_secret),
        basic("other"),
        token_request(&server),
        token_request(&server).body("{}"),
    ] {
        statuses.push(request.send().await.expect("an answer").status().as_u16());
    }

    assert_eq!(statuses, [500, 200, 401, 401, 400]);
    assert_eq!(server.violations().len(), 2);
}

#[tokio::test]
async fn what_is_not_documented_is_400_and_a_violation() {
    let server = OneLoginApi::start(AccountOptions::default());
    server.publish_events(events(60));
    let token = token(&server).await;
    let refused = [
        "events?limit=1001",
        "events?limit=0",
        "events?page=2",
        "events?since=2026-11-20",
        "events?since=2026-11-20T10:00:00.000000Z",
        "events?sort=created_at",
        "events?after_cursor=forged",
        "users?event_type_id=5",
    ];
    for path in refused {
        let answer = get(&server, path, &token).await;

        assert_eq!(answer.status(), 400, "{path}");
        assert_eq!(json_of(answer).await["status"]["error"], true);
    }
    assert_eq!(server.violations().len(), refused.len());

    let first = json_of(get(&server, "events?since=2026-11-20T09:00:00Z", &token).await).await;
    let cursor = first["pagination"]["after_cursor"].as_str().expect("a cursor");
    get(&server, &format!("events?after_cursor={cursor}"), &token).await;
    let same = format!("events?since=2026-11-20T09:00:00Z&limit=5&after_cursor={cursor}");
    get(&server, &same, &token).await;
    assert_eq!(server.violations().len(), refused.len());
    let other = format!("events?since=2026-11-20T09:30:00Z&after_cursor={cursor}");
    get(&server, &other, &token).await;
    assert_eq!(server.violations().len(), refused.len() + 1);
}

#[tokio::test]
async fn faults_come_one_per_request_in_order() {
    let server = OneLoginApi::start(AccountOptions {
        token_uses: Some(4),
        ..AccountOptions::default()
    });
    server.publish_events(events(4));
    let token = token(&server).await;
    server.fail_next([
        Fault::Status {
            status: 429,
            retry_after: Some(2),
        },
        Fault::Vendor(OneLoginFault::RateLimitExceeded),
        Fault::HtmlPage,
        Fault::TruncatedJson,
        Fault::Delay(Duration::from_millis(1)),
        Fault::Vendor(OneLoginFault::ForeignNext("http://198.51.100.1:81".to_owned())),
        Fault::RevokeToken,
    ]);

    let limited = get(&server, "events", &token).await;
    assert_eq!(
        (limited.status().as_u16(), limited.headers()["Retry-After"].as_bytes()),
        (429, &b"2"[..])
    );
    let also_limited = get(&server, "events", &token).await;
    assert_eq!(also_limited.status(), 400);
    assert_eq!(json_of(also_limited).await["status"]["message"], "rate_limit_exceeded");
    let markup = get(&server, "events", &token).await;
    assert!(markup.text().await.expect("a body").starts_with("<!doctype"));
    let cut = get(&server, "events", &token).await.text().await.expect("a body");
    assert!(serde_json::from_str::<Value>(&cut).is_err());
    assert_eq!(ids(&json_of(get(&server, "events", &token).await).await).len(), 4);
    let lured = json_of(get(&server, "events", &token).await).await;
    let link = lured["pagination"]["next_link"].as_str().expect("a link");
    assert!(link.starts_with("http://198.51.100.1:81/api/1/events?"));
    assert_eq!(get(&server, "events", &token).await.status(), 401);
    assert_eq!(get(&server, "events", &token).await.status(), 401);
    assert_eq!(server.waiting_faults(), 0);
    assert_eq!(server.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_page_can_begin_with_the_last_event_of_the_page_before_and_a_reset_is_no_answer() {
    let server = OneLoginApi::start(AccountOptions::default());
    server.publish_events(events(60));
    let token = token(&server).await;
    server.fail_next([
        Fault::Delay(Duration::ZERO),
        Fault::RepeatLastOfPreviousPage,
        Fault::Reset,
    ]);

    let pages = walk(&server, "events", &token).await;
    let url = format!("{}/api/1/events", server.origin());
    let cut = plain_client().get(url).bearer_auth(&token).send().await;

    assert_eq!(pages[1].len(), 11);
    assert_eq!(pages[1].first(), pages[0].last());
    assert!(cut.is_err());
    assert_eq!(server.requests().last().map(|request| request.status), Some(0));
}
