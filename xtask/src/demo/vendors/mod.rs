//! The vendors of the demo: what each of them shows when, and which rows must come of it.

mod onelogin;
mod onelogin_api;
mod pingone;
mod pingone_enterprise;
mod sentinelone;
mod story;

use std::time::SystemTime;

use chrono::{DateTime, Utc};

pub use simulator::generate::sentinelone::REGISTRATION_TOKEN_MARK;
pub use story::{Act, Expected};

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
pub struct Script {
    pingone: pingone::PingOneScript,
    enterprise: pingone_enterprise::EnterpriseScript,
    sentinelone: sentinelone::SentinelOneScript,
    onelogin: onelogin::OneLoginScript,
    onelogin_api: onelogin_api::OneLoginApiScript,
}

/// The simulated vendors of one pass.
pub struct Stage<'a> {
    pingone: pingone::PingOneStage<'a>,
    enterprise: pingone_enterprise::EnterpriseStage<'a>,
    sentinelone: sentinelone::SentinelOneStage<'a>,
    onelogin: onelogin::OneLoginStage<'a>,
    onelogin_api: onelogin_api::OneLoginApiStage<'a>,
}

impl Script {
    /// Seeded events of the last hour.
    pub fn write() -> Self {
        let now = DateTime::<Utc>::from(SystemTime::now());
        Self {
            pingone: pingone::PingOneScript::write(now),
            enterprise: pingone_enterprise::EnterpriseScript::write(now),
            sentinelone: sentinelone::SentinelOneScript::write(now),
            onelogin: onelogin::OneLoginScript::write(now),
            onelogin_api: onelogin_api::OneLoginApiScript::write(now),
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
    pub fn told(&self, posts: Posts) -> [String; 5] {
        [
            self.pingone.told(posts.pingone),
            self.enterprise.told(),
            self.sentinelone.told(),
            self.onelogin.told(posts.onelogin),
            self.onelogin_api.told(),
        ]
    }
}

impl<'a> Stage<'a> {
    /// Starts every simulated vendor, with nothing to show yet.
    pub fn set(script: &'a Script) -> Self {
        Self {
            pingone: pingone::PingOneStage::set(&script.pingone),
            enterprise: pingone_enterprise::EnterpriseStage::set(&script.enterprise),
            sentinelone: sentinelone::SentinelOneStage::set(&script.sentinelone),
            onelogin: onelogin::OneLoginStage::set(&script.onelogin),
            onelogin_api: onelogin_api::OneLoginApiStage::set(&script.onelogin_api),
        }
    }

    /// What the handler is told about the vendors.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let mut settings = self.pingone.settings();
        settings.extend(self.enterprise.settings());
        settings.extend(self.sentinelone.settings());
        settings.extend(self.onelogin.settings());
        settings.extend(self.onelogin_api.settings());
        settings
    }

    /// Lets everything happen that comes before the tick. `webhooks` is the address of the handler's push routes.
    pub async fn play(&mut self, act: Act, webhooks: &str) -> Result<(), String> {
        self.enterprise.play(act);
        self.sentinelone.play(act);
        self.onelogin_api.play(act);
        self.pingone.play(act, webhooks).await?;
        self.onelogin.play(act, webhooks).await
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
