//! What goes into the host and comes out of it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Map, Value};

/// The version the host gives for itself.
pub(super) const HOST_VERSION: &str = "4.1044.400.2";

/// How an http request gets to the handler.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mode {
    /// `enableProxyingHttpRequest`: as it came.
    Proxy,
    /// `enableForwardingHttpRequest`: rebuilt, with losses.
    Forward,
    /// Neither: in a JSON envelope.
    Envelope,
}

/// What is started, and how.
#[derive(Clone, Debug)]
pub struct HostOptions {
    /// The handler.
    pub executable: PathBuf,
    /// The root of the function app; `function.json` files there name the bindings.
    pub working_dir: PathBuf,
    /// The app settings: the whole environment, but for what the host adds.
    pub env: BTreeMap<String, String>,
    /// How an http request gets to the handler.
    pub mode: Mode,
}

/// An invocation that succeeded.
#[derive(Clone, Debug, PartialEq)]
pub struct Invocation {
    /// `Logs`.
    pub logs: Vec<String>,
    /// `Outputs`, empty where it is null.
    pub outputs: Map<String, Value>,
    /// `ReturnValue`.
    pub return_value: Value,
    /// The whole reply as it came, to look for keys that the host does not insist on.
    pub reply: Value,
}

/// What the caller outside gets.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HttpAnswer {
    /// The status.
    pub status: u16,
    /// The headers in their order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl HttpAnswer {
    /// What the host answers by itself.
    pub(super) fn of_the_host(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// The body as text; what is no UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The first value of a header, by any case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        header_of(&self.headers, name)
    }
}

/// The first value of a header, by any case of its name.
pub(super) fn header_of<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}
