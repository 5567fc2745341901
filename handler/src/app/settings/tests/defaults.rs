//! What holds without settings, and what each setting changes.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::*;
use crate::destination::DestinationChoice;
use crate::state::StateLocation;
use crate::vendors::VENDORS;
use crate::vendors::pingone_enterprise::EnterpriseSignIn;
use crate::vendors::sentinelone::SentinelOneStream;

#[test]
fn an_empty_environment_gives_the_defaults_and_no_source() {
    let settings = load(&[]);

    assert!(settings.nothing_configured());
    assert!(settings.disabled.is_empty());
    assert_eq!(settings.destination_dir, PathBuf::from("data/tables"));
    let directory = StateLocation::Directory(PathBuf::from("data/state"));
    assert_eq!(settings.state, directory);
    assert_eq!(settings.poll.schedule.text(), "0 * * * * *");
    assert_eq!(settings.poll.lookback, Duration::from_secs(3600));
    assert_eq!(settings.poll.overlap, Duration::from_secs(600));
    assert_eq!(settings.poll.settle, Duration::from_secs(30));
    assert_eq!(settings.poll.budget, Duration::from_secs(240));
    assert_eq!(settings.poll.concurrency, 8);
    assert_eq!(settings.push.linger, Duration::from_millis(100));
    assert_eq!(settings.push.deadline, Duration::from_secs(5));
    assert_eq!(settings.spool_max_bytes, 1_073_741_824);
    assert!(!settings.health.enabled);
    assert_eq!(settings.health.destination, DestinationChoice::Directory);
}

#[test]
fn settings_of_the_whole_program_replace_the_defaults() {
    let settings = load(&[&[
        ("DESTINATION_DIR", " /somewhere/rows "),
        ("STATE_URL", "http://127.0.0.1:10000/devstoreaccount1/state"),
        ("POLL_SCHEDULE", "0 */5 * * * *"),
        ("POLL_LOOKBACK", "730days"),
        ("POLL_OVERLAP", "0s"),
        ("POLL_SETTLE", "0s"),
        ("POLL_BUDGET", "90s"),
        ("POLL_CONCURRENCY", "64"),
        ("PUSH_LINGER", "0ms"),
        ("PUSH_DEADLINE", "3s"),
        ("SPOOL_MAX_BYTES", "10MB"),
        ("HEALTH__ENABLED", "True"),
        ("LOG_FORMAT", "text"),
        ("RUST_LOG", "anything, really="),
    ]]);

    assert_eq!(settings.destination_dir, PathBuf::from("/somewhere/rows"));
    assert!(matches!(settings.state, StateLocation::Blob(_)));
    assert_eq!(settings.poll.schedule.text(), "0 */5 * * * *");
    assert_eq!(settings.poll.lookback, Duration::from_secs(730 * 86_400));
    assert_eq!(settings.poll.overlap, Duration::ZERO);
    assert_eq!(settings.poll.settle, Duration::ZERO);
    assert_eq!(settings.poll.budget, Duration::from_secs(90));
    assert_eq!(settings.poll.concurrency, 64);
    assert_eq!(settings.push.linger, Duration::ZERO);
    assert_eq!(settings.push.deadline, Duration::from_secs(3));
    assert_eq!(settings.spool_max_bytes, 10_000_000);
    assert!(settings.health.enabled);
    assert!(settings.nothing_configured());
}

#[test]
fn pingone_needs_three_settings_and_has_defaults_for_the_rest() {
    let settings = load(&[&PINGONE]);

    let instances = settings.of::<PingOne>();
    let [pingone] = instances.as_slice() else {
        panic!("one instance is expected");
    };
    assert!(!settings.nothing_configured());
    assert_eq!(pingone.instance.as_str(), "default");
    assert_eq!(pingone.tables, ["PingOne_AuditActivitiesV2_CL"]);
    assert!(pingone.push.tokens.is_empty());
    assert!(!pingone.push.is_unresolved);
    let poll = pingone.poll.as_ref().unwrap();
    assert_eq!(poll.environment_id, "env-1");
    assert_eq!(poll.auth_environment_id, "env-1");
    assert_eq!(poll.client_id, "client-1");
    assert_eq!(poll.client_secret.expose(), "pingone-secret");
    assert_eq!(poll.api.as_str(), "https://api.pingone.com");
    assert_eq!(poll.auth.as_str(), "https://auth.pingone.com");
    assert!((poll.requests_per_second - 3.5).abs() < f64::EPSILON);
    assert_eq!(poll.setting_prefix, "PINGONE__");
}

