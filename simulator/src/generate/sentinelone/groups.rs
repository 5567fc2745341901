//! Groups of agents: snapshots with a secret.

use chrono::{DateTime, Utc};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::common::{PEOPLE, REGISTRATION_TOKEN_MARK, cut, hexadecimal, microseconds, parsed};
use super::estate::Estate;
use super::snowflake::Snowflakes;
use crate::generate::DIFFICULT_NAMES;
use crate::random::{one_in, pick};

/// One version of a group.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Group {
    /// `id`: decimal text over 2^53.
    pub id: String,
    /// `updatedAt`, whole microseconds.
    pub updated_at: DateTime<Utc>,
    /// The group as compact JSON text, with a `registrationToken` that holds [`REGISTRATION_TOKEN_MARK`].
    pub json: String,
}

/// Makes groups of one account.
#[derive(Debug)]
pub struct Groups {
    rng: StdRng,
    ids: Snowflakes,
    estate: Estate,
    made: usize,
}

impl Groups {
    /// A generator for the account of that seed.
    pub fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        Groups {
            ids: Snowflakes::new(&mut rng),
            estate: Estate::new(seed),
            rng,
            made: 0,
        }
    }

    /// A group that was made at that time.
    pub fn new_object(&mut self, at: DateTime<Utc>) -> Group {
        let at = cut(at);
        let id = self.ids.at(at);
        let place = self.estate.place(&mut self.rng);
        let kind = ["static", "dynamic", "pinned"][self.made % 3];
        self.made += 1;
        let is_dynamic = kind == "dynamic";
        let mut group = json!({
            "id": id,
            "name": pick(&mut self.rng, &DIFFICULT_NAMES),
            "type": kind,
            "rank": is_dynamic.then_some(self.made),
            "filterId": is_dynamic.then(|| self.ids.at(at)),
            "filterName": is_dynamic.then_some("kiosks / all"),
            "inherits": one_in(&mut self.rng, 2),
            "isDefault": one_in(&mut self.rng, 4),
            "siteId": place.site_id,
            "creator": pick(&mut self.rng, &PEOPLE),
            "creatorId": self.ids.at(at),
            "totalAgents": 0,
            "registrationToken": format!("{REGISTRATION_TOKEN_MARK}-{}", hexadecimal(&mut self.rng, 24)),
            "createdAt": microseconds(at),
            "updatedAt": microseconds(at),
        });
        if one_in(&mut self.rng, 2) {
            group["description"] = json!("made for a trial\nkeep");
        }
        Group {
            id,
            updated_at: at,
            json: group.to_string(),
        }
    }

    /// The same group, with more agents and sometimes another name, changed at that time.
    pub fn update(&mut self, previous: &Group, at: DateTime<Utc>) -> Group {
        let at = cut(at);
        let mut group = parsed(&previous.json);
        let agents = group["totalAgents"].as_u64().unwrap_or_default();
        group["totalAgents"] = Value::from(agents + 1);
        if one_in(&mut self.rng, 3) {
            group["name"] = json!(pick(&mut self.rng, &DIFFICULT_NAMES));
        }
        group["updatedAt"] = json!(microseconds(at));
        Group {
            id: previous.id.clone(),
            updated_at: at,
            json: group.to_string(),
        }
    }
}
