//! What a bad setting stops: its own instance, and everything only where no source is left.

use super::*;
use crate::config::{DisabledCause, DisabledPart};

const ACME: [Pair; 3] = [
    ("PINGONE__ACME__ENVIRONMENT_ID", "env-9"),
    ("PINGONE__ACME__CLIENT_ID", "client-9"),
    ("PINGONE__ACME__CLIENT_SECRET", "secret-9"),
];

/// The instances that are off and the settings that are bad.
#[track_caller]
fn off(parts: &[&[Pair]]) -> Vec<(String, String)> {
    let settings = load(parts);
    let off = settings.disabled.iter().map(|off| {
        assert_eq!((off.part, off.cause), (DisabledPart::Whole, DisabledCause::BadSetting));
        assert!(off.reason().starts_with(&off.setting), "{}", off.reason());
        (format!("{}/{}", off.source, off.instance), off.setting.clone())
    });
    off.collect()
}

#[track_caller]
fn assert_off(parts: &[&[Pair]], expected: &[(&str, &str)]) {
    let found = off(parts);
    let found: Vec<(&str, &str)> = found
        .iter()
        .map(|(name, setting)| (name.as_str(), setting.as_str()))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn a_bad_value_switches_off_its_own_instance() {
    let bad = [("PINGONE__ACME__TABLES", "none")];
    assert_off(&[&PINGONE, &ACME, &bad], &[("pingone/acme", "PINGONE__ACME__TABLES")]);
    assert_eq!(load(&[&PINGONE, &ACME, &bad]).of::<PingOne>().len(), 1);

    let bad = [("PINGONE__REGION", "mars")];
    assert_off(&[&PINGONE, &ACME, &bad], &[("pingone/default", "PINGONE__REGION")]);
    assert!(!load(&[&PINGONE, &ACME, &bad]).of::<PingOne>()[0].instance.is_unnamed());
    // Also where both addresses make the region needless.
    let urls = [
        ("PINGONE__API_URL", "http://127.0.0.1:9"),
        ("PINGONE__AUTH_URL", "http://127.0.0.1:9"),
    ];
    assert_off(
        &[&PINGONE, &urls, &ACME, &bad],
        &[("pingone/default", "PINGONE__REGION")],
    );
}

#[test]
fn every_bad_setting_of_an_instance_is_named_and_so_is_one_of_what_is_not_configured() {
    let bad = [
        ("SENTINELONE__URL", "nowhere"),
        ("SENTINELONE__STREAMS", "none"),
        ("ONELOGIN__USERS_EVERY", "never"),
    ];
    assert_off(
        &[&PINGONE, &bad],
        &[
            ("sentinelone/default", "SENTINELONE__URL"),
            ("sentinelone/default", "SENTINELONE__STREAMS"),
            ("sentinelone/default", "SENTINELONE__API_TOKEN"),
            ("onelogin/default", "ONELOGIN__USERS_EVERY"),
        ],
    );
}

#[test]
fn half_of_a_pair_switches_off_who_relies_on_it() {
    let half = [("PINGONE__RULE_ID", "dcr-1")];
    let own = [
        ("PINGONE__ACME__RULE_ID", "dcr-2"),
        ("PINGONE__ACME__INGESTION_ENDPOINT", "https://example.com"),
    ];
    let missing = "PINGONE__INGESTION_ENDPOINT";
    assert_off(
        &[&PINGONE, &ACME, &SENTINELONE, &half],
        &[("pingone/default", missing), ("pingone/acme", missing)],
    );
    assert_off(&[&PINGONE, &ACME, &half, &own], &[("pingone/default", missing)]);
    assert_off(&[&SENTINELONE, &half], &[("pingone/default", missing)]);
    let half = [("PINGONE__ACME__RULE_ID", "dcr-1")];
    assert_off(
        &[&PINGONE, &ACME, &half],
        &[("pingone/acme", "PINGONE__ACME__INGESTION_ENDPOINT")],
    );
}

#[test]
fn twins_are_both_off_also_where_one_is_off_already() {
    let third = [
        ("SENTINELONE__URL", SENTINELONE[0].1),
        ("SENTINELONE__API_TOKEN", SENTINELONE[1].1),
    ];
    let twin = [
        ("PINGONE__ACME__ENVIRONMENT_ID", PINGONE[0].1),
        ("PINGONE__ACME__TABLES", "none"),
    ];
    assert_off(
        &[&PINGONE, &ACME, &twin, &third],
        &[
            ("pingone/acme", "PINGONE__ACME__TABLES"),
            ("pingone/default", "PINGONE__ENVIRONMENT_ID"),
            ("pingone/acme", "PINGONE__ACME__ENVIRONMENT_ID"),
        ],
    );
}

#[test]
fn a_misspelt_name_switches_off_the_instance_that_it_tells_or_all_of_the_source() {
    for (name, expected) in [
        ("PINGONE__REGOIN", &["pingone/default"][..]),
        ("PINGONE_REGION", &["pingone/default"]),
        ("PINGONE__ACME__REGOIN", &["pingone/acme"]),
        ("pingone__acme__region", &["pingone/acme"]),
        ("PINGONE__acme__REGION", &["pingone/acme"]),
        // Every instance without a pair of its own goes by it.
        ("PINGONE__RULEID", &["pingone/default", "pingone/acme"]),
        ("PINGONE__\u{c4}__REGION", &["pingone/default", "pingone/acme"]),
        ("ONELOGIN_BEARER_TOKEN", &["onelogin/default"]),
        ("PINGONE_ENTERPRISE__POLURL", &["pingone-enterprise/default"]),
    ] {
        let found = off(&[&PINGONE, &ACME, &SENTINELONE, &[(name, "x")]]);
        let instances: Vec<&str> = found.iter().map(|(instance, _)| instance.as_str()).collect();
        assert_eq!(instances, expected, "{name}");
        assert!(found.iter().all(|(_, setting)| setting == name), "{found:?}");
    }
}

#[test]
fn a_push_to_an_instance_that_is_off_is_to_come_again() {
    for bad in [
        ("ONELOGIN__TABLES", "none"),
        ("ONELOGIN__BEARER_TOKEN", "short"),
        ("ONELOGIN__BEARER_TOKN", OTHER_TOKEN),
    ] {
        let settings = load(&[&PINGONE, &[("ONELOGIN__BEARER_TOKEN", TOKEN), bad]]);
        assert!(settings.of::<OneLogin>().is_empty(), "{bad:?}");
        assert!(settings.push_is_unresolved("onelogin"), "{bad:?}");
        assert!(!settings.push_is_unresolved("pingone"), "{bad:?}");
    }
    // Who takes no pushes has nothing to come again.
    let settings = load(&[&PINGONE, &ONELOGIN_API, &[("ONELOGIN__TABLES", "none")]]);
    assert!(!settings.push_is_unresolved("onelogin"));
}

#[test]
fn where_no_source_is_left_everything_is_refused_unless_a_reference_may_be_resolved() {
    let bad = ("PINGONE__REGION", "mars");
    assert_eq!(refused(&[&PINGONE, &[bad]]), ["PINGONE__REGION"]);
    let unresolved = [SENTINELONE[0], ("SENTINELONE__API_TOKEN", REFERENCE)];
    let settings = load(&[&PINGONE, &[bad], &unresolved]);
    assert_eq!(settings.disabled.len(), 2);
    // The bad value of the same instance stays bad, whatever the vault says.
    assert_eq!(
        refused(&[&unresolved, &[("SENTINELONE__STREAMS", "none")]]),
        ["SENTINELONE__API_TOKEN", "SENTINELONE__STREAMS"]
    );
}

#[test]
fn a_bad_setting_of_the_whole_program_is_refused_with_everything_else_that_is_wrong() {
    for (bad, named) in [
        (("POLL_BUDGET", "soon"), "POLL_BUDGET"),
        (("LOGS_INGESTION__RULE_ID", "dcr-1"), "LOGS_INGESTION__ENDPOINT"),
        (("HEALTH__RULE_ID", "dcr-1"), "HEALTH__INGESTION_ENDPOINT"),
        (("HEALTH__ENABLED", "maybe"), "HEALTH__ENABLED"),
        (("STATE_URI", "x"), "STATE_URI"),
        (("LOGS_INGESTON__ENDPOINT", "x"), "LOGS_INGESTON__ENDPOINT"),
    ] {
        let names = refused(&[&PINGONE, &[bad, ("ONELOGIN__TABLES", "none")]]);
        assert_eq!(names, [named, "ONELOGIN__TABLES"]);
    }
}

#[test]
fn a_reference_of_which_the_platform_left_nothing_is_unresolved_and_not_missing() {
    let told = r#"{"SENTINELONE__API_TOKEN":{"rawReference":"@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/s)","status":"SecretNotFound"},
        "ONELOGIN__BEARER_TOKEN":{"status":"AccessToKeyVaultDenied"}}"#;
    for left in [
        &[][..],
        &[("SENTINELONE__API_TOKEN", ""), ("ONELOGIN__BEARER_TOKEN", " ")],
    ] {
        let settings = load(&[
            &PINGONE,
            &SENTINELONE[..1],
            &[("WEBSITE_KEYVAULT_REFERENCES", told)],
            left,
        ]);
        let off: Vec<(&str, &str)> = settings
            .disabled
            .iter()
            .map(|off| (off.source, off.setting.as_str()))
            .collect();
        assert_eq!(
            off,
            [
                ("sentinelone", "SENTINELONE__API_TOKEN"),
                ("onelogin", "ONELOGIN__BEARER_TOKEN")
            ]
        );
        let causes = settings.disabled.iter().map(|off| off.cause);
        assert!(
            causes
                .into_iter()
                .all(|cause| cause == DisabledCause::UnresolvedReference)
        );
        assert!(settings.push_is_unresolved("onelogin"));
        assert_eq!(settings.of::<PingOne>().len(), 1);
    }
}
