//! Every setting that is there is checked, also of a source that is off.

use super::*;

#[test]
fn a_bad_value_is_named_with_the_accepted_form_and_never_repeated() {
    let long_token_list = "zzbad-that-is-long-1,zzbad-that-is-long-2,zzbad-that-is-long-3";
    for (setting, value, accepted) in [
        (
            "PINGONE__REGION",
            "zzbad",
            "must be one of com, ca, eu, com.au, sg, asia",
        ),
        ("PINGONE__REGION", "EUzzbad", "or the domain"),
        ("PINGONE__ENVIRONMENT_ID", "../zzbad", "letters, digits"),
        ("PINGONE__AUTH_ENVIRONMENT_ID", "zzbad/zzbad", "letters, digits"),
        ("PINGONE__CLIENT_ID", "zzbad\nzzbad", "control characters"),
        ("PINGONE__CLIENT_SECRET", "zzbad\u{0}zzbad", "control characters"),
        ("PINGONE__API_URL", "http://zzbad.example.com", "https://host"),
        (
            "PINGONE__API_URL",
            "http://127.0.0.1:9000/zzbad",
            "without user name, path",
        ),
        ("PINGONE__AUTH_URL", "zzbad", "https://host"),
        (
            "PINGONE__TABLES",
            "zzbad",
            "PingOne_AuditActivitiesV2_CL, PingOne_AuditActivities_CL",
        ),
        ("PINGONE__TABLES", "PingOne_AuditActivities_CL,,", "separated by commas"),
        ("PINGONE__PUSH_TOKEN", long_token_list, "two separated by a comma"),
        ("PINGONE__PUSH_TOKEN", "zzbad zzbad zzbad zzbad", "visible ASCII"),
        ("PINGONE__PUSH_TOKEN", "zzbad-of-19-letters", "at least 20"),
        ("PINGONE__ADDITIONAL_FIELDS", "zzbad", "true or false"),
        ("PINGONE__REQUESTS_PER_SECOND", "0", "above 0"),
        ("PINGONE__REQUESTS_PER_SECOND", "NaN", "above 0"),
        ("PINGONE__REQUESTS_PER_SECOND", "1001", "at most 1000"),
        ("PINGONE__RULE_ID", "zzbad/../zzbad", "immutable id"),
        ("PINGONE__INGESTION_ENDPOINT", "zzbad", "https://host"),
        ("PINGONE__ACME__REGION", "zzbad", "must be one of com"),
        (
            "PINGONE_ENTERPRISE__POLL_URL",
            "https://zzbad.example.com/",
            "poll-subscriptions",
        ),
        (
            "PINGONE_ENTERPRISE__TOKEN_URL",
            "http://zzbad.example.com/",
            "https://host/path",
        ),
        ("PINGONE_ENTERPRISE__PASSWORD", "zzbad\u{7f}zzbad", "control characters"),
        (
            "SENTINELONE__URL",
            "https://zzbad.example.com/web/api",
            "without user name, path",
        ),
        ("SENTINELONE__API_TOKEN", "zzbad zzbad", "visible ASCII"),
        (
            "SENTINELONE__STREAMS",
            "zzbad",
            "activities, agents, alerts, groups, threats, unified",
        ),
        ("SENTINELONE__PARSER_ALIASES", "zzbad", "true or false"),
        ("SENTINELONE__AGENT_CHANGES_ONLY", "1", "true or false"),
        (
            "ONELOGIN__BEARER_TOKEN",
            "zzbad-that-is-long-enough,",
            "one token, or two",
        ),
        ("ONELOGIN__TABLES", "zzbad", "OneLogin_CL, OneLoginEventsV2_CL"),
        ("ONELOGIN__URL", "zzbad.onelogin.com", "https://host"),
        ("ONELOGIN__USERS_EVERY", "0s", "above zero"),
        ("ONELOGIN__USERS_EVERY", "zzbad", "above zero"),
        ("LOGS_INGESTION__ENDPOINT", "http://zzbad.example.com", "https://host"),
        ("LOGS_INGESTION__RULE_ID", "..", "immutable id"),
        ("LOGS_INGESTION__AUDIENCE", "zzbad", "https://host"),
        ("HEALTH__ENABLED", "zzbad", "true or false"),
        ("HEALTH__RULE_ID", "zz bad", "immutable id"),
        ("HEALTH__INGESTION_ENDPOINT", "zzbad", "https://host"),
        ("DESTINATION_DIR", "zzbad\u{0}", "control characters"),
        (
            "STATE_URL",
            "ftp://zzbad/state",
            "https://<account>.blob.core.windows.net/<container>",
        ),
        ("STATE_URL", "https://a1b.blob.core.windows.net/state?sig=zzbad", "SAS"),
        ("POLL_SCHEDULE", "zzbad", "six fields"),
        ("POLL_LOOKBACK", "0s", "above zero"),
        ("POLL_LOOKBACK", "731days", "at most 730days"),
        ("POLL_OVERLAP", "-1s", "at most 730days"),
        ("POLL_OVERLAP", "3years", "at most 730days"),
        ("POLL_SETTLE", "zzbad", "such as"),
        ("POLL_BUDGET", "0", "above zero"),
        ("POLL_CONCURRENCY", "65", "1 to 64"),
        ("POLL_CONCURRENCY", "0", "1 to 64"),
        ("PUSH_LINGER", "zzbad", "100ms"),
        ("PUSH_DEADLINE", "0ms", "above zero"),
        ("SPOOL_MAX_BYTES", "0", "above 0"),
        ("SPOOL_MAX_BYTES", "zzbad", "1GiB"),
        ("DEAD_LETTERS_MAX_BYTES", "zzbad", "1GiB"),
        ("MEMORY_BUDGET", "zzbad", "512MiB"),
        ("LOG_FORMAT", "zzbad", "json or text"),
    ] {
        let lines = problems(&[&[(setting, value)]]);
        let line = lines.iter().find(|line| line.starts_with(&format!("{setting}: ")));
        let line = line.unwrap_or_else(|| panic!("{setting} is not named: {lines:?}"));
        assert!(line.contains(accepted), "{line}");
        assert!(!line.contains("zzbad"), "{line}");
        assert!(!line.contains('\n'), "{line}");
    }
}

