//! Looks over the names that are set: which instances there are, and which names are unknown.

use std::collections::{BTreeMap, BTreeSet};

use crate::settings::catalog::{GROUPS, Group, PINGONE, PINGONE_ENTERPRISE, SOURCES, SourceCatalog};
use crate::settings::instance::{InstanceName, InstanceNameFault};
use crate::settings::problem::SettingProblems;
use crate::settings::suggestion;

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

/// Finds the instances, and a problem for every name under our prefixes that is no setting.
pub(super) fn look_over(names: Vec<String>, problems: &mut SettingProblems) -> Instances {
    let mut instances = Instances::default();
    // In a fixed order, whatever order the environment has.
    let names: BTreeSet<String> = names.into_iter().collect();

    for name in &names {
        if let Some((source, rest)) = strip(name, SOURCES, |source| source.prefix) {
            match instance_of(source, rest) {
                Ok(instance) => {
                    instances.0.entry(source.name).or_default().insert(instance);
                }
                Err(message) => problems.add(name, message),
            }
            continue;
        }
        let Some((group, key)) = strip(name, &GROUPS, |group| group.prefix) else {
            continue;
        };
        if !group.keys.contains(&key) {
            problems.add(name, unknown_in_group(group, key));
        }
    }
    instances
}

fn strip<T>(name: &str, all: impl IntoIterator<Item = T>, prefix: impl Fn(&T) -> &'static str) -> Option<(T, &str)> {
    all.into_iter().find_map(|one| {
        let rest = name.strip_prefix(prefix(&one))?;
        Some((one, rest))
    })
}

/// The instance that a setting belongs to, or what is wrong with its name.
fn instance_of(source: &SourceCatalog, rest: &str) -> Result<InstanceName, String> {
    if source.keys.contains(&rest) {
        return Ok(InstanceName::unnamed());
    }
    let Some((written, key)) = rest.rsplit_once("__") else {
        return Err(unknown_in_source(source, rest));
    };
    if !source.keys.contains(&key) {
        return Err(unknown_in_source(source, rest));
    }
    InstanceName::from_setting(written).map_err(|fault| match fault {
        InstanceNameFault::Reserved => format!(
            "{written} is the name of the instance without a name; write {}{key}",
            source.prefix
        ),
        InstanceNameFault::Form => bad_instance_name(source, written, key),
    })
}

fn bad_instance_name(source: &SourceCatalog, written: &str, key: &str) -> String {
    let plain: String = written
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_uppercase();
    let example = if InstanceName::from_setting(&plain).is_ok() {
        plain
    } else {
        "ACME".to_owned()
    };
    format!(
        "the name of the instance must consist of the letters A-Z and digits, as in {}{example}__{key}",
        source.prefix
    )
}

fn unknown_in_source(source: &SourceCatalog, rest: &str) -> String {
    let meant = meant_in_source(source, rest);
    let prefix = source.prefix;
    unknown(
        meant,
        format!("{prefix} or {prefix}<INSTANCE>__ takes {}", source.keys.join(", ")),
    )
}

fn unknown_in_group(group: &Group, key: &str) -> String {
    let tail = || suggestion::with_something_before(key, group.keys).map(|(_, key)| key);
    let meant = suggestion::nearest(key, group.keys)
        .or_else(tail)
        .map(|key| format!("{}{key}", group.prefix));
    unknown(meant, format!("{} takes {}", group.prefix, group.keys.join(", ")))
}

fn unknown(meant: Option<String>, accepted: String) -> String {
    match meant {
        Some(meant) => format!("is not a setting; did you mean {meant}? {accepted}"),
        None => format!("is not a setting; {accepted}"),
    }
}

