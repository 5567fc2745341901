//! What a test can choose of a subscription.

use std::time::Duration;

/// How the poll URL wants to be asked; the other way is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Authentication {
    /// A token of the token endpoint, as `Bearer`.
    Bearer,
    /// User name and password, as `Basic`.
    Basic,
}

/// What the subscription is like.
#[derive(Clone, Debug)]
pub struct SubscriptionOptions {
    /// The account in the poll URL.
    pub account_id: String,
    /// The subscription in the poll URL.
    pub subscription_id: String,
    /// The client of the token endpoint.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// The user of the poll URL.
    pub username: String,
    /// The user's password.
    pub password: String,
    /// The one way that the poll URL accepts.
    pub authentication: Authentication,
    /// So many events an answer has, about.
    pub batch_size: usize,
    /// The number may be less or more than the batch size (vendor); `false` makes it exact.
    pub uneven_batches: bool,
    /// So many GETs a token serves; after them it is refused with 403. `None`: no end.
    pub token_uses: Option<usize>,
}

impl Default for SubscriptionOptions {
    fn default() -> Self {
        SubscriptionOptions {
            account_id: "3b0d6a54-1f7e-4a6e-9d07-5c8f1e2b7a10".to_owned(),
            subscription_id: "a94c2e18-6b3f-4d55-8e21-0f6d7b9c3e42".to_owned(),
            client_id: "enterprise-poller".to_owned(),
            client_secret: "gantry_55.copper~fern".to_owned(),
            username: "auditor@example.com".to_owned(),
            password: "slow:river 8".to_owned(),
            authentication: Authentication::Bearer,
            batch_size: 100,
            uneven_batches: true,
            token_uses: None,
        }
    }
}

/// What goes wrong with one GET of the poll URL.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SubscriptionFault {
    /// An error of the service; nothing is consumed. 504 is frequent at the vendor's.
    Status {
        /// The HTTP status.
        status: u16,
        /// `Retry-After` in seconds.
        retry_after: Option<u64>,
    },
    /// 200 with the first half of the body; everything in it is consumed.
    TruncatedJson,
    /// 200 with the Content-Length of the whole body, and the connection is closed after its first half; everything in
    /// it is consumed.
    BreakInBody,
    /// 200 with a page of markup in place of the events, which are consumed.
    NotJson,
    /// The right answer, after this time; the events are consumed at once.
    Delay(Duration),
    /// The events are consumed and the connection is closed without an answer.
    ResetAfterConsuming,
    /// The connection is closed without an answer, and nothing is consumed.
    ResetBeforeConsuming,
    /// 403, and the token that was shown is no longer valid; nothing is consumed.
    ExpireToken,
}
