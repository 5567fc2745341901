//! OneLogin pushes.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use simulator::functions_host::{FunctionsHost, HttpAnswer, Mode};
use simulator::generate::onelogin::WebhookEvents;
use simulator::onelogin::{Batcher, OneLoginSender};
use simulator::webhook::{BodyFormat, WebhookOptions};

use crate::harness::*;

const ROUTE: &str = "/api/push/onelogin";

fn authorized() -> Vec<(String, String)> {
    vec![
        ("Authorization".to_owned(), format!("Bearer {PUSH_TOKEN}")),
        ("Content-Type".to_owned(), "application/json".to_owned()),
    ]
}

async fn push(host: &FunctionsHost, body: impl Into<Vec<u8>>) -> HttpAnswer {
    host.http("POST", ROUTE, &authorized(), body.into()).await.unwrap()
}

fn event(number: u32) -> Value {
    json!({"event_timestamp": "2026-11-20 10:15:30 UTC", "event_type_id": 5, "user_id": number, "uuid": "the-same"})
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn user_ids(handler: &Handler) -> Vec<i64> {
    let mut ids: Vec<i64> = handler
        .rows(ONELOGIN)
        .iter()
        .filter_map(|row| row["user_id_d"].as_i64())
        .collect();
    ids.sort_unstable();
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_sender_got_accepted_is_there_once_in_every_format_and_mode() {
    for (mode, format, compressed) in [
        (Mode::Proxy, BodyFormat::JsonArray, false),
        (Mode::Proxy, BodyFormat::NdJson, true),
        (Mode::Forward, BodyFormat::Single, false),
        (Mode::Forward, BodyFormat::JsonArray, true),
        (Mode::Envelope, BodyFormat::NdJson, false),
    ] {
        let handler = Handler::with_onelogin();
        let host = handler.host(mode).await;
        let mut events = WebhookEvents::new(60, 4711);
        let mut batcher = Batcher::new();
        let mut bodies = Vec::new();
        for number in 0..47 {
            let event = events.at(now() - chrono::TimeDelta::seconds(number));
            bodies.extend(batcher.offer(event, std::time::Duration::ZERO));
        }
        bodies.extend(batcher.flush());
        for batch in &bodies {
            for body in format.bodies(batch.iter().map(|event| event.json.as_str())) {
                let body = if compressed { gzip(&body) } else { body };
                let answer = push(&host, body).await;
                assert_eq!(answer.status, 200, "{mode:?} {format:?}: {}", answer.text());
            }
        }
        assert_eq!(handler.rows(ONELOGIN).len(), 47, "{mode:?} {format:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_that_talks_to_the_handler_itself_is_served_as_well() {
    let handler = Handler::with_onelogin();
    let host = handler.host(Mode::Proxy).await;
    let sender = OneLoginSender::new(WebhookOptions {
        url: format!("http://127.0.0.1:{}{ROUTE}", host.port()),
        token: Some(PUSH_TOKEN.to_owned()),
        format: BodyFormat::NdJson,
        gzip: true,
        tries: 1,
    });
    let mut events = WebhookEvents::new(61, 4711);
    let mut batcher = Batcher::new();
    for number in 0..10 {
        if let Some(batch) = batcher.offer(
            events.at(now() - chrono::TimeDelta::seconds(number)),
            std::time::Duration::ZERO,
        ) {
            assert!(sender.send(&batch).await.accepted);
        }
    }
    assert_eq!(handler.rows(ONELOGIN).len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_bearer_token_in_the_header_opens() {
    let mut handler = Handler::with_onelogin();
    handler.set(
        "ONELOGIN__BEARER_TOKEN",
        &format!("older-token-of-onelogin, {PUSH_TOKEN}"),
    );
    let host = handler.host(Mode::Proxy).await;
    let attempt = async |path: String, authorization: Option<String>| {
        let headers: Vec<_> = authorization
            .map(|value| ("Authorization".to_owned(), value))
            .into_iter()
            .collect();
        host.http("POST", &path, &headers, b"[]".to_vec()).await.unwrap().status
    };
    for (authorization, status) in [
        (None, 401),
        (Some(format!("Bearer {PUSH_TOKEN}x")), 401),
        (Some(format!("Bearer {}", &PUSH_TOKEN[1..])), 401),
        (Some("Bearer ".to_owned()), 401),
        (Some(PUSH_TOKEN.to_owned()), 401),
        (Some(format!("Basic {PUSH_TOKEN}")), 401),
        (Some(format!("Bearer older-token-of-onelogin, {PUSH_TOKEN}")), 401),
        (Some(format!("bearer {PUSH_TOKEN}")), 200),
        (Some("Bearer older-token-of-onelogin".to_owned()), 200),
    ] {
        let shown = format!("{authorization:?}");
        assert_eq!(attempt(ROUTE.to_owned(), authorization).await, status, "{shown}");
    }
    for query in ["access_token", "token", "bearer"] {
        assert_eq!(attempt(format!("{ROUTE}?{query}={PUSH_TOKEN}"), None).await, 401);
    }
    let lines = [host.stdout_lines(), host.stderr_lines()].concat().concat();
    assert!(!lines.contains(PUSH_TOKEN));
    assert_eq!(
        attempt("/api/push/pingone".to_owned(), Some(format!("Bearer {PUSH_TOKEN}"))).await,
        404
    );
    assert_eq!(
        host.http("GET", ROUTE, &authorized(), Vec::new()).await.unwrap().status,
        405
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_instances_are_told_apart_by_their_tokens() {
    let mut handler = Handler::with_onelogin();
    handler
        .set("ONELOGIN__ACME__BEARER_TOKEN", "token-of-acme-for-onelogin")
        .set("ONELOGIN__ACME__TABLES", "OneLoginEventsV2_CL");
    let host = handler.host(Mode::Proxy).await;
    assert_eq!(push(&host, json!([event(1)]).to_string()).await.status, 200);
    let headers = [(
        "Authorization".to_owned(),
        "Bearer token-of-acme-for-onelogin".to_owned(),
    )];
    let body = json!([event(1)]).to_string().into_bytes();
    assert_eq!(host.http("POST", ROUTE, &headers, body).await.unwrap().status, 200);
    assert_eq!(
        (handler.rows(ONELOGIN).len(), handler.rows("OneLoginEventsV2_CL").len()),
        (1, 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_in_every_lawful_form_are_stored() {
    let handler = Handler::with_onelogin();
    let host = handler.host(Mode::Proxy).await;
    let pretty = |number| serde_json::to_string_pretty(&event(number)).unwrap();
    for body in [
        "[]".to_owned(),
        format!("\u{feff}[{}]", event(1)),
        format!("{}\r\n\r\n{}\r\n", event(2), event(3)),
        pretty(4),
        format!("{}\n{}", pretty(5), pretty(6)),
        format!("\n\n{}\n", event(7)),
    ] {
        let answer = push(&host, body.clone()).await;
        assert_eq!(answer.status, 200, "{body}: {}", answer.text());
    }
    let headers = [
        ("Authorization".to_owned(), format!("Bearer {PUSH_TOKEN}")),
        ("Content-Type".to_owned(), "text/plain".to_owned()),
    ];
    let answer = host
        .http("POST", ROUTE, &headers, event(8).to_string().into_bytes())
        .await
        .unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(user_ids(&handler), (1..=8).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_json_is_refused_with_its_place_and_kept_once() {
    let handler = Handler::with_onelogin();
    let host = handler.host(Mode::Proxy).await;
    for (body, place) in [
        ("certainly not json", "line 1"),
        ("[{\"a\":1},\n{\"b\":]", "line 2"),
        ("{\"a\":1}\n{\"b\":2}\n{\"c\"", "line 3"),
    ] {
        for _ in 0..2 {
            let answer = push(&host, body).await;
            assert_eq!(answer.status, 400);
            assert!(answer.text().contains(place), "{}", answer.text());
        }
    }
    let torn = &gzip(&vec![b'7'; 100_000])[..60];
    let answer = push(&host, torn).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("byte"), "{}", answer.text());
    let letters = handler.dead_letters();
    assert_eq!(letters.len(), 4, "{letters:?}");
    assert!(letters.iter().any(|letter| letter.contains("certainly not json")));
    assert!(handler.rows(ONELOGIN).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_body_is_refused_with_a_word_on_chunked_encoding() {
    let handler = Handler::with_onelogin();
    for mode in [Mode::Proxy, Mode::Forward, Mode::Envelope] {
        let host = handler.host(mode).await;
        let answer = push(&host, "").await;
        assert_eq!(answer.status, 400);
        assert!(answer.text().contains("chunked"), "{}", answer.text());
    }
    // A forwarding host fails a chunked body by itself, an envelope is without it, and a proxying host passes it on.
    let headers = [
        authorized(),
        vec![("Transfer-Encoding".to_owned(), "chunked".to_owned())],
    ]
    .concat();
    for (mode, status) in [(Mode::Forward, 500), (Mode::Envelope, 400), (Mode::Proxy, 200)] {
        let host = handler.host(mode).await;
        let body = json!([event(1)]).to_string().into_bytes();
        assert_eq!(host.http("POST", ROUTE, &headers, body).await.unwrap().status, status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn large_bodies_and_unknown_encodings_are_refused() {
    let handler = Handler::with_onelogin();
    let host = handler.host(Mode::Proxy).await;
    let large = format!("[{{\"notes\":\"{}\"}}]", "x".repeat(16 * 1024 * 1024));
    assert_eq!(push(&host, large.clone()).await.status, 413);
    assert_eq!(push(&host, gzip(large.as_bytes())).await.status, 413);
    // Few bytes on the way, and each event takes its memory.
    let many = format!("[{{}}{}]", ",{}".repeat(50_000));
    let answer = push(&host, gzip(many.as_bytes())).await;
    assert_eq!(answer.status, 413);
    assert!(answer.text().contains("more than 50000 events"), "{}", answer.text());
    let headers = [authorized(), vec![("Content-Encoding".to_owned(), "br".to_owned())]].concat();
    assert_eq!(
        host.http("POST", ROUTE, &headers, b"[]".to_vec()).await.unwrap().status,
        415
    );
    assert_eq!(push(&host, json!([event(1)]).to_string()).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_element_that_is_no_object_is_set_aside_alone() {
    let handler = Handler::with_onelogin();
    let host = handler.host(Mode::Proxy).await;
    let body = json!([event(1), 7, null, "text", [event(9)], event(2)]).to_string();
    assert_eq!(push(&host, body).await.status, 200);
    assert_eq!(user_ids(&handler), [1, 2]);
    assert_eq!(handler.dead_letters().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_sent_again_is_stored_once_whatever_its_spaces_and_the_order_of_its_keys() {
    let mut handler = Handler::with_onelogin();
    handler.set("ONELOGIN__TABLES", "OneLogin_CL,OneLoginEventsV2_CL");
    let host = handler.host(Mode::Proxy).await;
    let first = r#"[{"user_id":1,"uuid":"u","event_type_id":5},{"user_id":2,"uuid":"u","event_type_id":5}]"#;
    let again = "{ \"event_type_id\": 5, \"uuid\": \"u\",\n \"user_id\": 1 }\n{\"uuid\":\"u\",\"event_type_id\":5,\"user_id\":2}\n{\"user_id\":3}";
    for body in [first, first, again] {
        assert_eq!(push(&host, body).await.status, 200);
    }
    assert_eq!(user_ids(&handler), [1, 2, 3]);
    assert_eq!(handler.rows("OneLoginEventsV2_CL").len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_senders_at_once_lose_and_double_nothing() {
    let handler = Handler::with_onelogin();
    let host = handler.host(Mode::Proxy).await;
    let bodies = (0..60).map(|number| json!([event(number / 2), event(1000 + number)]).to_string());
    let answers = futures_util::future::join_all(bodies.map(|body| push(&host, body))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    let expected: Vec<i64> = (0..30).chain(1000..1060).collect();
    assert_eq!(user_ids(&handler), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_neither_the_destination_nor_the_spool_can_store_is_never_acknowledged() {
    let mut handler = Handler::with_onelogin();
    handler.set("DESTINATION_DIR", "tables").set("SPOOL_MAX_BYTES", "10");
    let host = handler.host(Mode::Proxy).await;
    std::fs::create_dir_all(handler.path("tables/OneLogin_CL.ndjson")).unwrap();
    let answer = push(&host, json!([event(1)]).to_string()).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(answer.header("retry-after").is_some());
    assert!(answer.text().contains("SPOOL_MAX_BYTES"), "{}", answer.text());
    std::fs::remove_dir(handler.path("tables/OneLogin_CL.ndjson")).unwrap();
    assert_eq!(push(&host, json!([event(1)]).to_string()).await.status, 200);
    let text = std::fs::read_to_string(handler.path("tables/OneLogin_CL.ndjson")).unwrap();
    assert_eq!(text.lines().count(), 1);
}
