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

/// The next activity, created at that time (cut to microseconds).
pub(super) fn new_object(source: &mut Source, created_at: DateTime<Utc>) -> Object {
    let activity_type = &ACTIVITY_TYPES[source.made % ACTIVITY_TYPES.len()];
    source.made += 1;
    let created_at = cut(created_at);
    let id = source.id_at(created_at);
    let subject = subject(source, created_at);
    // The row is written after the change it tells of (measured: 3 to 900 ms, rarely the other way round).
    let updated_at = created_at - TimeDelta::microseconds(source.rng.random_range(0..900_000));
    let mut event = event(source, activity_type, &subject);
    event["id"] = json!(id);
    event["updatedAt"] = json!(microseconds(updated_at));
    Object {
        stream: Stream::Activities,
        id,
        created_at,
        updated_at,
        json: event.to_string(),
    }
}

fn event(source: &mut Source, activity_type: &ActivityType, subject: &Subject) -> Value {
    let at = subject.at;
    let has = |part| activity_type.parts.contains(&part);
    let event = json!({
        "activityType": activity_type.id,
        "createdAt": microseconds(at),
        "primaryDescription": filled(activity_type.description, subject),
        "secondaryDescription": secondary(activity_type, subject),
        "description": null,
        "comments": null,
        "agentId": has(Part::Computer).then(|| source.id_at(at - TimeDelta::days(90))),
        "threatId": has(Part::File).then(|| source.id_at(at)),
        "userId": has(Part::Person).then(|| source.id_at(at - TimeDelta::days(400))),
        "hash": has(Part::Hash).then_some(&subject.hash),
        "osFamily": has(Part::Exclusion).then_some("linux"),
        "agentUpdatedVersion": (activity_type.id == 47).then_some("25.2.3.119"),
        "data": data(activity_type.parts, subject, &source.estate, &mut source.rng),
    });
    let mut event = source.placed(&subject.place, event);
    // Older consoles leave the one out, newer ones the other.
    if source.one_in(2) {
        event["activityUuid"] = json!(uuid(&mut source.rng));
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

fn subject(source: &mut Source, at: DateTime<Utc>) -> Subject {
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
