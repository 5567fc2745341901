//! OneLogin's Events and Users API, alone and beside the webhook.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use simulator::connect_proxy::ConnectProxy;
use simulator::functions_host::Mode;
use simulator::generate::onelogin_api::{ApiEvent, ApiEvents, Users, webhook_twin};
use simulator::onelogin_api::{AccountOptions, Fault, OneLoginApi, OneLoginFault};

use crate::harness::*;

const EVENTS: &str = "OneLoginEventsV2_CL";
const USERS: &str = "OneLoginUsersV2_CL";

fn configured(vendor: &OneLoginApi) -> Handler {
    let mut handler = Handler::new();
    let options = AccountOptions::default();
    handler.set("ONELOGIN__URL", &vendor.origin());
    handler
        .set("ONELOGIN__CLIENT_ID", &options.client_id)
        .set("ONELOGIN__CLIENT_SECRET", &options.client_secret);
    handler
}

/// Happenings of the last `from` to `to` minutes, three in every second that has any.
fn happenings(events: &mut ApiEvents, count: i32, from: i64, to: i64) -> Vec<ApiEvent> {
    let start: DateTime<Utc> = now() - TimeDelta::minutes(from);
    let step = TimeDelta::minutes(from - to) / (count / 3 + 1);
    (0..count)
        .map(|number| events.at(start + step * (number / 3)))
        .collect()
}

fn event_ids(handler: &Handler) -> BTreeMap<u64, usize> {
    let mut ids = BTreeMap::new();
    for row in handler.rows(EVENTS) {
        *ids.entry(row["EventId"].as_u64().unwrap()).or_default() += 1;
    }
    ids
}

