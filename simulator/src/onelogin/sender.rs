//! Batches on their way to a webhook.

use std::io::Write;
use std::sync::Mutex;

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::Client;

use super::{Batch, Batcher, Clock};
use crate::client::plain_client;
use crate::generate::onelogin::Event;

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

/// One answer of the webhook.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// The status; `None` where the connection failed.
    pub status: Option<u16>,
    /// The body as text, or the failure.
    pub text: String,
}

impl Answer {
    /// Whether the sender takes the body for stored: any 2xx.
    pub fn accepts(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
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
    client: Client,
    answers: Mutex<Vec<Answer>>,
}

impl Sender {
    /// A sender that has sent nothing.
    pub fn new(options: SenderOptions) -> Self {
        Sender {
            options,
            client: plain_client(),
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
            let body = if self.options.gzip { gzip(&body) } else { body };
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
            let answer = self.post(body.to_vec()).await;
            let accepted = answer.accepts();
            self.recorded().push(answer.clone());
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
        if self.options.gzip {
            request = request.header("Content-Encoding", "gzip");
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

    fn recorded(&self) -> std::sync::MutexGuard<'_, Vec<Answer>> {
        self.answers.lock().expect("nobody panics with the answers")
    }
}

/// A batcher, a clock and a sender put together: events in, POSTs out.
pub struct Feed<C> {
    batcher: Batcher,
    clock: C,
    sender: Sender,
}

impl<C: Clock> Feed<C> {
    /// A feed with nothing waiting.
    pub fn new(clock: C, sender: Sender) -> Self {
        Feed {
            batcher: Batcher::new(),
            clock,
            sender,
        }
    }

    /// Takes an event and sends the batch that is complete with it.
    pub async fn offer(&mut self, event: Event) -> Option<Delivery> {
        let batch = self.batcher.offer(event, self.clock.now())?;
        Some(self.sender.send(&batch).await)
    }

    /// Sends the batch whose time is up.
    pub async fn tick(&mut self) -> Option<Delivery> {
        let batch = self.batcher.tick(self.clock.now())?;
        Some(self.sender.send(&batch).await)
    }

    /// Sends what is waiting.
    pub async fn flush(&mut self) -> Option<Delivery> {
        let batch = self.batcher.flush()?;
        Some(self.sender.send(&batch).await)
    }

    /// The sender, for its answers.
    pub fn sender(&self) -> &Sender {
        &self.sender
    }
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).expect("memory can be written");
    encoder.finish().expect("memory can be written")
}

#[cfg(test)]
mod tests;
