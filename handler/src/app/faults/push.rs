//! What a webhook sender posts.

use simulator::generate::{onelogin, pingone};
use simulator::onelogin::{Batch, Format};
use simulator::pingone_webhook;

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
        let format = rng.one_of(&[pingone_webhook::Format::JsonArray, pingone_webhook::Format::NdJson]);
        Self {
            vendor: "pingone",
            marks: activities.iter().map(|activity| activity.id.clone()).collect(),
            body: format.body(activities),
        }
    }

    /// `marks` are those of the events.
    pub fn of_onelogin(rng: &SeededRng, marks: Vec<String>, events: Vec<onelogin::Event>) -> Self {
        let format = match events.len() {
            // A sender never posts none of them, but something has to come of it.
            0 => Format::JsonArray,
            1 => rng.one_of(&[Format::JsonArray, Format::NdJson, Format::Single]),
            _ => rng.one_of(&[Format::JsonArray, Format::NdJson]),
        };
        Self {
            vendor: "onelogin",
            marks,
            body: format.bodies(&Batch { events }).concat(),
        }
    }
}
