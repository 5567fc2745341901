//! The one client for everything outbound.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, ClientBuilder, RequestBuilder, StatusCode, Url, redirect};
use url::Host;

use super::connect_failure::{ConnectFailure, causes};
use crate::config::Environment;
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
    /// Name resolution, TCP, TLS or a proxy.
    #[error("cannot be reached, because {0}")]
    Connect(ConnectFailure),
    /// The time allowed was not enough.
    #[error("did not answer within {0:.0?}")]
    Timeout(Duration),
    /// The connection ended before the answer did.
    #[error("broke off the connection ({0})")]
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

    /// What happened, to follow the name of what was asked, with what to do where that is known. `setting` has the address.
    pub fn with_advice(&self, setting: &str) -> String {
        match self {
            Self::Connect(failure) => format!("cannot be reached, because {}", failure.advice(setting)),
            Self::Timeout(_) => format!("{self}: check that {setting} can be reached from here"),
            Self::Interrupted(_) | Self::TooLarge(_) => self.to_string(),
        }
    }
}

impl HttpClient {
    /// Proxies and root certificates are those of the process's environment: `HTTPS_PROXY`, `NO_PROXY`, `SSL_CERT_FILE`.
    /// `environment` is the same, for the error.
    ///
    /// # Errors
    /// Where there are no root certificates.
    pub fn new(environment: &Environment) -> Result<Self, String> {
        let builder = || {
            Client::builder()
                .redirect(redirect::Policy::none())
                .connect_timeout(CONNECT_TIMEOUT)
                .user_agent(concat!("sentinel-connector/", env!("CARGO_PKG_VERSION")))
        };
        let built = |builder: ClientBuilder| builder.build().map_err(|error| setup_error(&error, environment));
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
            ..NOT_ASKED
                .get_or_init(|| Self::new(&Environment::default()).unwrap())
                .clone()
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
    if error.is_connect() {
        let host = error.url().and_then(Url::host_str);
        return TransportError::Connect(ConnectFailure::of(&error, host));
    }
    let error = error.without_url();
    if error.is_timeout() {
        return TransportError::Timeout(CONNECT_TIMEOUT);
    }
    TransportError::Interrupted(inner_causes(&error))
}

/// What lies under an error of reqwest's, whose own text says little, and under one that only says at what the client was.
fn inner_causes(error: &reqwest::Error) -> String {
    let texts = causes(error).skip(1).map(ToString::to_string);
    let texts: Vec<String> = texts.filter(|text| !text.starts_with("client error (")).collect();
    match texts.is_empty() {
        true => error.to_string(),
        false => texts.join(": "),
    }
}

fn setup_error(error: &reqwest::Error, environment: &Environment) -> String {
    let is_about_certificates = causes(error).any(|cause| cause.is::<rustls::Error>());
    if !is_about_certificates {
        return format!("the HTTPS client cannot be set up: {}", inner_causes(error));
    }
    let named = ["SSL_CERT_FILE", "SSL_CERT_DIR"].map(|name| (name, environment.get(name).unwrap_or_default()));
    match named.iter().find(|(_, place)| !place.is_empty()) {
        Some((name, place)) => format!(
            "no root certificates were found: {name} names {place}; correct or remove it, or install ca-certificates"
        ),
        None => {
            "no root certificates were found: install ca-certificates, or name a PEM file in SSL_CERT_FILE".to_owned()
        }
    }
}

#[cfg(test)]
mod tests;
