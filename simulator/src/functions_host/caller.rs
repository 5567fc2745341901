//! A request as it reaches the host, and how it is passed on raw: forwarded or proxied.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::contract::{HOST_VERSION, header_of};
use super::error::HostError;
use super::exchange::{Framing, Outgoing};
use crate::query::pairs;

/// Headers of one connection, which no proxy passes on.
const HOP_BY_HOP: [&str; 9] = [
    "Connection",
    "Keep-Alive",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Proxy-Connection",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
];

/// Headers that .NET files under the content, not the request; forwarding drops them with the content
/// object, all but the type and the length.
const LOST_CONTENT_HEADERS: [&str; 9] = [
    "Allow",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Language",
    "Content-Location",
    "Content-MD5",
    "Content-Range",
    "Expires",
    "Last-Modified",
];

/// What .NET leaves unescaped.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A request of somebody outside.
#[derive(Clone, Debug)]
pub(super) struct CallerRequest {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl CallerRequest {
    pub(super) fn new(
        method: &str,
        path_and_query: &str,
        headers: &[(String, String)],
        body: Vec<u8>,
    ) -> Result<Self, HostError> {
        if !path_and_query.starts_with('/') || path_and_query.contains([' ', '\r', '\n']) {
            return Err(HostError::BadRequest(path_and_query.to_owned()));
        }
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        Ok(CallerRequest {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: headers.to_vec(),
            body,
        })
    }

    pub(super) fn path_and_query(&self) -> String {
        if self.query.is_empty() {
            return self.path.clone();
        }
        format!("{}?{}", self.path, self.query)
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        header_of(&self.headers, name)
    }

    /// The caller asks for chunks by giving the header.
    pub(super) fn is_chunked(&self) -> bool {
        self.header("Transfer-Encoding")
            .is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"))
    }

    /// All headers with those that a client adds by itself.
    pub(super) fn headers_at_the_host(&self) -> Vec<(String, String)> {
        let mut headers = self.headers.clone();
        if self.header("Host").is_none() {
            headers.push(("Host".to_owned(), "localhost:7071".to_owned()));
        }
        if !self.is_chunked() && self.header("Content-Length").is_none() && !self.body.is_empty() {
            headers.push(("Content-Length".to_owned(), self.body.len().to_string()));
        }
        headers
    }

    /// Decoded query with the values of a repeated name joined by commas.
    pub(super) fn joined_query(&self) -> Vec<(String, String)> {
        let mut joined: Vec<(String, String)> = Vec::new();
        for (name, value) in pairs(&self.query) {
            match joined.iter_mut().find(|(given, _)| *given == name) {
                Some((_, values)) => {
                    values.push(',');
                    values.push_str(&value);
                }
                None => joined.push((name, value)),
            }
        }
        joined
    }

    /// `enableProxyingHttpRequest`: path, query, headers and body as they came.
    pub(super) fn proxied(&self, invocation_id: &str) -> Outgoing {
        let mut headers = self.headers_without(&[]);
        headers.extend(host_headers(invocation_id));
        headers.push(("x-ms-invocation-id".to_owned(), invocation_id.to_owned()));
        let framing = if self.is_chunked() {
            Framing::Chunked
        } else {
            self.framing_by_length()
        };
        Outgoing {
            method: self.method.clone(),
            target: self.path_and_query(),
            headers,
            framing,
            body: self.body.clone(),
        }
    }

    /// `enableForwardingHttpRequest`: a new request in the likeness of the old one, which has a length or no body. Most
    /// content headers are lost on the way.
    pub(super) fn forwarded(&self, invocation_id: &str) -> Outgoing {
        let mut headers = self.headers_without(&LOST_CONTENT_HEADERS);
        headers.retain(|(name, _)| !name.eq_ignore_ascii_case("User-Agent"));
        let own_agent = format!("Azure-Functions-Host/{HOST_VERSION}");
        let agent = match self.header("User-Agent") {
            Some(agent) => format!("{agent} {own_agent}"),
            None => own_agent,
        };
        headers.push(("User-Agent".to_owned(), agent));
        headers.extend(host_headers(invocation_id));
        let framing = match self.body.is_empty() {
            true => Framing::None,
            false => Framing::Length,
        };
        Outgoing {
            method: self.method.clone(),
            target: self.rebuilt_target(),
            headers,
            framing,
            body: self.body.clone(),
        }
    }

    fn framing_by_length(&self) -> Framing {
        let may_be_empty = ["GET", "HEAD", "DELETE", "OPTIONS"].contains(&self.method.as_str());
        if self.body.is_empty() && may_be_empty {
            return Framing::None;
        }
        Framing::Length
    }

    fn rebuilt_target(&self) -> String {
        let escaped = |text: &str| utf8_percent_encode(text, ESCAPED).to_string();
        let query: Vec<String> = self
            .joined_query()
            .iter()
            .map(|(name, value)| format!("{}={}", escaped(name), escaped(value)))
            .collect();
        if query.is_empty() {
            return self.path.clone();
        }
        format!("{}?{}", self.path, query.join("&"))
    }

    /// The headers without those of the connection, those that are set anew, and `others`.
    fn headers_without(&self, others: &[&str]) -> Vec<(String, String)> {
        let set_anew = ["Host", "Content-Length"];
        let dropped = |name: &str| {
            let lists = [&HOP_BY_HOP[..], &set_anew[..], others];
            let mut names = lists.into_iter().flatten();
            names.any(|dropped| dropped.eq_ignore_ascii_case(name))
        };
        let kept = self.headers.iter().filter(|(name, _)| !dropped(name));
        kept.cloned().collect()
    }
}

/// What the host adds to every request.
pub(super) fn host_headers(invocation_id: &str) -> [(String, String); 2] {
    [
        ("X-Azure-Functions-InvocationId".to_owned(), invocation_id.to_owned()),
        ("X-Azure-Functions-HostVersion".to_owned(), HOST_VERSION.to_owned()),
    ]
}

/// The headers of an answer that a proxy passes back.
pub(super) fn relayed_headers(headers: Vec<(String, String)>) -> Vec<(String, String)> {
    let of_connection = |name: &str| {
        let mut names = HOP_BY_HOP.iter();
        names.any(|hop| hop.eq_ignore_ascii_case(name))
    };
    let relayed = headers.into_iter();
    relayed.filter(|(name, _)| !of_connection(name)).collect()
}
