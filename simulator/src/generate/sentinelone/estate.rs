//! The account, sites and groups that the objects of one seed belong to.

use chrono::TimeDelta;
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::snowflake::{Snowflakes, epoch};
use crate::random::one_in;

/// Site names with the groups inside.
const SITES: [(&str, [&str; 2]); 3] = [
    ("Workshop Nord", ["Default Group", "Benches, old"]),
    ("Büro \"Süd\"", ["Default Group", "Reception / Kiosk"]),
    ("倉庫 4", ["Default Group", "Scanners"]),
];

/// Everything that every generator with the same seed agrees on.
#[derive(Clone, Debug)]
pub(super) struct Estate {
    pub(super) account_id: String,
    pub(super) account_name: &'static str,
    places: Vec<EstatePlace>,
}

/// One group in its site.
#[derive(Clone, Debug)]
pub(super) struct EstatePlace {
    pub(super) site_id: String,
    pub(super) site_name: &'static str,
    pub(super) group_id: String,
    pub(super) group_name: &'static str,
}

impl Estate {
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut ids = Snowflakes::new(&mut rng);
        let opened = epoch() + TimeDelta::days(2_600);
        let account_id = ids.at(opened);
        let mut places = Vec::new();
        for (number, (site_name, groups)) in SITES.into_iter().enumerate() {
            let site_opened = opened + TimeDelta::hours(number as i64 + 1);
            let site_id = ids.at(site_opened);
            for group_name in groups {
                places.push(EstatePlace {
                    site_id: site_id.clone(),
                    site_name,
                    group_id: ids.at(site_opened),
                    group_name,
                });
            }
        }
        Estate {
            account_id,
            account_name: "Harbour Works",
            places,
        }
    }

    /// Some place of the estate.
    pub(super) fn place(&self, rng: &mut StdRng) -> EstatePlace {
        let mut chosen = 0;
        for candidate in 1..self.places.len() {
            if one_in(rng, candidate as u32 + 1) {
                chosen = candidate;
            }
        }
        self.places[chosen].clone()
    }
}
