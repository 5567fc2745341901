//! Which names are settings, which look like one, and which are unknown.

use super::every_name;
use crate::app::settings::catalog;
use crate::config::{Environment, InstanceName, Names, SourceCatalog, look_over};

fn catalog_of(source: &str) -> &'static SourceCatalog {
    catalog().unwrap().source(source).unwrap()
}

fn names_of(names: &[&str]) -> Names {
    look_over(
        &Environment::from(names.iter().map(|name| (*name, "x"))),
        catalog().unwrap(),
    )
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
    let mut names = every_name();
    for foreign in ["PATH", "RUST_LOG", "POLLUX", "AZURE_CLIENT_ID"] {
        names.push(foreign.to_owned());
    }

    let names = look_over(
        &Environment::from(names.into_iter().map(|name| (name, "x"))),
        catalog().unwrap(),
    );

    assert!(names.look_alikes.is_empty() && names.unknown.is_empty(), "{names:?}");
    let found = names.instances.of(catalog_of("pingone"));
    assert_eq!(found.map(InstanceName::as_str).collect::<Vec<_>>(), ["default", "acme"]);
}

#[test]
fn an_empty_value_counts_as_absent_whatever_the_name() {
    let names = look_over(
        &Environment::from([("PINGONE__REGOIN", " "), ("POLL_XYZZY", "")]),
        catalog().unwrap(),
    );
    assert!(names.look_alikes.is_empty() && names.unknown.is_empty(), "{names:?}");
}

#[test]
fn an_instance_is_there_where_only_the_platform_tells_of_it() {
    let told = r#"{"ONELOGIN__ACME__BEARER_TOKEN":{"status":"SecretNotFound"},"OTHER__BEARER_TOKEN":"x"}"#;
    let names = look_over(
        &Environment::from([("WEBSITE_KEYVAULT_REFERENCES", told)]),
        catalog().unwrap(),
    );
    assert_eq!(names.instances.of(catalog_of("onelogin")).count(), 1);
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
    assert!(
        names_of(&["ONELOGIN__DEFAULT__URL"])
            .instances
            .of(catalog_of("onelogin"))
            .next()
            .is_none()
    );
}
