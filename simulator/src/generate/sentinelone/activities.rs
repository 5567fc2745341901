//! Activities: what happened in the console and on the agents.

use chrono::{DateTime, TimeDelta, Utc};
use rand::RngExt;
use serde_json::{Value, json};

use super::activity_data::{Subject, data};
use super::activity_types::{ACTIVITY_TYPES, ActivityType, Part};
use super::common::{FILES, PEOPLE, cut, microseconds};
use super::object::Object;
use super::source::Source;
use crate::generate::{ADDRESSES, DIFFICULT_NAMES};
use crate::random::uuid;
use crate::sentinelone::Stream;

/// The rules and the console itself write IPv4 addresses into descriptions.
const V4_ADDRESSES: usize = 3;

/// Makes activities of one account, type after type in a circle.
#[derive(Debug)]
pub struct ConsoleActivities {
    source: Source,
    made: usize,
}

impl ConsoleActivities {
    /// A generator for the account of that seed.
    pub fn new(seed: u64) -> Self {
        ConsoleActivities {
            source: Source::new(seed),
            made: 0,
        }
    }

    /// Every activity type, in the order in which they are walked.
    pub fn activity_types() -> &'static [ActivityType] {
        ACTIVITY_TYPES
    }

    /// The next activity, created at that time (cut to microseconds).
    pub fn at(&mut self, created_at: DateTime<Utc>) -> Object {
        let activity_type = &ACTIVITY_TYPES[self.made % ACTIVITY_TYPES.len()];
        self.made += 1;
        let created_at = cut(created_at);
        let id = self.source.id_at(created_at);
        // The row is written after the change it tells of (measured: 3 to 900 ms, rarely the other way round).
        let subject = self.subject(created_at);
        let updated_at = created_at - TimeDelta::microseconds(self.source.rng.random_range(0..900_000));
        let event = self.event(activity_type, &id, &subject, updated_at);
        Object {
            stream: Stream::Activities,
            id,
            created_at,
            updated_at,
            json: event.to_string(),
        }
    }

    fn event(&mut self, activity_type: &ActivityType, id: &str, subject: &Subject, updated_at: DateTime<Utc>) -> Value {
        let at = subject.at;
        let has = |part| activity_type.parts.contains(&part);
        let event = json!({
            "id": id,
            "activityType": activity_type.id,
            "createdAt": microseconds(at),
            "updatedAt": microseconds(updated_at),
            "primaryDescription": filled(activity_type.description, subject),
            "secondaryDescription": secondary(activity_type, subject),
            "description": null,
            "comments": null,
            "agentId": has(Part::Computer).then(|| self.source.id_at(at - TimeDelta::days(90))),
            "threatId": has(Part::File).then(|| self.source.id_at(at)),
            "userId": has(Part::Person).then(|| self.source.id_at(at - TimeDelta::days(400))),
            "hash": has(Part::Hash).then_some(&subject.hash),
            "osFamily": has(Part::Exclusion).then_some("linux"),
            "agentUpdatedVersion": (activity_type.id == 47).then_some("25.2.3.119"),
            "data": data(activity_type.parts, subject, &self.source.estate, &mut self.source.rng),
        });
        let mut event = self.source.placed(&subject.place, event);
        // Older consoles leave the one out, newer ones the other.
        if self.source.one_in(2) {
            event["activityUuid"] = json!(uuid(&mut self.source.rng));
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
        let source = &mut self.source;
        Subject {
            at,
            place: source.place(),
            user: source.pick(&PEOPLE),
            computer: source.computer(),
            file: source.pick(&FILES),
            rule: source.pick(&DIFFICULT_NAMES),
            address: source.pick(&ADDRESSES[..V4_ADDRESSES]),
            value: source.pick(&DIFFICULT_NAMES),
            hash: source.hexadecimal(40),
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