#[test]
fn the_region_and_the_urls_of_pingone_decide_where_it_is() {
    let local = ("PINGONE__API_URL", "http://127.0.0.1:9000/");
    let local_auth = ("PINGONE__AUTH_URL", "http://127.0.0.1:9001");
    let eu = ("PINGONE__REGION", "eu");
    for (given, api, auth) in [
        (vec![eu], "https://api.pingone.eu", "https://auth.pingone.eu"),
        (
            vec![("PINGONE__REGION", "com.au")],
            "https://api.pingone.com.au",
            "https://auth.pingone.com.au",
        ),
        (vec![local], "http://127.0.0.1:9000", "https://auth.pingone.com"),
        (vec![local, eu], "http://127.0.0.1:9000", "https://auth.pingone.eu"),
        (vec![local_auth, eu], "https://api.pingone.eu", "http://127.0.0.1:9001"),
        (
            vec![local, local_auth],
            "http://127.0.0.1:9000",
            "http://127.0.0.1:9001",
        ),
    ] {
        let settings = load(&[&PINGONE, &given]);
        let poll = settings.of::<PingOne>()[0].config.poll.as_ref().unwrap();
        assert_eq!((poll.api.as_str(), poll.auth.as_str()), (api, auth));
    }
}

#[test]
fn pingone_options_are_kept() {
    let settings = load(&[
        &PINGONE,
        &[
            ("PINGONE__AUTH_ENVIRONMENT_ID", "env-2"),
            ("PINGONE__REQUESTS_PER_SECOND", "20"),
            ("PINGONE__PUSH_TOKEN", "new-token-of-20-chars, old-token-of-20-chars"),
            (
                "PINGONE__TABLES",
                "PingOne_AuditActivities_CL,PingOne_AuditActivitiesV2_CL,PingOne_AuditActivities_CL",
            ),
        ],
    ]);

    let pingone = &settings.of::<PingOne>()[0];
    let poll = pingone.poll.as_ref().unwrap();
    assert_eq!(poll.auth_environment_id, "env-2");
    assert!((poll.requests_per_second - 20.0).abs() < f64::EPSILON);
    let tables = ["PingOne_AuditActivities_CL", "PingOne_AuditActivitiesV2_CL"];
    assert_eq!(pingone.tables, tables);
    let tokens: Vec<&str> = pingone.push.tokens.iter().map(|one| one.expose()).collect();
    assert_eq!(tokens, ["new-token-of-20-chars", "old-token-of-20-chars"]);
}

#[test]
fn pingone_for_enterprise_signs_in_either_way() {
    let settings = load(&[&ENTERPRISE]);
    let enterprise = &settings.of::<PingOneEnterprise>()[0];
    assert_eq!(enterprise.poll_url.as_str(), ENTERPRISE_URL.1);
    assert_eq!(enterprise.account_id, "acc");
    assert_eq!(enterprise.subscription_id, "sub");
    assert_eq!(enterprise.setting_prefix, "PINGONE_ENTERPRISE__");
    let EnterpriseSignIn::Client {
        client_id,
        client_secret,
        token_url,
    } = &enterprise.sign_in
    else {
        panic!("a client is expected");
    };
    assert_eq!(client_id, "client-2");
    assert_eq!(client_secret.expose(), "enterprise-secret");
    assert_eq!(
        token_url.as_str(),
        "https://admin-api.pingone.com/latest/as/token.oauth2"
    );

    let local = ("PINGONE_ENTERPRISE__TOKEN_URL", "http://127.0.0.1:9000/as/token");
    let settings = load(&[&ENTERPRISE, &[local]]);
    assert!(matches!(
        &settings.of::<PingOneEnterprise>()[0].config.sign_in,
        EnterpriseSignIn::Client { token_url, .. } if token_url.as_str() == local.1
    ));

    let basic = [
        ("PINGONE_ENTERPRISE__USERNAME", "user"),
        ("PINGONE_ENTERPRISE__PASSWORD", "pass word"),
    ];
    let settings = load(&[&[ENTERPRISE_URL], &basic]);
    assert!(matches!(
        &settings.of::<PingOneEnterprise>()[0].config.sign_in,
        EnterpriseSignIn::Basic { username, password }
            if username == "user" && password.expose() == "pass word"
    ));
}

