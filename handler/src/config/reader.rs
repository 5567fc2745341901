//! Reads settings one by one and gathers everything that is wrong with them.

use std::collections::BTreeMap;

use crate::config::catalog::SourceCatalog;
use crate::config::environment::Environment;
use crate::config::faults::Faults;
use crate::config::given::Given;
use crate::config::instance::InstanceName;
use crate::config::invalid_value::InvalidValue;
use crate::config::platform_references::platform_references;
use crate::config::problem::SettingProblems;
use crate::config::reference::Reference;
use crate::config::switched_off::{SwitchedOff, UnresolvedReference};

/// Set by the platform where the program runs in Azure.
const SITE_NAME: &str = "WEBSITE_SITE_NAME";

/// Reads from one environment; keeps problems and what is switched off until the end.
pub(super) struct Reader<'e> {
    environment: &'e dyn Environment,
    /// What the platform tells of references, by the setting.
    told: BTreeMap<String, Option<Reference>>,
    /// What stops the whole program.
    pub(super) problems: SettingProblems,
    /// What stops single instances.
    pub(super) faults: Faults,
    pub(super) switched_off: Vec<SwitchedOff>,
    /// What is configured without an ingestion rule, for the message about it in Azure.
    pub(super) without_rule: Vec<String>,
}

impl<'e> Reader<'e> {
    pub(super) fn new(environment: &'e dyn Environment) -> Self {
        Self {
            environment,
            told: platform_references(environment),
            problems: SettingProblems::default(),
            faults: Faults::default(),
            switched_off: Vec::new(),
            without_rule: Vec::new(),
        }
    }

    /// Whether the program runs as a function app in Azure.
    pub(super) fn is_in_azure(&self) -> bool {
        is_filled(self.environment, SITE_NAME)
    }

    /// Notes a problem that stops the whole program.
    pub(super) fn refuse(&mut self, setting: impl Into<String>, message: impl Into<String>) {
        self.problems.add(setting, message);
    }

    /// Notes a problem that switches off one instance of a source.
    pub(super) fn refuse_instance(
        &mut self,
        source: &SourceCatalog,
        instance: &InstanceName,
        setting: impl Into<String>,
        message: impl Into<String>,
    ) {
        self.faults.add(source, instance, setting, message);
    }

    /// Reads a setting of the whole program that may be a reference.
    pub(super) fn read<T>(&mut self, setting: &str, accept: impl FnOnce(&str) -> Result<T, InvalidValue>) -> Given<T> {
        let mut problems = SettingProblems::default();
        let given = self.look(setting, &mut problems, accept);
        self.problems.extend(problems);
        given
    }

    /// Reads a setting that may be a reference; what is wrong goes to `problems`.
    pub(super) fn look<T>(
        &self,
        setting: &str,
        problems: &mut SettingProblems,
        accept: impl FnOnce(&str) -> Result<T, InvalidValue>,
    ) -> Given<T> {
        if self.environment.is_unreadable(setting) {
            problems.add(setting, "must be UTF-8 text");
            return Given::Refused;
        }
        let text = self.environment.get(setting).unwrap_or_default();
        let text = text.trim_ascii();
        if text.is_empty() {
            return self.left_by_platform(setting).map_or(Given::Absent, Given::Unresolved);
        }
        if Reference::is_meant_by(text) {
            return Given::Unresolved(UnresolvedReference {
                setting: setting.to_owned(),
                malformed: Reference::parse(text).is_err(),
                why: self.environment.why_unresolved(setting),
            });
        }
        match accept(text) {
            Ok(value) => Given::Value(value),
            Err(refusal) => {
                problems.add(setting, refusal.to_string());
                Given::Refused
            }
        }
    }

    /// A reference that the platform could not resolve, where it left nothing in place of the text.
    fn left_by_platform(&self, setting: &str) -> Option<UnresolvedReference> {
        self.told.get(setting)?;
        Some(UnresolvedReference {
            setting: setting.to_owned(),
            malformed: false,
            why: self.environment.why_unresolved(setting),
        })
    }

