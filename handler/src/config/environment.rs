//! Where settings come from: the process, or a map in tests.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use crate::config::catalog::Catalog;
use crate::config::platform_references::{PLATFORM_REFERENCES, platform_references};
use crate::config::raw_setting::{RawSetting, UnresolvedReference};
use crate::config::reference::Reference;
use crate::config::secret::Secret;

/// The app settings of the function app as they were when they were read, with the values of Key Vault references as
/// far as they could be had.
#[derive(Clone, Default)]
pub struct Environment {
    /// None for a value that is not UTF-8.
    variables: Arc<BTreeMap<String, Option<String>>>,
    /// The settings that the platform knows as references.
    references: Arc<BTreeMap<String, Option<Reference>>>,
    /// What the handler found behind a reference, or why it found nothing, by the name of the setting.
    resolved: HashMap<String, Result<Secret, String>>,
    /// How often a value was asked for.
    #[cfg(test)]
    pub lookups: Arc<std::sync::atomic::AtomicUsize>,
}

/// A setting whose value lies in a Key Vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingReference {
    /// Name of the setting.
    pub setting: String,
    /// Where its value lies.
    pub reference: Reference,
    /// Whether the environment has the value: the platform resolved the reference before the start.
    pub is_resolved: bool,
}

impl Environment {
    /// Reads every variable of this process, once: the only place of the program that does. A name that is not UTF-8 is
    /// kept with replacement characters, so that under one of our prefixes it is refused as unknown and not overlooked.
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place that reads the process environment"
    )]
    pub fn of_process() -> Self {
        let variables = std::env::vars_os();
        Self::new(variables.map(|(name, value)| (name.to_string_lossy().into_owned(), value.into_string().ok())))
    }

    pub(super) fn new(variables: impl IntoIterator<Item = (String, Option<String>)>) -> Self {
        let variables: BTreeMap<_, _> = variables.into_iter().collect();
        let told = variables.get(PLATFORM_REFERENCES).and_then(Option::as_deref);
        Self {
            references: Arc::new(told.map(platform_references).unwrap_or_default()),
            variables: Arc::new(variables),
            ..Self::default()
        }
    }

    /// The same environment with what its references gave: the value, or why there is none and what to do about it.
    #[must_use]
    pub fn with_resolved(&self, resolved: HashMap<String, Result<Secret, String>>) -> Self {
        Self {
            resolved,
            ..self.clone()
        }
    }

    /// The value of `name`, untrimmed; none where it is not set or is not text.
    pub fn get(&self, name: &str) -> Option<&str> {
        #[cfg(test)]
        self.lookups.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        match self.resolved.get(name) {
            Some(Ok(value)) => Some(value.expose()),
            _ => self.variables.get(name)?.as_deref(),
        }
    }

    /// Whether the Functions host started this process, or it runs in a function app.
    pub fn is_of_functions_host(&self) -> bool {
        ["FUNCTIONS_CUSTOMHANDLER_PORT", "WEBSITE_SITE_NAME"]
            .iter()
            .any(|name| self.is_filled(name))
    }

    /// Whether `name` is set to more than white space.
    pub fn is_filled(&self, name: &str) -> bool {
        self.is_unreadable(name) || self.get(name).is_some_and(|value| !value.trim_ascii().is_empty())
    }

    fn is_unreadable(&self, name: &str) -> bool {
        self.get(name).is_none() && self.variables.contains_key(name)
    }

    /// In a fixed order every name that is set, and those of `catalog` that the platform may have left out of the
    /// environment because it could not resolve them.
    pub(super) fn names(&self, catalog: &Catalog) -> BTreeSet<&str> {
        let left_out = self.references.keys().filter(|name| catalog.is_ours(name));
        self.variables.keys().chain(left_out).map(String::as_str).collect()
    }

    /// A setting as it stands.
    pub(super) fn raw(&self, setting: &str) -> RawSetting<'_> {
        if self.is_unreadable(setting) {
            return RawSetting::NotText;
        }
        let unresolved = |is_malformed| {
            let why = self.resolved.get(setting).and_then(|resolved| resolved.as_ref().err());
            RawSetting::Reference(UnresolvedReference {
                setting: setting.to_owned(),
                is_malformed,
                why: why.cloned(),
            })
        };
        match self.get(setting).map(str::trim_ascii) {
            // The platform may leave nothing in place of a reference that it could not resolve.
            None | Some("") if self.references.contains_key(setting) => unresolved(false),
            None => RawSetting::Absent,
            Some("") => RawSetting::Empty,
            Some(text) if Reference::is_meant_by(text) => unresolved(Reference::parse(text).is_err()),
            Some(text) => RawSetting::Text(text),
        }
    }

    /// The references of all settings of `catalog`, in the order of their names. One in a form that is not accepted is
    /// none; the load of the settings says so.
    pub fn references(&self, catalog: &Catalog) -> Vec<SettingReference> {
        let names = self.names(catalog).into_iter();
        names
            .filter(|name| catalog.is_ours(name) && !self.is_unreadable(name))
            .filter_map(|setting| {
                let text = self.get(setting).unwrap_or_default();
                let is_written = Reference::is_meant_by(text);
                Some(SettingReference {
                    setting: setting.to_owned(),
                    reference: match is_written {
                        true => Reference::parse(text).ok()?,
                        false => self.references.get(setting).cloned().flatten()?,
                    },
                    is_resolved: !is_written && !text.trim_ascii().is_empty(),
                })
            })
            .collect()
    }
}