#[test]
fn sentinelone_polls_five_streams_unless_told_otherwise() {
    let settings = load(&[&SENTINELONE]);
    let sentinelone = &settings.of::<SentinelOne>()[0];
    assert_eq!(sentinelone.console.as_str(), "https://acme.sentinelone.net");
    assert_eq!(sentinelone.api_token.expose(), "sentinelone-token");
    assert_eq!(sentinelone.streams, SentinelOneStream::ALL[..5]);
    assert!(sentinelone.parser_aliases);
    assert_eq!(sentinelone.setting_prefix, "SENTINELONE__");

    let settings = load(&[
        &SENTINELONE,
        &[
            ("SENTINELONE__STREAMS", "unified-alerts"),
            ("SENTINELONE__PARSER_ALIASES", "false"),
            ("SENTINELONE__AGENT_CHANGES_ONLY", "TRUE"),
        ],
    ]);
    let sentinelone = &settings.of::<SentinelOne>()[0];
    assert_eq!(sentinelone.streams, [SentinelOneStream::UnifiedAlerts]);
    assert!(!sentinelone.parser_aliases);
}

#[test]
fn onelogin_is_pushing_or_polled_or_both() {
    let token = ("ONELOGIN__BEARER_TOKEN", TOKEN);
    let settings = load(&[&[token]]);
    assert_eq!(settings.of::<OneLogin>()[0].tables, ["OneLogin_CL"]);
    assert_eq!(settings.of::<OneLogin>()[0].push.tokens[0].expose(), TOKEN);
    assert!(settings.of::<OneLogin>()[0].api.is_none());

    let settings = load(&[&ONELOGIN_API]);
    assert!(settings.of::<OneLogin>()[0].push.tokens.is_empty());
    let api = settings.of::<OneLogin>()[0].config.api.as_ref().unwrap();
    assert_eq!(api.url.as_str(), "https://acme.onelogin.com");
    assert_eq!(api.client_id, "client-3");
    assert_eq!(api.client_secret.expose(), "onelogin-secret");
    assert_eq!(api.users_every, Duration::from_secs(86_400));

    let settings = load(&[
        &ONELOGIN_API,
        &[
            token,
            ("ONELOGIN__USERS_EVERY", "1h"),
            ("ONELOGIN__TABLES", "OneLogin_CL, OneLoginEventsV2_CL"),
        ],
    ]);
    let onelogin = &settings.of::<OneLogin>()[0];
    assert_eq!(onelogin.tables, ["OneLogin_CL", "OneLoginEventsV2_CL"]);
    assert_eq!(onelogin.push.tokens.len(), 1);
    let api = onelogin.api.as_ref().unwrap();
    assert_eq!(api.users_every, Duration::from_secs(3600));
}

/// No setting takes a control character.
#[test]
fn every_known_name_is_read_and_checked() {
    for name in every_name() {
        let environment = Environment::from([(name.as_str(), "a\u{1}b")]);
        let problems = Settings::load(&environment).expect_err(&name);
        assert!(
            problems.iter().any(|problem| problem.setting == name),
            "{name}: {problems}"
        );
    }
}

/// What the documentation says of a default is a value of its setting.
#[test]
fn every_default_is_accepted_as_a_value() {
    let of_groups = catalog()
        .unwrap()
        .groups
        .iter()
        .map(|group| (group.prefix, &group.keys));
    let of_sources = catalog()
        .unwrap()
        .sources
        .iter()
        .map(|source| (source.group.prefix, &source.group.keys));
    for (prefix, keys) in of_groups.chain(of_sources) {
        for key in keys.iter().filter(|key| !key.default.is_empty()) {
            load(&[&[(format!("{prefix}{}", key.name).leak(), key.default)]]);
        }
    }
}

#[test]
fn every_vendor_has_settings_and_a_token_where_it_takes_pushes() {
    assert_eq!(catalog().unwrap().sources.len(), VENDORS.len());
    for vendor in &VENDORS {
        let source = catalog().unwrap().source(vendor.name).unwrap();
        assert_eq!(source.push_key.is_some(), vendor.takes_pushes, "{}", vendor.name);
        assert!(
            source
                .group
                .keys
                .iter()
                .any(|key| vendor.switched_on_by.contains(key.name))
        );
    }
}

#[test]
fn the_lookups_of_a_load_grow_with_the_instances_and_no_faster() {
    let asked = |instances: usize| {
        let names = (0..instances).flat_map(|n| ["URL", "API_TOKEN"].map(|key| (n, key)));
        let pairs = names.map(|(n, key)| (format!("SENTINELONE__I{n}__{key}"), format!("https://{n}.example.com")));
        let environment = Environment::from(pairs);
        assert_eq!(Settings::load(&environment).unwrap().instances.len(), instances);
        environment.lookups.load(Ordering::Relaxed)
    };
    let few = asked(10);
    let of_ten_more = asked(20) - few;
    assert!(of_ten_more <= 10 * 80, "{of_ten_more}");
    assert_eq!(asked(110) - few, 10 * of_ten_more);
}
