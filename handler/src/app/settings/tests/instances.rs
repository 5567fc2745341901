//! Several instances of one source.

use super::*;
use crate::config::InstanceName;

const SECOND_PINGONE: [Pair; 3] = [
    ("PINGONE__ACME__ENVIRONMENT_ID", "env-9"),
    ("PINGONE__ACME__CLIENT_ID", "client-9"),
    ("PINGONE__ACME__CLIENT_SECRET", "secret-9"),
];

#[test]
fn instances_are_read_apart_the_unnamed_one_first() {
    let third = [("PINGONE__0__PUSH_TOKEN", TOKEN)];
    let settings = load(&[&SECOND_PINGONE, &PINGONE, &third, &[("PINGONE__REGION", "eu")]]);

    let names: Vec<&str> = settings
        .of::<PingOne>()
        .iter()
        .map(|one| one.instance.as_str())
        .collect();
    assert_eq!(names, ["default", "0", "acme"]);
    let acme = settings.of::<PingOne>()[2].config.poll.as_ref().unwrap();
    assert_eq!(acme.environment_id, "env-9");
    assert_eq!(acme.setting_prefix, "PINGONE__ACME__");
    // Apart from the ingestion rule, nothing is handed down.
    assert_eq!(acme.api.as_str(), "https://api.pingone.com");
}

#[test]
fn a_named_instance_needs_no_unnamed_one() {
    let settings = load(&[&SECOND_PINGONE]);

    assert_eq!(settings.of::<PingOne>().len(), 1);
    assert!(!settings.of::<PingOne>()[0].instance.is_unnamed());
    assert_ne!(*settings.of::<PingOne>()[0].instance, InstanceName::unnamed());
}

#[test]
fn odd_and_reserved_instance_names_are_problems() {
    for name in [
        "PINGONE__acme__CLIENT_ID",
        "PINGONE__AC_ME__CLIENT_ID",
        "PINGONE__DEFAULT__CLIENT_ID",
        "PINGONE__ACME__CLIENT_IDD",
    ] {
        assert_eq!(refused(&[&[(name, "value")]]), [name]);
    }
}

/// Two sets of settings that name one account are both off, each naming the other.
#[track_caller]
fn assert_twins(parts: &[&[Pair]], setting: &str, other: &str) {
    let lines = problems(parts);
    assert_eq!(lines.len(), 2, "{lines:?}");
    for (one, other) in [(setting, other), (other, setting)] {
        let line = lines.iter().find(|line| line.starts_with(&format!("{one}: ")));
        assert!(line.is_some_and(|line| line.contains(other)), "{lines:?}");
    }
}

#[test]
fn two_pingone_instances_on_one_environment_are_refused() {
    let same = [("PINGONE__ACME__ENVIRONMENT_ID", "ENV-1")];
    let setting = "PINGONE__ACME__ENVIRONMENT_ID";
    assert_twins(&[&PINGONE, &SECOND_PINGONE, &same], setting, "PINGONE__ENVIRONMENT_ID");

    let elsewhere = [("PINGONE__ACME__REGION", "eu")];
    load(&[&PINGONE, &SECOND_PINGONE, &same, &elsewhere]);
    load(&[&PINGONE, &SECOND_PINGONE]);
}

#[test]
fn two_enterprise_instances_on_one_subscription_are_refused() {
    let second = |url: &'static str| {
        [
            ("PINGONE_ENTERPRISE__ACME__POLL_URL", url),
            ("PINGONE_ENTERPRISE__ACME__USERNAME", "user"),
            ("PINGONE_ENTERPRISE__ACME__PASSWORD", "password"),
        ]
    };
    assert_twins(
        &[&ENTERPRISE, &second(ENTERPRISE_URL.1)],
        "PINGONE_ENTERPRISE__ACME__POLL_URL",
        "PINGONE_ENTERPRISE__POLL_URL",
    );
    let other = "https://admin-api.pingone.com/v3/reports/acc/poll-subscriptions/sub2/events";
    load(&[&ENTERPRISE, &second(other)]);
}

#[test]
fn two_sentinelone_instances_with_one_token_on_one_console_are_refused() {
    let second = |url: &'static str, token: &'static str| {
        [("SENTINELONE__ACME__URL", url), ("SENTINELONE__ACME__API_TOKEN", token)]
    };
    let (url, token) = (SENTINELONE[0].1, SENTINELONE[1].1);
    assert_twins(
        &[&SENTINELONE, &second("https://ACME.sentinelone.net/", token)],
        "SENTINELONE__ACME__API_TOKEN",
        "SENTINELONE__API_TOKEN",
    );
    load(&[&SENTINELONE, &second(url, "another-token")]);
    load(&[&SENTINELONE, &second("https://other.sentinelone.net", token)]);
}

#[test]
fn two_onelogin_instances_on_one_account_are_refused() {
    let second = |url: &'static str| {
        [
            ("ONELOGIN__ACME__URL", url),
            ("ONELOGIN__ACME__CLIENT_ID", "another"),
            ("ONELOGIN__ACME__CLIENT_SECRET", "secret"),
        ]
    };
    assert_twins(
        &[&ONELOGIN_API, &second("https://acme.onelogin.com/")],
        "ONELOGIN__ACME__URL",
        "ONELOGIN__URL",
    );
    load(&[&ONELOGIN_API, &second("https://other.onelogin.com")]);
}

#[test]
fn instances_of_one_source_do_not_share_a_token() {
    assert_twins(
        &[&[
            (
                "ONELOGIN__BEARER_TOKEN",
                "the-old-one-of-20-letters,the-new-one-of-20-letters",
            ),
            (
                "ONELOGIN__ACME__BEARER_TOKEN",
                "another-one-of-20-letters,the-old-one-of-20-letters",
            ),
        ]],
        "ONELOGIN__ACME__BEARER_TOKEN",
        "ONELOGIN__BEARER_TOKEN",
    );
    assert_twins(
        &[&[
            ("PINGONE__ACME__PUSH_TOKEN", TOKEN),
            ("PINGONE__ZETA__PUSH_TOKEN", TOKEN),
        ]],
        "PINGONE__ZETA__PUSH_TOKEN",
        "PINGONE__ACME__PUSH_TOKEN",
    );

    // Two sources have two routes, and one setting may repeat itself.
    let settings = load(&[&[
        ("ONELOGIN__BEARER_TOKEN", "a-token-of-20-letter,a-token-of-20-letter"),
        ("PINGONE__PUSH_TOKEN", TOKEN),
    ]]);
    assert_eq!(settings.of::<OneLogin>()[0].push.tokens.len(), 1);
}
