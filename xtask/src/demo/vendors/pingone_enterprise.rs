//! PingOne for Enterprise: a poll subscription, where reading consumes.

use chrono::{DateTime, TimeDelta, Utc};
use simulator::generate::pingone_enterprise::{SubscriptionEvent, SubscriptionEvents};
use simulator::pingone_enterprise::{PingOneEnterprise, SubscriptionOptions};

use super::common::{Expected, Phase, SEED, name, name_from};

pub const TABLE: &str = "PingOneEnterprise_AuditEvents_CL";

/// The events, each readable once.
pub struct EnterpriseScenario {
    early: Vec<SubscriptionEvent>,
    /// Come after the queue was emptied.
    later: Vec<SubscriptionEvent>,
}

/// The subscription of one pass.
pub struct EnterpriseSimulation<'a> {
    scenario: &'a EnterpriseScenario,
    options: SubscriptionOptions,
    vendor: PingOneEnterprise,
}

impl EnterpriseScenario {
    pub fn generate(now: DateTime<Utc>) -> Self {
        let mut events = SubscriptionEvents::new(SEED);
        // A day for each, so that the order of day and month matters; the vendor keeps seven.
        let mut some = |count: i64| -> Vec<SubscriptionEvent> {
            let at = |number: i64| now - TimeDelta::hours(number % 6 * 24) - TimeDelta::seconds(number);
            (0..count).map(|number| events.at(at(number))).collect()
        };
        Self {
            early: some(96),
            later: some(24),
        }
    }

    /// Named by the moment that is meant, in whichever order day and month are written.
    pub fn expected(&self) -> Expected {
        Expected {
            table: TABLE,
            name_of: |row| name_from(row, "Id", "RecordedAt"),
            names: self.all().map(|event| name(&event.id, event.recorded)).collect(),
        }
    }

    pub fn summary(&self) -> String {
        format!(
            "PingOne for Enterprise (simulated): {} events, each readable once, {} of them dated with the day before the month",
            self.all().count(),
            self.all().filter(|event| event.day_before_month).count()
        )
    }

    fn all(&self) -> impl Iterator<Item = &SubscriptionEvent> {
        self.early.iter().chain(&self.later)
    }
}

impl<'a> EnterpriseSimulation<'a> {
    pub fn start(scenario: &'a EnterpriseScenario) -> Self {
        let options = SubscriptionOptions {
            batch_size: 30,
            ..SubscriptionOptions::default()
        };
        Self {
            scenario,
            vendor: PingOneEnterprise::start(options.clone()),
            options,
        }
    }

    pub fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("PINGONE_ENTERPRISE__POLL_URL", self.vendor.poll_url()),
            ("PINGONE_ENTERPRISE__TOKEN_URL", self.vendor.token_url()),
            ("PINGONE_ENTERPRISE__CLIENT_ID", self.options.client_id.clone()),
            ("PINGONE_ENTERPRISE__CLIENT_SECRET", self.options.client_secret.clone()),
        ]
    }

    pub fn advance(&self, phase: Phase) {
        match phase {
            Phase::Beginning => self.vendor.publish(self.scenario.early.iter().cloned()),
            Phase::Changes => self.vendor.publish(self.scenario.later.iter().cloned()),
            Phase::Repeats => {}
        }
    }

    pub fn violations(&self) -> Vec<String> {
        self.vendor.violations()
    }
}
