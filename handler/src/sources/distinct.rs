//! Which events of a window came already, so that one which comes twice counts once.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::Page;

/// See the module. Kept are hashes: a window has some ten thousand events at the most.
#[derive(Clone, Debug, Default)]
pub struct Distinct(HashSet<u64>);

impl Distinct {
    /// Takes the events of a page; gives how many of them are new.
    pub fn add(&mut self, page: &Page) -> u64 {
        page.events().filter(|event| self.0.insert(hash_of(event))).count() as u64
    }

    /// How many events of a page are new, each counted once.
    pub fn new_on(&self, page: &Page) -> u64 {
        let new = page.events().map(hash_of).filter(|hash| !self.0.contains(hash));
        new.collect::<HashSet<_>>().len() as u64
    }
}

fn hash_of(event: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    event.hash(&mut hasher);
    hasher.finish()
}
