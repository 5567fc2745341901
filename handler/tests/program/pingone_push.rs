//! PingOne webhooks, alone and beside the poller.

use simulator::connect_proxy::ConnectProxy;
use simulator::functions_host::{FunctionsHost, Mode};
use simulator::generate::pingone::Activity;
use simulator::pingone::PingOne;

use crate::harness::*;

const ROUTE: &str = "/api/push/pingone";

async fn push(host: &FunctionsHost, body: impl Into<Vec<u8>>) -> u16 {
    let headers = [("Authorization".to_owned(), format!("Bearer {PUSH_TOKEN}"))];
    host.http("POST", ROUTE, &headers, body.into()).await.unwrap().status
}

fn array(activities: &[Activity]) -> String {
    let texts: Vec<&str> = activities.iter().map(|activity| activity.json.as_str()).collect();
    format!("[{}]", texts.join(","))
}

fn lines(activities: &[Activity]) -> String {
    activities
        .iter()
        .map(|activity| format!("{}\n", activity.json))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_token_alone_is_a_complete_source() {
    let mut handler = Handler::new();
    handler.set("PINGONE__PUSH_TOKEN", PUSH_TOKEN);
    let host = handler.host(Mode::Proxy).await;
    let events = activities(90, 20, 30);
    assert_eq!(push(&host, array(&events[..10])).await, 200);
    assert_eq!(push(&host, lines(&events[5..])).await, 200);
    let mut delivered = handler.ids(ACTIVITIES);
    let mut expected: Vec<_> = events.into_iter().map(|activity| activity.id).collect();
    delivered.sort();
    expected.sort();
    assert_eq!(delivered, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_polled_and_pushed_arrives_once_in_every_table() {
    let pingone = PingOne::start(options());
    let events = activities(91, 120, 40);
    pingone.publish(events[..80].to_vec());
    let mut handler = Handler::with_pingone(&pingone);
    handler
        .set("PINGONE__PUSH_TOKEN", PUSH_TOKEN)
        .set("PINGONE__TABLES", &format!("{ACTIVITIES},{ACTIVITIES_OLD}"));
    let host = handler.host(Mode::Proxy).await;
    // Pushed before they are polled, again, after they were polled, and long after that.
    assert_eq!(push(&host, array(&events[60..100])).await, 200);
    assert_eq!(push(&host, lines(&events[60..100])).await, 200);
    assert!(handler.rows(ACTIVITIES).is_empty());
    host.timer().await.unwrap();
    pingone.publish(events[80..].to_vec());
    assert_eq!(push(&host, array(&events[..120])).await, 200);
    host.timer().await.unwrap();
    drop(host);
    let host = handler.host(Mode::Proxy).await;
    assert_eq!(push(&host, lines(&events)).await, 200);
    host.timer().await.unwrap();
    for table in [ACTIVITIES, ACTIVITIES_OLD] {
        assert_each_once(&pingone, &handler.ids(table));
    }
    assert!(files_below(&handler.path("data/state/spool")).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_waits_while_the_secret_of_the_poller_is_not_resolved_and_arrives_once() {
    let pingone = PingOne::start(options());
    let events = activities(95, 30, 30);
    pingone.publish(events.clone());
    let mut handler = Handler::with_pingone(&pingone);
    handler.set("PINGONE__PUSH_TOKEN", PUSH_TOKEN).set(
        "PINGONE__CLIENT_SECRET",
        "@Microsoft.KeyVault(VaultName=x;SecretName=gone)",
    );
    // It leads nobody anywhere: no vault of this name is asked.
    let proxy = ConnectProxy::start();
    handler.set("HTTPS_PROXY", &proxy.url());
    let host = handler.host(Mode::Proxy).await;
    assert_eq!(push(&host, array(&events[..20])).await, 200);
    assert!(host.timer().await.is_err(), "the reference is resolved");
    drop(host);

    let ended = handler.poll().await;
    assert_eq!(
        (ended.code, handler.rows(ACTIVITIES).len()),
        (Some(1), 0),
        "{}",
        ended.output
    );
    let waits = "entries wait for pingone/default, which is switched off";
    assert!(ended.output.contains(waits), "{}", ended.output);
    assert!(!ended.output.contains("not configured"), "{}", ended.output);
    let status = handler.run(&["status"]).await.output;
    assert!(!status.contains("not configured"), "{status}");

    handler.set("PINGONE__CLIENT_SECRET", CLIENT_SECRET);
    handler.poll_well().await;
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));
    assert!(files_below(&handler.path("data/state/spool")).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_pushed_is_delivered_by_the_poller_also_while_the_push_token_is_not_resolved() {
    let pingone = PingOne::start(options());
    let events = activities(97, 10, 30);
    pingone.publish(events.clone());
    let mut handler = Handler::with_pingone(&pingone);
    handler.set("PINGONE__PUSH_TOKEN", PUSH_TOKEN);
    // It leads nobody anywhere: no vault of this name is asked.
    let proxy = ConnectProxy::start();
    handler.set("HTTPS_PROXY", &proxy.url());
    let host = handler.host(Mode::Proxy).await;
    assert_eq!(push(&host, array(&events)).await, 200);
    drop(host);
    handler.set(
        "PINGONE__PUSH_TOKEN",
        "@Microsoft.KeyVault(VaultName=x;SecretName=gone)",
    );
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(1), "{}", ended.output);
    assert!(
        files_below(&handler.path("data/state/spool")).is_empty(),
        "{}",
        ended.output
    );
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_to_remove_what_waits_without_the_word_that_it_is_lost_then() {
    let pingone = PingOne::start(options());
    let mut handler = Handler::with_pingone(&pingone);
    handler.set("PINGONE__PUSH_TOKEN", PUSH_TOKEN);
    let host = handler.host(Mode::Proxy).await;
    assert_eq!(push(&host, array(&activities(96, 3, 30))).await, 200);
    drop(host);
    handler.environment.retain(|name, _| !name.starts_with("PINGONE__"));
    handler.set("ONELOGIN__BEARER_TOKEN", PUSH_TOKEN);
    let output = handler.poll_well().await;
    for word in [
        "not configured (any more)",
        "configure it again",
        "removing the entries loses them",
    ] {
        assert!(output.contains(word), "{word}: {output}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_is_kept_over_a_kill_and_a_destination_that_is_down() {
    let pingone = PingOne::start(options());
    let mut handler = Handler::with_pingone(&pingone);
    handler
        .set("PINGONE__PUSH_TOKEN", PUSH_TOKEN)
        .set("DESTINATION_DIR", "tables");
    let host = handler.host(Mode::Proxy).await;
    let events = activities(92, 15, 30);
    assert_eq!(push(&host, array(&events)).await, 200);
    host.kill().await;
    let in_the_way = handler.path(&format!("tables/{ACTIVITIES}.ndjson"));
    std::fs::create_dir_all(&in_the_way).unwrap();
    assert_eq!(handler.poll().await.code, Some(1));
    std::fs::remove_dir(&in_the_way).unwrap();
    handler.poll_well().await;
    let text = std::fs::read_to_string(in_the_way).unwrap();
    assert_eq!(text.lines().count(), 15);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_cannot_be_read_is_set_aside_and_accepted_because_pingone_would_repeat_it_for_ever() {
    let mut handler = Handler::new();
    handler.set("PINGONE__PUSH_TOKEN", PUSH_TOKEN);
    let host = handler.host(Mode::Proxy).await;
    assert_eq!(push(&host, "[{\"id\":").await, 200);
    assert_eq!(handler.dead_letters().len(), 1);
    assert_eq!(push(&host, "").await, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_spool_refuses_what_it_cannot_keep() {
    let pingone = PingOne::start(options());
    let mut handler = Handler::with_pingone(&pingone);
    handler
        .set("PINGONE__PUSH_TOKEN", PUSH_TOKEN)
        .set("SPOOL_MAX_BYTES", "20000");
    let host = handler.host(Mode::Proxy).await;
    let events = activities(93, 40, 30);
    let statuses = [
        push(&host, array(&events[..8])).await,
        push(&host, array(&events[8..])).await,
    ];
    assert_eq!(statuses, [200, 503]);
    host.timer().await.unwrap();
    assert_eq!(push(&host, array(&events[8..14])).await, 200);
    host.timer().await.unwrap();
    assert_eq!(handler.rows(ACTIVITIES).len(), 14);
}
