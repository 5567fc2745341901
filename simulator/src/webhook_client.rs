//! Posts of the vendors' webhook senders.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::Client;

use crate::client::plain_client;

/// The reply of a webhook.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// The status; `None` where the connection failed.
    pub status: Option<u16>,
    /// The body as text, or the failure.
    pub text: String,
}

/// Posts to one webhook.
#[derive(Debug)]
pub(crate) struct WebhookClient {
    client: Client,
    url: String,
    token: Option<String>,
}

impl WebhookClient {
    /// A client for the whole URL of a webhook, with the token of `Authorization: Bearer`, if any.
    pub(crate) fn new(url: &str, token: Option<&str>) -> Self {
        WebhookClient {
            client: plain_client(),
            url: url.to_owned(),
            token: token.map(str::to_owned),
        }
    }

    pub(crate) async fn post(&self, body: &[u8], content_type: &str) -> Answer {
        self.send(body.to_vec(), content_type, None).await
    }

    pub(crate) async fn post_compressed(&self, body: &[u8], content_type: &str) -> Answer {
        self.send(gzip(body), content_type, Some("gzip")).await
    }

    async fn send(&self, body: Vec<u8>, content_type: &str, encoding: Option<&str>) -> Answer {
        let mut request = self
            .client
            .post(&self.url)
            .header("Content-Type", content_type)
            .body(body);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(encoding) = encoding {
            request = request.header("Content-Encoding", encoding);
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

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).expect("memory can be written");
    encoder.finish().expect("memory can be written")
}
