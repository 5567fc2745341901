//! The seeded random numbers of one scenario, shared by everything in it.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

#[derive(Clone, Debug)]
pub struct SeededRng(Arc<Mutex<StdRng>>);

impl SeededRng {
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    /// True with that probability.
    pub fn hits(&self, probability: f64) -> bool {
        probability > 0.0 && self.with(|random| random.random_bool(probability))
    }

    /// From `low` to one less than `high`.
    pub fn between(&self, low: u64, high: u64) -> u64 {
        self.with(|random| random.random_range(low..high))
    }

    pub fn millis(&self, low: u64, high: u64) -> Duration {
        Duration::from_millis(self.between(low, high))
    }

    /// Milliseconds from `low` to one less than `high`, for times of day.
    pub fn delta(&self, low: i64, high: i64) -> TimeDelta {
        TimeDelta::milliseconds(self.with(|random| random.random_range(low..high)))
    }

    pub fn one_of<T: Copy>(&self, choices: &[T]) -> T {
        choices[self.with(|random| random.random_range(0..choices.len()))]
    }

    fn with<T>(&self, draw: impl FnOnce(&mut StdRng) -> T) -> T {
        draw(&mut self.0.lock())
    }
}
