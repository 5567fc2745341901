//! PingOne audit activities (vendor: audit activities page; shapes as seen in real events).

mod action_types;
mod parts;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use rand::RngExt;

use super::DIFFICULT_NAMES;
use super::json_object::JsonObject;
use crate::random::{one_in, pick, uuid};
use crate::times::milliseconds;
use action_types::ACTION_TYPES;
use parts::{API, Parts, action, linked, result};

pub use action_types::ActionType;

/// One audit activity.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Activity {
    /// `id` of the event, a uuid.
    pub id: String,
    /// `action.type`, for example `GROUP.CREATED`.
    pub action_type: String,
    /// `recordedAt`, whole milliseconds.
    pub recorded_at: DateTime<Utc>,
    /// `createdAt`: when the vendor wrote the row, 13 to 480 ms after `recorded_at`.
    pub created_at: DateTime<Utc>,
    /// The event as compact JSON text.
    pub json: String,
}

/// Makes activities of one environment, type after type in a circle.
#[derive(Debug)]
pub struct Activities {
    parts: Parts,
    made: usize,
}

impl Activities {
    /// A generator for the activities of `environment_id`.
    pub fn new(seed: u64, environment_id: &str) -> Self {
        Activities {
            parts: Parts::new(seed, environment_id),
            made: 0,
        }
    }

    /// Every action type, in the order in which they are walked.
    pub fn action_types() -> &'static [ActionType] {
        ACTION_TYPES
    }

    /// The next activity, recorded at that time (cut to milliseconds).
    pub fn at(&mut self, recorded_at: DateTime<Utc>) -> Activity {
        let action_type = &ACTION_TYPES[self.made % ACTION_TYPES.len()];
        self.made += 1;
        let id = uuid(&mut self.parts.rng);
        let recorded_at = recorded_at.trunc_subsecs(3);
        let created_at = recorded_at + TimeDelta::milliseconds(self.parts.rng.random_range(13..=480));
        let json = self.event(action_type, &id, recorded_at, created_at);
        Activity {
            id,
            action_type: action_type.name.to_owned(),
            recorded_at,
            created_at,
            json,
        }
    }

    fn event(
        &mut self,
        action_type: &ActionType,
        id: &str,
        recorded_at: DateTime<Utc>,
        created_at: DateTime<Utc>,
    ) -> String {
        let link = format!("{API}/v1/environments/{}/activities/{id}", self.parts.environment_id);
        let mut event = JsonObject::new();
        event
            .json("_links", &linked(&link))
            .text("id", id)
            .text("recordedAt", &milliseconds(recorded_at))
            .text("createdAt", &milliseconds(created_at))
            .text("correlationId", &uuid(&mut self.parts.rng));
        if let Some(correlation) = self.parts.internal_correlation(action_type) {
            event.json("internalCorrelation", &correlation);
        }
        if let Some(actors) = self.parts.actors(action_type.actor) {
            event.json("actors", &actors);
        }
        if one_in(&mut self.parts.rng, 3) {
            event.json("source", &self.parts.source());
        }
        let name = pick(&mut self.parts.rng, &DIFFICULT_NAMES);
        let resource_id = uuid(&mut self.parts.rng);
        let part_id = uuid(&mut self.parts.rng);
        let filled = |text: &str| {
            text.replace("{name}", name)
                .replace("{id}", &resource_id)
                .replace("{part}", &part_id)
        };
        event
            .json("action", &action(action_type.name))
            .json(
                "resources",
                &self
                    .parts
                    .resources(action_type, &resource_id, name, &filled(action_type.link)),
            )
            .json("result", &result(action_type.name, &filled(action_type.outcome)));
        if !action_type.tags.is_empty() {
            event.value("tags", &action_type.tags.into());
        }
        event.finish()
    }
}

#[cfg(test)]
mod tests;
