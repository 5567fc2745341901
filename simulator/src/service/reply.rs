//! Replies of a simulated service.

use std::time::Duration;

/// A reply, and how it reaches the client.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status; 0 where the connection is cut instead.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(&'static str, String)>,
    /// The whole body.
    pub body: Vec<u8>,
    /// How much of it arrives.
    pub ending: Ending,
    /// The reply is sent after this time; what follows from it in the service has happened before.
    pub delay: Option<Duration>,
    /// A number of the service's own, given back by [`Simulation::finish`](super::Simulation::finish).
    pub tag: Option<usize>,
}

/// How much of a reply arrives.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ending {
    /// All of it.
    Whole,
    /// Nothing: the connection is closed without a reply.
    Cut,
    /// So many bytes of the body; the `Content-Length` is that of the whole, and the connection is closed.
    BreaksAfter(usize),
}

impl Reply {
    /// A reply without a body.
    pub fn empty(status: u16) -> Self {
        Reply {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            ending: Ending::Whole,
            delay: None,
            tag: None,
        }
    }

    /// JSON text.
    pub(crate) fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Reply {
            body: body.into(),
            ..Self::empty(status)
        }
        .with_header("Content-Type", "application/json")
    }

    /// A page of markup under a good status, as a proxy in between would send.
    pub(crate) fn html() -> Self {
        let page = "<!doctype html><html><body><h1>One moment</h1></body></html>";
        Reply {
            body: page.into(),
            ..Self::empty(200)
        }
        .with_header("Content-Type", "text/html; charset=utf-8")
    }

    /// No reply at all: the connection is closed.
    pub(crate) fn cut() -> Self {
        Reply {
            ending: Ending::Cut,
            ..Self::empty(0)
        }
    }

    /// The same reply with one more header.
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same reply with `Retry-After`, where seconds are given.
    pub(crate) fn with_retry_after(self, seconds: Option<u64>) -> Self {
        match seconds {
            Some(seconds) => self.with_header("Retry-After", seconds.to_string()),
            None => self,
        }
    }

    /// The same reply, later.
    pub(crate) fn delayed(self, delay: Duration) -> Self {
        Reply {
            delay: Some(delay),
            ..self
        }
    }

    /// The same reply with the first half of its body.
    pub(crate) fn truncated(mut self) -> Self {
        let text = String::from_utf8_lossy(&self.body);
        let end = text.floor_char_boundary(text.len() / 2);
        self.body = text[..end].to_owned().into_bytes();
        self
    }

    /// The same reply, but the connection ends in the middle of its body.
    pub(crate) fn broken(self) -> Self {
        Reply {
            ending: Ending::BreaksAfter(self.body.len() / 2),
            ..self
        }
    }
}
