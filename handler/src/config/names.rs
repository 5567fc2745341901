//! Looks over the names that are set: which instances there are, and which names are unknown.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::catalog::{GROUPS, SOURCES, SourceCatalog, is_ours};
use crate::config::environment::Environment;
use crate::config::instance::{InstanceName, InstanceNameFault};
use crate::config::look_alike::{Meant, MeantInstance, meant_by_stray, meant_in_group, meant_in_source};
use crate::config::platform_references::platform_references;
use crate::config::problem::SettingProblems;

/// The instances of each source of which at least one setting is there, empty or not.
#[derive(Debug, Default)]
pub(super) struct Instances(BTreeMap<&'static str, BTreeSet<InstanceName>>);

impl Instances {
    /// The instances of a source, the unnamed one first.
    pub(super) fn of(&self, source: &SourceCatalog) -> Vec<InstanceName> {
        let found = self.0.get(source.name);
        found.into_iter().flatten().cloned().collect()
    }
}

/// What the names tell.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// The instances that are there.
    pub(super) instances: Instances,
    /// Names that look like settings and are none.
    pub(super) look_alikes: Vec<LookAlike>,
    /// Names under our prefixes that look like nothing we know.
    pub(super) unknown: SettingProblems,
}

/// A name that looks like a setting.
#[derive(Debug)]
pub(super) struct LookAlike {
    /// As it was written.
    pub(super) name: String,
    /// What is wrong and what may be meant.
    pub(super) message: String,
    /// Whose setting was meant; none for one of the whole program.
    pub(super) of: Option<MeantInstance>,
}

/// Looks over every name that is set, and those for which the platform tells a reference.
pub(super) fn look_over(environment: &dyn Environment) -> Names {
    let told = platform_references(environment)
        .into_keys()
        .filter(|name| is_ours(name));
    // In a fixed order, whatever order the environment has.
    let all: BTreeSet<String> = environment.names().into_iter().chain(told).collect();
    let mut names = Names::default();
    let mut others = Vec::new();
    for name in &all {
        match known(name) {
            Some(Known::OfInstance(source, instance)) => {
                names.instances.0.entry(source.name).or_default().insert(instance);
            }
            Some(Known::OfProgram) => {}
            None => others.push(name),
        }
    }
    // An empty value counts as absent.
    others.retain(|name| environment.get(name).is_none_or(|value| !value.trim_ascii().is_empty()));
    for name in others {
        names.judge(name);
    }
    names
}

enum Known {
    OfProgram,
    OfInstance(&'static SourceCatalog, InstanceName),
}

/// What a name is, if it is a setting.
fn known(name: &str) -> Option<Known> {
    if let Some((source, rest)) = strip(name, SOURCES, |source| source.prefix) {
        if source.keys.contains(&rest) {
            return Some(Known::OfInstance(source, InstanceName::unnamed()));
        }
        let (written, key) = rest.rsplit_once("__")?;
        let instance = InstanceName::from_setting(written).ok()?;
        return source
            .keys
            .contains(&key)
            .then_some(Known::OfInstance(source, instance));
    }
    let (group, key) = strip(name, &GROUPS, |group| group.prefix)?;
    group.keys.contains(&key).then_some(Known::OfProgram)
}

fn strip<T>(name: &str, all: impl IntoIterator<Item = T>, prefix: impl Fn(&T) -> &'static str) -> Option<(T, &str)> {
    all.into_iter().find_map(|one| {
        let rest = name.strip_prefix(prefix(&one))?;
        Some((one, rest))
    })
}

impl Names {
    /// Sorts a name that is no setting.
    fn judge(&mut self, name: &str) {
        if let Some((source, rest)) = strip(name, SOURCES, |source| source.prefix) {
            if let Some(odd) = odd_instance(source, name, rest) {
                self.look_alikes.push(odd);
                return;
            }
            let accepted = format!(
                "{0} or {0}<INSTANCE>__ takes {1}",
                source.prefix,
                source.keys.join(", ")
            );
            return self.sort(name, meant_in_source(source, rest, &self.instances), &accepted);
        }
        if let Some((group, key)) = strip(name, &GROUPS, |group| group.prefix) {
            let accepted = match group.keys {
                [] => format!("{} takes nothing", group.prefix),
                keys => format!("{} takes {}", group.prefix, keys.join(", ")),
            };
            return self.sort(name, meant_in_group(group.prefix, group.keys, key), &accepted);
        }
        if let Some(meant) = (!is_ours(name))
            .then(|| meant_by_stray(name, &self.instances))
            .flatten()
        {
            self.sort(name, Some(meant), "");
        }
    }

