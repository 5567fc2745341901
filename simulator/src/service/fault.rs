//! What can go wrong with a request to a list.

use std::time::Duration;

use super::Reply;

/// What goes wrong with one request for events or objects. `V` is what only one vendor does.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fault<V> {
    /// An error of the service, with an error body of the vendor's form.
    Status {
        /// The HTTP status.
        status: u16,
        /// `Retry-After` in seconds.
        retry_after: Option<u64>,
    },
    /// 200 with the first half of the right body.
    TruncatedJson,
    /// 200 with a page of markup, as a proxy in between would send.
    HtmlPage,
    /// The right answer, after this time.
    Delay(Duration),
    /// The connection is closed without an answer.
    Reset,
    /// 401, and the token that was shown is no longer valid.
    RevokeToken,
    /// The right page, led by the last element of the page before.
    RepeatLastOfPreviousPage,
    /// One that only this vendor has.
    Vendor(V),
}

impl<V> Fault<V> {
    /// The reply where nobody looks at the request. `error` makes one of the vendor's form.
    pub(crate) fn reply(&self, error: impl FnOnce(u16, &str) -> Reply) -> Option<Reply> {
        match self {
            Fault::Reset => Some(Reply::cut()),
            Fault::HtmlPage => Some(Reply::html()),
            Fault::Status { status, retry_after } => {
                Some(error(*status, "The request failed on purpose").with_retry_after(*retry_after))
            }
            _ => None,
        }
    }

    /// What becomes of the right reply.
    pub(crate) fn applied_to(&self, reply: Reply) -> Reply {
        match self {
            Fault::TruncatedJson => reply.truncated(),
            Fault::Delay(delay) => reply.delayed(*delay),
            _ => reply,
        }
    }
}
