//! What the generators of one account's objects draw from.

use chrono::{DateTime, Utc};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::common::hexadecimal;
use super::estate::{Estate, EstatePlace};
use super::snowflake::Snowflakes;
use crate::random;

/// Random values, ids and places.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) rng: StdRng,
    pub(super) estate: Estate,
    /// How many objects have been made that count themselves.
    pub(super) made: usize,
    ids: Snowflakes,
}

impl Source {
    /// The source of the account of that seed.
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        Source {
            ids: Snowflakes::new(&mut rng),
            estate: Estate::new(seed),
            rng,
            made: 0,
        }
    }

    /// A new id of that time.
    pub(super) fn id_at(&mut self, time: DateTime<Utc>) -> String {
        self.ids.at(time)
    }

    /// Some place of the estate.
    pub(super) fn place(&mut self) -> EstatePlace {
        self.estate.place(&mut self.rng)
    }

    pub(super) fn one_in(&mut self, times: u32) -> bool {
        random::one_in(&mut self.rng, times)
    }

    pub(super) fn pick(&mut self, choices: &[&'static str]) -> &'static str {
        random::pick(&mut self.rng, choices)
    }

    pub(super) fn hexadecimal(&mut self, digits: usize) -> String {
        hexadecimal(&mut self.rng, digits)
    }

    /// `bench-` and two digits.
    pub(super) fn computer(&mut self) -> String {
        format!("bench-{}", self.rng.random_range(10..60))
    }

    /// `keys` with those of the account, the site and the group in front.
    pub(super) fn placed(&self, place: &EstatePlace, mut keys: Value) -> Value {
        for (key, value) in [
            ("accountId", self.estate.account_id.as_str()),
            ("accountName", self.estate.account_name),
            ("siteId", &place.site_id),
            ("siteName", place.site_name),
            ("groupId", &place.group_id),
            ("groupName", place.group_name),
        ] {
            keys[key] = json!(value);
        }
        keys
    }
}
