//! The vendors of the demo: what each of them shows when, and which rows must come of it.

mod onelogin;
mod onelogin_api;
mod pingone;
mod pingone_enterprise;
mod sentinelone;

use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;

const SEED: u64 = 2026;

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

/// What a table must hold in the end.
pub struct Expected {
    pub table: &'static str,
    /// What names the event, or the version of a thing, that a row was made of.
    pub name_of: fn(&Value) -> Option<String>,
    pub names: Vec<String>,
}

/// A part of the story, with a tick of the timer at its end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// What the vendors have when the handler comes.
    Beginning,
    /// What happens, changes and is shown late after that.
    Changes,
    /// What is sent again because an answer got lost.
    Repeats,
}

impl Act {
    pub const ALL: [Self; 3] = [Self::Beginning, Self::Changes, Self::Repeats];
}

/// How often each webhook was called.
#[derive(Clone, Copy)]
pub struct Posts {
    pub pingone: usize,
    pub onelogin: usize,
}

/// The events of every vendor.
pub struct Script {
    pingone: pingone::Script,
    enterprise: pingone_enterprise::Script,
    sentinelone: sentinelone::Script,
    onelogin: onelogin::Script,
    onelogin_api: onelogin_api::Script,
}

/// The simulated vendors of one pass.
pub struct Stage<'a> {
    pingone: pingone::Stage<'a>,
    enterprise: pingone_enterprise::Stage<'a>,
    sentinelone: sentinelone::Stage<'a>,
    onelogin: onelogin::Stage<'a>,
    onelogin_api: onelogin_api::Stage<'a>,
}

impl Script {
    /// Seeded events of the last hour.
    pub fn write() -> Self {
        let now = DateTime::<Utc>::from(SystemTime::now());
        Self {
            pingone: pingone::Script::write(now),
            enterprise: pingone_enterprise::Script::write(now),
            sentinelone: sentinelone::Script::write(now),
            onelogin: onelogin::Script::write(now),
            onelogin_api: onelogin_api::Script::write(now),
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
            pingone: pingone::Stage::set(&script.pingone),
            enterprise: pingone_enterprise::Stage::set(&script.enterprise),
            sentinelone: sentinelone::Stage::set(&script.sentinelone),
            onelogin: onelogin::Stage::set(&script.onelogin),
            onelogin_api: onelogin_api::Stage::set(&script.onelogin_api),
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

/// What names a version: the vendor's id and a time.
fn name(id: &str, at: DateTime<Utc>) -> String {
    format!("{id} of {}", at.to_rfc3339_opts(SecondsFormat::Micros, true))
}

/// The same from the columns of a row, or the members of an object.
fn name_from(object: &Value, id: &str, time: &str) -> Option<String> {
    let at = object.get(time)?.as_str()?.parse().ok()?;
    Some(name(object.get(id)?.as_str()?, at))
}

fn accepted(accepted: bool, vendor: &str) -> Result<(), String> {
    if accepted {
        Ok(())
    } else {
        Err(format!("a push of {vendor} was not accepted"))
    }
}
