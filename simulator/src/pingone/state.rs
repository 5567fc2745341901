//! Everything an environment remembers.

use std::collections::HashMap;

use chrono::TimeDelta;
use rand::rngs::StdRng;

use super::errors::api_error;
use super::events::{ActivitySelection, PublishedActivities};
use super::options::{EnvironmentOptions, PingOneFault};
use crate::access_tokens::AccessTokens;
use crate::random;
use crate::service::{Configured, Controls, Fault, Reply, Request};

/// The lifetime of a token in seconds.
const TOKEN_LIFETIME_SECONDS: i64 = 3600;

/// One environment.
#[derive(Debug)]
pub struct Environment {
    pub(super) options: EnvironmentOptions,
    pub(super) controls: Controls<Fault<PingOneFault>>,
    pub(super) events: PublishedActivities,
    pub(super) tokens: AccessTokens,
    cursors: HashMap<String, ActivitySelection>,
    rng: StdRng,
}

impl Configured for Environment {
    type Options = EnvironmentOptions;

    fn new(options: EnvironmentOptions) -> Self {
        Environment {
            tokens: AccessTokens::new(TimeDelta::seconds(TOKEN_LIFETIME_SECONDS), options.token_uses),
            options,
            controls: Controls::default(),
            events: PublishedActivities::default(),
            cursors: HashMap::new(),
            rng: random::for_one_server(),
        }
    }
}

impl Environment {
    /// An error of the management API with an id of its own.
    pub(super) fn error(&mut self, status: u16, message: &str, target: Option<&str>) -> Reply {
        api_error(&random::uuid(&mut self.rng), status, message, target)
    }

    /// A new cursor that goes on with a selection.
    pub(super) fn issue_cursor(&mut self, following: ActivitySelection) -> String {
        let cursor = random::token(&mut self.rng);
        self.cursors.insert(cursor.clone(), following);
        cursor
    }

    pub(super) fn selection_at(&self, cursor: &str) -> Option<ActivitySelection> {
        self.cursors.get(cursor).cloned()
    }

    pub(super) fn look_for_secrets(&mut self, request: &Request) {
        self.controls.look_for_secrets(request, |url| {
            self.tokens.is_any_in(url) || url.contains(&self.options.client_secret)
        });
    }
}
