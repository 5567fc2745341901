//! The simulated vendors, without their servers.

use chrono::{DateTime, TimeDelta, Utc};
use simulator::onelogin_api::Account;
use simulator::pingone::Environment;
use simulator::pingone_enterprise::Subscription;
use simulator::sentinelone::{Console, Fault};
use simulator::{Reply, Request, Service, Simulation, onelogin_api, pingone, pingone_enterprise, sentinelone};

use super::rng::SeededRng;

/// Objects on a page at most.
const ENTERPRISE_BATCH: usize = 7;
/// How far the clock of a vendor may be from ours, in milliseconds.
const CLOCK_OFFSETS: (i64, i64) = (-600_000, 300_000);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vendor {
    PingOne,
    Enterprise,
    SentinelOne,
    OneLogin,
}

impl Vendor {
    const ALL: [Self; 4] = [Self::PingOne, Self::Enterprise, Self::SentinelOne, Self::OneLogin];

    pub fn origin(self) -> &'static str {
        match self {
            Self::PingOne => "http://127.0.0.1:9001",
            Self::Enterprise => "http://127.0.0.1:9002",
            Self::SentinelOne => "http://127.0.0.1:9003",
            Self::OneLogin => "http://127.0.0.1:9004",
        }
    }

    pub fn at(origin: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|vendor| vendor.origin() == origin)
    }
}

pub struct Vendors {
    pub pingone: Simulation<Environment>,
    pub enterprise: Simulation<Subscription>,
    pub sentinelone: Simulation<Console>,
    pub onelogin: Simulation<Account>,
    clock_offsets: [TimeDelta; 4],
}

impl Vendors {
    /// Vendors without events. With `wrong_clocks` the clock of each is wrong.
    pub fn new(rng: &SeededRng, wrong_clocks: bool) -> Self {
        let page_cap = Some(usize::try_from(rng.between(2, 12)).unwrap());
        let offset = || match wrong_clocks {
            true => rng.delta(CLOCK_OFFSETS.0, CLOCK_OFFSETS.1),
            false => TimeDelta::zero(),
        };
        Self {
            pingone: Simulation::<Environment>::new(pingone::EnvironmentOptions {
                page_cap,
                ..Default::default()
            }),
            enterprise: Simulation::<Subscription>::new(pingone_enterprise::SubscriptionOptions {
                batch_size: ENTERPRISE_BATCH,
                ..Default::default()
            }),
            sentinelone: Simulation::<Console>::new(sentinelone::ConsoleOptions {
                page_cap,
                ..Default::default()
            }),
            onelogin: Simulation::<Account>::new(onelogin_api::AccountOptions {
                page_cap,
                ..Default::default()
            }),
            clock_offsets: [(); 4].map(|()| offset()),
        }
    }

    /// What the vendor's clock is ahead of ours.
    pub fn clock_offset(&self, vendor: Vendor) -> TimeDelta {
        self.clock_offsets[vendor as usize]
    }

    pub fn reply(&self, vendor: Vendor, request: &Request, now: DateTime<Utc>) -> Reply {
        match vendor {
            Vendor::PingOne => reply(&self.pingone, request, now),
            Vendor::Enterprise => reply(&self.enterprise, request, now),
            Vendor::SentinelOne => reply(&self.sentinelone, request, now),
            Vendor::OneLogin => reply(&self.onelogin, request, now),
        }
    }

    /// Makes the vendor refuse the token of its next request.
    pub fn expire_tokens(&self, vendor: Vendor) {
        match vendor {
            Vendor::PingOne => self.pingone.revoke_tokens(),
            Vendor::Enterprise => self.enterprise.expire_tokens(),
            Vendor::OneLogin => self.onelogin.revoke_tokens(),
            // Its token is a setting: only the vendor can be wrong.
            Vendor::SentinelOne => self.sentinelone.fail_next([Fault::Status {
                status: 401,
                retry_after: None,
            }]),
        }
    }

    /// What the handler did against the contract of any of them.
    pub fn violations(&self) -> Vec<String> {
        [
            self.pingone.violations(),
            self.enterprise.violations(),
            self.sentinelone.violations(),
            self.onelogin.violations(),
        ]
        .concat()
    }
}

fn reply<S: Service>(vendor: &Simulation<S>, request: &Request, now: DateTime<Utc>) -> Reply {
    let reply = vendor.reply(request, now);
    vendor.finish(reply.tag, true);
    reply
}