    fn sort(&mut self, name: &str, meant: Option<Meant>, accepted: &str) {
        let Some(meant) = meant else {
            let message = format!("is not a setting of this version, and nothing follows from it; {accepted}");
            return self.unknown.add(name, message);
        };
        let message = format!("is not a setting; did you mean {}? {accepted}", meant.setting);
        self.look_alikes.push(LookAlike {
            name: name.to_owned(),
            message: message.trim_end().to_owned(),
            of: meant.of,
        });
    }
}

/// A known key under an instance name that is not accepted.
fn odd_instance(source: &SourceCatalog, name: &str, rest: &str) -> Option<LookAlike> {
    let (written, key) = rest.rsplit_once("__")?;
    let key = *source.keys.iter().find(|known| **known == key)?;
    let fault = InstanceName::from_setting(written).err()?;
    // `PINGONE__CLIENT__ID` has a better reading.
    if source.keys.contains(&rest.replace("__", "_").as_str()) {
        return None;
    }
    let plain: String = written.chars().filter(char::is_ascii_alphanumeric).collect();
    let plain = InstanceName::from_setting(&plain.to_ascii_uppercase()).ok();
    let (message, instance) = match fault {
        InstanceNameFault::Reserved => (
            format!(
                "{written} is the name of the instance without a name; write {}{key}",
                source.prefix
            ),
            Some(InstanceName::unnamed()),
        ),
        InstanceNameFault::Form => (bad_instance_name(source, plain.as_ref(), key), plain),
    };
    Some(LookAlike {
        name: name.to_owned(),
        message,
        of: Some(MeantInstance {
            source: source.name,
            instance,
            is_push_token: source.push_key == Some(key),
        }),
    })
}

fn bad_instance_name(source: &SourceCatalog, plain: Option<&InstanceName>, key: &str) -> String {
    let example = plain.map_or_else(|| "ACME__".to_owned(), InstanceName::infix);
    format!(
        "the name of the instance must consist of the letters A-Z and digits, as in {}{example}{key}",
        source.prefix
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::catalog;
    use crate::config::catalog::{ONELOGIN, PINGONE};
    use crate::config::environment::MapEnvironment;

    fn names_of(names: &[&str]) -> Names {
        look_over(&MapEnvironment::from(names.iter().map(|name| (*name, "x"))))
    }

    fn problem_of(name: &str) -> String {
        let names = names_of(&[name]);
        let [problem] = names.look_alikes.as_slice() else {
            panic!("{name}: {names:?}");
        };
        assert!(names.unknown.is_empty(), "{names:?}");
        format!("{}: {}", problem.name, problem.message)
    }

    #[test]
    fn every_known_name_is_accepted_and_names_of_others_are_left_alone() {
        let mut names = catalog::every_name("ACME");
        for foreign in ["PATH", "RUST_LOG", "POLLUX", "AZURE_CLIENT_ID"] {
            names.push(foreign.to_owned());
        }

        let names = look_over(&MapEnvironment::from(names.into_iter().map(|name| (name, "x"))));

        assert!(names.look_alikes.is_empty() && names.unknown.is_empty(), "{names:?}");
        let found = names.instances.of(&PINGONE);
        assert_eq!(
            found.iter().map(InstanceName::as_str).collect::<Vec<_>>(),
            ["default", "acme"]
        );
    }

    #[test]
    fn an_empty_value_counts_as_absent_whatever_the_name() {
        let names = look_over(&MapEnvironment::from([("PINGONE__REGOIN", " "), ("POLL_XYZZY", "")]));
        assert!(names.look_alikes.is_empty() && names.unknown.is_empty(), "{names:?}");
    }

    #[test]
    fn an_instance_is_there_where_only_the_platform_tells_of_it() {
        let told = r#"{"ONELOGIN__ACME__BEARER_TOKEN":{"status":"SecretNotFound"},"OTHER__BEARER_TOKEN":"x"}"#;
        let names = look_over(&MapEnvironment::from([("WEBSITE_KEYVAULT_REFERENCES", told)]));
        assert_eq!(names.instances.of(&ONELOGIN).len(), 1);
        assert!(names.look_alikes.is_empty() && names.unknown.is_empty(), "{names:?}");
    }

    #[test]
    fn a_misspelt_name_looks_like_the_right_one() {
        for (written, meant) in [
            ("PINGONE__CLIENT_SECRTE", "PINGONE__CLIENT_SECRET?"),
            ("PINGONE__client_secret", "PINGONE__CLIENT_SECRET?"),
            ("PINGONE__SECRET", "PINGONE__CLIENT_SECRET?"),
            ("PINGONE__CLIENT__ID", "PINGONE__CLIENT_ID?"),
            ("PINGONE__ACME__CLIENT_IDD", "PINGONE__ACME__CLIENT_ID?"),
            ("PINGONE__ACME_CLIENT_ID", "PINGONE__ACME__CLIENT_ID?"),
            ("PINGONE__ACME_PUSH_TOKEN", "PINGONE__ACME__PUSH_TOKEN?"),
            ("PINGONE__POLL_URL", "PINGONE_ENTERPRISE__POLL_URL?"),
            ("PINGONE__ACME__POLL_URL", "PINGONE_ENTERPRISE__ACME__POLL_URL?"),
            ("PINGONE_ENTERPRISE__POLLURL", "PINGONE_ENTERPRISE__POLL_URL?"),
            ("SENTINELONE__APITOKEN", "SENTINELONE__API_TOKEN?"),
            ("ONELOGIN__BEARER_TOKN", "ONELOGIN__BEARER_TOKEN?"),
            ("ONELOGIN__PUSH_TOKEN", "ONELOGIN__BEARER_TOKEN?"),
            ("SENTINELONE__BEARER_TOKEN", "SENTINELONE__API_TOKEN?"),
            ("PINGONE__AUTH__URL", "PINGONE__AUTH_URL?"),
            ("LOGS_INGESTION__RULEID", "LOGS_INGESTION__RULE_ID?"),
            ("LOGS_INGESTION__RULE", "LOGS_INGESTION__RULE_ID?"),
            ("HEALTH__ENDPOINT", "HEALTH__INGESTION_ENDPOINT?"),
            ("PINGONE__CLIENT", "PINGONE__CLIENT_ID?"),
            ("PINGONE__TABEL", "PINGONE__TABLES?"),
            ("LOGS_INGESTION__INGESTION_ENDPOINT", "LOGS_INGESTION__ENDPOINT?"),
            ("HEALTH__ENABLE", "HEALTH__ENABLED?"),
            ("POLL_LOOKBAK", "POLL_LOOKBACK?"),
            ("PUSH_LINGR", "PUSH_LINGER?"),
            ("SPOOL_MAX_BYTE", "SPOOL_MAX_BYTES?"),
        ] {
            let problem = problem_of(written);
            assert!(problem.starts_with(&format!("{written}: ")), "{problem}");
            assert!(problem.contains(meant), "{problem}");
        }
    }

    #[test]
    fn a_name_that_looks_like_none_is_unknown_and_the_accepted_ones_are_named() {
        for (written, accepted) in [
            (
                "PINGONE__XYZZY",
                "PINGONE__<INSTANCE>__ takes ENVIRONMENT_ID, CLIENT_ID",
            ),
            ("PINGONE__", "takes ENVIRONMENT_ID"),
            ("PINGONE__ACME__XYZZY", "takes ENVIRONMENT_ID"),
            ("ONELOGIN__ACME__", "takes BEARER_TOKEN"),
            ("SENTINELONE__ACCOUNT_ID", "takes URL"),
            ("SENTINELONE__PROXY_URL", "takes URL"),
            ("PINGONE_ENTERPRISE__REGION", "takes POLL_URL"),
            ("POLL_XYZZY", "POLL_ takes SCHEDULE, LOOKBACK"),
            ("POLL_INTERVAL", "POLL_ takes SCHEDULE, LOOKBACK"),
            ("POLL_", "POLL_ takes SCHEDULE"),
            ("SPOOL_DIRECTORY", "SPOOL_ takes MAX_BYTES"),
            ("DEAD_LETTERS_MAX_DAYS", "DEAD_LETTERS_ takes MAX_BYTES"),
            ("IDENTITIES_MAX", "IDENTITIES_ takes nothing"),
            ("LOGS_QUERY__WORKSPACE_ID", "LOGS_QUERY__ takes nothing"),
            ("HEALTH__ACME__ENABLED", "HEALTH__ takes ENABLED"),
            (
                "LOGS_INGESTION__XYZZY",
                "LOGS_INGESTION__ takes ENDPOINT, RULE_ID, AUDIENCE",
            ),
        ] {
            let names = names_of(&[written]);
            assert!(names.look_alikes.is_empty(), "{names:?}");
            let unknown = names.unknown.to_string();
            assert!(
                unknown.starts_with(&format!("{written}: is not a setting")),
                "{unknown}"
            );
            assert!(unknown.contains(accepted), "{unknown}");
        }
    }

    #[test]
    fn an_odd_instance_name_is_refused_with_the_accepted_form() {
        for (written, example) in [
            ("PINGONE__acme__CLIENT_ID", "PINGONE__ACME__CLIENT_ID"),
            ("PINGONE__AC_ME__CLIENT_ID", "PINGONE__ACME__CLIENT_ID"),
            ("PINGONE__ACME__EU__CLIENT_ID", "PINGONE__ACMEEU__CLIENT_ID"),
            ("ONELOGIN__\u{c4}__BEARER_TOKEN", "ONELOGIN__ACME__BEARER_TOKEN"),
            ("ONELOGIN____BEARER_TOKEN", "ONELOGIN__ACME__BEARER_TOKEN"),
        ] {
            let problem = problem_of(written);
            assert!(problem.contains("A-Z"), "{problem}");
            assert!(problem.contains(example), "{problem}");
        }
    }

    #[test]
    fn an_instance_named_default_is_refused() {
        for written in ["ONELOGIN__DEFAULT__URL", "ONELOGIN__default__URL"] {
            let problem = problem_of(written);
            assert!(problem.contains("write ONELOGIN__URL"), "{problem}");
        }
        assert!(names_of(&["ONELOGIN__DEFAULT__URL"]).instances.of(&ONELOGIN).is_empty());
    }
}
