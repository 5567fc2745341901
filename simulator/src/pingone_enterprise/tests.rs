use std::time::Duration;

use chrono::{TimeDelta, TimeZone, Utc};
use reqwest::Response;
use serde_json::Value;

use super::*;
use crate::client::plain_client;
use crate::generate::pingone_enterprise::SubscriptionEvents;

fn events(count: i64) -> Vec<SubscriptionEvent> {
    let start = Utc.with_ymd_and_hms(2026, 11, 20, 10, 0, 0).single().expect("a time");
    let mut generator = SubscriptionEvents::new(2);
    (0..count)
        .map(|step| generator.at(start + TimeDelta::seconds(step)))
        .collect()
}

fn exact(batch_size: usize) -> SubscriptionOptions {
    SubscriptionOptions {
        batch_size,
        uneven_batches: false,
        ..SubscriptionOptions::default()
    }
}

async fn ask_token(server: &PingOneEnterprise, secret: &str) -> Response {
    let body = format!(
        "grant_type=client_credentials&client_id={}&client_secret={secret}",
        SubscriptionOptions::default().client_id
    );
    plain_client()
        .post(server.token_url())
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(body)
        .send()
        .await
        .expect("the token endpoint answers")
}

async fn token(server: &PingOneEnterprise) -> String {
    let answer = ask_token(server, &SubscriptionOptions::default().client_secret).await;
    let body: Value = serde_json::from_str(&answer.text().await.expect("a body")).expect("JSON");
    body["access_token"].as_str().expect("a token").to_owned()
}

async fn poll(server: &PingOneEnterprise, token: &str) -> Response {
    let request = plain_client().get(server.poll_url()).bearer_auth(token);
    request.send().await.expect("the server answers")
}

