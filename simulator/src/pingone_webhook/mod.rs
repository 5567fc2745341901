//! The webhook sender of PingOne ("subscriptions").
//!
//! Contract after the vendor's pages and SDK: a POST with up to 500 activities, as a JSON array or NDJSON, with
//! the customer's own headers. A batch is repeated until HTTP 200 exactly, and what comes behind it waits: the
//! order is kept. The vendor goes on for 7 days; here the number of tries is the test's choice.

mod queue;

use crate::generate::pingone::Activity;
use crate::webhook_client::WebhookClient;

pub use crate::webhook_client::Answer;
pub use queue::{LARGEST_BATCH, Queue};

/// The form of a body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// `JSON_ARRAY`.
    JsonArray,
    /// `ND_JSON`: one activity a line, with a line end after the last.
    NdJson,
}

impl Format {
    /// The body with these activities, byte for byte as they were made.
    pub fn body(self, activities: &[Activity]) -> Vec<u8> {
        let texts: Vec<&str> = activities.iter().map(|activity| activity.json.as_str()).collect();
        match self {
            Format::JsonArray => format!("[{}]", texts.join(",")).into_bytes(),
            Format::NdJson => format!("{}\n", texts.join("\n")).into_bytes(),
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Format::JsonArray => "application/json",
            Format::NdJson => "application/x-ndjson",
        }
    }
}

/// Where a sender sends to, and how.
#[derive(Clone, Debug)]
pub struct SenderOptions {
    /// The whole URL of the webhook.
    pub url: String,
    /// The token of the custom header `Authorization: Bearer`; `None` sends no such header.
    pub token: Option<String>,
    /// The form of a body.
    pub format: Format,
    /// So many activities stand in one body, 1 to [`LARGEST_BATCH`].
    pub batch_size: usize,
    /// How often a batch is tried in one [`Sender::deliver`]; at least 1. There is no pause in between.
    pub tries: usize,
}

/// What became of the batches of one [`Sender::deliver`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Delivery {
    /// Whether nothing waits any more.
    pub complete: bool,
    /// The answers to every try, in order.
    pub answers: Vec<Answer>,
}

/// Posts activities to a webhook, in order.
pub struct Sender {
    options: SenderOptions,
    webhook: WebhookClient,
    queue: Queue,
}

impl Sender {
    /// A sender with nothing waiting.
    pub fn new(options: SenderOptions) -> Self {
        Sender {
            webhook: WebhookClient::new(&options.url, options.token.as_deref()),
            queue: Queue::new(options.batch_size),
            options,
        }
    }

    /// Puts activities behind those that wait.
    pub fn offer(&mut self, activities: impl IntoIterator<Item = Activity>) {
        self.queue.offer(activities);
    }

    /// Posts batch after batch until nothing waits, or until one is not accepted in all its tries; that one and
    /// all behind it go on waiting for the next call.
    pub async fn deliver(&mut self) -> Delivery {
        let mut answers = Vec::new();
        while let Some(batch) = self.queue.batch() {
            let body = self.options.format.body(batch);
            if !self.try_body(&body, &mut answers).await {
                break;
            }
            self.queue.accept();
        }
        Delivery {
            complete: self.queue.waiting() == 0,
            answers,
        }
    }

    /// The activities whose batches were answered with 200, in order.
    pub fn accepted(&self) -> &[Activity] {
        self.queue.accepted()
    }

    /// How many activities have not been accepted yet.
    pub fn waiting(&self) -> usize {
        self.queue.waiting()
    }

    async fn try_body(&self, body: &[u8], answers: &mut Vec<Answer>) -> bool {
        for _ in 0..self.options.tries.max(1) {
            let answer = self.webhook.post(body, self.options.format.content_type()).await;
            // The sender takes the batch for stored at 200, and at no other status.
            let accepted = answer.status == Some(200);
            answers.push(answer);
            if accepted {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests;
