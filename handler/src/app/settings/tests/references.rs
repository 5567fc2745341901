//! A Key Vault reference that nobody resolved switches off what needs it, and nothing else.

use super::*;
use crate::config::{Disabled, DisabledPart};

#[track_caller]
fn only_off(settings: &Settings) -> &Disabled {
    let [off] = settings.disabled.as_slice() else {
        panic!("one is expected: {:?}", settings.disabled);
    };
    assert!(
        off.reason()
            .starts_with(&format!("{} is a Key Vault reference", off.setting))
    );
    assert!(!off.reason().contains("VaultName=vault"), "{}", off.reason());
    off
}

#[test]
fn credentials_ids_and_urls_switch_off_polling() {
    for (parts, settings_of_poll) in [
        (
            &PINGONE[..],
            &[
                "PINGONE__ENVIRONMENT_ID",
                "PINGONE__CLIENT_ID",
                "PINGONE__CLIENT_SECRET",
                "PINGONE__AUTH_ENVIRONMENT_ID",
                "PINGONE__REGION",
                "PINGONE__API_URL",
                "PINGONE__AUTH_URL",
                "PINGONE__REQUESTS_PER_SECOND",
            ][..],
        ),
        (
            &ENTERPRISE[..],
            &[
                "PINGONE_ENTERPRISE__POLL_URL",
                "PINGONE_ENTERPRISE__CLIENT_ID",
                "PINGONE_ENTERPRISE__CLIENT_SECRET",
                "PINGONE_ENTERPRISE__TOKEN_URL",
            ],
        ),
        (
            &SENTINELONE[..],
            &[
                "SENTINELONE__URL",
                "SENTINELONE__API_TOKEN",
                "SENTINELONE__STREAMS",
                "SENTINELONE__PARSER_ALIASES",
                "SENTINELONE__AGENT_CHANGES_ONLY",
            ],
        ),
        (
            &ONELOGIN_API[..],
            &[
                "ONELOGIN__URL",
                "ONELOGIN__CLIENT_ID",
                "ONELOGIN__CLIENT_SECRET",
                "ONELOGIN__USERS_EVERY",
            ],
        ),
    ] {
        for setting in settings_of_poll {
            let settings = load(&[parts, &[(*setting, REFERENCE)]]);
            let off = only_off(&settings);
            assert_eq!(off.setting, *setting);
            assert_eq!(off.part, DisabledPart::Poll);
            assert!(off.reason().contains("Key Vault Secrets User"));
            assert!(setting.starts_with(&off.source.to_uppercase().replace('-', "_")));
            assert!(settings.of::<PingOne>().is_empty() && settings.of::<PingOneEnterprise>().is_empty());
            assert!(settings.of::<SentinelOne>().is_empty() && settings.of::<OneLogin>().is_empty());
            assert!(!settings.nothing_configured());
        }
    }
}

#[test]
fn other_instances_and_sources_go_on() {
    let token = ("SENTINELONE__API_TOKEN", REFERENCE);
    let second = [("PINGONE__ACME__PUSH_TOKEN", TOKEN)];
    let settings = load(&[&PINGONE, &SENTINELONE, &[token], &second]);

    assert_eq!(only_off(&settings).source, "sentinelone");
    assert_eq!(settings.of::<PingOne>().len(), 2);
}

#[test]
fn a_push_token_switches_off_the_push_only() {
    let token = ("PINGONE__PUSH_TOKEN", REFERENCE);
    let settings = load(&[&PINGONE, &[token]]);
    assert_eq!(only_off(&settings).part, DisabledPart::Push);
    assert!(settings.of::<PingOne>()[0].push.is_unresolved);
    assert!(settings.of::<PingOne>()[0].push.tokens.is_empty());
    assert!(settings.of::<PingOne>()[0].poll.is_some());
    assert!(settings.push_is_unresolved("pingone"));
    assert!(!settings.push_is_unresolved("onelogin"));

    let settings = load(&[&[("ONELOGIN__BEARER_TOKEN", REFERENCE)]]);
    assert_eq!(only_off(&settings).part, DisabledPart::Push);
    assert!(settings.of::<OneLogin>()[0].push.is_unresolved);
    assert!(settings.of::<OneLogin>()[0].api.is_none());
}

