//! Where settings come from: the process, or a map in tests.

#[cfg(test)]
use std::collections::BTreeMap;
use std::collections::HashMap;

/// A set of named texts: the app settings of the function app.
pub trait Environment: Send + Sync {
    /// The value of `name`, untrimmed; none where it is not set or is not text.
    fn get(&self, name: &str) -> Option<String>;

    /// Every name that is set, in no particular order.
    fn names(&self) -> Vec<String>;

    /// Whether `name` is set to something that is not UTF-8, which `get` cannot give.
    fn is_unreadable(&self, _name: &str) -> bool {
        false
    }

    /// Why the Key Vault reference in `name` could not be resolved and what to do about it, where somebody tried.
    fn why_unresolved(&self, _name: &str) -> Option<String> {
        None
    }
}

/// The environment of this process, as it was when it was read.
///
/// The only place of the program that reads environment variables.
pub struct ProcessEnvironment(HashMap<String, Option<String>>);

impl ProcessEnvironment {
    /// Reads every variable, once. A value that is not UTF-8 is kept as none. A name that is not UTF-8 is kept with
    /// replacement characters, so that under one of our prefixes it is refused as unknown and not overlooked.
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place that reads the process environment"
    )]
    pub fn read() -> Self {
        let variables = std::env::vars_os();
        let variables = variables.map(|(name, value)| (name.to_string_lossy().into_owned(), value.into_string().ok()));
        Self(variables.collect())
    }
}

impl Environment for ProcessEnvironment {
    fn get(&self, name: &str) -> Option<String> {
        self.0.get(name)?.clone()
    }

    fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    fn is_unreadable(&self, name: &str) -> bool {
        matches!(self.0.get(name), Some(None))
    }
}

/// A fixed environment.
#[cfg(test)]
#[derive(Clone, Default)]
pub struct MapEnvironment(BTreeMap<String, String>);

#[cfg(test)]
impl<Pairs, Name, Value> From<Pairs> for MapEnvironment
where
    Pairs: IntoIterator<Item = (Name, Value)>,
    Name: Into<String>,
    Value: Into<String>,
{
    fn from(pairs: Pairs) -> Self {
        let pairs = pairs.into_iter().map(|(name, value)| (name.into(), value.into()));
        Self(pairs.collect())
    }
}

#[cfg(test)]
impl std::fmt::Debug for MapEnvironment {
    /// Names only: a value may be a secret.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_tuple("MapEnvironment")
            .field(&self.0.keys().collect::<Vec<_>>())
            .finish()
    }
}

#[cfg(test)]
impl Environment for MapEnvironment {
    fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }

    fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_gives_what_was_put_in_and_nothing_else() {
        let environment = MapEnvironment::from([("POLL_BUDGET", "4m"), ("STATE_URL", "x")]);

        assert_eq!(environment.get("POLL_BUDGET").as_deref(), Some("4m"));
        assert_eq!(environment.get("poll_budget"), None);
        assert_eq!(environment.names(), ["POLL_BUDGET", "STATE_URL"]);
        assert!(!environment.is_unreadable("POLL_BUDGET"));
    }

    #[test]
    fn debug_output_of_a_map_has_no_values() {
        let environment = MapEnvironment::from([("PINGONE__CLIENT_SECRET", "hunter2-hunter2")]);

        let printed = format!("{environment:?}");

        assert!(printed.contains("PINGONE__CLIENT_SECRET"));
        assert!(!printed.contains("hunter2"));
    }
}
