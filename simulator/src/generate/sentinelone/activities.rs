//! Activities: what happened in the console and on the agents.

use chrono::{DateTime, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::activity_data::{Subject, data};
use super::activity_types::{ACTIVITY_TYPES, ActivityType, Part};
use super::common::{FILES, PEOPLE, cut, hexadecimal, microseconds};
use super::estate::Estate;
use super::snowflake::Snowflakes;
use crate::generate::{ADDRESSES, DIFFICULT_NAMES};
use crate::random::{one_in, pick, uuid};

/// The rules and the console itself write IPv4 addresses into descriptions.
const V4_ADDRESSES: usize = 3;

/// One activity.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Activity {
    /// `id`: decimal text over 2^53.
    pub id: String,
    /// `activityType`.
    pub activity_type: u32,
    /// `createdAt`, whole microseconds.
    pub created_at: DateTime<Utc>,
    /// The activity as compact JSON text.
    pub json: String,
}

/// Makes activities of one account, type after type in a circle.
#[derive(Debug)]
pub struct Activities {
    rng: StdRng,
    ids: Snowflakes,
    estate: Estate,
    made: usize,
}

impl Activities {
    /// A generator for the account of that seed.
    pub fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        Activities {
            ids: Snowflakes::new(&mut rng),
            estate: Estate::new(seed),
            rng,
            made: 0,
        }
    }

    /// Every activity type, in the order in which they are walked.
    pub fn activity_types() -> &'static [ActivityType] {
        ACTIVITY_TYPES
    }

    /// The next activity, created at that time (cut to microseconds).
    pub fn at(&mut self, created_at: DateTime<Utc>) -> Activity {
        let activity_type = &ACTIVITY_TYPES[self.made % ACTIVITY_TYPES.len()];
        self.made += 1;
        let created_at = cut(created_at);
        let id = self.ids.at(created_at);
        let json = self.event(activity_type, &id, created_at).to_string();
        Activity {
            id,
            activity_type: activity_type.id,
            created_at,
            json,
        }
    }

    fn event(&mut self, activity_type: &ActivityType, id: &str, at: DateTime<Utc>) -> Value {
        let subject = self.subject(at);
        let has = |part| activity_type.parts.contains(&part);
        // The row is written after the change it tells of (measured: 3 to 900 ms, rarely the other way round).
        let before = TimeDelta::microseconds(self.rng.random_range(0..900_000));
        let mut event = json!({
            "id": id,
            "activityType": activity_type.id,
            "createdAt": microseconds(at),
            "updatedAt": microseconds(at - before),
            "primaryDescription": filled(activity_type.description, &subject),
            "secondaryDescription": secondary(activity_type, &subject),
            "description": null,
            "comments": null,
            "accountId": self.estate.account_id,
            "accountName": self.estate.account_name,
            "siteId": subject.place.site_id,
            "siteName": subject.place.site_name,
            "groupId": subject.place.group_id,
            "groupName": subject.place.group_name,
            "agentId": has(Part::Computer).then(|| self.ids.at(at - TimeDelta::days(90))),
            "threatId": has(Part::File).then(|| self.ids.at(at)),
            "userId": has(Part::Person).then(|| self.ids.at(at - TimeDelta::days(400))),
            "hash": has(Part::Hash).then_some(&subject.hash),
            "osFamily": has(Part::Exclusion).then_some("linux"),
            "agentUpdatedVersion": (activity_type.id == 47).then_some("25.2.3.119"),
            "data": data(activity_type.parts, &subject, &self.estate, &mut self.rng),
        });
        // Older consoles leave the one out, newer ones the other.
        if one_in(&mut self.rng, 2) {
            event["activityUuid"] = json!(uuid(&mut self.rng));
        } else {
            event["applications"] = Value::Null;
        }
        if has(Part::Login) {
            for of_group in ["groupId", "groupName"] {
                event[of_group] = Value::Null;
            }
        }
        event
    }

    fn subject(&mut self, at: DateTime<Utc>) -> Subject {
        let rng = &mut self.rng;
        Subject {
            at,
            place: self.estate.place(rng),
            user: pick(rng, &PEOPLE),
            computer: format!("bench-{}", rng.random_range(10..60)),
            file: pick(rng, &FILES),
            rule: pick(rng, &DIFFICULT_NAMES),
            address: pick(rng, &ADDRESSES[..V4_ADDRESSES]),
            value: pick(rng, &DIFFICULT_NAMES),
            hash: hexadecimal(rng, 40),
        }
    }
}

fn secondary(activity_type: &ActivityType, subject: &Subject) -> Option<String> {
    let has = |part| activity_type.parts.contains(&part);
    if has(Part::Hash) {
        return Some(subject.hash.clone());
    }
    has(Part::File).then(|| format!("\\Device\\HarddiskVolume2\\Users\\guest\\{}", subject.file))
}

fn filled(description: &str, subject: &Subject) -> String {
    description
        .replace("{user}", subject.user)
        .replace("{computer}", &subject.computer)
        .replace("{file}", subject.file)
        .replace("{rule}", subject.rule)
        .replace("{address}", subject.address)
        .replace("{group}", subject.place.group_name)
        .replace("{value}", subject.value)
}
