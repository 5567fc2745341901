//! SentinelOne objects of the management API 2.1 (vendor: swagger of the API; shapes as seen in real answers).
//!
//! Activities happen once. Agents, groups, threats, alerts and unified alerts are snapshots: `update` gives the
//! same object with a newer `updatedAt` and some changed fields. Times have six digits of fraction and `Z`.

mod activities;
mod activity_data;
mod activity_types;
mod agents;
mod alerts;
mod estate;
mod groups;
mod snowflake;
mod threats;
mod unified_alerts;

use chrono::{DateTime, SubsecRound, Utc};
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::Value;

pub use activities::{Activities, Activity};
pub use activity_types::ActivityType;
pub use agents::{Agent, Agents};
pub use alerts::{Alert, Alerts};
pub use groups::{Group, Groups};
pub use threats::{Threat, Threats};
pub use unified_alerts::{UnifiedAlert, UnifiedAlerts};

/// Stands in every `registrationToken` of a group, so that a leaked one is found by a search.
pub const REGISTRATION_TOKEN_MARK: &str = "REGISTRATION-TOKEN";

const PEOPLE: [&str; 5] = [
    "Mirela Stan",
    "svc-patching@example.com",
    "Þóra Jónsdóttir",
    "Anouk \"Nox\" Peeters",
    "運用 担当",
];

const FILES: [&str; 4] = [
    "invoice_viewer.exe",
    "Ünlü tool.ps1",
    "notes & keys.scr",
    "update-helper.dll",
];

const CLASSIFICATIONS: [&str; 4] = ["Malware", "PUA", "Ransomware", "Hacktool"];

/// The vendor's form of a time: UTC, six digits of fraction, `Z`.
pub(super) fn microseconds(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// The time as precise as the vendor writes it.
fn cut(time: DateTime<Utc>) -> DateTime<Utc> {
    time.trunc_subsecs(6)
}

/// So many random hexadecimal digits in lower case.
fn hexadecimal(rng: &mut StdRng, digits: usize) -> String {
    (0..digits)
        .map(|_| char::from_digit(rng.random_range(0..16), 16).unwrap_or('0'))
        .collect()
}

/// The published text as a value. It was made here, so it is JSON.
fn parsed(json: &str) -> Value {
    serde_json::from_str(json).expect("a generated object is JSON")
}

#[cfg(test)]
mod tests;
