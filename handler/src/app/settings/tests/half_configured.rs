//! A source that is begun is finished, or named.

use super::*;

/// Every way to leave some of `required` out, but not all, names what was left out.
fn assert_gaps_are_named(required: &[Pair]) {
    for chosen in 0..(1_u32 << required.len()) {
        let is_chosen = |position: usize| chosen & (1 << position) != 0;
        let (mut given, mut missing) = (Vec::new(), Vec::new());
        for (position, pair) in required.iter().enumerate() {
            if is_chosen(position) {
                given.push(*pair);
            } else {
                missing.push(pair.0.to_owned());
            }
        }
        if given.is_empty() || missing.is_empty() {
            assert_eq!(refused(&[&given]), Vec::<String>::new());
            continue;
        }
        let lines = problems(&[&given]);
        assert_eq!(lines.len(), missing.len(), "{lines:?}");
        for (line, name) in lines.iter().zip(&missing) {
            assert!(line.starts_with(&format!("{name}: is missing; ")), "{line}");
            assert!(line.contains(" needs "), "{line}");
        }
    }
}

#[test]
fn each_missing_part_of_a_source_is_named() {
    assert_gaps_are_named(&PINGONE);
    assert_gaps_are_named(&ENTERPRISE);
    assert_gaps_are_named(&SENTINELONE);
    assert_gaps_are_named(&ONELOGIN_API);
    assert_gaps_are_named(&[
        ("PINGONE__ACME__ENVIRONMENT_ID", "env"),
        ("PINGONE__ACME__CLIENT_ID", "id"),
        ("PINGONE__ACME__CLIENT_SECRET", "secret"),
    ]);
}

#[test]
fn a_user_name_asks_for_the_password_and_a_password_for_the_user_name() {
    let username = ("PINGONE_ENTERPRISE__USERNAME", "user");
    let password = ("PINGONE_ENTERPRISE__PASSWORD", "password");

    assert_eq!(refused(&[&[ENTERPRISE_URL, username]]), [password.0]);
    assert_eq!(refused(&[&[ENTERPRISE_URL, password]]), [username.0]);
    assert_eq!(refused(&[&[username, password]]), [ENTERPRISE_URL.0]);
}

#[test]
fn both_kinds_of_sign_in_at_once_are_refused() {
    let username = ("PINGONE_ENTERPRISE__USERNAME", "user");
    let password = ("PINGONE_ENTERPRISE__PASSWORD", "password");

    let both = refused(&[&ENTERPRISE, &[username, password]]);
    assert_eq!(both, [username.0, password.0]);
    assert_eq!(refused(&[&ENTERPRISE, &[password]]), [password.0]);
    let line = &problems(&[&ENTERPRISE, &[username]])[0];
    assert!(line.contains("PINGONE_ENTERPRISE__CLIENT_ID"), "{line}");
}

#[test]
fn a_push_token_alone_is_a_complete_source() {
    let settings = load(&[&[("PINGONE__PUSH_TOKEN", TOKEN)]]);
    assert!(settings.of::<PingOne>()[0].poll.is_none());
    assert_eq!(settings.of::<PingOne>()[0].push.tokens.len(), 1);
    let settings = load(&[&[("ONELOGIN__ACME__BEARER_TOKEN", TOKEN)]]);
    assert_eq!(settings.of::<OneLogin>()[0].instance.as_str(), "acme");
    assert!(!settings.nothing_configured());
}

#[test]
fn options_alone_leave_a_source_off() {
    let settings = load(&[&[
        ("PINGONE__REGION", "eu"),
        ("PINGONE__AUTH_ENVIRONMENT_ID", "env"),
        ("PINGONE__API_URL", "http://127.0.0.1:9000"),
        ("PINGONE__TABLES", "PingOne_AuditActivities_CL"),
        ("PINGONE__REQUESTS_PER_SECOND", "1"),
        ("PINGONE_ENTERPRISE__TOKEN_URL", "https://example.com/token"),
        ("SENTINELONE__STREAMS", "agents"),
        ("SENTINELONE__PARSER_ALIASES", "true"),
        ("ONELOGIN__USERS_EVERY", "1h"),
        ("ONELOGIN__TABLES", "OneLogin_CL"),
        ("ONELOGIN__RULE_ID", "dcr-1"),
        ("ONELOGIN__INGESTION_ENDPOINT", "https://example.com"),
    ]]);

    assert!(settings.nothing_configured());
}

#[test]
fn empty_values_count_as_absent() {
    let mut empty: Vec<Pair> = Vec::new();
    let names = every_name();
    for name in &names {
        empty.push((name.clone().leak(), " \t"));
    }

    assert!(load(&[&empty]).nothing_configured());
    let lines = problems(&[&PINGONE[..2], &[("PINGONE__ENVIRONMENT_ID", "")]]);
    assert!(lines[0].starts_with("PINGONE__ENVIRONMENT_ID: is missing"));
}

#[test]
fn an_empty_secret_beside_a_filled_source_is_named() {
    let empty = |name: &'static str| [(name, "  ")];
    let token = ("PINGONE__PUSH_TOKEN", TOKEN);
    let bearer = ("ONELOGIN__BEARER_TOKEN", TOKEN);
    for (others, secret) in [
        (&PINGONE[..2], "PINGONE__CLIENT_SECRET"),
        (&PINGONE[..], "PINGONE__PUSH_TOKEN"),
        (&[token][..], "PINGONE__CLIENT_SECRET"),
        (&ENTERPRISE[..2], "PINGONE_ENTERPRISE__CLIENT_SECRET"),
        (&ENTERPRISE[..], "PINGONE_ENTERPRISE__PASSWORD"),
        (&SENTINELONE[..1], "SENTINELONE__API_TOKEN"),
        (&ONELOGIN_API[..2], "ONELOGIN__CLIENT_SECRET"),
        (&ONELOGIN_API[..], "ONELOGIN__BEARER_TOKEN"),
        (&[bearer][..], "ONELOGIN__CLIENT_SECRET"),
    ] {
        let lines = problems(&[others, &empty(secret)]);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with(&format!("{secret}: is empty")), "{lines:?}");
    }

    // Of another instance, or beside options alone, it is no mistake.
    load(&[&PINGONE, &empty("PINGONE__ACME__CLIENT_SECRET")]);
    load(&[&[("PINGONE__REGION", "eu")], &empty("PINGONE__CLIENT_SECRET")]);
}
