use std::io::Read;

use flate2::read::GzDecoder;
use serde_json::Value;
use tokio::net::TcpSocket;

use super::*;
use crate::generate::onelogin::WebhookEvents;
use crate::recording_webhook::{RecordingWebhook, webhook};
use crate::service::Server;
use crate::webhook::BodyFormat;

fn options(server: &Server<RecordingWebhook>, format: BodyFormat) -> WebhookOptions {
    WebhookOptions {
        url: format!("{}/api/push/onelogin", server.origin()),
        token: Some("maple-9".to_owned()),
        format,
        gzip: false,
        tries: 3,
    }
}

fn batch(count: usize) -> Vec<WebhookEvent> {
    let mut events = WebhookEvents::new(8, 70_001);
    (0..count).map(|_| events.at(chrono::DateTime::UNIX_EPOCH)).collect()
}

fn expected(batch: &[WebhookEvent]) -> Vec<Value> {
    let parsed = |event: &WebhookEvent| serde_json::from_str(&event.json).expect("an event is JSON");
    batch.iter().map(parsed).collect()
}

#[tokio::test]
async fn every_format_carries_the_events_of_the_batch() {
    let batch = batch(4);
    for (format, posts) in [
        (BodyFormat::JsonArray, 1),
        (BodyFormat::NdJson, 1),
        (BodyFormat::Single, 4),
    ] {
        let server = webhook(&[]);

        let delivery = OneLoginSender::new(options(&server, format)).send(&batch).await;

        assert!(delivery.accepted);
        let hook = server.lock();
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
            BodyFormat::JsonArray => values[0].as_array().expect("an array").clone(),
            BodyFormat::NdJson | BodyFormat::Single => values,
        };
        assert_eq!(values, expected(&batch));
        let authorization = hook.received[0].header("authorization");
        assert_eq!(authorization, Some("Bearer maple-9"));
    }
}

#[tokio::test]
async fn a_compressed_body_says_so_and_inflates_to_the_events() {
    let server = webhook(&[]);
    let batch = batch(3);
    let sender = OneLoginSender::new(WebhookOptions {
        gzip: true,
        ..options(&server, BodyFormat::NdJson)
    });

    sender.send(&batch).await;

    let hook = server.lock();
    let received = &hook.received[0];
    assert_eq!(received.header("content-encoding"), Some("gzip"));
    assert_eq!(received.header("content-type"), Some("application/x-ndjson"));
    let mut text = String::new();
    GzDecoder::new(received.body.as_slice())
        .read_to_string(&mut text)
        .expect("the body is gzip");
    assert_eq!(text.lines().count(), 3);
    assert!(text.ends_with('\n'));
}

#[tokio::test]
async fn a_refused_batch_is_tried_again_until_it_is_accepted() {
    let server = webhook(&[503, 500]);
    let sender = OneLoginSender::new(options(&server, BodyFormat::JsonArray));

    let delivery = sender.send(&batch(2)).await;

    assert!(delivery.accepted);
    let statuses: Vec<Option<u16>> = delivery.answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [Some(503), Some(500), Some(200)]);
    assert_eq!(delivery.answers[0].text, "noted");
    let hook = server.lock();
    assert!(
        hook.received
            .iter()
            .all(|received| received.body == hook.received[0].body)
    );
}

#[tokio::test]
async fn the_tries_come_to_an_end() {
    let server = webhook(&[401; 5]);
    let sender = OneLoginSender::new(WebhookOptions {
        token: None,
        ..options(&server, BodyFormat::JsonArray)
    });
    let delivery = sender.send(&batch(1)).await;
    assert!(!delivery.accepted);
    assert_eq!(delivery.answers.len(), 3);

    // Bound and not listened to: nobody else gets the port.
    let closed = TcpSocket::new_v4().unwrap();
    closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let sender = OneLoginSender::new(WebhookOptions {
        url: format!("http://{}", closed.local_addr().unwrap()),
        ..options(&server, BodyFormat::JsonArray)
    });
    let delivery = sender.send(&batch(1)).await;
    assert!(!delivery.accepted);
    assert_eq!(delivery.answers[0].status, None);
}
