//! Reads settings and gathers everything that is wrong with them.

use std::collections::HashSet;

use indexmap::IndexSet;

use crate::config::catalog::{Catalog, SourceCatalog};
use crate::config::disabled::{Disabled, DisabledCause, DisabledPart};
use crate::config::duplicates::{ExclusiveClaim, duplicates};
use crate::config::environment::Environment;
use crate::config::instance::InstanceName;
use crate::config::invalid_value::InvalidValue;
use crate::config::problem::SettingProblems;
use crate::config::raw_setting::{RawSetting, UnresolvedReference};

/// Set by the platform where the program runs in Azure.
const SITE_NAME: &str = "WEBSITE_SITE_NAME";

/// Reads from one environment; keeps problems and what is disabled until the end.
pub struct Reader {
    pub(super) catalog: &'static Catalog,
    environment: Environment,
    /// What stops the whole program.
    problems: SettingProblems,
    /// Because of references that were not resolved.
    unresolved: Vec<Disabled>,
    /// Because of bad settings, each once.
    bad: IndexSet<Disabled>,
    /// The instances that are to take pushes, whether their settings are good or bad.
    pushed: HashSet<(&'static str, InstanceName)>,
    /// What the instances of the source that is read claim for themselves alone.
    pub(super) claims: Vec<ExclusiveClaim>,
    needs_secrets: bool,
}

/// Everything that was wrong.
pub struct ReadProblems {
    /// What stops the whole program.
    pub problems: SettingProblems,
    /// What is disabled.
    pub disabled: Vec<Disabled>,
}

/// Why a setting has no usable value although it is set.
#[derive(Debug)]
pub enum Rejected {
    /// It is not accepted.
    Invalid(InvalidValue),
    /// It is a Key Vault reference that was not resolved.
    Unresolved(UnresolvedReference),
}

impl Reader {
    /// Reads from an environment the settings of a catalog.
    pub fn new(environment: &Environment, catalog: &'static Catalog) -> Self {
        Self {
            catalog,
            environment: environment.clone(),
            problems: SettingProblems::default(),
            unresolved: Vec::new(),
            bad: IndexSet::new(),
            pushed: HashSet::new(),
            claims: Vec::new(),
            needs_secrets: true,
        }
    }

    /// For whoever only looks: a placeholder stands for a secret that is missing or a Key Vault reference.
    #[must_use]
    pub fn without_secrets(self) -> Self {
        Self {
            needs_secrets: false,
            ..self
        }
    }

    /// Whether a placeholder stands for the secret of this setting.
    pub(super) fn has_placeholder(&self, setting: &str) -> bool {
        let can_be_had = match self.raw(setting) {
            RawSetting::Absent | RawSetting::Empty => true,
            RawSetting::Reference(reference) => !reference.is_malformed,
            RawSetting::NotText | RawSetting::Text(_) => false,
        };
        can_be_had && !self.needs_secrets
    }

    /// Whether the program runs as a function app in Azure.
    pub fn is_in_azure(&self) -> bool {
        self.environment.is_filled(SITE_NAME)
    }

    /// The name of the function app that the program runs as.
    pub fn site_name(&self) -> Option<String> {
        let name = self.environment.get(SITE_NAME)?.trim_ascii();
        (!name.is_empty()).then(|| name.to_owned())
    }

    /// The settings of a source.
    pub fn source(&self, name: &str) -> Option<&'static SourceCatalog> {
        self.catalog.source(name)
    }

