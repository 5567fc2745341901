//! The free `data` of an activity: other keys for each type, and other types behind the same key.

use chrono::{DateTime, TimeDelta, Utc};
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Map, Value, json};

use super::activity_types::Part;
use super::common::{CLASSIFICATIONS, hexadecimal, microseconds};
use super::estate::{Estate, EstatePlace};
use crate::generate::ADDRESSES;
use crate::random::{one_in, pick, uuid};

/// What an activity is about.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) at: DateTime<Utc>,
    pub(super) place: EstatePlace,
    pub(super) user: &'static str,
    pub(super) computer: String,
    pub(super) file: &'static str,
    pub(super) rule: &'static str,
    pub(super) address: &'static str,
    pub(super) value: &'static str,
    pub(super) hash: String,
}

/// The whole `data` of an activity with these parts.
pub(super) fn data(parts: &[Part], subject: &Subject, estate: &Estate, rng: &mut StdRng) -> Value {
    let EstatePlace {
        site_name, group_name, ..
    } = &subject.place;
    let account = estate.account_name;
    let mut data = object(json!({
        "accountName": account,
        "siteName": site_name,
        "groupName": group_name,
        "scopeLevel": "Group",
        "scopeName": group_name,
        "fullScopeDetails": format!("Group {group_name} in Site {site_name} of Account {account}"),
    }));
    if !one_in(rng, 3) {
        let path = format!("Global / {account} / {site_name} / {group_name}");
        data.insert("fullScopeDetailsPath".to_owned(), json!(path));
    }
    for part in parts {
        data.extend(part_of(*part, subject, rng));
    }
    Value::Object(data)
}

fn part_of(part: Part, subject: &Subject, rng: &mut StdRng) -> Map<String, Value> {
    let keys = match part {
        // The platform itself has no name.
        Part::Person => json!({"username": if one_in(rng, 6) { Value::Null } else { json!(subject.user) }}),
        Part::Login => json!({
            "role": if one_in(rng, 2) { "Admin" } else { "Viewer" },
            "userScope": "account",
            "source": "mgmt",
            "reason": null,
            "ipAddress": subject.address,
        }),
        Part::Computer => json!({"computerName": subject.computer, "externalIp": pick(rng, &ADDRESSES)}),
        Part::File => file(subject, rng),
        Part::Rule => json!({
            "ruleName": subject.rule,
            "ruleId": rng.random_range(1_u64 << 60..1 << 61),
            "ruleQueryDetails": "EventType = \"File Rename\" AND TgtFilePath ContainsCIS \"\\\\drop\"",
            "status": if one_in(rng, 2) { "Active" } else { "Draft" },
        }),
        Part::StarAlert => star_alert(subject, rng),
        Part::Exclusion => json!({"exclusionType": "path", "value": subject.value, "osFamily": "linux"}),
        Part::Hash => json!({"fileContentHash": subject.hash, "description": "no longer needed"}),
        Part::Status => json!({"originalStatus": "Not mitigated", "newStatus": "Mitigated"}),
        Part::Switch => json!({"newValue": one_in(rng, 2), "oldValue": null}),
        Part::Setting => json!({"newValue": {"role": "Admin", "scopes": [subject.place.site_id]}}),
        Part::Move => json!({
            "oldGroupId": null,
            "oldGroupName": "Waiting room",
            "newGroupId": subject.place.group_id,
            "newGroupName": subject.place.group_name,
        }),
        Part::Device => device(subject, rng),
        Part::Scan => json!({"status": "started", "createdAt": microseconds(subject.at - TimeDelta::milliseconds(5))}),
    };
    object(keys)
}

fn file(subject: &Subject, rng: &mut StdRng) -> Value {
    json!({
        "fileDisplayName": subject.file,
        "filePath": format!("\\Device\\HarddiskVolume2\\Users\\guest\\{}", subject.file),
        "fileContentHash": subject.hash,
        "threatClassification": pick(rng, &CLASSIFICATIONS),
        "threatClassificationSource": if one_in(rng, 2) { "Cloud" } else { "Engine" },
        "globalStatus": if one_in(rng, 2) { Value::Null } else { json!("success") },
        "escapedMaliciousProcessArguments": null,
    })
}

/// Most keys are lower-case here, some come twice in two spellings, and the ids are numbers over 2^53.
fn star_alert(subject: &Subject, rng: &mut StdRng) -> Value {
    let alert = rng.random_range(1_u64 << 60..1 << 61);
    let detected = if one_in(rng, 2) {
        json!(subject.at.timestamp_millis())
    } else {
        json!(subject.at.format("%Y-%m-%dT%H:%M:%SZ").to_string())
    };
    json!({
        "alertId": alert,
        "alertid": alert,
        "detectedat": detected,
        "dveventtype": "FILERENAME",
        "ruleId": alert - 77,
        "rulename": subject.rule,
        "ruledescription": "Two lines\nof what it looks for",
        "rulescopelevel": "E_SITE",
        "severity": "E_HIGH",
        "origagentname": subject.computer,
        "origagentuuid": hexadecimal(rng, 32),
        "k8spod": "",
        "dstport": 0,
        "sourceprocesscommandline": format!("\"C:\\Tools\\{}\" --quiet 'a b'", subject.file),
    })
}

fn device(subject: &Subject, rng: &mut StdRng) -> Value {
    json!({
        "deviceClass": "08h",
        "deviceName": "",
        "eventId": format!("{{{}}}", uuid(rng)),
        "eventTime": subject.at.format("%Y-%m-%dT%H:%M:%S%.3f+00:00").to_string(),
        "eventType": "connected",
        "interface": "USB",
        "lastLoggedInUserName": "guest",
        "ruleId": -1,
        "ruleName": null,
        "vendorId": "1D6B",
    })
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
