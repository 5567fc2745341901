use serde_json::Value;

use super::*;
use crate::generate::pingone::Activities;
use crate::recording_webhook::{RecordingWebhook, webhook};
use crate::service::Server;

fn sender(webhook: &Server<RecordingWebhook>, format: BodyFormat, tries: usize) -> PingOneSender {
    let options = WebhookOptions {
        url: format!("{}/api/push/pingone", webhook.origin()),
        token: Some("birch-4".to_owned()),
        format,
        gzip: false,
        tries,
    };
    PingOneSender::new(options, 4)
}

fn activities(count: usize) -> Vec<Activity> {
    let mut generator = Activities::new(9, "environment");
    (0..count).map(|_| generator.at(chrono::DateTime::UNIX_EPOCH)).collect()
}

#[tokio::test]
async fn a_batch_is_repeated_until_200_exactly_and_the_next_one_waits() {
    let hook = webhook(&[500, 202, 0]);
    let mut sender = sender(&hook, BodyFormat::JsonArray, 5);
    sender.offer(activities(10));

    let delivery = sender.deliver().await;

    assert!(delivery.accepted);
    let statuses: Vec<Option<u16>> = delivery.answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [Some(500), Some(202), None, Some(200), Some(200), Some(200)]);
    let received = &hook.lock().received;
    assert!(received[..4].iter().all(|request| request.body == received[0].body));
    assert_eq!(received[0].header("authorization"), Some("Bearer birch-4"));
    assert_eq!(received[0].header("content-type"), Some("application/json"));
    let sizes: Vec<usize> = received[3..]
        .iter()
        .map(|request| {
            serde_json::from_slice::<Vec<Value>>(&request.body)
                .expect("a list")
                .len()
        })
        .collect();
    assert_eq!(sizes, [4, 4, 2]);
    assert_eq!(sender.accepted(), activities(10));
}

#[tokio::test]
async fn a_refused_batch_blocks_what_is_behind_it_and_stays_the_same() {
    let hook = webhook(&[503, 503]);
    let mut sender = sender(&hook, BodyFormat::NdJson, 2);
    sender.offer(activities(3));

    let blocked = sender.deliver().await;
    sender.offer(activities(6).split_off(3));
    assert!(!blocked.accepted && sender.waiting() == 6);
    let through = sender.deliver().await;

    assert!(through.accepted);
    assert_eq!(sender.accepted(), activities(6));
    let received = &hook.lock().received;
    let lines: Vec<usize> = received
        .iter()
        .map(|request| request.body.iter().filter(|byte| **byte == b'\n').count())
        .collect();
    assert_eq!(lines, [3, 3, 3, 3]);
    assert!(received[2].body.ends_with(b"}\n"));
}