#[cfg(test)]
impl<Pairs, Name, Value> From<Pairs> for Environment
where
    Pairs: IntoIterator<Item = (Name, Value)>,
    Name: Into<String>,
    Value: Into<String>,
{
    fn from(pairs: Pairs) -> Self {
        let pairs = pairs.into_iter();
        Self::new(pairs.map(|(name, value)| (name.into(), Some(value.into()))))
    }
}

impl fmt::Debug for Environment {
    /// Names only: a value may be a secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.variables.keys().collect::<Vec<_>>();
        formatter.debug_tuple("Environment").field(&names).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog() -> Catalog {
        Catalog::parse(r#"{"sources": [], "everySource": [], "reserved": [], "groups": []}"#).unwrap()
    }

    #[test]
    fn a_map_gives_what_was_put_in_and_nothing_else() {
        let environment = Environment::from([("POLL_BUDGET", "4m"), ("STATE_URL", "x")]);

        assert_eq!(environment.get("POLL_BUDGET"), Some("4m"));
        assert_eq!(environment.get("poll_budget"), None);
        assert_eq!(
            environment.names(&catalog()),
            BTreeSet::from(["POLL_BUDGET", "STATE_URL"])
        );
        assert!(!environment.is_unreadable("POLL_BUDGET"));
    }

    #[test]
    fn debug_output_has_no_values() {
        let environment = Environment::from([("PINGONE__CLIENT_SECRET", "hunter2-hunter2")]);

        let printed = format!("{environment:?}");

        assert!(printed.contains("PINGONE__CLIENT_SECRET"));
        assert!(!printed.contains("hunter2"));
    }

    #[test]
    fn what_was_resolved_stands_in_place_and_the_rest_stays_as_it_was() {
        let reference = "@Microsoft.KeyVault(VaultName=v;SecretName=n)";
        let base = Environment::from([("A", reference), ("B", reference), ("C", "plain")]);
        let environment = base.with_resolved(HashMap::from([
            ("A".to_owned(), Ok(Secret::new("hunter2"))),
            ("B".to_owned(), Err("no such secret".to_owned())),
        ]));

        assert_eq!(environment.get("A"), Some("hunter2"));
        assert_eq!(environment.get("B"), Some(reference));
        assert_eq!(environment.get("C"), Some("plain"));
        assert_eq!(environment.names(&catalog()), BTreeSet::from(["A", "B", "C"]));
        assert!(matches!(environment.raw("A"), RawSetting::Text("hunter2")));
        let RawSetting::Reference(unresolved) = environment.raw("B") else {
            panic!("B is no reference");
        };
        assert_eq!(unresolved.why.as_deref(), Some("no such secret"));
        assert!(!format!("{environment:?}").contains("hunter2"));
    }
}
