//! What the host asks of the functions, and what they answer.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

/// What the functions of this app do.
#[async_trait]
pub trait Functions: Send + Sync {
    /// A tick of the timer.
    async fn timer(&self, call: TimerCall) -> TimerReply;
    /// A request to the HTTP function, whichever way the host passed it on.
    async fn http(&self, call: HttpCall) -> HttpReply;
}

/// A tick of the timer, as far as the host tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimerCall {
    /// The tick comes later than its schedule says.
    pub is_past_due: bool,
    /// The tick before; `None` if there was none.
    pub last: Option<DateTime<Utc>>,
    /// The host's id of the invocation, from a header.
    pub invocation_id: Option<String>,
}

/// How a tick ended.
#[derive(Debug)]
pub struct TimerReply {
    /// Why it failed, in a line; `None` if it succeeded. The host then shows this and throws the lines away: they must be
    /// logged before.
    pub failure: Option<String>,
    /// For the host's log of the invocation.
    pub lines: Vec<String>,
}

/// A request, freed from the way it came.
#[derive(Debug)]
pub struct HttpCall {
    /// Upper case.
    pub method: String,
    /// Behind `/api/`, without the query: `push/<source>`.
    pub path: String,
    /// Behind the `?` of the address, as it came.
    pub query: String,
    /// Names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// `None` if it is over the limit.
    pub body: Option<Vec<u8>>,
    /// The host's id of the invocation, from a header.
    pub invocation_id: Option<String>,
}

impl HttpCall {
    /// The first header of that name (lower case).
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_slice())
    }
}

/// How long a sender shall wait before it sends again, in seconds.
const RETRY_AFTER_SECONDS: u32 = 10;

/// The answer to a request.
#[derive(Debug)]
pub struct HttpReply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl HttpReply {
    /// With a body of JSON.
    pub fn json(status: u16, body: String) -> Self {
        Self {
            status,
            headers: vec![("Content-Type", "application/json".to_owned())],
            body,
        }
    }

    /// `{"error": "<reason>"}`
    pub fn error(status: u16, reason: &str) -> Self {
        Self::json(status, serde_json::json!({"error": reason}).to_string())
    }

    /// 503: the sender shall send it again.
    pub fn unavailable(reason: &str) -> Self {
        Self::error(503, reason).with_header("Retry-After", &RETRY_AFTER_SECONDS.to_string())
    }

    /// With one more header.
    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}
