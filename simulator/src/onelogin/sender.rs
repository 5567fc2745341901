//! Batches on their way to a webhook.

use super::batcher::Batch;
use crate::webhook_client::{Answer, WebhookClient};
use parking_lot::{Mutex, MutexGuard};

/// The form of a body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// One JSON array with all events of the batch.
    JsonArray,
    /// One event a line, with a line end after the last.
    NdJson,
    /// One object: a POST for each event.
    Single,
}

impl Format {
    /// The bodies of a batch, each to be sent by itself.
    pub fn bodies(self, batch: &Batch) -> Vec<Vec<u8>> {
        let texts: Vec<&str> = batch.events.iter().map(|event| event.json.as_str()).collect();
        match self {
            Format::JsonArray => vec![format!("[{}]", texts.join(",")).into_bytes()],
            Format::NdJson => vec![format!("{}\n", texts.join("\n")).into_bytes()],
            Format::Single => texts.iter().map(|text| text.as_bytes().to_vec()).collect(),
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Format::JsonArray | Format::Single => "application/json",
            Format::NdJson => "application/x-ndjson",
        }
    }
}

/// Where a sender sends to, and how.
#[derive(Clone, Debug)]
pub struct SenderOptions {
    /// The whole URL of the webhook.
    pub url: String,
    /// The token of `Authorization: Bearer`; `None` sends no such header.
    pub token: Option<String>,
    /// The form of a body.
    pub format: Format,
    /// Whether bodies are compressed, with `Content-Encoding: gzip`.
    pub gzip: bool,
    /// How often a body is tried until it is accepted; at least 1. There is no pause in between.
    pub tries: usize,
}

/// What became of a batch.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Delivery {
    /// Whether every body was accepted in the end.
    pub accepted: bool,
    /// The answers to every try of every body, in order.
    pub answers: Vec<Answer>,
}

/// Posts batches to a webhook.
pub struct Sender {
    options: SenderOptions,
    webhook: WebhookClient,
    answers: Mutex<Vec<Answer>>,
}

impl Sender {
    /// A sender that has sent nothing.
    pub fn new(options: SenderOptions) -> Self {
        Sender {
            webhook: WebhookClient::new(&options.url, options.token.as_deref()),
            options,
            answers: Mutex::new(Vec::new()),
        }
    }

    /// Posts the batch until it is accepted or the tries are used up.
    pub async fn send(&self, batch: &Batch) -> Delivery {
        let mut delivery = Delivery {
            accepted: true,
            answers: Vec::new(),
        };
        for body in self.options.format.bodies(batch) {
            delivery.accepted &= self.send_body(&body, &mut delivery.answers).await;
        }
        delivery
    }

    /// Every answer so far, in order.
    pub fn answers(&self) -> Vec<Answer> {
        self.recorded().clone()
    }

    async fn send_body(&self, body: &[u8], answers: &mut Vec<Answer>) -> bool {
        for _ in 0..self.options.tries.max(1) {
            let answer = self.post(body).await;
            let accepted = is_accepted(&answer);
            self.recorded().push(answer.clone());
            answers.push(answer);
            if accepted {
                return true;
            }
        }
        false
    }

    async fn post(&self, body: &[u8]) -> Answer {
        let content_type = self.options.format.content_type();
        match self.options.gzip {
            true => self.webhook.post_compressed(body, content_type).await,
            false => self.webhook.post(body, content_type).await,
        }
    }

    fn recorded(&self) -> MutexGuard<'_, Vec<Answer>> {
        self.answers.lock()
    }
}

/// Whether the sender takes the body for stored: any 2xx.
fn is_accepted(answer: &Answer) -> bool {
    answer.status.is_some_and(|status| (200..300).contains(&status))
}

#[cfg(test)]
mod tests;
