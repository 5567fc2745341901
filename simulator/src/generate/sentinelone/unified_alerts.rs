//! Nodes of the unified alerts (GraphQL): snapshots across the vendor's products.

use chrono::{DateTime, TimeDelta, Utc};
use rand::RngExt;
use serde_json::{Value, json};

use super::common::{CLASSIFICATIONS, PEOPLE, cut, microseconds};
use super::object::Object;
use super::source::Source;
use crate::generate::DIFFICULT_NAMES;
use crate::random::uuid;
use crate::sentinelone::Stream;

/// An alert that was created at that time.
pub(super) fn new_object(source: &mut Source, at: DateTime<Utc>) -> Object {
    let created_at = cut(at);
    let detected_at = created_at - TimeDelta::milliseconds(source.rng.random_range(0..2_000));
    let id = uuid(&mut source.rng);
    let node = node(source, &id, detected_at, created_at);
    Object {
        stream: Stream::UnifiedAlerts,
        id,
        created_at,
        updated_at: created_at,
        json: node.to_string(),
    }
}

/// The same alert with another status and sometimes somebody in charge, changed at that time.
pub(super) fn update(source: &mut Source, previous: &Object, at: DateTime<Utc>) -> Object {
    let assignee = source.one_in(2).then(|| source.pick(&PEOPLE));
    previous.changed(at, "", |node| {
        let status = if node["status"] == "NEW" {
            "IN_PROGRESS"
        } else {
            "RESOLVED"
        };
        node["status"] = json!(status);
        if let Some(name) = assignee {
            node["analystVerdict"] = json!("FALSE_POSITIVE_BENIGN");
            node["assignee"] = json!({"fullName": name, "email": "noor.haddad@example.com"});
        }
    })
}

fn node(source: &mut Source, id: &str, detected_at: DateTime<Utc>, created_at: DateTime<Utc>) -> Value {
    let sources: Vec<&str> = ["EDR", "Identity"]
        .into_iter()
        .take(source.rng.random_range(0..=2))
        .collect();
    let product = if source.one_in(2) { "EDR" } else { "STAR" };
    json!({
        "id": id,
        "name": source.pick(&DIFFICULT_NAMES),
        "description": source.one_in(2).then_some("First line\nand \"second\" line"),
        "detectedAt": microseconds(detected_at),
        "createdAt": microseconds(created_at),
        "updatedAt": microseconds(created_at),
        "status": "NEW",
        "severity": (["LOW", "MEDIUM", "HIGH", "CRITICAL"])[source.rng.random_range(0..4)],
        "analystVerdict": "UNDEFINED",
        "externalId": source.one_in(2).then(|| source.hexadecimal(18)),
        "storylineId": source.one_in(2).then(|| source.hexadecimal(16).to_uppercase()),
        "attackSurfaces": ["ENDPOINT"],
        "confidenceLevel": "MALICIOUS",
        "classification": source.pick(&CLASSIFICATIONS).to_uppercase(),
        "detectionSource": {"product": product, "vendor": "SentinelOne"},
        "assignee": null,
        "assets": assets(source),
        "dataSources": sources,
    })
}

fn assets(source: &mut Source) -> Value {
    let count = source.rng.random_range(0..3);
    let assets: Vec<Value> = (0..count)
        .map(|_| {
            json!({
                "id": source.hexadecimal(26),
                "name": source.computer(),
                "agentUuid": uuid(&mut source.rng),
                "osType": "LINUX",
                "osVersion": null,
            })
        })
        .collect();
    Value::from(assets)
}
