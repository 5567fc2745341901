//! What a test can choose of an account.

/// What the account is like.
#[derive(Clone, Debug)]
pub struct AccountOptions {
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

impl Default for AccountOptions {
    fn default() -> Self {
        AccountOptions {
            client_id: "7d1f0a6be2c94f5b8a3e".to_owned(),
            client_secret: "pier-light~09.sorrel".to_owned(),
            account_id: 70_412,
            largest_limit: 1000,
            page_cap: None,
            token_uses: None,
        }
    }
}

/// What can go wrong with a request for events or users of OneLogin alone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum OneLoginFault {
    /// 400 whose `status.message` is `rate_limit_exceeded` (seen by collectors): the other way, beside 429, of saying
    /// that the rate is used up.
    RateLimitExceeded,
    /// The right page, whose `next_link` points to this origin.
    ForeignNext(String),
}
