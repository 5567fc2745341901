//! What a test can choose of an environment.

use chrono::{DateTime, Utc};

/// How the application may show its credentials (`tokenEndpointAuthMethod`); the other way is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TokenStyle {
    /// `CLIENT_SECRET_BASIC`: an `Authorization: Basic` header.
    Basic,
    /// `CLIENT_SECRET_POST`: `client_id` and `client_secret` in the form body.
    Body,
}

/// What the environment is like.
#[derive(Clone, Debug)]
pub struct EnvironmentOptions {
    /// The environment whose activities are read.
    pub environment_id: String,
    /// The environment in which the worker application lives; it stands in the token URL.
    pub auth_environment_id: String,
    /// The worker application.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// The one way of showing the credentials that is accepted.
    pub token_style: TokenStyle,
    /// The largest `limit` that is accepted. The vendor documents none.
    pub largest_limit: usize,
    /// So many at most stand on a page, whatever `limit` asks for. `None`: as many as it asks for.
    pub page_cap: Option<usize>,
    /// So many activity requests a token serves; after them it is refused with 401. `None`: no end.
    pub token_uses: Option<usize>,
    /// Newest first is what the vendor does without documenting it.
    pub newest_first: bool,
    /// Older events are left out without a word (vendor: the last 14 days are readable). `None`: all are.
    pub oldest_readable: Option<DateTime<Utc>>,
}

impl Default for EnvironmentOptions {
    fn default() -> Self {
        EnvironmentOptions {
            environment_id: "c0a1f5de-91c4-4a41-8f6e-2d1b6f0f7a01".to_owned(),
            auth_environment_id: "7be2d9aa-30c7-4f4e-9b7c-94b1d3c5e802".to_owned(),
            client_id: "e15c6f7b-6f0a-4b52-8a53-0d4f8a9b6c03".to_owned(),
            client_secret: "spruce~lantern_41.gravel-orbit".to_owned(),
            token_style: TokenStyle::Basic,
            largest_limit: 1000,
            page_cap: None,
            token_uses: None,
            newest_first: true,
            oldest_readable: None,
        }
    }
}

/// What can go wrong with an activities request of PingOne alone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PingOneFault {
    /// The right page, with a byte that is no UTF-8 in the description of its first activity.
    InvalidUtf8,
    /// The right page, whose `next` link points to this origin.
    ForeignNext(String),
    /// 400 where the asked `limit` is over 100, else the right answer.
    NextPageSizeRefused,
}
