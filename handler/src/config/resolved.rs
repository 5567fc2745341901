//! An environment in which what was resolved stands in the place of its reference.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use crate::config::environment::Environment;
use crate::config::secret::Secret;

/// Another environment, with the values of its Key Vault references as far as they could be had.
#[derive(Clone)]
pub struct ResolvedEnvironment {
    /// What everything else comes from.
    pub base: Arc<dyn Environment>,
    /// Values by the name of the setting.
    pub values: HashMap<String, Secret>,
    /// Why a setting has no value, by its name.
    pub reasons: HashMap<String, String>,
}

impl Environment for ResolvedEnvironment {
    fn get(&self, name: &str) -> Option<String> {
        match self.values.get(name) {
            Some(value) => Some(value.expose().to_owned()),
            None => self.base.get(name),
        }
    }

    fn names(&self) -> Vec<String> {
        let names: BTreeSet<String> = self
            .base
            .names()
            .into_iter()
            .chain(self.values.keys().cloned())
            .collect();
        names.into_iter().collect()
    }

    fn is_unreadable(&self, name: &str) -> bool {
        !self.values.contains_key(name) && self.base.is_unreadable(name)
    }

    fn why_unresolved(&self, name: &str) -> Option<String> {
        self.reasons.get(name).cloned()
    }
}

impl fmt::Debug for ResolvedEnvironment {
    /// Names only: a value may be a secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ResolvedEnvironment")
            .field("values", &self.values.keys().collect::<Vec<_>>())
            .field("reasons", &self.reasons)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::environment::MapEnvironment;

    #[test]
    fn what_was_resolved_stands_in_place_and_the_rest_stays_as_it_was() {
        let base = MapEnvironment::from([("A", "reference"), ("B", "reference"), ("C", "plain")]);
        let environment = ResolvedEnvironment {
            base: Arc::new(base),
            values: HashMap::from([("A".to_owned(), Secret::new("hunter2"))]),
            reasons: HashMap::from([("B".to_owned(), "no such secret".to_owned())]),
        };

        assert_eq!(environment.get("A").as_deref(), Some("hunter2"));
        assert_eq!(environment.get("B").as_deref(), Some("reference"));
        assert_eq!(environment.get("C").as_deref(), Some("plain"));
        assert_eq!(environment.names(), ["A", "B", "C"]);
        assert_eq!(environment.why_unresolved("A"), None);
        assert_eq!(environment.why_unresolved("B").as_deref(), Some("no such secret"));
        assert!(!format!("{environment:?}").contains("hunter2"));
    }
}
