//! Everything a subscription remembers.

use std::collections::VecDeque;

use chrono::TimeDelta;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;

use super::consumption::{Reads, Waiting};
use super::options::{SubscriptionFault, SubscriptionOptions};
use crate::access_tokens::AccessTokens;
use crate::generate::pingone_enterprise::SubscriptionEvent;
use crate::service::{Configured, Controls, Reply, Request};

/// The lifetime of a token in seconds.
const TOKEN_LIFETIME_SECONDS: i64 = 3599;

/// One poll subscription.
#[derive(Debug)]
pub struct Subscription {
    pub(super) options: SubscriptionOptions,
    pub(super) controls: Controls<SubscriptionFault>,
    pub(super) queue: VecDeque<Waiting>,
    pub(super) published: Vec<SubscriptionEvent>,
    pub(super) reads: Reads,
    pub(super) tokens: AccessTokens,
    /// Sizes of batches: the same for every subscription.
    sizes: StdRng,
}

impl Configured for Subscription {
    type Options = SubscriptionOptions;

    fn new(options: SubscriptionOptions) -> Self {
        Subscription {
            tokens: AccessTokens::new(TimeDelta::seconds(TOKEN_LIFETIME_SECONDS), options.token_uses),
            options,
            controls: Controls::default(),
            queue: VecDeque::new(),
            published: Vec::new(),
            reads: Reads::default(),
            sizes: StdRng::seed_from_u64(17),
        }
    }
}

impl Subscription {
    pub(super) fn poll_path(&self) -> String {
        let (account, subscription) = (&self.options.account_id, &self.options.subscription_id);
        format!("/v3/reports/{account}/poll-subscriptions/{subscription}/events")
    }

    /// About as many events as the subscription's batch size, never none of some.
    pub(super) fn take_batch(&mut self) -> Vec<Waiting> {
        let size = self.options.batch_size.max(1);
        let wanted = if self.options.uneven_batches {
            self.sizes.random_range(size.div_ceil(2)..=size + size / 4)
        } else {
            size
        };
        let wanted = wanted.min(self.queue.len());
        self.queue.drain(..wanted).collect()
    }

    pub(super) fn look_for_secrets(&mut self, request: &Request) {
        let secrets = [&self.options.client_secret, &self.options.password];
        self.controls.look_for_secrets(request, |url| {
            self.tokens.is_any_in(url) || secrets.iter().any(|secret| url.contains(*secret))
        });
    }
}

/// An error of the poll URL. Its form is not documented.
pub(super) fn error(status: u16, message: &str) -> Reply {
    Reply::json(status, json!({"status": status, "message": message}).to_string())
}
