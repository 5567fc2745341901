//! Ids that carry their time.

use chrono::{DateTime, TimeZone, Utc};
use rand::RngExt;
use rand::rngs::StdRng;

/// The lower bits beside the milliseconds.
const NOISE_BITS: u32 = 23;

/// Times before this would give ids that fit a double, which the vendor's never do.
const LEAST_MILLISECONDS: i64 = 1 << 31;

/// Gives ids as the vendor does: decimal text of `milliseconds since 2017 << 23 | noise` (measured on real
/// objects), far over 2^53, and never the same twice.
#[derive(Debug)]
pub(super) struct Snowflakes {
    noise: u64,
}

impl Snowflakes {
    pub(super) fn new(rng: &mut StdRng) -> Self {
        Snowflakes {
            noise: rng.random_range(0..1 << NOISE_BITS),
        }
    }

    /// The next id of that time.
    pub(super) fn at(&mut self, time: DateTime<Utc>) -> String {
        // An odd factor walks through every noise before one comes again.
        self.noise = (self.noise + 5_242_881) % (1 << NOISE_BITS);
        let since = (time.timestamp_millis() - epoch().timestamp_millis()).max(LEAST_MILLISECONDS);
        ((since.unsigned_abs() << NOISE_BITS) | self.noise).to_string()
    }
}

/// The beginning of the vendor's time.
pub(super) fn epoch() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2017, 1, 1, 0, 0, 0)
        .single()
        .expect("the time exists")
}
