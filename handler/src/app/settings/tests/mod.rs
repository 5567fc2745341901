//! Whole environments, from the names to the settings or the problems.

mod additional_fields;
mod azure;
mod bad_values;
mod defaults;
mod destinations;
mod disabled;
mod half_configured;
mod instances;
mod look_alikes;
mod names;
mod properties;
mod references;
mod secretless;

use super::{Settings, catalog};
use crate::config::{Environment, SettingProblems};
use crate::vendors::onelogin::OneLogin;
use crate::vendors::pingone::PingOne;
use crate::vendors::pingone_enterprise::PingOneEnterprise;
use crate::vendors::sentinelone::SentinelOne;

type Pair = (&'static str, &'static str);

const PINGONE: [Pair; 3] = [
    ("PINGONE__ENVIRONMENT_ID", "env-1"),
    ("PINGONE__CLIENT_ID", "client-1"),
    ("PINGONE__CLIENT_SECRET", "pingone-secret"),
];
const ENTERPRISE_URL: Pair = (
    "PINGONE_ENTERPRISE__POLL_URL",
    "https://admin-api.pingone.com/v3/reports/acc/poll-subscriptions/sub/events",
);
const ENTERPRISE: [Pair; 3] = [
    ENTERPRISE_URL,
    ("PINGONE_ENTERPRISE__CLIENT_ID", "client-2"),
    ("PINGONE_ENTERPRISE__CLIENT_SECRET", "enterprise-secret"),
];
const SENTINELONE: [Pair; 2] = [
    ("SENTINELONE__URL", "https://acme.sentinelone.net"),
    ("SENTINELONE__API_TOKEN", "sentinelone-token"),
];
const ONELOGIN_API: [Pair; 3] = [
    ("ONELOGIN__URL", "https://acme.onelogin.com"),
    ("ONELOGIN__CLIENT_ID", "client-3"),
    ("ONELOGIN__CLIENT_SECRET", "onelogin-secret"),
];
const LOGS_INGESTION: [Pair; 2] = [
    ("LOGS_INGESTION__ENDPOINT", "https://dce.ingest.monitor.azure.com"),
    ("LOGS_INGESTION__RULE_ID", "dcr-0123456789abcdef"),
];
/// As short as a token of pushes may be.
const TOKEN: &str = "a-token-of-20-letter";
const OTHER_TOKEN: &str = "another-token-that-is-longer";
const REFERENCE: &str = "@Microsoft.KeyVault(VaultName=vault;SecretName=name)";

/// Every name of a setting, the keys of each source for the unnamed instance and for `ACME`.
fn every_name() -> Vec<String> {
    let catalog = catalog().unwrap();
    let of_program = catalog.groups.iter().map(|group| (group, &[""][..]));
    let of_sources = catalog
        .sources
        .iter()
        .map(|source| (&source.group, &["", "ACME__"][..]));
    let names = of_program.chain(of_sources).flat_map(|(group, infixes)| {
        let keys = group.keys.iter().map(|key| key.name);
        keys.flat_map(move |key| infixes.iter().map(move |infix| format!("{}{infix}{key}", group.prefix)))
    });
    names.collect()
}

/// Loads the pairs of all `parts`; a later pair replaces an earlier one of the same name.
fn try_load(parts: &[&[Pair]]) -> Result<Settings, SettingProblems> {
    let pairs = parts.iter().flat_map(|part| part.iter().copied());
    Settings::load(&Environment::from(pairs))
}

#[track_caller]
fn load(parts: &[&[Pair]]) -> Settings {
    match try_load(parts) {
        Ok(settings) => settings,
        Err(problems) => panic!("{problems}"),
    }
}

/// The problems, one line each.
#[track_caller]
fn problems(parts: &[&[Pair]]) -> Vec<String> {
    match try_load(parts) {
        Ok(_) => panic!("no problem was found"),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

/// The names of the settings with problems, in order of the problems.
#[track_caller]
fn refused(parts: &[&[Pair]]) -> Vec<String> {
    match try_load(parts) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(|one| one.setting.clone()).collect(),
    }
}
