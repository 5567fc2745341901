//! What holds for any values at all.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// A value that gets deep into the checks of one kind of setting or another.
fn likely_value() -> impl Strategy<Value = String> {
    let seeds = vec![
        "https://example.com",
        "http://127.0.0.1:9000",
        ENTERPRISE_URL.1,
        "https://acct1.blob.core.windows.net/state",
        "0 */5 * * * *",
        "1h 30m",
        "1GiB",
        "3.5",
        "true",
        "eu",
        "activities,agents",
        "OneLogin_CL",
        "PingOne_AuditActivitiesV2_CL",
        "a-token-of-20-letter,another-of-20-letters",
        "json",
        REFERENCE,
        "@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/n/v)",
        "plain-id",
        "",
    ];
    // Sometimes with a piece put in anywhere.
    (select(seeds), any::<prop::sample::Index>(), "\\PC{0,3}").prop_map(|(seed, at, piece)| {
        let characters: Vec<char> = seed.chars().collect();
        let at = at.index(characters.len() + 1);
        let (head, tail) = characters.split_at(at);
        head.iter()
            .chain(piece.chars().collect::<Vec<_>>().iter())
            .chain(tail)
            .collect()
    })
}

fn any_value() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => likely_value(),
        1 => any::<String>(),
        1 => "[0-9 */,a-zA-Z?#-]{0,24}",
        1 => "[0-9]{1,20}[a-z]{1,3} ?[0-9]{1,20}[a-z]{1,3}",
    ]
}

fn any_environment() -> impl Strategy<Value = Vec<(String, String)>> {
    let names = every_name();
    prop::collection::vec((select(names), any_value()), 0..40)
}

/// The settings whose values are secrets, each with others that fill its source.
fn secret_settings() -> Vec<&'static str> {
    vec![
        "PINGONE__CLIENT_SECRET",
        "PINGONE__PUSH_TOKEN",
        "PINGONE__ACME__PUSH_TOKEN",
        "PINGONE_ENTERPRISE__CLIENT_SECRET",
        "PINGONE_ENTERPRISE__PASSWORD",
        "SENTINELONE__API_TOKEN",
        "SENTINELONE__ACME__API_TOKEN",
        "ONELOGIN__CLIENT_SECRET",
        "ONELOGIN__BEARER_TOKEN",
    ]
}

/// Texts no message has by chance, with characters that are refused here or there.
fn secret_text() -> impl Strategy<Value = String> {
    let wrapped = prop_oneof![
        3 => Just(("", "")),
        1 => Just(("@Microsoft.KeyVault(", ")")),
        1 => Just(("@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/", "?x)")),
        1 => Just(("first,second,", "")),
        1 => Just(("https://user:", "@example.com/")),
    ];
    (
        "ZQ[A-Z0-9]{10}",
        "\\PC?",
        "[A-Z0-9]{10}QZ",
        any::<Option<char>>(),
        wrapped,
    )
        .prop_map(|(head, middle, tail, odd, (before, after))| {
            let odd = odd.map(String::from).unwrap_or_default();
            format!("{before}{head}{middle}{odd}{tail}{after}")
        })
}

/// The parts of a secret that would give it away.
fn tell_tales(secret: &str) -> Vec<String> {
    let is_plain = |character: char| character.is_ascii_uppercase() || character.is_ascii_digit();
    secret
        .split(|character| !is_plain(character))
        .filter(|part| part.len() >= 8)
        .map(str::to_owned)
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn no_value_makes_loading_panic(pairs in any_environment()) {
        match Settings::load(&Environment::from(pairs)) {
            Ok(settings) => drop(format!("{settings:?}")),
            Err(problems) => prop_assert!(!problems.is_empty()),
        }
    }

    #[test]
    fn no_name_makes_loading_panic(names in prop::collection::vec(
        (select(vec!["PINGONE__", "PINGONE_ENTERPRISE__", "ONELOGIN__", "POLL_", "HEALTH__", ""]), "\\PC{0,12}"),
        0..10,
    )) {
        let pairs = names.into_iter().map(|(prefix, rest)| (format!("{prefix}{rest}"), "x"));
        let _ = Settings::load(&Environment::from(pairs));
    }

    #[test]
    fn no_message_holds_a_secret(
        secrets in prop::collection::vec((select(secret_settings()), secret_text()), 1..5),
        others in any_environment(),
        is_filled in any::<bool>(),
    ) {
        let mut pairs = others;
        if is_filled {
            let filled = [&PINGONE[..], &ENTERPRISE, &SENTINELONE, &ONELOGIN_API].concat();
            pairs = filled
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
        }
        pairs.extend(secrets.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));

        let printed = match Settings::load(&Environment::from(pairs)) {
            Ok(settings) => format!("{settings:?}"),
            Err(problems) => format!("{problems}\n{problems:?}"),
        };

        for part in secrets.iter().flat_map(|(_, secret)| tell_tales(secret)) {
            prop_assert!(!printed.contains(&part), "{}", printed);
        }
    }
}
