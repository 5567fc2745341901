//! What a test can choose of an account.

use std::time::Duration;

/// What the account is like.
#[derive(Clone, Debug)]
pub struct Options {
    /// The API credential.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// `account_id` of a token.
    pub account_id: u32,
    /// The largest `limit` that is accepted: the documentation speaks of 50, a collector asks for 1000.
    pub largest_limit: usize,
    /// So many at most stand on a page, whatever `limit` asks for. `None`: as many as it asks for.
    pub page_cap: Option<usize>,
    /// So many requests a token serves; after them it is refused with 401. `None`: no end.
    pub token_uses: Option<usize>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            client_id: "7d1f0a6be2c94f5b8a3e".to_owned(),
            client_secret: "pier-light~09.sorrel".to_owned(),
            account_id: 70_412,
            largest_limit: 1000,
            page_cap: None,
            token_uses: None,
        }
    }
}

/// What goes wrong with one request for events or users.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fault {
    /// An error with a body of the vendor's form; 429 is one way of saying that the rate is used up.
    Status {
        /// The HTTP status.
        status: u16,
        /// `Retry-After` in seconds.
        retry_after: Option<u64>,
    },
    /// The other way: 400 whose `status.message` is `rate_limit_exceeded` (seen by collectors).
    RateLimitExceeded,
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
    /// The right page, whose `next_link` points to this origin.
    ForeignNext(String),
    /// The right page, led by the last object of the page before.
    RepeatLastOfPreviousPage,
}
