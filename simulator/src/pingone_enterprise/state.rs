//! Everything a subscription remembers.

use std::collections::VecDeque;

use chrono::TimeDelta;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;

use super::consumption::{Reads, Waiting};
use super::options::{Fault, Options};
use crate::access_tokens::AccessTokens;
use crate::generate::pingone_enterprise::SubscriptionEvent;
use crate::service::{Controls, Reply, Request};

/// The lifetime of a token in seconds.
pub(super) const TOKEN_LIFETIME_SECONDS: i64 = 3599;

/// One poll subscription.
#[derive(Debug)]
pub struct Subscription {
    pub(super) options: Options,
    pub(super) controls: Controls<Fault>,
    pub(super) queue: VecDeque<Waiting>,
    pub(super) published: Vec<SubscriptionEvent>,
    pub(super) reads: Reads,
    pub(super) tokens: AccessTokens,
    /// Sizes of batches: the same for every subscription.
    sizes: StdRng,
}

impl Subscription {
    pub(super) fn new(options: Options) -> Self {
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

    pub(super) fn publish(&mut self, events: impl IntoIterator<Item = SubscriptionEvent>) {
        for event in events {
            self.queue.push_back(Waiting {
                id: event.id.clone(),
                json: event.json.clone(),
            });
            self.published.push(event);
        }
    }

    pub(super) fn publish_raw(&mut self, json: String) {
        let id = String::new();
        self.queue.push_back(Waiting { id, json });
    }

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

    pub(super) fn violation(&mut self, sentence: impl Into<String>) {
        self.controls.violation(sentence);
    }

    pub(super) fn look_for_secrets(&mut self, request: &Request) {
        let url = request.decoded_url();
        let secrets = [&self.options.client_secret, &self.options.password];
        if self.tokens.is_any_in(&url) || secrets.iter().any(|secret| url.contains(*secret)) {
            self.violation("a secret stands in a URL");
        }
    }
}

/// An error of the poll URL. Its form is not documented.
pub(super) fn error(status: u16, message: &str) -> Reply {
    Reply::json(status, json!({"status": status, "message": message}).to_string())
}
