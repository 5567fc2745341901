//! PingOne: an environment that is polled, and whose webhook posts the same activities beside it.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use simulator::generate::pingone::{Activities, Activity};
use simulator::pingone::{EnvironmentOptions, PingOne};
use simulator::pingone_webhook::PingOneSender;
use simulator::webhook::{BodyFormat, WebhookOptions};

use super::common::{Expected, Phase, SEED, accepted, name, name_from};

pub const TABLE: &str = "PingOne_AuditActivitiesV2_CL";

const ENVIRONMENT_ID: &str = "d3300000-0000-4000-8000-000000000001";
const CLIENT_ID: &str = "demo-worker";
const CLIENT_SECRET: &str = "the-demo-worker's-secret";
const PUSH_TOKEN: &str = "the-demo-token-of-pingone";
/// So many of the newest early activities are pushed before anybody polls.
const PUSHED_FIRST: usize = 240;
/// So many of those are pushed once more after the poll.
const PUSHED_AGAIN: usize = 90;

/// The activities.
pub struct PingOneScenario {
    /// Shown from the beginning; three in every millisecond that has any.
    early: Vec<Activity>,
    /// Shown after the first poll, though recorded before its end.
    late: Vec<Activity>,
    /// Younger than what a poll looks for.
    fresh: Vec<Activity>,
}

/// The environment of one pass.
pub struct PingOneSimulation<'a> {
    scenario: &'a PingOneScenario,
    vendor: PingOne,
    /// Posts of the webhook so far.
    pub posts: usize,
}

impl PingOneScenario {
    pub fn generate(now: DateTime<Utc>) -> Self {
        let mut activities = Activities::new(SEED, ENVIRONMENT_ID);
        let start = now - TimeDelta::minutes(50);
        let early: Vec<_> = (0..600)
            .map(|number| activities.at(start + TimeDelta::seconds(number / 3 * 14)))
            .collect();
        let newest = early.iter().rev().take(9);
        let late = newest.map(|activity| activities.at(activity.recorded_at)).collect();
        let fresh = (1..=6).map(|number| activities.at(now - TimeDelta::seconds(number)));
        Self {
            fresh: fresh.collect(),
            early,
            late,
        }
    }

    pub fn expected(&self) -> Expected {
        Expected {
            table: TABLE,
            name_of: |row| name_from(row, "Id", "RecordedAt"),
            names: self
                .all()
                .map(|activity| name(&activity.id, activity.recorded_at))
                .collect(),
        }
    }

    pub fn summary(&self, posts: usize) -> String {
        let types: BTreeSet<&str> = self.all().map(|activity| activity.action_type.as_str()).collect();
        format!(
            "PingOne (simulated): {} activities of {} types, several to a millisecond, {} of them shown late; its webhook \
             posted {} of them as well, before and after they were polled and {} before a poll looks for them, in {posts} \
             posts",
            self.all().count(),
            types.len(),
            self.late.len(),
            PUSHED_FIRST + self.late.len() + self.fresh.len(),
            self.fresh.len()
        )
    }

    fn all(&self) -> impl Iterator<Item = &Activity> {
        self.early.iter().chain(&self.late).chain(&self.fresh)
    }

    fn newest(&self, count: usize) -> impl Iterator<Item = Activity> {
        let first = self.early.len().saturating_sub(count);
        self.early.iter().skip(first).cloned()
    }
}

impl<'a> PingOneSimulation<'a> {
    pub fn start(scenario: &'a PingOneScenario) -> Self {
        let vendor = PingOne::start(EnvironmentOptions {
            environment_id: ENVIRONMENT_ID.to_owned(),
            auth_environment_id: ENVIRONMENT_ID.to_owned(),
            client_id: CLIENT_ID.to_owned(),
            client_secret: CLIENT_SECRET.to_owned(),
            ..EnvironmentOptions::default()
        });
        Self {
            scenario,
            vendor,
            posts: 0,
        }
    }

    pub fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("PINGONE__ENVIRONMENT_ID", ENVIRONMENT_ID.to_owned()),
            ("PINGONE__CLIENT_ID", CLIENT_ID.to_owned()),
            ("PINGONE__CLIENT_SECRET", CLIENT_SECRET.to_owned()),
            ("PINGONE__API_URL", self.vendor.origin()),
            ("PINGONE__AUTH_URL", self.vendor.origin()),
            ("PINGONE__PUSH_TOKEN", PUSH_TOKEN.to_owned()),
        ]
    }

    pub async fn advance(&mut self, phase: Phase, webhooks: &str) -> Result<(), String> {
        let scenario = self.scenario;
        match phase {
            Phase::Beginning => {
                self.vendor.publish(scenario.early.iter().cloned());
                self.push(webhooks, BodyFormat::JsonArray, scenario.newest(PUSHED_FIRST))
                    .await
            }
            Phase::Changes => {
                self.vendor.publish(scenario.late.iter().cloned());
                let news = scenario.late.iter().chain(&scenario.fresh).cloned();
                self.push(webhooks, BodyFormat::NdJson, scenario.newest(PUSHED_AGAIN).chain(news))
                    .await
            }
            Phase::Repeats => {
                self.vendor.publish(scenario.fresh.iter().cloned());
                let again = scenario.late.iter().chain(&scenario.fresh).cloned();
                self.push(webhooks, BodyFormat::JsonArray, again).await
            }
        }
    }

    pub fn violations(&self) -> Vec<String> {
        self.vendor.violations()
    }

    async fn push(
        &mut self,
        webhooks: &str,
        format: BodyFormat,
        activities: impl Iterator<Item = Activity>,
    ) -> Result<(), String> {
        let options = WebhookOptions {
            url: format!("{webhooks}/pingone"),
            token: Some(PUSH_TOKEN.to_owned()),
            format,
            gzip: false,
            tries: 3,
        };
        let mut sender = PingOneSender::new(options, 50);
        sender.offer(activities);
        let delivery = sender.deliver().await;
        self.posts += delivery.answers.len();
        accepted(delivery.accepted, "PingOne")
    }
}
