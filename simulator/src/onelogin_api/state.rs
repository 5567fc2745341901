//! Everything an account remembers.

use std::collections::HashMap;

use chrono::TimeDelta;
use rand::rngs::StdRng;

use super::options::{Fault, Options};
use super::rows::{Row, RowSelection, Rows};
use crate::access_tokens::AccessTokens;
use crate::generate::onelogin_api::{ApiEvent, User};
use crate::random;
use crate::service::{Controls, Request};

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
    pub(super) options: Options,
    pub(super) controls: Controls<Fault>,
    pub(super) events: Rows,
    pub(super) users: Rows,
    pub(super) published_events: Vec<ApiEvent>,
    pub(super) published_users: Vec<User>,
    pub(super) tokens: AccessTokens,
    /// Cursors given out and what they go on with.
    pub(super) cursors: HashMap<(List, String), RowSelection>,
    rng: StdRng,
}

impl Account {
    pub(super) fn new(options: Options) -> Self {
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

    pub(super) fn publish_events(&mut self, events: impl IntoIterator<Item = ApiEvent>) {
        for event in events {
            let row = Row {
                created_at: event.created_at,
                event_type_id: Some(event.event_type_id),
                json: event.json.clone(),
            };
            self.events.show(event.id, row);
            self.published_events.push(event);
        }
    }

    pub(super) fn publish_users(&mut self, users: impl IntoIterator<Item = User>) {
        for user in users {
            let row = Row {
                created_at: user.created_at,
                event_type_id: None,
                json: user.json.clone(),
            };
            self.users.show(user.id, row);
            self.published_users.push(user);
        }
    }

    pub(super) fn current_users(&self) -> Vec<User> {
        let is_current = |user: &&User| self.users.get(user.id).is_some_and(|row| row.json == user.json);
        let mut users: Vec<User> = self.published_users.iter().filter(is_current).cloned().collect();
        users.sort_by_key(|user| user.id);
        users.dedup_by_key(|user| user.id);
        users
    }

    pub(super) fn rows(&self, list: List) -> &Rows {
        match list {
            List::Events => &self.events,
            List::Users => &self.users,
        }
    }

    pub(super) fn violation(&mut self, sentence: impl Into<String>) {
        self.controls.violation(sentence);
    }

    /// A new opaque cursor or refresh token.
    pub(super) fn opaque(&mut self) -> String {
        random::token(&mut self.rng)
    }

    pub(super) fn look_for_secrets(&mut self, request: &Request) {
        let url = request.decoded_url();
        if url.contains(&self.options.client_secret) || self.tokens.is_any_in(&url) {
            self.violation("a secret stands in a URL");
        }
    }
}
