//! Groups of agents: snapshots with a secret.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::common::{PEOPLE, REGISTRATION_TOKEN_MARK, cut, microseconds};
use super::object::Object;
use super::source::Source;
use crate::generate::DIFFICULT_NAMES;
use crate::sentinelone::Stream;

/// Makes groups of one account.
#[derive(Debug)]
pub struct Groups {
    source: Source,
    made: usize,
}

impl Groups {
    /// A generator for the account of that seed.
    pub fn new(seed: u64) -> Self {
        Groups {
            source: Source::new(seed),
            made: 0,
        }
    }

    /// A group that was made at that time, with a `registrationToken` that holds [`REGISTRATION_TOKEN_MARK`].
    pub fn new_object(&mut self, at: DateTime<Utc>) -> Object {
        let at = cut(at);
        let id = self.source.id_at(at);
        let place = self.source.place();
        let kind = ["static", "dynamic", "pinned"][self.made % 3];
        self.made += 1;
        let is_dynamic = kind == "dynamic";
        let mut group = json!({
            "id": id,
            "name": self.source.pick(&DIFFICULT_NAMES),
            "type": kind,
            "rank": is_dynamic.then_some(self.made),
            "filterId": is_dynamic.then(|| self.source.id_at(at)),
            "filterName": is_dynamic.then_some("kiosks / all"),
            "inherits": self.source.one_in(2),
            "isDefault": self.source.one_in(4),
            "siteId": place.site_id,
            "creator": self.source.pick(&PEOPLE),
            "creatorId": self.source.id_at(at),
            "totalAgents": 0,
            "registrationToken": format!("{REGISTRATION_TOKEN_MARK}-{}", self.source.hexadecimal(24)),
            "createdAt": microseconds(at),
            "updatedAt": microseconds(at),
        });
        if self.source.one_in(2) {
            group["description"] = json!("made for a trial\nkeep");
        }
        Object {
            stream: Stream::Groups,
            id,
            created_at: at,
            updated_at: at,
            json: group.to_string(),
        }
    }

    /// The same group, with more agents and sometimes another name, changed at that time.
    pub fn update(&mut self, previous: &Object, at: DateTime<Utc>) -> Object {
        let name = self.source.one_in(3).then(|| self.source.pick(&DIFFICULT_NAMES));
        previous.changed(at, "", |group| {
            let agents = group["totalAgents"].as_u64().unwrap_or_default();
            group["totalAgents"] = json!(agents + 1);
            if let Some(name) = name {
                group["name"] = json!(name);
            }
        })
    }
}
