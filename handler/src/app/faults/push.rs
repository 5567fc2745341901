//! What a webhook sender posts.

use simulator::generate::{onelogin, pingone};
use simulator::webhook::BodyFormat;

use super::rng::SeededRng;

/// A body that a vendor pushes, again and again until it is acknowledged.
#[derive(Clone)]
pub struct Push {
    pub vendor: &'static str,
    pub marks: Vec<String>,
    pub body: Vec<u8>,
}

impl Push {
    pub fn of_pingone(rng: &SeededRng, activities: &[pingone::Activity]) -> Self {
        let format = rng.one_of(&[BodyFormat::JsonArray, BodyFormat::NdJson]);
        Self {
            vendor: "pingone",
            marks: activities.iter().map(|activity| activity.id.clone()).collect(),
            body: format
                .bodies(activities.iter().map(|activity| activity.json.as_str()))
                .concat(),
        }
    }

    /// `marks` are those of the events.
    pub fn of_onelogin(rng: &SeededRng, marks: Vec<String>, events: Vec<onelogin::WebhookEvent>) -> Self {
        let format = match events.len() {
            // A sender never posts none of them, but something has to come of it.
            0 => BodyFormat::JsonArray,
            1 => rng.one_of(&[BodyFormat::JsonArray, BodyFormat::NdJson, BodyFormat::Single]),
            _ => rng.one_of(&[BodyFormat::JsonArray, BodyFormat::NdJson]),
        };
        Self {
            vendor: "onelogin",
            marks,
            body: format.bodies(events.iter().map(|event| event.json.as_str())).concat(),
        }
    }
}
