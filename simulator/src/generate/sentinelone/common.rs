//! Values and forms that several objects share.

use chrono::{DateTime, SubsecRound, Utc};
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};

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

/// `kubernetesInfo` of what does not run there.
pub(super) fn no_kubernetes() -> Value {
    json!({
        "cluster": null, "controllerKind": null, "controllerLabels": null, "controllerName": null, "namespace": null,
        "namespaceLabels": null, "node": null, "pod": null, "podLabels": null,
    })
}

/// `containerInfo` of what does not run in one.
pub(super) fn no_container() -> Value {
    json!({"id": null, "image": null, "labels": null, "name": null})
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

/// Puts the keys of `changes` into `object`.
pub(super) fn merge(object: &mut Value, changes: Value) {
    if let (Value::Object(object), Value::Object(changes)) = (object, changes) {
        object.extend(changes);
    }
}