fn meant_in_source(source: &SourceCatalog, rest: &str) -> Option<String> {
    let prefix = source.prefix;
    let (written, key) = rest.rsplit_once("__").unwrap_or(("", rest));
    let instance = InstanceName::from_setting(written).ok();
    let infix = instance.map(|name| name.infix()).unwrap_or_default();

    // Two underscores inside a key: everything after the prefix is the key.
    let joined = rest.replace("__", "_");
    if source.keys.contains(&joined.as_str()) {
        return Some(format!("{prefix}{joined}"));
    }
    // A key of the other PingOne product is no misspelling, but the wrong prefix.
    if let Some(sibling) = sibling_of(source)
        && sibling.keys.contains(&key)
    {
        return Some(format!("{}{infix}{key}", sibling.prefix));
    }
    if let Some(key) = suggestion::nearest(key, source.keys) {
        return Some(format!("{prefix}{infix}{key}"));
    }
    // One underscore between the instance's name and the key.
    if let Some((before, key)) = suggestion::with_something_before(rest, source.keys) {
        let infix = InstanceName::from_setting(before)
            .map(|name| name.infix())
            .unwrap_or_default();
        return Some(format!("{prefix}{infix}{key}"));
    }
    suggestion::only_one_of_its_kind(key, source.keys).map(|key| format!("{prefix}{infix}{key}"))
}

fn sibling_of(source: &SourceCatalog) -> Option<&'static SourceCatalog> {
    match source.prefix {
        prefix if prefix == PINGONE.prefix => Some(&PINGONE_ENTERPRISE),
        prefix if prefix == PINGONE_ENTERPRISE.prefix => Some(&PINGONE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::catalog::{self, ONELOGIN};

    fn problem_of(name: &str) -> String {
        let mut problems = SettingProblems::default();
        look_over(vec![name.to_owned()], &mut problems);
        problems.to_string()
    }

    #[test]
    fn every_known_name_is_accepted_and_names_of_others_are_left_alone() {
        let mut names = catalog::every_name("ACME");
        for foreign in [
            "PATH",
            "pingone__region",
            "PINGONE_REGION",
            "RUST_LOG",
            "POLLUX",
            "AZURE_CLIENT_ID",
        ] {
            names.push(foreign.to_owned());
        }
        let mut problems = SettingProblems::default();

        let instances = look_over(names, &mut problems);

        assert_eq!(problems.to_string(), "");
        let found = instances.of(&PINGONE);
        assert_eq!(
            found.iter().map(InstanceName::as_str).collect::<Vec<_>>(),
            ["default", "acme"]
        );
    }

    #[test]
    fn a_misspelt_name_is_refused_with_the_right_one() {
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
    fn an_unknown_name_is_refused_with_the_accepted_ones() {
        for (written, accepted) in [
            (
                "PINGONE__XYZZY",
                "PINGONE__<INSTANCE>__ takes ENVIRONMENT_ID, CLIENT_ID",
            ),
            ("PINGONE__", "takes ENVIRONMENT_ID"),
            ("PINGONE__ACME__XYZZY", "takes ENVIRONMENT_ID"),
            ("ONELOGIN__ACME__", "takes BEARER_TOKEN"),
            ("POLL_XYZZY", "POLL_ takes SCHEDULE, LOOKBACK"),
            ("POLL_", "POLL_ takes SCHEDULE"),
            ("SPOOL_DIRECTORY", "SPOOL_ takes MAX_BYTES"),
            ("HEALTH__ACME__ENABLED", "HEALTH__ takes ENABLED"),
            (
                "LOGS_INGESTION__XYZZY",
                "LOGS_INGESTION__ takes ENDPOINT, RULE_ID, AUDIENCE",
            ),
        ] {
            let problem = problem_of(written);
            assert!(problem.contains("is not a setting"), "{problem}");
            assert!(problem.contains(accepted), "{problem}");
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
        let mut problems = SettingProblems::default();
        let names = vec!["ONELOGIN__DEFAULT__URL".to_owned()];
        assert!(look_over(names, &mut problems).of(&ONELOGIN).is_empty());
    }
}