fn each_once(events: &[ApiEvent]) -> BTreeMap<u64, usize> {
    events.iter().map(|event| (event.id, 1)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_webhook_every_event_of_the_api_arrives_once() {
    let vendor = OneLoginApi::start(AccountOptions {
        token_uses: Some(3),
        ..AccountOptions::default()
    });
    let mut events = ApiEvents::new(120, 4711);
    vendor.publish_events(happenings(&mut events, 150, 50, 2));
    vendor.publish_users([Users::new(1).new_object(now())]);
    vendor.fail_next_tokens([503]);
    vendor.fail_next([
        Fault::Status {
            status: 429,
            retry_after: Some(1),
        },
        Fault::Vendor(OneLoginFault::RateLimitExceeded),
        Fault::TruncatedJson,
        Fault::HtmlPage,
        Fault::RevokeToken,
        Fault::Reset,
        Fault::RepeatLastOfPreviousPage,
        Fault::Status {
            status: 502,
            retry_after: None,
        },
    ]);
    let handler = configured(&vendor);
    for _ in 0..3 {
        handler.poll_well().await;
        assert_eq!(event_ids(&handler), each_once(&vendor.published_events()));
        // Shown late, in seconds that were read before.
        let late = vendor
            .published_events()
            .into_iter()
            .rev()
            .take(5)
            .map(|event| events.at(event.created_at));
        vendor.publish_events(late.collect::<Vec<_>>());
    }
    assert_eq!(vendor.waiting_faults(), 0);
    assert_eq!(vendor.violations(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_the_webhook_the_api_fills_the_gaps_and_nothing_else() {
    let vendor = OneLoginApi::start(AccountOptions::default());
    let mut events = ApiEvents::new(121, 4711);
    let all = happenings(&mut events, 120, 55, 20);
    let fresh = happenings(&mut events, 6, 10, 1);
    vendor.publish_events(all.iter().chain(&fresh).cloned().collect::<Vec<_>>());
    let mut handler = configured(&vendor);
    handler.set("ONELOGIN__BEARER_TOKEN", PUSH_TOKEN);
    let host = handler.host(Mode::Proxy).await;
    let push = async |events: &[ApiEvent]| {
        let twins: Vec<String> = events.iter().map(|event| webhook_twin(event).json).collect();
        let headers = [("Authorization".to_owned(), format!("Bearer {PUSH_TOKEN}"))];
        let body = format!("[{}]", twins.join(",")).into_bytes();
        host.http("POST", "/api/push/onelogin", &headers, body)
            .await
            .unwrap()
            .status
    };
    // Two thirds came by webhook, some of them twice; the rest the webhook has lost.
    assert_eq!(push(&all[..50]).await, 200);
    assert_eq!(push(&all[40..80]).await, 200);
    host.timer().await.unwrap();
    assert_eq!(handler.rows(ONELOGIN).len(), 80);
    assert_eq!(event_ids(&handler), each_once(&all[80..]));

    // What is pushed after it was read is acknowledged, and so it comes to its own table all the same; what is younger
    // than the patience is waited for.
    assert_eq!(push(&all[70..90]).await, 200);
    assert_eq!(push(&fresh).await, 200);
    host.timer().await.unwrap();
    assert_eq!(handler.rows(ONELOGIN).len(), 96);
    assert_eq!(event_ids(&handler), each_once(&all[80..]));
    assert!(files_below(&handler.path("data/state/spool")).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pushed_while_the_secret_of_the_api_is_not_resolved_is_not_delivered_again_by_the_api() {
    let vendor = OneLoginApi::start(AccountOptions::default());
    let mut events = ApiEvents::new(123, 4711);
    let all = happenings(&mut events, 60, 55, 18);
    vendor.publish_events(all.clone());
    let mut handler = configured(&vendor);
    handler.set("ONELOGIN__BEARER_TOKEN", PUSH_TOKEN).set(
        "ONELOGIN__CLIENT_SECRET",
        "@Microsoft.KeyVault(VaultName=x;SecretName=gone)",
    );
    // It leads nobody anywhere: no vault of this name is asked.
    let proxy = ConnectProxy::start();
    handler.set("HTTPS_PROXY", &proxy.url());
    let host = handler.host(Mode::Proxy).await;
    let twins: Vec<String> = all[..40].iter().map(|event| webhook_twin(event).json).collect();
    let headers = [("Authorization".to_owned(), format!("Bearer {PUSH_TOKEN}"))];
    let body = format!("[{}]", twins.join(",")).into_bytes();
    let answer = host.http("POST", "/api/push/onelogin", &headers, body).await.unwrap();
    assert_eq!(answer.status, 200);
    assert!(host.timer().await.is_err(), "the reference is resolved");
    drop(host);

    handler.set("ONELOGIN__CLIENT_SECRET", &AccountOptions::default().client_secret);
    handler.poll_well().await;
    assert_eq!(handler.rows(ONELOGIN).len(), 40);
    assert_eq!(event_ids(&handler), each_once(&all[40..]));
    assert!(files_below(&handler.path("data/state/spool")).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_walked_once_in_a_while_and_every_change_is_a_row() {
    let vendor = OneLoginApi::start(AccountOptions {
        largest_limit: 50,
        ..AccountOptions::default()
    });
    let mut users = Users::new(122);
    let all: Vec<_> = (0..130)
        .map(|number| users.new_object(now() - TimeDelta::days(number)))
        .collect();
    vendor.publish_users(all.clone());
    let mut handler = configured(&vendor);
    handler.poll_well().await;
    assert_eq!(handler.rows(USERS).len(), 130);
    let requests = vendor
        .requests()
        .iter()
        .filter(|request| request.path.contains("users"))
        .count();
    handler.poll_well().await;
    let again = vendor
        .requests()
        .iter()
        .filter(|request| request.path.contains("users"))
        .count();
    assert_eq!(requests, again, "walked twice in a day");

    handler.set("ONELOGIN__USERS_EVERY", "1ms");
    let changed: Vec<_> = all[..7].iter().map(|user| users.update(user, now())).collect();
    vendor.publish_users(changed.clone());
    vendor.publish_users(
        all[20..25]
            .iter()
            .map(|user| users.sign_in(user, now()))
            .collect::<Vec<_>>(),
    );
    vendor.fail_next([
        Fault::Status {
            status: 503,
            retry_after: None,
        },
        Fault::Vendor(OneLoginFault::RateLimitExceeded),
    ]);
    handler.poll_well().await;
    assert_eq!(handler.rows(USERS).len(), 137);
    handler.poll_well().await;
    assert_eq!(handler.rows(USERS).len(), 137);

    // Back to what it was: a change like any other.
    vendor.publish_users(all[..2].to_vec());
    handler.poll_well().await;
    assert_eq!(handler.rows(USERS).len(), 139);
    // Larger pages were tried first.
    assert!(
        vendor
            .violations()
            .iter()
            .all(|violation| violation.contains("limit must be"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_credentials_are_named() {
    let vendor = OneLoginApi::start(AccountOptions {
        client_secret: "another".to_owned(),
        ..AccountOptions::default()
    });
    let handler = configured(&vendor);
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(1));
    for word in ["onelogin/default (events, users)", "401", "ONELOGIN__CLIENT_SECRET"] {
        assert!(ended.output.contains(word), "{word}: {}", ended.output);
    }
    assert!(!ended.output.contains(&AccountOptions::default().client_secret));
}
