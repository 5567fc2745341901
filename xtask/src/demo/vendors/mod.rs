//! The vendors of the demo: what each of them shows when, and which rows must come of it.

mod common;
mod onelogin;
mod onelogin_api;
mod pingone;
mod pingone_enterprise;
mod sentinelone;

use std::time::SystemTime;

use chrono::{DateTime, Utc};

pub use common::{Expected, Phase};
pub use simulator::generate::sentinelone::REGISTRATION_TOKEN_MARK;

/// What the settings of each vendor start with, and its tables.
pub const RULES: [(&str, &[&str]); 4] = [
    ("PINGONE__", &[pingone::TABLE]),
    ("PINGONE_ENTERPRISE__", &[pingone_enterprise::TABLE]),
    ("SENTINELONE__", &sentinelone::TABLES),
    (
        "ONELOGIN__",
        &[onelogin::TABLE, onelogin_api::TABLES[0], onelogin_api::TABLES[1]],
    ),
];

/// How often each webhook was called.
#[derive(Clone, Copy)]
pub struct Posts {
    pub pingone: usize,
    pub onelogin: usize,
}

/// The events of every vendor.
pub struct Scenario {
    pingone: pingone::PingOneScenario,
    enterprise: pingone_enterprise::EnterpriseScenario,
    sentinelone: sentinelone::SentinelOneScenario,
    onelogin: onelogin::OneLoginScenario,
    onelogin_api: onelogin_api::OneLoginApiScenario,
}

/// The simulated vendors of one pass.
pub struct Simulation<'a> {
    pingone: pingone::PingOneSimulation<'a>,
    enterprise: pingone_enterprise::EnterpriseSimulation<'a>,
    sentinelone: sentinelone::SentinelOneSimulation<'a>,
    onelogin: onelogin::OneLoginSimulation<'a>,
    onelogin_api: onelogin_api::OneLoginApiSimulation<'a>,
}

impl Scenario {
    /// Seeded events of the last hour.
    pub fn generate() -> Self {
        let now = DateTime::<Utc>::from(SystemTime::now());
        Self {
            pingone: pingone::PingOneScenario::generate(now),
            enterprise: pingone_enterprise::EnterpriseScenario::generate(now),
            sentinelone: sentinelone::SentinelOneScenario::generate(now),
            onelogin: onelogin::OneLoginScenario::generate(now),
            onelogin_api: onelogin_api::OneLoginApiScenario::generate(now),
        }
    }

    /// Every event once, in its table.
    pub fn expected(&self) -> Vec<Expected> {
        let mut expected = vec![
            self.pingone.expected(),
            self.enterprise.expected(),
            self.onelogin.expected(),
        ];
        expected.extend(self.sentinelone.expected());
        expected.extend(self.onelogin_api.expected());
        expected
    }

    /// A line for each vendor.
    pub fn summary(&self, posts: Posts) -> [String; 5] {
        [
            self.pingone.summary(posts.pingone),
            self.enterprise.summary(),
            self.sentinelone.summary(),
            self.onelogin.summary(posts.onelogin),
            self.onelogin_api.summary(),
        ]
    }
}

impl<'a> Simulation<'a> {
    /// Starts every simulated vendor, with nothing to show yet.
    pub fn start(scenario: &'a Scenario) -> Self {
        Self {
            pingone: pingone::PingOneSimulation::start(&scenario.pingone),
            enterprise: pingone_enterprise::EnterpriseSimulation::start(&scenario.enterprise),
            sentinelone: sentinelone::SentinelOneSimulation::start(&scenario.sentinelone),
            onelogin: onelogin::OneLoginSimulation::start(&scenario.onelogin),
            onelogin_api: onelogin_api::OneLoginApiSimulation::start(&scenario.onelogin_api),
        }
    }

    /// The settings of the handler for the vendors.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let mut settings = self.pingone.settings();
        settings.extend(self.enterprise.settings());
        settings.extend(self.sentinelone.settings());
        settings.extend(self.onelogin.settings());
        settings.extend(self.onelogin_api.settings());
        settings
    }

    /// Lets everything happen that comes before the tick. `webhooks` is the address of the handler's push routes.
    pub async fn advance(&mut self, phase: Phase, webhooks: &str) -> Result<(), String> {
        self.enterprise.advance(phase);
        self.sentinelone.advance(phase);
        self.onelogin_api.advance(phase);
        self.pingone.advance(phase, webhooks).await?;
        self.onelogin.advance(phase, webhooks).await
    }

    /// Every vendor was asked as it wants to be asked.
    pub fn check(&self) -> Result<(), String> {
        for (vendor, violations) in [
            ("PingOne", self.pingone.violations()),
            ("PingOne for Enterprise", self.enterprise.violations()),
            ("SentinelOne", self.sentinelone.violations()),
            ("OneLogin", self.onelogin_api.violations()),
        ] {
            if let Some(violation) = violations.first() {
                return Err(format!("{vendor} would not have answered: {violation}"));
            }
        }
        Ok(())
    }

    /// How often the webhooks were called so far.
    pub fn posts(&self) -> Posts {
        Posts {
            pingone: self.pingone.posts,
            onelogin: self.onelogin.posts,
        }
    }
}