    /// Reads a secret, where set-to-nothing is told apart from not-set.
    pub(super) fn look_for_secret<T>(
        &self,
        setting: &str,
        problems: &mut SettingProblems,
        accept: impl FnOnce(&str) -> Result<T, InvalidValue>,
    ) -> Given<T> {
        match self.look(setting, problems, accept) {
            Given::Absent if self.environment.get(setting).is_some() => Given::EmptySecret,
            given => given,
        }
    }

    /// Reads a setting of the whole program, which has nothing to switch off: a reference is a
    /// problem.
    pub(super) fn read_plain<T>(
        &mut self,
        setting: &str,
        accept: impl FnOnce(&str) -> Result<T, InvalidValue>,
    ) -> Given<T> {
        let given = self.read(setting, accept);
        let Given::Unresolved(reference) = given else {
            return given;
        };
        let mut message = "must be the value itself: it is a Key Vault reference that was not resolved".to_owned();
        if let Some(why) = reference.why {
            message.push_str(&format!(" ({why})"));
        }
        self.refuse(setting, message);
        Given::Refused
    }

    /// Reads a setting of the whole program. What is refused fails the load, so the default may
    /// stand in for it meanwhile.
    pub(super) fn read_or<T>(
        &mut self,
        setting: &str,
        default: T,
        accept: impl FnOnce(&str) -> Result<T, InvalidValue>,
    ) -> T {
        match self.read_plain(setting, accept) {
            Given::Value(value) => value,
            _ => default,
        }
    }
}

/// Whether a variable is set to more than white space.
pub(super) fn is_filled(environment: &dyn Environment, name: &str) -> bool {
    environment
        .get(name)
        .is_some_and(|value| !value.trim_ascii().is_empty())
        || environment.is_unreadable(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::environment::MapEnvironment;
    use crate::config::values;

    /// Everything that is set is not UTF-8.
    struct Unreadable;

    impl Environment for Unreadable {
        fn get(&self, _name: &str) -> Option<String> {
            None
        }

        fn names(&self) -> Vec<String> {
            vec!["POLL_BUDGET".to_owned()]
        }

        fn is_unreadable(&self, _name: &str) -> bool {
            true
        }
    }

    #[test]
    fn values_are_trimmed_and_an_empty_one_is_absent() {
        let environment = MapEnvironment::from([("A", " \ttrue\r\n"), ("B", " \n"), ("C", "")]);
        let mut reader = Reader::new(&environment);

        assert_eq!(reader.read("A", values::boolean), Given::Value(true));
        assert_eq!(reader.read("B", values::boolean), Given::Absent);
        assert_eq!(reader.read("C", values::boolean), Given::Absent);
        assert_eq!(reader.read("D", values::boolean), Given::Absent);
        let mut problems = SettingProblems::default();
        let secret = |name, problems: &mut SettingProblems| reader.look_for_secret(name, problems, values::text);
        assert_eq!(secret("B", &mut problems), Given::EmptySecret);
        assert_eq!(secret("D", &mut problems), Given::Absent);
        assert!(problems.is_empty());
        assert!(reader.problems.is_empty());
    }

    #[test]
    fn a_value_that_is_not_utf8_is_a_problem_of_its_setting() {
        let mut reader = Reader::new(&Unreadable);

        assert_eq!(reader.read("POLL_BUDGET", values::text), Given::Refused);
        assert_eq!(reader.problems.to_string(), "POLL_BUDGET: must be UTF-8 text");
        assert!(reader.is_in_azure());
    }

    #[test]
    fn a_reference_is_kept_apart_unless_the_setting_must_be_plain() {
        let environment = MapEnvironment::from([
            ("A", "@Microsoft.KeyVault(VaultName=v;SecretName=n)"),
            ("B", "@microsoft.keyvault(nonsense"),
        ]);
        let mut reader = Reader::new(&environment);
        let unresolved = |setting: &str, malformed| {
            let setting = setting.to_owned();
            Given::Unresolved(UnresolvedReference {
                setting,
                malformed,
                why: None,
            })
        };

        assert_eq!(reader.read("A", values::text), unresolved("A", false));
        assert_eq!(reader.read("B", values::text), unresolved("B", true));
        assert!(reader.problems.is_empty());
        assert_eq!(reader.read_plain("A", values::text), Given::Refused);
        assert!(reader.problems.to_string().starts_with("A: "));
    }
}