    /// A setting as it stands.
    pub fn raw(&self, setting: &str) -> RawSetting<'_> {
        self.environment.raw(setting)
    }

    /// The value of a setting; none where it is absent or empty. Nothing is noted.
    ///
    /// # Errors
    /// Where there is a value that is not accepted or could not be had.
    pub fn parse<T>(
        &self,
        setting: &str,
        accept: impl FnOnce(&str) -> Result<T, InvalidValue>,
    ) -> Result<Option<T>, Rejected> {
        match self.raw(setting) {
            RawSetting::Absent | RawSetting::Empty => Ok(None),
            RawSetting::NotText => Err(Rejected::Invalid(InvalidValue::new("must be UTF-8 text"))),
            RawSetting::Reference(unresolved) => Err(Rejected::Unresolved(unresolved)),
            RawSetting::Text(text) if is_quoted(text) => Err(Rejected::Invalid(InvalidValue::new(
                "must not stand in quotes: the value begins and ends with one",
            ))),
            RawSetting::Text(text) => accept(text).map(Some).map_err(Rejected::Invalid),
        }
    }

    /// A setting of the whole program, or its default. What is refused fails the load, so the default may stand in for
    /// it meanwhile. None where the default itself is not accepted.
    pub fn program<T>(&mut self, setting: &str, accept: impl Fn(&str) -> Result<T, InvalidValue>) -> Option<T> {
        match self.parse(setting, &accept) {
            Ok(Some(value)) => return Some(value),
            Ok(None) => {}
            Err(Rejected::Invalid(invalid)) => self.reject(setting, invalid.to_string()),
            // A setting of the whole program has nothing to disable.
            Err(Rejected::Unresolved(unresolved)) => {
                self.reject(setting, unresolved.message_where_none_is_accepted());
            }
        }
        accept(self.catalog.program_key(setting)?.default).ok()
    }

    /// Notes a problem that stops the whole program.
    pub fn reject(&mut self, setting: impl Into<String>, message: impl Into<String>) {
        self.problems.add(setting, message);
    }

    /// Notes problems that stop the whole program.
    pub fn reject_all(&mut self, problems: &SettingProblems) {
        self.problems.extend(problems);
    }

    /// Notes a problem that disables one instance of a source.
    pub fn reject_instance(
        &mut self,
        source: &SourceCatalog,
        instance: &InstanceName,
        setting: impl Into<String>,
        message: impl Into<String>,
    ) {
        self.bad.insert(Disabled {
            source: source.name,
            instance: instance.clone(),
            setting: setting.into(),
            message: message.into(),
            part: DisabledPart::Whole,
            takes_push: false,
            cause: DisabledCause::BadSetting,
        });
    }

    /// Disables every instance of a source that claims what another one claims, also where that one is disabled already.
    pub fn reject_duplicates(&mut self, source: &SourceCatalog) {
        let mut claims = std::mem::take(&mut self.claims);
        for (claim, message) in duplicates(&mut claims) {
            self.reject_instance(source, &claim.instance, &claim.setting, message);
        }
    }

    /// Notes what is disabled because of a reference.
    pub fn disable(
        &mut self,
        source: &'static str,
        instance: &InstanceName,
        part: DisabledPart,
        unresolved: &UnresolvedReference,
    ) {
        self.unresolved.push(Disabled {
            source,
            instance: instance.clone(),
            setting: unresolved.setting.clone(),
            message: unresolved.message(),
            part,
            takes_push: false,
            cause: DisabledCause::UnresolvedReference,
        });
    }

    /// Notes that an instance is to take pushes.
    pub(super) fn note_pushed(&mut self, source: &SourceCatalog, instance: &InstanceName) {
        self.pushed.insert((source.name, instance.clone()));
    }

    /// What was noted.
    pub fn finish(self) -> ReadProblems {
        let disabled = self.unresolved.into_iter().chain(self.bad).map(|disabled| Disabled {
            takes_push: self.pushed.contains(&(disabled.source, disabled.instance.clone())),
            ..disabled
        });
        ReadProblems {
            problems: self.problems,
            disabled: disabled.collect(),
        }
    }
}

/// A shell takes quotes away; an app setting or a file of settings keeps them.
fn is_quoted(text: &str) -> bool {
    let is_between = |quote: char| text.len() > 1 && text.starts_with(quote) && text.ends_with(quote);
    is_between('"') || is_between('\'')
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::config::values;

    static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
        let text = r#"{"sources": [], "everySource": [], "reserved": [], "groups": [{"prefix": "T_", "settings":
            [{"key": "A", "default": "false"}, {"key": "B", "default": "one"}]}]}"#;
        Catalog::parse(text).unwrap()
    });

    #[test]
    fn values_are_trimmed_and_an_empty_one_is_absent() {
        let environment = Environment::from([("T_A", " \ttrue\r\n"), ("T_B", " \n"), ("T_C", "")]);
        let mut reader = Reader::new(&environment, &CATALOG);

        assert!(matches!(reader.parse("T_A", values::boolean), Ok(Some(true))));
        for absent in ["T_B", "T_C", "T_D"] {
            assert!(matches!(reader.parse(absent, values::boolean), Ok(None)));
        }
        assert!(matches!(reader.raw("T_B"), RawSetting::Empty));
        assert!(matches!(reader.raw("T_D"), RawSetting::Absent));
        assert_eq!(reader.program("T_A", values::boolean), Some(true));
        assert_eq!(reader.program("T_B", values::text), Some("one".to_owned()));
        assert!(reader.finish().problems.is_empty());
    }

    #[test]
    fn a_value_in_quotes_is_refused_and_one_with_a_quote_in_it_is_not() {
        for (written, is_accepted) in [
            ("\"one\"", false),
            ("'one'", false),
            ("\"\"", false),
            ("\"one'", true),
            ("\"", true),
            ("o\"ne\"", true),
        ] {
            let environment = Environment::from([("T_B", written)]);
            let parsed = Reader::new(&environment, &CATALOG).parse("T_B", values::text);
            assert_eq!(parsed.is_ok(), is_accepted, "{written}");
        }
    }

    #[test]
    fn a_value_that_is_not_utf8_is_a_problem_of_its_setting() {
        let unreadable = ["T_A", SITE_NAME].map(|name| (name.to_owned(), None));
        let mut reader = Reader::new(&Environment::new(unreadable), &CATALOG);

        assert!(reader.is_in_azure());
        assert_eq!(reader.program("T_A", values::boolean), Some(false));
        assert_eq!(reader.finish().problems.to_string(), "T_A: must be UTF-8 text");
    }

    #[test]
    fn a_reference_is_kept_apart_unless_the_setting_must_be_plain() {
        let environment = Environment::from([
            ("T_A", "@Microsoft.KeyVault(VaultName=v;SecretName=n)"),
            ("T_B", "@microsoft.keyvault(nonsense"),
        ]);
        let mut reader = Reader::new(&environment, &CATALOG);

        for (setting, is_malformed) in [("T_A", false), ("T_B", true)] {
            let expected = UnresolvedReference {
                setting: setting.to_owned(),
                is_malformed,
                why: None,
            };
            let found = reader.parse(setting, values::text);
            assert!(matches!(found, Err(Rejected::Unresolved(found)) if found == expected));
        }
        assert_eq!(reader.program("T_A", values::boolean), Some(false));
        assert!(
            reader
                .finish()
                .problems
                .to_string()
                .starts_with("T_A: must be the value itself")
        );
    }
}
