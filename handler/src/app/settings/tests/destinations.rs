//! Which rule the rows of an instance go to.

use super::*;
use crate::destination::{DestinationChoice, IngestionRule};

#[track_caller]
fn rule(choice: &DestinationChoice) -> &IngestionRule {
    match choice {
        DestinationChoice::Rule(rule) => rule,
        DestinationChoice::Directory => panic!("a rule is expected"),
    }
}

const OF_SOURCE: [Pair; 2] = [
    ("PINGONE__INGESTION_ENDPOINT", "https://source.example.com"),
    ("PINGONE__RULE_ID", "dcr-source"),
];
const OF_INSTANCE: [Pair; 2] = [
    ("PINGONE__ACME__INGESTION_ENDPOINT", "https://instance.example.com"),
    ("PINGONE__ACME__RULE_ID", "dcr-instance"),
];
const TOKENS: [Pair; 2] = [
    ("PINGONE__PUSH_TOKEN", TOKEN),
    ("PINGONE__ACME__PUSH_TOKEN", OTHER_TOKEN),
];

#[test]
fn without_a_rule_rows_go_to_the_directory() {
    let settings = load(&[&TOKENS]);
    assert_eq!(*settings.of::<PingOne>()[0].destination, DestinationChoice::Directory);
}

#[test]
fn the_nearest_pair_counts() {
    for (parts, of_unnamed, of_acme) in [
        (
            vec![&LOGS_INGESTION[..]],
            "LOGS_INGESTION__RULE_ID",
            "LOGS_INGESTION__RULE_ID",
        ),
        (
            vec![&LOGS_INGESTION[..], &OF_SOURCE],
            "PINGONE__RULE_ID",
            "PINGONE__RULE_ID",
        ),
        (
            vec![&OF_SOURCE[..], &OF_INSTANCE],
            "PINGONE__RULE_ID",
            "PINGONE__ACME__RULE_ID",
        ),
        (
            vec![&LOGS_INGESTION[..], &OF_INSTANCE],
            "LOGS_INGESTION__RULE_ID",
            "PINGONE__ACME__RULE_ID",
        ),
    ] {
        let mut parts = parts;
        parts.push(&TOKENS);
        let settings = load(&parts);
        assert_eq!(rule(settings.of::<PingOne>()[0].destination).rule_setting, of_unnamed);
        assert_eq!(rule(settings.of::<PingOne>()[1].destination).rule_setting, of_acme);
    }
}

#[test]
fn a_rule_knows_its_settings_and_the_audience() {
    let settings = load(&[&TOKENS, &LOGS_INGESTION, &OF_INSTANCE]);
    let of_acme = rule(settings.of::<PingOne>()[1].destination);
    assert_eq!(of_acme.endpoint.as_str(), "https://instance.example.com");
    assert_eq!(of_acme.rule_id, "dcr-instance");
    assert_eq!(of_acme.endpoint_setting, "PINGONE__ACME__INGESTION_ENDPOINT");
    assert_eq!(of_acme.audience, "https://monitor.azure.com");

    let audience = [("LOGS_INGESTION__AUDIENCE", "https://monitor.azure.us/.default")];
    let settings = load(&[&TOKENS, &LOGS_INGESTION, &OF_INSTANCE, &audience]);
    for pingone in settings.of::<PingOne>() {
        assert_eq!(rule(pingone.destination).audience, "https://monitor.azure.us");
    }
}

#[test]
fn half_of_a_pair_is_a_problem_of_the_missing_half() {
    for (given, missing) in [
        (LOGS_INGESTION[0], "LOGS_INGESTION__RULE_ID"),
        (LOGS_INGESTION[1], "LOGS_INGESTION__ENDPOINT"),
        (OF_SOURCE[0], "PINGONE__RULE_ID"),
        (OF_SOURCE[1], "PINGONE__INGESTION_ENDPOINT"),
        (OF_INSTANCE[0], "PINGONE__ACME__RULE_ID"),
        (OF_INSTANCE[1], "PINGONE__ACME__INGESTION_ENDPOINT"),
        (("HEALTH__RULE_ID", "dcr-1"), "HEALTH__INGESTION_ENDPOINT"),
        (("HEALTH__INGESTION_ENDPOINT", "https://example.com"), "HEALTH__RULE_ID"),
    ] {
        let lines = problems(&[&[given]]);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with(&format!("{missing}: is missing")), "{lines:?}");
        assert!(lines[0].contains(given.0), "{lines:?}");
    }
    // The other half is not taken from another level.
    assert_eq!(
        refused(&[&TOKENS, &LOGS_INGESTION, &OF_SOURCE[..1]]),
        ["PINGONE__RULE_ID"]
    );
}

#[test]
fn health_rows_have_their_own_pair_or_the_common_one() {
    let on = [("HEALTH__ENABLED", "true")];
    let own = [
        ("HEALTH__INGESTION_ENDPOINT", "https://health.example.com"),
        ("HEALTH__RULE_ID", "dcr-health"),
    ];

    let settings = load(&[&on, &LOGS_INGESTION]);
    assert_eq!(rule(&settings.health.destination).rule_id, LOGS_INGESTION[1].1);
    let settings = load(&[&on, &LOGS_INGESTION, &own]);
    assert!(settings.health.enabled);
    assert_eq!(rule(&settings.health.destination).rule_setting, "HEALTH__RULE_ID");
}