#[test]
fn a_credential_leaves_the_push_on() {
    let secret = ("PINGONE__CLIENT_SECRET", REFERENCE);
    let token = ("PINGONE__PUSH_TOKEN", TOKEN);
    let settings = load(&[&PINGONE, &[secret, token]]);

    assert_eq!(only_off(&settings).part, DisabledPart::Poll);
    assert!(settings.of::<PingOne>()[0].poll.is_none() && settings.of::<PingOne>()[0].poll_is_wanted);
    assert_eq!(settings.of::<PingOne>()[0].push.tokens.len(), 1);
    assert!(!settings.push_is_unresolved("pingone"));
    assert!(!load(&[&[token]]).of::<PingOne>()[0].poll_is_wanted);

    let secret = ("ONELOGIN__CLIENT_SECRET", REFERENCE);
    let token = ("ONELOGIN__BEARER_TOKEN", TOKEN);
    let api = [
        ("ONELOGIN__URL", "https://example.onelogin.com"),
        ("ONELOGIN__CLIENT_ID", "client"),
    ];
    let settings = load(&[&api, &[secret, token]]);
    assert!(settings.of::<OneLogin>()[0].api.is_none() && settings.of::<OneLogin>()[0].api_is_wanted);
    assert!(!load(&[&[token]]).of::<OneLogin>()[0].api_is_wanted);
}

#[test]
fn a_reference_among_tokens_is_never_a_token() {
    for written in [
        "a-token-of-20-letter,@Microsoft.KeyVault(VaultName=vault;SecretName=name)",
        "a-token-of-20-letter, @microsoft.keyvault(VaultName=vault;SecretName=name)",
        "to ken,,@Microsoft.KeyVault(VaultName=vault;SecretName=name)",
        "@Microsoft.KeyVault(VaultName=vault;SecretName=name),a-token-of-20-letter",
    ] {
        let settings = load(&[&[("ONELOGIN__BEARER_TOKEN", written)]]);
        assert!(only_off(&settings).reason().contains("form that is not accepted"));
        assert!(settings.of::<OneLogin>()[0].push.tokens.is_empty());
        assert!(settings.of::<OneLogin>()[0].push.is_unresolved);
    }
}

#[test]
fn tables_and_rules_switch_off_the_whole_instance() {
    let token = ("PINGONE__PUSH_TOKEN", TOKEN);
    let endpoint = ("PINGONE__INGESTION_ENDPOINT", "https://example.com");
    for reference in ["PINGONE__TABLES", "PINGONE__RULE_ID"] {
        let rule = ("PINGONE__RULE_ID", "dcr-1");
        let settings = load(&[&PINGONE, &[token, endpoint, rule, (reference, REFERENCE)]]);
        let off = only_off(&settings);
        assert_eq!(off.setting, reference);
        assert_eq!(off.part, DisabledPart::Whole);
        assert!(settings.of::<PingOne>().is_empty());
        assert!(settings.push_is_unresolved("pingone"));
    }

    // Nobody is to send again what an instance without a push could not take anyhow.
    let settings = load(&[&PINGONE, &[("PINGONE__TABLES", REFERENCE)]]);
    assert!(!settings.push_is_unresolved("pingone"));
}

#[test]
fn the_common_rule_switches_off_all_that_rely_on_it() {
    let own = [
        ("SENTINELONE__INGESTION_ENDPOINT", "https://example.com"),
        ("SENTINELONE__RULE_ID", "dcr-1"),
    ];
    let second = [("PINGONE__ACME__PUSH_TOKEN", TOKEN)];
    let rule = [("LOGS_INGESTION__RULE_ID", REFERENCE), ("HEALTH__ENABLED", "true")];
    let settings = load(&[&PINGONE, &second, &SENTINELONE, &own, &LOGS_INGESTION, &rule]);

    let off: Vec<(&str, &str, DisabledPart)> = settings
        .disabled
        .iter()
        .map(|off| (off.source, off.instance.as_str(), off.part))
        .collect();
    assert_eq!(
        off,
        [
            ("pingone", "default", DisabledPart::Whole),
            ("pingone", "acme", DisabledPart::Whole),
            ("health", "default", DisabledPart::Whole),
        ]
    );
    assert_eq!(settings.of::<SentinelOne>().len(), 1);
    assert!(!settings.health.enabled);

    let audience = [("LOGS_INGESTION__AUDIENCE", REFERENCE)];
    let settings = load(&[&SENTINELONE, &own, &audience]);
    assert_eq!(only_off(&settings).setting, "LOGS_INGESTION__AUDIENCE");
    assert!(settings.of::<SentinelOne>().is_empty());
}

#[test]
fn health_alone_is_nothing_configured_even_where_it_is_off() {
    let rule = ("LOGS_INGESTION__RULE_ID", REFERENCE);
    let settings = load(&[&LOGS_INGESTION, &[rule, ("HEALTH__ENABLED", "true")]]);

    assert_eq!(only_off(&settings).source, "health");
    assert!(settings.nothing_configured());
}

