use std::io::Read;

use flate2::read::GzDecoder;
use serde_json::Value;

use super::*;
use crate::generate::onelogin::{Event, Events};
use crate::recording_webhook::{RecordingWebhook, webhook};
use crate::service::Server;

fn options(server: &Server<RecordingWebhook>, format: Format) -> SenderOptions {
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
        let server = webhook(&[]);

        let delivery = Sender::new(options(&server, format)).send(&batch).await;

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
            Format::JsonArray => values[0].as_array().expect("an array").clone(),
            Format::NdJson | Format::Single => values,
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
    let sender = Sender::new(SenderOptions {
        gzip: true,
        ..options(&server, Format::NdJson)
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
    let sender = Sender::new(options(&server, Format::JsonArray));

    let delivery = sender.send(&batch(2)).await;

    assert!(delivery.accepted);
    let statuses: Vec<Option<u16>> = sender.answers().iter().map(|answer| answer.status).collect();
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