#[test]
fn a_bad_option_of_a_source_that_is_off_is_the_only_problem() {
    assert_eq!(
        problems(&[&[("PINGONE__REGION", "mars")]]),
        [
            "PINGONE__REGION: must be one of com, ca, eu, com.au, sg, asia, or NA, CA, EU, AU, SG, AP, or the domain, such as pingone.eu"
        ]
    );
}

#[test]
fn all_problems_are_named_at_once_and_each_once() {
    let names = refused(&[&[
        ("PINGONE__REGION", "mars"),
        ("PINGONE__CLIENT_ID", "id"),
        ("PINGONE__CLIENT_SECRTE", "secret"),
        ("PINGONE__RULE_ID", "a b"),
        ("PINGONE__INGESTION_ENDPOINT", "nowhere"),
        ("PINGONE__ACME__REGION", "venus"),
        ("POLL_BUDGET", "soon"),
        ("STATE_URL", "ftp://x"),
        ("LOG_FORMAT", "xml"),
    ]]);

    let mut sorted = names.clone();
    sorted.sort();
    assert_eq!(
        sorted,
        [
            "LOG_FORMAT",
            "PINGONE__ACME__REGION",
            "PINGONE__CLIENT_SECRET",
            "PINGONE__CLIENT_SECRTE",
            "PINGONE__ENVIRONMENT_ID",
            "PINGONE__INGESTION_ENDPOINT",
            "PINGONE__REGION",
            "PINGONE__RULE_ID",
            "POLL_BUDGET",
            "STATE_URL",
        ]
    );
}

#[test]
fn a_refused_credential_is_not_also_missing() {
    let bad = ("PINGONE__ENVIRONMENT_ID", "a/b");
    assert_eq!(refused(&[&PINGONE, &[bad]]), ["PINGONE__ENVIRONMENT_ID"]);
}

#[test]
fn debug_output_of_settings_holds_no_secret() {
    let tokens = [
        ("PINGONE__PUSH_TOKEN", "the-push-token-is-a-secret"),
        ("ONELOGIN__BEARER_TOKEN", "the-bearer-token-is-a-secret"),
    ];
    let settings = load(&[&PINGONE, &ENTERPRISE, &SENTINELONE, &ONELOGIN_API, &tokens]);

    let printed = format!("{settings:?}");

    assert!(printed.contains("[secret]"));
    for secret in ["-secret", "sentinelone-token"] {
        assert!(!printed.contains(secret), "{secret}");
    }
}
