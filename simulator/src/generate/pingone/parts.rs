//! The parts of an audit activity: who, from where, on what.

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::action_types::{ActionType, Actor};
use crate::generate::json_object::JsonObject;
use crate::generate::{ADDRESSES, DIFFICULT_NAMES, USER_AGENTS};
use crate::random::{one_in, pick, uuid};

const PEOPLE: [&str; 5] = [
    "ines.almeida@example.com",
    "bjørn.østby@example.com",
    "t.okafor@example.org",
    "\"odd one\"@example.net",
    "ワーカー@example.com",
];

pub(super) const API: &str = "https://api.pingone.com";

/// Makes the parts of one environment's activities.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) rng: StdRng,
    pub(super) environment_id: String,
    admin_environment_id: String,
}

impl Parts {
    pub(super) fn new(seed: u64, environment_id: &str) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let admin_environment_id = uuid(&mut rng);
        Parts {
            rng,
            environment_id: environment_id.to_owned(),
            admin_environment_id,
        }
    }

    /// Flows carry a transaction of their own; elsewhere the part is there half of the time.
    pub(super) fn internal_correlation(&mut self, action_type: &ActionType) -> Option<String> {
        let is_flow = action_type.name.starts_with("FLOW.");
        if !is_flow && one_in(&mut self.rng, 2) {
            return None;
        }
        let mut correlation = JsonObject::new();
        correlation.text("sessionId", &uuid(&mut self.rng));
        if is_flow {
            correlation.text("transactionId", &uuid(&mut self.rng));
        }
        Some(correlation.finish())
    }

    pub(super) fn actors(&mut self, actor: Actor) -> Option<String> {
        let mut actors = JsonObject::new();
        match actor {
            Actor::System => return None,
            Actor::Console => {
                let client = JsonObject::new()
                    .text("id", "adminui")
                    .text("name", "adminui")
                    .text("type", "CLIENT")
                    .finish();
                actors.json("client", &client).json("user", &self.user());
            }
            Actor::Worker => {
                actors.json("client", &self.application());
            }
            Actor::Person => {
                actors.json("client", &self.application()).json("user", &self.user());
            }
        }
        Some(actors.finish())
    }

    fn application(&mut self) -> String {
        let id = uuid(&mut self.rng);
        let environment = &self.environment_id;
        JsonObject::new()
            .text("id", &id)
            .text("name", pick(&mut self.rng, &DIFFICULT_NAMES))
            .json("environment", &identified(environment))
            .text(
                "href",
                &format!("{API}/v1/environments/{environment}/applications/{id}"),
            )
            .text("type", "CLIENT")
            .finish()
    }

    /// A person; the population is an empty object as often as not.
    fn user(&mut self) -> String {
        let id = uuid(&mut self.rng);
        let population = if one_in(&mut self.rng, 2) {
            "{}".to_owned()
        } else {
            identified(&uuid(&mut self.rng))
        };
        let environment = &self.admin_environment_id;
        JsonObject::new()
            .text("id", &id)
            .text("name", pick(&mut self.rng, &PEOPLE))
            .json("environment", &identified(environment))
            .json("population", &population)
            .text("href", &format!("{API}/v1/environments/{environment}/users/{id}"))
            .text("type", "USER")
            .finish()
    }

    pub(super) fn source(&mut self) -> String {
        JsonObject::new()
            .text("userAgent", pick(&mut self.rng, &USER_AGENTS))
            .text("ipAddress", pick(&mut self.rng, &ADDRESSES))
            .finish()
    }

    pub(super) fn resources(&mut self, action_type: &ActionType, id: &str, name: &str, link: &str) -> String {
        let version = if action_type.link_without_version { "" } else { "/v1" };
        let environment = &self.environment_id;
        let mut resource = JsonObject::new();
        resource
            .text("type", action_type.resource_type)
            .text("id", id)
            .text("name", name)
            .json("environment", &identified(environment));
        if action_type.resource_type == "USER" {
            resource.json("population", &identified(&uuid(&mut self.rng)));
        }
        resource.text("href", &format!("{API}{version}/environments/{environment}{link}"));
        format!("[{}]", resource.finish())
    }
}

fn identified(id: &str) -> String {
    JsonObject::new().text("id", id).finish()
}

pub(super) fn linked(href: &str) -> String {
    let own = JsonObject::new().text("href", href).finish();
    JsonObject::new().json("self", &own).finish()
}

/// The vendor's descriptions are the type in words: `GROUP.CREATED` is `Group Created`.
pub(super) fn action(name: &str) -> String {
    let words: Vec<String> = name
        .split(['.', '_'])
        .map(|word| format!("{}{}", &word[..1], word[1..].to_lowercase()))
        .collect();
    JsonObject::new()
        .text("type", name)
        .text("description", &words.join(" "))
        .finish()
}

pub(super) fn result(name: &str, description: &str) -> String {
    let status = if name.ends_with("FAILED") { "FAILED" } else { "SUCCESS" };
    JsonObject::new()
        .text("status", status)
        .text("description", description)
        .finish()
}
