//! Everything an account remembers.

use std::collections::HashMap;

use chrono::TimeDelta;
use rand::rngs::StdRng;

use super::options::{AccountOptions, OneLoginFault};
use super::rows::{RowSelection, Rows};
use crate::access_tokens::AccessTokens;
use crate::generate::onelogin_api::{ApiEvent, User};
use crate::random;
use crate::service::{Configured, Controls, Fault, Request};

/// The lifetime of a token in seconds.
pub(super) const TOKEN_LIFETIME_SECONDS: i64 = 36_000;

/// The lists of the API.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum List {
    Events,
    Users,
}

impl List {
    pub(super) fn path(self) -> &'static str {
        match self {
            List::Events => "/api/1/events",
            List::Users => "/api/1/users",
        }
    }

    pub(super) fn of_path(path: &str) -> Option<List> {
        [List::Events, List::Users].into_iter().find(|list| list.path() == path)
    }
}

/// One account.
#[derive(Debug)]
pub struct Account {
    pub(super) options: AccountOptions,
    pub(super) controls: Controls<Fault<OneLoginFault>>,
    pub(super) events: Rows,
    pub(super) users: Rows,
    pub(super) published_events: Vec<ApiEvent>,
    pub(super) published_users: Vec<User>,
    pub(super) tokens: AccessTokens,
    /// Cursors given out and what they go on with.
    pub(super) cursors: HashMap<(List, String), RowSelection>,
    rng: StdRng,
}

impl Configured for Account {
    type Options = AccountOptions;

    fn new(options: AccountOptions) -> Self {
        Account {
            tokens: AccessTokens::new(TimeDelta::seconds(TOKEN_LIFETIME_SECONDS), options.token_uses),
            options,
            controls: Controls::default(),
            events: Rows::default(),
            users: Rows::default(),
            published_events: Vec::new(),
            published_users: Vec::new(),
            cursors: HashMap::new(),
            rng: random::for_one_server(),
        }
    }
}

impl Account {
    pub(super) fn rows(&self, list: List) -> &Rows {
        match list {
            List::Events => &self.events,
            List::Users => &self.users,
        }
    }

    /// A new opaque cursor or refresh token.
    pub(super) fn opaque(&mut self) -> String {
        random::token(&mut self.rng)
    }

    pub(super) fn look_for_secrets(&mut self, request: &Request) {
        self.controls.look_for_secrets(request, |url| {
            self.tokens.is_any_in(url) || url.contains(&self.options.client_secret)
        });
    }
}
