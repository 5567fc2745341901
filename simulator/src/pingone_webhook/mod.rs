//! The webhook sender of PingOne ("subscriptions").
//!
//! Contract after the vendor's pages and SDK: a POST with up to 500 activities, as a JSON array or NDJSON, with
//! the customer's own headers. A batch is repeated until HTTP 200 exactly, and what comes behind it waits: the
//! order is kept. The vendor goes on for 7 days; here the number of tries is the test's choice.

use std::collections::VecDeque;

use reqwest::Client;

use crate::client::plain_client;
use crate::generate::pingone::Activity;

/// So many activities at most stand in one body (vendor: `EVENTS_PER_PAYLOAD`).
pub const LARGEST_BATCH: usize = 500;

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

/// One answer of the webhook.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// The status; `None` where the connection failed.
    pub status: Option<u16>,
    /// The body as text, or the failure.
    pub text: String,
}

impl Answer {
    /// Whether the sender takes the batch for stored: 200, and no other status.
    pub fn accepts(&self) -> bool {
        self.status == Some(200)
    }
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
    client: Client,
    /// The batch that is being tried. It is the same at every try, also when more activities wait by then.
    current: Vec<Activity>,
    waiting: VecDeque<Activity>,
    accepted: Vec<Activity>,
}

impl Sender {
    /// A sender with nothing waiting.
    pub fn new(options: SenderOptions) -> Self {
        Sender {
            options,
            client: plain_client(),
            current: Vec::new(),
            waiting: VecDeque::new(),
            accepted: Vec::new(),
        }
    }

    /// Puts activities behind those that wait.
    pub fn offer(&mut self, activities: impl IntoIterator<Item = Activity>) {
        self.waiting.extend(activities);
    }

    /// Posts batch after batch until nothing waits, or until one is not accepted in all its tries; that one and
    /// all behind it go on waiting for the next call.
    pub async fn deliver(&mut self) -> Delivery {
        let mut answers = Vec::new();
        while self.take_batch() {
            if !self.try_batch(&mut answers).await {
                return Delivery {
                    complete: false,
                    answers,
                };
            }
            self.accepted.append(&mut self.current);
        }
        Delivery {
            complete: true,
            answers,
        }
    }

    /// The activities whose batches were answered with 200, in order.
    pub fn accepted(&self) -> &[Activity] {
        &self.accepted
    }

    /// How many activities have not been accepted yet.
    pub fn waiting(&self) -> usize {
        self.current.len() + self.waiting.len()
    }

    /// Whether there is a batch to be sent.
    fn take_batch(&mut self) -> bool {
        if self.current.is_empty() {
            let size = self.options.batch_size.clamp(1, LARGEST_BATCH).min(self.waiting.len());
            self.current.extend(self.waiting.drain(..size));
        }
        !self.current.is_empty()
    }

    async fn try_batch(&self, answers: &mut Vec<Answer>) -> bool {
        let body = self.options.format.body(&self.current);
        for _ in 0..self.options.tries.max(1) {
            let answer = self.post(body.clone()).await;
            let accepted = answer.accepts();
            answers.push(answer);
            if accepted {
                return true;
            }
        }
        false
    }

    async fn post(&self, body: Vec<u8>) -> Answer {
        let mut request = self
            .client
            .post(&self.options.url)
            .header("Content-Type", self.options.format.content_type())
            .body(body);
        if let Some(token) = &self.options.token {
            request = request.bearer_auth(token);
        }
        match request.send().await {
            Ok(response) => Answer {
                status: Some(response.status().as_u16()),
                text: response.text().await.unwrap_or_default(),
            },
            Err(error) => Answer {
                status: None,
                text: error.to_string(),
            },
        }
    }
}

#[cfg(test)]
mod tests;
