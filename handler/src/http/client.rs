//! The one client for everything outbound.

use std::error::Error;
use std::iter::successors;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, ClientBuilder, RequestBuilder, StatusCode, Url, redirect};
use url::Host;

use crate::time::Deadline;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// See the module. Cheap to clone: clones share their connections.
#[derive(Clone, Debug)]
pub struct HttpClient {
    outward: Client,
    /// A proxy in the environment is for the world outside.
    loopback: Client,
    #[cfg(test)]
    script: Option<std::sync::Arc<dyn Script>>,
}

/// The world outside, played by a test.
#[cfg(test)]
#[async_trait::async_trait]
pub trait Script: Send + Sync + std::fmt::Debug {
    /// Answers a request, or fails as a network does.
    async fn answer(&self, request: reqwest::Request) -> Result<Reply, TransportError>;
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// The body, inflated.
    pub body: Vec<u8>,
}

/// No whole answer came. The texts name no URL: a query can hold what must not be logged.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// Name resolution, TCP or TLS.
    #[error("could not connect ({0})")]
    Connect(String),
    /// The time allowed was not enough.
    #[error("did not answer within {0:.0?}")]
    Timeout(Duration),
    /// The connection ended before the answer did.
    #[error("the connection broke off ({0})")]
    Interrupted(String),
    /// The body is larger than the caller allows.
    #[error("sent more than {0} bytes")]
    TooLarge(usize),
}

/// What there is where no whole answer came.
#[derive(Debug)]
pub struct BrokenReply {
    /// Why it is not whole.
    pub error: TransportError,
    /// The answer with as much of its body as came; `None` if not even its headers did.
    pub begun: Option<Reply>,
}

impl TransportError {
    /// True if no byte of the request can have reached the server.
    pub fn was_never_sent(&self) -> bool {
        matches!(self, Self::Connect(_))
    }
}

impl HttpClient {
    /// Fails where the machine has no usable certificate store.
    pub fn new() -> Result<Self, String> {
        let builder = || {
            Client::builder()
                .redirect(redirect::Policy::none())
                .connect_timeout(CONNECT_TIMEOUT)
                .user_agent(concat!("sentinel-connector/", env!("CARGO_PKG_VERSION")))
        };
        let built = |builder: ClientBuilder| {
            builder
                .build()
                .map_err(|error| format!("the HTTPS client cannot be set up: {}", causes(&error)))
        };
        Ok(Self {
            outward: built(builder())?,
            loopback: built(builder().no_proxy())?,
            #[cfg(test)]
            script: None,
        })
    }

    /// A client whose world is a test's own.
    #[cfg(test)]
    pub fn scripted(script: std::sync::Arc<dyn Script>) -> Self {
        // Reading the machine's certificates takes longer than many a test.
        static NOT_ASKED: std::sync::OnceLock<HttpClient> = std::sync::OnceLock::new();
        Self {
            script: Some(script),
            ..NOT_ASKED.get_or_init(|| Self::new().unwrap()).clone()
        }
    }

    pub fn get(&self, url: Url) -> RequestBuilder {
        self.client_for(&url).get(url)
    }

    pub fn post(&self, url: Url) -> RequestBuilder {
        self.client_for(&url).post(url)
    }

    /// The client for an address; for libraries that send by themselves.
    pub fn client_for(&self, url: &Url) -> &Client {
        let is_loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        if is_loopback { &self.loopback } else { &self.outward }
    }

    /// Sends, and reads the body to its end: at most `cap` bytes of it, in at most `timeout` clipped to the deadline.
    pub async fn send(
        &self,
        request: RequestBuilder,
        cap: usize,
        timeout: Duration,
        deadline: Deadline,
    ) -> Result<Reply, TransportError> {
        let sent = self.send_once(request, cap, timeout, deadline).await;
        sent.map_err(|broken| broken.error)
    }

    /// As [`send`](Self::send), for a request that cannot be repeated: what came of a broken answer is given out.
    pub async fn send_once(
        &self,
        request: RequestBuilder,
        cap: usize,
        timeout: Duration,
        deadline: Deadline,
    ) -> Result<Reply, BrokenReply> {
        let allowed = deadline.clip(timeout);
        let mut begun = None;
        #[cfg(test)]
        if let Some(script) = &self.script {
            let answer = async { script.answer(request.build().unwrap()).await };
            return match tokio::time::timeout(allowed, answer).await {
                Ok(Ok(reply)) if reply.body.len() > cap => Err(TransportError::TooLarge(cap)),
                Ok(reply) => reply,
                Err(_) => Err(TransportError::Timeout(allowed)),
            }
            .map_err(|error| BrokenReply { error, begun });
        }
        let error = match tokio::time::timeout(allowed, read_reply(request, cap, &mut begun)).await {
            Ok(Ok(reply)) => return Ok(reply),
            Ok(Err(error)) => error,
            Err(_) => TransportError::Timeout(allowed),
        };
        Err(BrokenReply { error, begun })
    }
}

/// What came stands in `begun` when this fails or is dropped.
async fn read_reply(request: RequestBuilder, cap: usize, begun: &mut Option<Reply>) -> Result<Reply, TransportError> {
    let mut response = request.send().await.map_err(transport_error)?;
    let reply = begun.insert(Reply {
        status: response.status(),
        headers: response.headers().clone(),
        body: Vec::new(),
    });
    while let Some(chunk) = response.chunk().await.map_err(transport_error)? {
        let room = cap - reply.body.len();
        reply.body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            return Err(TransportError::TooLarge(cap));
        }
    }
    Ok(Reply {
        status: reply.status,
        headers: std::mem::take(&mut reply.headers),
        body: std::mem::take(&mut reply.body),
    })
}

fn transport_error(error: reqwest::Error) -> TransportError {
    let error = error.without_url();
    if error.is_connect() {
        return TransportError::Connect(causes(&error));
    }
    if error.is_timeout() {
        return TransportError::Timeout(CONNECT_TIMEOUT);
    }
    TransportError::Interrupted(causes(&error))
}

/// The error's chain of causes; the outermost of reqwest's says little.
fn causes(error: &dyn Error) -> String {
    let causes = successors(error.source(), |cause| (*cause).source());
    let texts: Vec<String> = causes.map(|cause| cause.to_string()).collect();
    match texts.is_empty() {
        true => error.to_string(),
        false => texts.join(": "),
    }
}

#[cfg(test)]
mod tests;
