//! Nodes of the unified alerts (GraphQL): snapshots across the vendor's products.

use chrono::{DateTime, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::common::{CLASSIFICATIONS, PEOPLE, cut, hexadecimal, microseconds};
use super::object::Object;
use crate::generate::DIFFICULT_NAMES;
use crate::random::{one_in, pick, uuid};
use crate::sentinelone::Stream;

/// Makes unified alerts.
#[derive(Debug)]
pub struct UnifiedAlerts {
    rng: StdRng,
}

impl UnifiedAlerts {
    /// A generator with that seed.
    pub fn new(seed: u64) -> Self {
        UnifiedAlerts {
            rng: StdRng::seed_from_u64(seed),
        }
    }

    /// An alert that was created at that time.
    pub fn new_object(&mut self, at: DateTime<Utc>) -> Object {
        let created_at = cut(at);
        let detected_at = created_at - TimeDelta::milliseconds(self.rng.random_range(0..2_000));
        let id = uuid(&mut self.rng);
        let node = self.node(&id, detected_at, created_at);
        Object {
            stream: Stream::UnifiedAlerts,
            id,
            created_at,
            updated_at: created_at,
            json: node.to_string(),
        }
    }

    /// The same alert with another status and sometimes somebody in charge, changed at that time.
    pub fn update(&mut self, previous: &Object, at: DateTime<Utc>) -> Object {
        let assignee = one_in(&mut self.rng, 2).then(|| pick(&mut self.rng, &PEOPLE));
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

    fn node(&mut self, id: &str, detected_at: DateTime<Utc>, created_at: DateTime<Utc>) -> Value {
        let sources: Vec<&str> = ["EDR", "Identity"]
            .into_iter()
            .take(self.rng.random_range(0..=2))
            .collect();
        let product = if one_in(&mut self.rng, 2) { "EDR" } else { "STAR" };
        json!({
            "id": id,
            "name": pick(&mut self.rng, &DIFFICULT_NAMES),
            "description": one_in(&mut self.rng, 2).then_some("First line\nand \"second\" line"),
            "detectedAt": microseconds(detected_at),
            "createdAt": microseconds(created_at),
            "updatedAt": microseconds(created_at),
            "status": "NEW",
            "severity": (["LOW", "MEDIUM", "HIGH", "CRITICAL"])[self.rng.random_range(0..4)],
            "analystVerdict": "UNDEFINED",
            "externalId": one_in(&mut self.rng, 2).then(|| hexadecimal(&mut self.rng, 18)),
            "storylineId": one_in(&mut self.rng, 2).then(|| hexadecimal(&mut self.rng, 16).to_uppercase()),
            "attackSurfaces": ["ENDPOINT"],
            "confidenceLevel": "MALICIOUS",
            "classification": pick(&mut self.rng, &CLASSIFICATIONS).to_uppercase(),
            "detectionSource": {"product": product, "vendor": "SentinelOne"},
            "assignee": null,
            "assets": self.assets(),
            "dataSources": sources,
        })
    }

    fn assets(&mut self) -> Value {
        let count = self.rng.random_range(0..3);
        let assets: Vec<Value> = (0..count)
            .map(|_| {
                json!({
                    "id": hexadecimal(&mut self.rng, 26),
                    "name": format!("bench-{}", self.rng.random_range(10..60)),
                    "agentUuid": uuid(&mut self.rng),
                    "osType": "LINUX",
                    "osVersion": null,
                })
            })
            .collect();
        Value::from(assets)
    }
}
