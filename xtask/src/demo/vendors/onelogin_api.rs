//! OneLogin's API, as a second account without a webhook: its events, and its users by a full walk.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use simulator::generate::onelogin_api::{Event, Events, User, Users};
use simulator::onelogin_api::{OneLoginApi, Options};

use super::story::{Act, Expected, SEED, name, name_from};

pub const TABLES: [&str; 2] = ["OneLoginEventsV2_CL", "OneLoginUsersV2_CL"];

const ACCOUNT_ID: u32 = 4712;

/// What the account holds, and what changes in it.
pub struct OneLoginApiScript {
    early: Vec<Event>,
    late: Vec<Event>,
    users: Vec<User>,
    changed: Vec<User>,
}

/// The account of one pass.
pub struct OneLoginApiStage<'a> {
    script: &'a OneLoginApiScript,
    vendor: OneLoginApi,
}

impl OneLoginApiScript {
    pub fn write(now: DateTime<Utc>) -> Self {
        let mut events = Events::new(SEED, ACCOUNT_ID);
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

    pub fn told(&self) -> String {
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

impl<'a> OneLoginApiStage<'a> {
    pub fn set(script: &'a OneLoginApiScript) -> Self {
        Self {
            script,
            vendor: OneLoginApi::start(Options::default()),
        }
    }

    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let options = Options::default();
        vec![
            ("ONELOGIN__SECOND__URL", self.vendor.origin()),
            ("ONELOGIN__SECOND__CLIENT_ID", options.client_id),
            ("ONELOGIN__SECOND__CLIENT_SECRET", options.client_secret),
            // Once a day otherwise.
            ("ONELOGIN__SECOND__USERS_EVERY", "1ms".to_owned()),
        ]
    }

    pub fn play(&self, act: Act) {
        match act {
            Act::Beginning => {
                self.vendor.publish_events(self.script.early.clone());
                self.vendor.publish_users(self.script.users.clone());
            }
            Act::Changes => {
                self.vendor.publish_events(self.script.late.clone());
                self.vendor.publish_users(self.script.changed.clone());
            }
            Act::Repeats => {}
        }
    }

    pub fn violations(&self) -> Vec<String> {
        self.vendor.violations()
    }
}
