//! OneLogin's API, as a second account without a webhook: its events, and its users by a full walk.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use simulator::generate::onelogin_api::{ApiEvent, ApiEvents, User, Users};
use simulator::onelogin_api::{AccountOptions, OneLoginApi};

use super::common::{Expected, Phase, SEED, name, name_from};

pub const TABLES: [&str; 2] = ["OneLoginEventsV2_CL", "OneLoginUsersV2_CL"];

const ACCOUNT_ID: u32 = 4712;

/// What the account holds, and what changes in it.
pub struct OneLoginApiScenario {
    early: Vec<ApiEvent>,
    late: Vec<ApiEvent>,
    users: Vec<User>,
    changed: Vec<User>,
}

/// The account of one pass.
pub struct OneLoginApiSimulation<'a> {
    scenario: &'a OneLoginApiScenario,
    vendor: OneLoginApi,
}

impl OneLoginApiScenario {
    pub fn generate(now: DateTime<Utc>) -> Self {
        let mut events = ApiEvents::new(SEED, ACCOUNT_ID);
        let start = now - TimeDelta::minutes(40);
        let early: Vec<_> = (0..90)
            .map(|number| events.at(start + TimeDelta::seconds(number / 3 * 75)))
            .collect();
        let late = early
            .iter()
            .rev()
            .take(6)
            .map(|event| events.at(event.created_at))
            .collect();
        let mut users = Users::new(SEED);
        let all: Vec<_> = (0..25)
            .map(|number| users.new_object(now - TimeDelta::hours(number + 1)))
            .collect();
        let changed = all
            .iter()
            .take(4)
            .map(|user| users.update(user, now - TimeDelta::minutes(1)))
            .collect();
        Self {
            early,
            late,
            users: all,
            changed,
        }
    }

    pub fn expected(&self) -> Vec<Expected> {
        let events = self.early.iter().chain(&self.late).map(|event| event.id.to_string());
        let users = self.users.iter().chain(&self.changed);
        vec![
            Expected {
                table: TABLES[0],
                name_of: |row| Some(row.get("EventId")?.to_string()),
                names: events.collect(),
            },
            Expected {
                table: TABLES[1],
                name_of: user_of_row,
                names: users.map(|user| name(&user.id.to_string(), user.updated_at)).collect(),
            },
        ]
    }

    pub fn summary(&self) -> String {
        format!(
            "OneLogin's API (simulated, a second account): {} events, {} of them shown late; {} users, {} of whom changed",
            self.early.len() + self.late.len(),
            self.late.len(),
            self.users.len(),
            self.changed.len()
        )
    }
}

fn user_of_row(row: &Value) -> Option<String> {
    let id = row.get("UserAttributesId")?.to_string();
    let named = serde_json::json!({"id": id, "at": row.get("TimeGenerated")?});
    name_from(&named, "id", "at")
}

impl<'a> OneLoginApiSimulation<'a> {
    pub fn start(scenario: &'a OneLoginApiScenario) -> Self {
        Self {
            scenario,
            vendor: OneLoginApi::start(AccountOptions::default()),
        }
    }

    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let options = AccountOptions::default();
        vec![
            ("ONELOGIN__SECOND__URL", self.vendor.origin()),
            ("ONELOGIN__SECOND__CLIENT_ID", options.client_id),
            ("ONELOGIN__SECOND__CLIENT_SECRET", options.client_secret),
            // Once a day otherwise.
            ("ONELOGIN__SECOND__USERS_EVERY", "1ms".to_owned()),
        ]
    }

    pub fn advance(&self, phase: Phase) {
        match phase {
            Phase::Beginning => {
                self.vendor.publish_events(self.scenario.early.clone());
                self.vendor.publish_users(self.scenario.users.clone());
            }
            Phase::Changes => {
                self.vendor.publish_events(self.scenario.late.clone());
                self.vendor.publish_users(self.scenario.changed.clone());
            }
            Phase::Repeats => {}
        }
    }

    pub fn violations(&self) -> Vec<String> {
        self.vendor.violations()
    }
}
