//! What the webhook senders of the vendors share: their bodies, posts and tries.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::Client;

use crate::client::plain_client;

/// The form of a body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BodyFormat {
    /// One JSON array with all events.
    JsonArray,
    /// One event a line, with a line end after the last.
    NdJson,
    /// One event: a POST for each. Not every vendor has it.
    Single,
}

impl BodyFormat {
    /// The bodies with these events, byte for byte as they were made, each to be sent by itself.
    pub fn bodies<'a>(self, events: impl IntoIterator<Item = &'a str>) -> Vec<Vec<u8>> {
        let texts: Vec<&str> = events.into_iter().collect();
        match self {
            BodyFormat::JsonArray => vec![format!("[{}]", texts.join(",")).into_bytes()],
            BodyFormat::NdJson => vec![format!("{}\n", texts.join("\n")).into_bytes()],
            BodyFormat::Single => texts.iter().map(|text| text.as_bytes().to_vec()).collect(),
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            BodyFormat::JsonArray | BodyFormat::Single => "application/json",
            BodyFormat::NdJson => "application/x-ndjson",
        }
    }
}

/// Where a sender sends to, and how.
#[derive(Clone, Debug)]
pub struct WebhookOptions {
    /// The whole URL of the webhook.
    pub url: String,
    /// The token of the custom header `Authorization: Bearer`; `None` sends no such header.
    pub token: Option<String>,
    /// The form of a body.
    pub format: BodyFormat,
    /// Whether bodies are compressed, with `Content-Encoding: gzip`. Not every vendor does that.
    pub gzip: bool,
    /// How often a body is tried until it is accepted; at least 1. There is no pause in between.
    pub tries: usize,
}

/// The reply of a webhook.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// The status; `None` where the connection failed.
    pub status: Option<u16>,
    /// The body as text, or the failure.
    pub text: String,
}

/// What became of what a sender had to send.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Delivery {
    /// Whether all of it was accepted in the end.
    pub accepted: bool,
    /// The answers to every try of every body, in order.
    pub answers: Vec<Answer>,
}

/// Posts to one webhook.
#[derive(Debug)]
pub(crate) struct WebhookClient {
    client: Client,
    options: WebhookOptions,
    /// The statuses at which the sender takes a body for stored.
    accepts: fn(u16) -> bool,
}

impl WebhookClient {
    pub(crate) fn new(options: WebhookOptions, accepts: fn(u16) -> bool) -> Self {
        WebhookClient {
            client: plain_client(),
            options,
            accepts,
        }
    }

    /// Posts the bodies with these events, each until it is accepted or its tries are used up.
    pub(crate) async fn deliver(&self, events: impl IntoIterator<Item = &str>) -> Delivery {
        let mut delivery = Delivery {
            accepted: true,
            answers: Vec::new(),
        };
        for body in self.options.format.bodies(events) {
            let answers = self.try_body(&body).await;
            delivery.accepted &= answers.last().is_some_and(|answer| self.is_accepted(answer));
            delivery.answers.extend(answers);
        }
        delivery
    }

    async fn try_body(&self, body: &[u8]) -> Vec<Answer> {
        let mut answers = Vec::new();
        for _ in 0..self.options.tries.max(1) {
            let answer = self.post(body).await;
            let is_accepted = self.is_accepted(&answer);
            answers.push(answer);
            if is_accepted {
                break;
            }
        }
        answers
    }

    fn is_accepted(&self, answer: &Answer) -> bool {
        answer.status.is_some_and(self.accepts)
    }

    async fn post(&self, body: &[u8]) -> Answer {
        let WebhookOptions {
            url,
            token,
            format,
            gzip,
            ..
        } = &self.options;
        let mut request = self.client.post(url).header("Content-Type", format.content_type());
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        request = match gzip {
            true => request.header("Content-Encoding", "gzip").body(compressed(body)),
            false => request.body(body.to_vec()),
        };
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

fn compressed(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).expect("memory can be written");
    encoder.finish().expect("memory can be written")
}