#[test]
fn a_reference_of_something_that_is_off_switches_nothing_off() {
    let settings = load(&[&[
        ("PINGONE__REGION", REFERENCE),
        ("ONELOGIN__TABLES", REFERENCE),
        ("LOGS_INGESTION__ENDPOINT", REFERENCE),
        ("LOGS_INGESTION__RULE_ID", REFERENCE),
    ]]);

    assert!(settings.disabled.is_empty());
    assert!(settings.nothing_configured());
}

#[test]
fn both_urls_of_pingone_make_the_region_unneeded() {
    let urls = [
        ("PINGONE__API_URL", "http://127.0.0.1:9000"),
        ("PINGONE__AUTH_URL", "http://127.0.0.1:9000"),
        ("PINGONE__REGION", REFERENCE),
    ];
    let settings = load(&[&PINGONE, &urls]);

    assert!(settings.disabled.is_empty());
    assert!(settings.of::<PingOne>()[0].poll.is_some());
}

#[test]
fn a_reference_counts_as_present() {
    let secret = ("PINGONE__CLIENT_SECRET", REFERENCE);
    assert_eq!(
        refused(&[&[secret]]),
        [
            "PINGONE__CLIENT_SECRET",
            "PINGONE__ENVIRONMENT_ID",
            "PINGONE__CLIENT_ID"
        ]
    );
    let endpoint = ("LOGS_INGESTION__ENDPOINT", REFERENCE);
    assert_eq!(refused(&[&[endpoint]]), ["LOGS_INGESTION__RULE_ID"]);
}

#[test]
fn a_malformed_reference_says_the_accepted_forms() {
    let token = ("SENTINELONE__API_TOKEN", "@Microsoft.KeyVault(Secret=hunter2)");
    let settings = load(&[&SENTINELONE, &[token]]);

    let off = only_off(&settings);
    assert!(off.reason().contains("SecretUri=https://"), "{}", off.reason());
    assert!(off.reason().contains("VaultName="), "{}", off.reason());
    assert!(!off.reason().contains("hunter2"), "{}", off.reason());
}

#[test]
fn a_setting_of_the_whole_program_must_not_be_a_reference() {
    for setting in [
        "POLL_SCHEDULE",
        "POLL_BUDGET",
        "POLL_CONCURRENCY",
        "PUSH_LINGER",
        "SPOOL_MAX_BYTES",
        "STATE_URL",
        "DESTINATION_DIR",
        "HEALTH__ENABLED",
        "LOG_FORMAT",
    ] {
        let lines = problems(&[&[(setting, REFERENCE)]]);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with(&format!("{setting}: must be the value itself")));
    }
}

#[test]
fn references_of_our_settings_are_found_and_those_of_others_are_not() {
    let reference = "@Microsoft.KeyVault(VaultName=v;SecretName=n)";
    let environment = Environment::from([
        ("PINGONE__ACME__CLIENT_SECRET", reference),
        ("STATE_URL", reference),
        ("SENTINELONE__API_TOKEN", "resolved"),
        ("ONELOGIN__CLIENT_SECRET", "plain"),
        ("ONELOGIN__BEARER_TOKEN", "@Microsoft.KeyVault(nonsense)"),
        ("SOMETHING_ELSE", reference),
        (
            "WEBSITE_KEYVAULT_REFERENCES",
            r#"{"SENTINELONE__API_TOKEN":{"rawReference":"@Microsoft.KeyVault(VaultName=v;SecretName=n)","status":"Resolved"},
                "SENTINELONE__URL":{"rawReference":"@Microsoft.KeyVault(VaultName=v;SecretName=n)","status":"SecretNotFound"},
                "PINGONE__PUSH_TOKEN":{"reference":"@Microsoft.KeyVault(VaultName=v;SecretName=n)"},
                "PINGONE__CLIENT_ID":{"status":"SecretNotFound"},
                "OTHERS":{"rawReference":"@Microsoft.KeyVault(VaultName=v;SecretName=n)"}}"#,
        ),
        ("PINGONE__PUSH_TOKEN", " "),
    ]);

    let found: Vec<(String, bool)> = environment
        .references(catalog().unwrap())
        .into_iter()
        .map(|found| (found.setting, found.is_resolved))
        .collect();

    let expected = [
        ("PINGONE__ACME__CLIENT_SECRET", false),
        // Left out, or left empty, by the platform.
        ("PINGONE__PUSH_TOKEN", false),
        ("SENTINELONE__API_TOKEN", true),
        ("SENTINELONE__URL", false),
        ("STATE_URL", false),
    ];
    assert_eq!(
        found,
        expected.map(|(name, is_resolved)| (name.to_owned(), is_resolved))
    );
}
