//! The custom-handler side of the Azure Functions host: readiness, the JSON envelope, requests that come as they are.
//!
//! It knows no vendor and no pipeline: what a function does stands behind the trait [`Functions`].
//! Facts about the host, from the source of azure-functions-host: any answer to `GET /` means ready; an answer without
//! a body, or `null`, hangs the invocation until its timeout; a status other than 2xx fails the invocation and its
//! logs are thrown away; strings in the envelope may be JSON-encoded twice.

mod body;
mod envelope;
mod read_budget;
mod server;

use async_trait::async_trait;

pub use self::envelope::TimerCall;
pub use self::server::start;

/// What the functions of this app do.
#[async_trait]
pub trait Functions: Send + Sync {
    /// A tick of the timer.
    async fn timer(&self, call: TimerCall) -> TimerReply;
    /// A request to the HTTP function, whichever way the host passed it on.
    async fn http(&self, call: HttpCall) -> HttpReply;
}

/// How a tick ended.
#[derive(Debug)]
pub struct TimerReply {
    /// False fails the invocation. The host then throws the lines away: they must be logged before.
    pub succeeded: bool,
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

/// The answer to a request.
#[derive(Debug)]
pub struct HttpReply {
    /// The HTTP status number.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(&'static str, String)>,
    /// Text.
    pub body: String,
}
