//! What whoever only looks sees of settings whose secrets are not there.

use super::*;

fn load_without_secrets(groups: &[&[Pair]]) -> Result<Settings, SettingProblems> {
    let pairs = groups.concat();
    Settings::load_without_secrets(&Environment::from(pairs))
}

#[test]
fn a_secret_that_is_missing_or_a_reference_disables_nothing() {
    let settings = load_without_secrets(&[
        &PINGONE[..2],
        &[
            ("PINGONE__ACME__ENVIRONMENT_ID", "env-2"),
            ("PINGONE__ACME__CLIENT_ID", "client-1"),
            ("PINGONE__ACME__CLIENT_SECRET", ""),
            ("PINGONE__ACME__PUSH_TOKEN", REFERENCE),
            ("SENTINELONE__URL", "https://acme.sentinelone.net"),
            ("SENTINELONE__EU__URL", "https://acme.sentinelone.net"),
            ("SENTINELONE__EU__API_TOKEN", REFERENCE),
            ("ONELOGIN__BEARER_TOKEN", REFERENCE),
        ],
        &ENTERPRISE[..1],
        &[("PINGONE_ENTERPRISE__USERNAME", "somebody")],
    ])
    .unwrap();

    assert!(settings.disabled.is_empty(), "{:?}", settings.disabled);
    let names: Vec<String> = settings.instances.iter().map(|instance| instance.name()).collect();
    assert_eq!(
        names,
        [
            "pingone/default",
            "pingone/acme",
            "pingone-enterprise/default",
            "sentinelone/default",
            "sentinelone/eu",
            "onelogin/default"
        ]
    );
    assert!(!format!("{settings:?}").contains("PINGONE__CLIENT_SECRET"));
}

#[test]
fn everything_else_that_is_wrong_disables_as_ever() {
    let wrong: &[Pair] = &[
        ("PINGONE__CLIENT_ID", "client-1"),
        ("SENTINELONE__URL", REFERENCE),
        ("ONELOGIN__URL", "https://acme.onelogin.com"),
        ("ONELOGIN__CLIENT_ID", "client-3"),
        ("ONELOGIN__CLIENT_SECRET", "@Microsoft.KeyVault(nonsense)"),
        ("PINGONE__ACME__PUSH_TOKEN", TOKEN),
    ];

    let settings = load_without_secrets(&[wrong]).unwrap();

    let mut off: Vec<&str> = settings.disabled.iter().map(|one| one.setting.as_str()).collect();
    off.sort_unstable();
    assert_eq!(
        off,
        ["ONELOGIN__CLIENT_SECRET", "PINGONE__ENVIRONMENT_ID", "SENTINELONE__URL"]
    );
}
