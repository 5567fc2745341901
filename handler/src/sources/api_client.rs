//! One account of a vendor's API: what all its streams share.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use parking_lot::Mutex;

use super::VendorClock;
use crate::config::Origin;
use crate::http::{HttpClient, Reply, Retryability, Throttle, retryability};
use crate::time::Clock;

/// See the module. A pause that the vendor asks for holds all streams of the account.
pub struct ApiClient {
    /// The address of the API.
    pub origin: Origin,
    /// What positions belong to. Credentials are no part of it, so positions survive new ones.
    pub account: String,
    /// What the names of the account's settings start with, for errors.
    pub setting_prefix: String,
    /// The setting that the address comes from, for errors.
    pub address_setting: String,
    /// The client.
    pub http: HttpClient,
    /// The time, for `Retry-After`.
    pub clock: Arc<dyn Clock>,
    /// The setting of our own rate, where there is one, for errors.
    pub rate_setting: Option<String>,
    /// Our own rate limit, and the pauses that the vendor asks for.
    pub throttle: Throttle,
    /// The last answer that asked for patience.
    pub last_throttling: Mutex<Option<Throttling>>,
    /// The vendor's clock, learned from every reply.
    pub vendor_clock: Arc<VendorClock>,
    /// True for a refusal that means what 429 means elsewhere.
    pub is_rate_limit: fn(&Reply) -> bool,
}

/// An answer that asked for patience.
#[derive(Clone, Copy, Debug)]
pub struct Throttling {
    /// The HTTP status number.
    pub status: u16,
    /// What `Retry-After` said.
    pub wait: Option<Duration>,
}

impl ApiClient {
    /// The present.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// What an answer asks of us.
    pub fn retryability(&self, reply: &Reply) -> Retryability {
        match (self.is_rate_limit)(reply) {
            true => Retryability::Throttled,
            false => retryability(reply.status),
        }
    }
}
