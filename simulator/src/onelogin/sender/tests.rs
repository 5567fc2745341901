use std::collections::VecDeque;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use flate2::read::GzDecoder;
use serde_json::Value;

use super::*;
use crate::generate::onelogin::Events;
use crate::loopback::LoopbackServer;
use crate::onelogin::ManualClock;

/// What a webhook received, and the statuses it answers with before it accepts.
#[derive(Default)]
struct Webhook {
    received: Vec<Received>,
    refusals: VecDeque<u16>,
}

struct Received {
    authorization: Option<String>,
    content_type: Option<String>,
    content_encoding: Option<String>,
    body: Vec<u8>,
}

async fn receive(hook: Data<Mutex<Webhook>>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let header = |name: &str| {
        let value = request.headers().get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let mut hook = hook.lock().expect("nobody panics with the webhook");
    hook.received.push(Received {
        authorization: header("Authorization"),
        content_type: header("Content-Type"),
        content_encoding: header("Content-Encoding"),
        body: body.to_vec(),
    });
    let status = hook.refusals.pop_front().unwrap_or(200);
    let status = StatusCode::from_u16(status).expect("a status of HTTP");
    HttpResponse::build(status).body("noted")
}

fn webhook(refusals: &[u16]) -> (LoopbackServer, Arc<Mutex<Webhook>>) {
    let hook = Arc::new(Mutex::new(Webhook {
        refusals: refusals.iter().copied().collect(),
        ..Webhook::default()
    }));
    let same_state = Data::from(Arc::clone(&hook));
    let server = LoopbackServer::start(move |config: &mut ServiceConfig| {
        config.app_data(same_state.clone()).default_service(web::to(receive));
    });
    (server, hook)
}

fn options(server: &LoopbackServer, format: Format) -> SenderOptions {
    SenderOptions {
        url: format!("{}/api/push/onelogin", server.origin()),
        token: Some("maple-9".to_owned()),
        format,
        gzip: false,
        tries: 3,
    }
}

fn batch(count: usize) -> Batch {
    let mut events = Events::new(8, 70_001);
    Batch {
        events: (0..count).map(|_| events.at(chrono::DateTime::UNIX_EPOCH)).collect(),
    }
}

fn expected(batch: &Batch) -> Vec<Value> {
    let parsed = |event: &Event| serde_json::from_str(&event.json).expect("an event is JSON");
    batch.events.iter().map(parsed).collect()
}

#[tokio::test]
async fn every_format_carries_the_events_of_the_batch() {
    let batch = batch(4);
    for (format, posts) in [(Format::JsonArray, 1), (Format::NdJson, 1), (Format::Single, 4)] {
        let (server, hook) = webhook(&[]);

        let delivery = Sender::new(options(&server, format)).send(&batch).await;

        assert!(delivery.accepted);
        let hook = hook.lock().expect("the webhook");
        assert_eq!(hook.received.len(), posts);
        let values: Vec<Value> = hook
            .received
            .iter()
            .flat_map(|received| {
                let stream = serde_json::Deserializer::from_slice(&received.body);
                stream.into_iter::<Value>().map(|value| value.expect("JSON"))
            })
            .collect();
        let values = match format {
            Format::JsonArray => values[0].as_array().expect("an array").clone(),
            Format::NdJson | Format::Single => values,
        };
        assert_eq!(values, expected(&batch));
        let authorization = hook.received[0].authorization.as_deref();
        assert_eq!(authorization, Some("Bearer maple-9"));
    }
}

#[tokio::test]
async fn a_compressed_body_says_so_and_inflates_to_the_events() {
    let (server, hook) = webhook(&[]);
    let batch = batch(3);
    let sender = Sender::new(SenderOptions {
        gzip: true,
        ..options(&server, Format::NdJson)
    });

    sender.send(&batch).await;

    let hook = hook.lock().expect("the webhook");
    let received = &hook.received[0];
    assert_eq!(received.content_encoding.as_deref(), Some("gzip"));
    assert_eq!(received.content_type.as_deref(), Some("application/x-ndjson"));
    let mut text = String::new();
    GzDecoder::new(received.body.as_slice())
        .read_to_string(&mut text)
        .expect("the body is gzip");
    assert_eq!(text.lines().count(), 3);
    assert!(text.ends_with('\n'));
}

#[tokio::test]
async fn a_refused_batch_is_tried_again_until_it_is_accepted() {
    let (server, hook) = webhook(&[503, 500]);
    let sender = Sender::new(options(&server, Format::JsonArray));

    let delivery = sender.send(&batch(2)).await;

    assert!(delivery.accepted);
    let statuses: Vec<Option<u16>> = sender.answers().iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [Some(503), Some(500), Some(200)]);
    assert_eq!(delivery.answers[0].text, "noted");
    let hook = hook.lock().expect("the webhook");
    assert!(
        hook.received
            .iter()
            .all(|received| received.body == hook.received[0].body)
    );
}

#[tokio::test]
async fn the_tries_come_to_an_end() {
    let (server, _hook) = webhook(&[401; 5]);
    let sender = Sender::new(SenderOptions {
        token: None,
        ..options(&server, Format::JsonArray)
    });
    let delivery = sender.send(&batch(1)).await;
    assert!(!delivery.accepted);
    assert_eq!(delivery.answers.len(), 3);

    drop(server);
    let delivery = sender.send(&batch(1)).await;
    assert!(!delivery.accepted);
    assert_eq!(delivery.answers[0].status, None);
}

#[tokio::test]
async fn a_feed_sends_at_ten_events_or_ten_seconds() {
    let (server, hook) = webhook(&[]);
    let clock = ManualClock::new();
    let sender = Sender::new(options(&server, Format::JsonArray));
    let mut feed = Feed::new(clock.clone(), sender);

    let mut sent = 0;
    for event in batch(12).events {
        sent += usize::from(feed.offer(event).await.is_some());
    }
    assert_eq!(sent, 1);
    assert_eq!(feed.tick().await, None);
    clock.advance(Duration::from_secs(10));
    assert!(feed.tick().await.is_some_and(|delivery| delivery.accepted));
    assert_eq!(feed.flush().await, None);
    assert_eq!(hook.lock().expect("the webhook").received.len(), 2);
    assert_eq!(feed.sender().answers().len(), 2);
}
