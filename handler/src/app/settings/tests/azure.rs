//! In Azure, the local defaults would lose what they are given.

use super::*;

const SITE: Pair = ("WEBSITE_SITE_NAME", "my-function-app");
const STATE: Pair = ("STATE_URL", "https://acct1.blob.core.windows.net/state");

#[test]
fn state_has_to_be_set_in_azure() {
    assert_eq!(refused(&[&[SITE]]), ["STATE_URL"]);
    assert_eq!(refused(&[&[SITE, ("STATE_URL", " ")]]), ["STATE_URL"]);
    assert!(load(&[&[SITE, STATE]]).nothing_configured());
    load(&[&[("WEBSITE_SITE_NAME", "")]]);
}

#[test]
fn a_refused_state_is_not_also_missing() {
    let lines = problems(&[&[SITE, ("STATE_URL", "ftp://x")]]);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("must be"), "{lines:?}");
}

#[test]
fn a_configured_source_has_to_have_a_rule_in_azure() {
    let token = ("PINGONE__ACME__PUSH_TOKEN", TOKEN);
    let health = ("HEALTH__ENABLED", "true");

    let lines = problems(&[&SENTINELONE, &[SITE, STATE, token, health]]);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("LOGS_INGESTION__ENDPOINT: is missing"));
    assert!(lines[0].contains("pingone/acme, sentinelone, health"), "{lines:?}");

    load(&[&SENTINELONE, &[SITE, STATE, token, health], &LOGS_INGESTION]);
    load(&[&SENTINELONE, &[token, health]]);
}

#[test]
fn an_unresolved_source_has_to_have_a_rule_too() {
    let token = ("SENTINELONE__API_TOKEN", REFERENCE);
    assert_eq!(
        refused(&[&SENTINELONE, &[SITE, STATE, token]]),
        ["LOGS_INGESTION__ENDPOINT", "SENTINELONE__API_TOKEN"]
    );
    // A rule that is a reference is a rule.
    let rule = ("LOGS_INGESTION__RULE_ID", REFERENCE);
    load(&[&SENTINELONE, &[SITE, STATE], &LOGS_INGESTION, &[rule]]);
}
