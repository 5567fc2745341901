//! Requests to a simulated service.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

/// A request, read to its end.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The HTTP method.
    pub method: String,
    /// The origin that the request was sent to, without a slash at the end.
    pub origin: String,
    /// The path as sent.
    pub path: String,
    /// The query string as sent, without the question mark.
    pub query: String,
    /// Header names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// The body as sent.
    pub body: Vec<u8>,
}

/// What is remembered of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RecordedRequest {
    /// The HTTP method.
    pub method: String,
    /// The path as sent.
    pub path: String,
    /// The query string as sent, without the question mark.
    pub query: String,
    /// The body as text.
    pub body: String,
    /// The status of the reply; 0 where the connection was cut.
    pub status: u16,
}

impl Request {
    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn authorization(&self) -> &str {
        self.header("authorization").unwrap_or_default()
    }

    /// What follows the scheme in the `Authorization` header, if it has that scheme.
    pub(crate) fn credentials(&self, scheme: &str) -> Option<&str> {
        self.authorization().strip_prefix(scheme)?.strip_prefix(' ')
    }

    /// Id and secret of a `Basic` header.
    pub(crate) fn basic_credentials(&self) -> Option<(String, String)> {
        let text = String::from_utf8(STANDARD.decode(self.credentials("Basic")?).ok()?).ok()?;
        let (id, secret) = text.split_once(':')?;
        Some((id.to_owned(), secret.to_owned()))
    }

    pub(crate) fn content_type(&self) -> &str {
        self.header("content-type").unwrap_or_default()
    }

    /// Whether the content type is `media_type`, whatever its parameters.
    pub(crate) fn has_content_type(&self, media_type: &str) -> bool {
        let given = self.content_type().split(';').next().unwrap_or_default();
        given.trim().eq_ignore_ascii_case(media_type)
    }

    /// Path and query, decoded, to look for secrets.
    pub(crate) fn decoded_url(&self) -> String {
        let encoded = format!("{}?{}", self.path, self.query);
        percent_decode_str(&encoded).decode_utf8_lossy().into_owned()
    }

    pub(crate) fn recorded(&self, status: u16) -> RecordedRequest {
        RecordedRequest {
            method: self.method.clone(),
            path: self.path.clone(),
            query: self.query.clone(),
            body: String::from_utf8_lossy(&self.body).into_owned(),
            status,
        }
    }
}
