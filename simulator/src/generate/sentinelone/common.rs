//! Values and forms that several objects share.

use chrono::{DateTime, SubsecRound, Utc};
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::Value;

/// Stands in every `registrationToken` of a group, so that a leaked one is found by a search.
pub const REGISTRATION_TOKEN_MARK: &str = "REGISTRATION-TOKEN";

pub(super) const PEOPLE: [&str; 5] = [
    "Mirela Stan",
    "svc-patching@example.com",
    "Þóra Jónsdóttir",
    "Anouk \"Nox\" Peeters",
    "運用 担当",
];

pub(super) const FILES: [&str; 4] = [
    "invoice_viewer.exe",
    "Ünlü tool.ps1",
    "notes & keys.scr",
    "update-helper.dll",
];

pub(super) const CLASSIFICATIONS: [&str; 4] = ["Malware", "PUA", "Ransomware", "Hacktool"];

pub(super) const KUBERNETES_KEYS: [&str; 9] = [
    "cluster",
    "controllerKind",
    "controllerLabels",
    "controllerName",
    "namespace",
    "namespaceLabels",
    "node",
    "pod",
    "podLabels",
];

pub(super) const CONTAINER_KEYS: [&str; 4] = ["id", "image", "labels", "name"];

/// An object whose keys are all there and all null.
pub(super) fn nothing(keys: &[&str]) -> Value {
    keys.iter().map(|key| ((*key).to_owned(), Value::Null)).collect()
}

/// The vendor's form of a time: UTC, six digits of fraction, `Z`.
pub(super) fn microseconds(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// The time as precise as the vendor writes it.
pub(super) fn cut(time: DateTime<Utc>) -> DateTime<Utc> {
    time.trunc_subsecs(6)
}

/// So many random hexadecimal digits in lower case.
pub(super) fn hexadecimal(rng: &mut StdRng, digits: usize) -> String {
    (0..digits)
        .map(|_| char::from_digit(rng.random_range(0..16), 16).unwrap_or('0'))
        .collect()
}

/// The published text as a value. It was made here, so it is JSON.
pub(super) fn parsed(json: &str) -> Value {
    serde_json::from_str(json).expect("a generated object is JSON")
}