async fn ids(answer: Response) -> Vec<String> {
    assert_eq!(answer.status(), 200);
    let list: Vec<Value> = serde_json::from_str(&answer.text().await.expect("a body")).expect("a list");
    list.iter()
        .map(|event| event["id"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test]
async fn reading_consumes_and_batches_are_less_or_more_than_their_size() {
    let server = PingOneEnterprise::start(SubscriptionOptions {
        batch_size: 10,
        ..SubscriptionOptions::default()
    });
    server.publish(events(100));
    let token = token(&server).await;
    let mut sizes = Vec::new();
    let mut seen = Vec::new();
    loop {
        let batch = ids(poll(&server, &token).await).await;
        if batch.is_empty() {
            break;
        }
        sizes.push(batch.len());
        seen.extend(batch);
    }

    assert_eq!(seen, events(100).into_iter().map(|event| event.id).collect::<Vec<_>>());
    assert!(
        sizes.iter().any(|size| *size < 10) && sizes.iter().any(|size| *size > 10),
        "{sizes:?}"
    );
    assert_eq!(server.waiting_events(), 0);
    assert_eq!(server.consumed().len(), sizes.len() + 1);
    assert_eq!(server.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_read_that_fails_before_the_queue_takes_nothing() {
    let server = PingOneEnterprise::start(exact(5));
    server.publish(events(5));
    let token = token(&server).await;
    let timeout = SubscriptionFault::Status {
        status: 504,
        retry_after: None,
    };
    server.fail_next([
        timeout,
        SubscriptionFault::ExpireToken,
        SubscriptionFault::ResetBeforeConsuming,
    ]);

    assert_eq!(poll(&server, &token).await.status(), 504);
    assert_eq!(poll(&server, &token).await.status(), 403);
    let cut = plain_client().get(server.poll_url()).bearer_auth(&token).send().await;

    assert!(cut.is_err());
    assert_eq!(poll(&server, &token).await.status(), 403, "the token is gone");
    assert_eq!(server.waiting_events(), 5);
    assert!(server.consumed().is_empty());
    assert_eq!(server.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_read_that_fails_behind_the_queue_has_consumed() {
    let server = PingOneEnterprise::start(exact(4));
    server.publish(events(16));
    let token = token(&server).await;
    server.fail_next([
        SubscriptionFault::TruncatedJson,
        SubscriptionFault::NotJson,
        SubscriptionFault::ResetAfterConsuming,
        SubscriptionFault::BreakInBody,
    ]);

    let cut = poll(&server, &token).await.text().await.expect("a body");
    let markup = poll(&server, &token).await.text().await.expect("a body");
    let reset = plain_client().get(server.poll_url()).bearer_auth(&token).send().await;

    assert!(serde_json::from_str::<Value>(&cut).is_err());
    assert!(markup.starts_with("<!doctype"));
    assert!(reset.is_err());
    let broken = poll(&server, &token).await;
    assert!(broken.content_length().expect("a length") > 0);
    assert!(broken.bytes().await.is_err());
    let consumed = server.consumed();
    let fates: Vec<Fate> = consumed.iter().map(|consumption| consumption.fate).collect();
    assert_eq!(fates, [Fate::Cut, Fate::Replaced, Fate::Lost, Fate::Cut]);
    assert!(consumed.iter().all(|consumption| consumption.ids.len() == 4));
    assert!((1..4).contains(&consumed[0].readable.len()));
    assert!((1..4).contains(&consumed[3].readable.len()));
    for event in events(4) {
        assert_eq!(consumed[0].readable.contains(&event.id), cut.contains(&event.json));
    }
    assert_eq!(server.waiting_events(), 0);
}

#[tokio::test]
async fn a_client_that_goes_away_before_the_answer_loses_the_events() {
    let server = PingOneEnterprise::start(exact(3));
    server.publish(events(3));
    let token = token(&server).await;
    server.fail_next([SubscriptionFault::Delay(Duration::from_secs(600))]);

    let request = plain_client().get(server.poll_url()).bearer_auth(&token);
    let gave_up = request.timeout(Duration::from_millis(200)).send().await;

    assert!(gave_up.is_err());
    let noticed = async {
        while server.consumed()[0].fate != Fate::Lost {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), noticed)
        .await
        .expect("the server notices");
    assert_eq!(ids(poll(&server, &token).await).await, Vec::<String>::new());
    assert_eq!(server.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn two_reads_at_the_same_time_are_a_violation() {
    let server = PingOneEnterprise::start(exact(3));
    server.publish(events(6));
    let token = token(&server).await;
    server.fail_next([SubscriptionFault::Delay(Duration::from_millis(300))]);

    let (first, second) = tokio::join!(poll(&server, &token), poll(&server, &token));

    assert_eq!(ids(first).await.len() + ids(second).await.len(), 6);
    assert_eq!(server.violations().len(), 1, "{:?}", server.violations());
}

#[tokio::test]
async fn basic_authentication_is_the_other_way_and_each_refuses_the_other() {
    let options = SubscriptionOptions::default();
    let server = PingOneEnterprise::start(SubscriptionOptions {
        authentication: Authentication::Basic,
        ..SubscriptionOptions::default()
    });
    let ask = |user: &str, password: &str| {
        let request = plain_client().get(server.poll_url());
        request.basic_auth(user.to_owned(), Some(password.to_owned())).send()
    };

    let good = ask(&options.username, &options.password).await.expect("an answer");
    let wrong = ask(&options.username, "other").await.expect("an answer");
    let bearer = poll(&server, &token(&server).await).await;

    assert_eq!(ids(good).await.len(), 0);
    assert_eq!(wrong.status(), 401);
    assert_eq!(bearer.status(), 401);
    assert_eq!(server.violations().len(), 1);
}

#[tokio::test]
async fn tokens_need_a_form_with_the_right_secret() {
    let server = PingOneEnterprise::start(SubscriptionOptions {
        token_uses: Some(1),
        ..SubscriptionOptions::default()
    });
    server.fail_next_tokens([503]);
    let secret = SubscriptionOptions::default().client_secret;
    let in_url = format!("{}?client_secret={secret}", server.token_url());

    assert_eq!(ask_token(&server, &secret).await.status(), 503);
    assert_eq!(ask_token(&server, "other").await.status(), 401);
    assert_eq!(
        plain_client().post(in_url).send().await.expect("an answer").status(),
        400
    );
    let token = token(&server).await;
    assert_eq!(poll(&server, &token).await.status(), 200);
    assert_eq!(poll(&server, &token).await.status(), 403, "one use was all");
    assert_eq!(server.tokens_issued(), 1);
    assert_eq!(server.violations().len(), 2);
}

#[tokio::test]
async fn parameters_and_other_paths_are_violations() {
    let server = PingOneEnterprise::start(SubscriptionOptions::default());
    let get = |url: String| plain_client().get(url).send();

    assert_eq!(
        get(format!("{}?limit=5", server.poll_url()))
            .await
            .expect("an answer")
            .status(),
        400
    );
    assert_eq!(
        get(format!("{}/v3/reports", server.origin()))
            .await
            .expect("an answer")
            .status(),
        404
    );
    assert_eq!(server.violations().len(), 2);
}
