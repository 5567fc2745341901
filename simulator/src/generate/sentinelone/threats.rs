//! Threats: snapshots whose verdict and mitigation change.

use chrono::{DateTime, TimeDelta, Utc};
use rand::RngExt;
use serde_json::{Value, json};

use super::common::{CLASSIFICATIONS, FILES, cut, microseconds, no_container, no_kubernetes};
use super::estate::EstatePlace;
use super::object::Object;
use super::source::Source;
use crate::generate::ADDRESSES;
use crate::sentinelone::Stream;

/// A threat that was created at that time.
pub(super) fn new_object(source: &mut Source, at: DateTime<Utc>) -> Object {
    let created_at = cut(at);
    let updated_at = created_at - TimeDelta::microseconds(source.rng.random_range(5_000..16_000));
    let id = source.id_at(created_at);
    let place = source.place();
    let mut threat = json!({
        "id": id,
        "threatInfo": threat_info(source, &id, created_at, updated_at),
        "agentDetectionInfo": detection_info(source, &place, created_at),
        "agentRealtimeInfo": realtime_info(source, &place, created_at),
        "mitigationStatus": [],
        "indicators": indicators(source),
        "whiteningOptions": ["hash", "path"],
        "kubernetesInfo": no_kubernetes(),
        "containerInfo": no_container(),
    });
    if source.one_in(2) {
        threat["ecsInfo"] =
            json!({"clusterName": null, "serviceArn": null, "taskArn": null, "type": null, "version": null});
    }
    Object {
        stream: Stream::Threats,
        id,
        created_at,
        updated_at,
        json: threat.to_string(),
    }
}

/// The same threat with another verdict or mitigation, changed at that time.
pub(super) fn update(source: &mut Source, previous: &Object, at: DateTime<Utc>) -> Object {
    let has_verdict = source.one_in(2);
    previous.changed(at, "/threatInfo", |threat| {
        let info = &mut threat["threatInfo"];
        if has_verdict {
            info["analystVerdict"] = json!("true_positive");
            info["analystVerdictDescription"] = json!("True positive");
            info["incidentStatus"] = json!("in_progress");
        } else {
            info["mitigationStatus"] = json!("mitigated");
            info["mitigationStatusDescription"] = json!("Mitigated");
        }
        if let Some(steps) = threat["mitigationStatus"].as_array_mut() {
            steps.push(mitigation(cut(at)));
        }
    })
}

fn threat_info(source: &mut Source, id: &str, created_at: DateTime<Utc>, updated_at: DateTime<Utc>) -> Value {
    let file = source.pick(&FILES);
    let seen_before = TimeDelta::milliseconds(source.rng.random_range(100..3_000));
    json!({
        "threatId": id,
        "threatName": file,
        "createdAt": microseconds(created_at),
        "updatedAt": microseconds(updated_at),
        "identifiedAt": microseconds(created_at - seen_before),
        "analystVerdict": "undefined",
        "analystVerdictDescription": "Undefined",
        "automaticallyResolved": false,
        "certificateId": "",
        "classification": source.pick(&CLASSIFICATIONS),
        "classificationSource": "Engine",
        "cloudFilesHashVerdict": null,
        "collectionId": source.id_at(created_at),
        "confidenceLevel": if source.one_in(3) { "suspicious" } else { "malicious" },
        "detectionEngines": [{"key": "data_files", "title": "Documents, scripts"}],
        "detectionType": "dynamic",
        "engines": ["Documents, scripts"],
        "externalTicketExists": false,
        "externalTicketId": null,
        "failedActions": false,
        "fileExtension": "EXE",
        "fileExtensionType": "Executable",
        "filePath": format!("\\Device\\HarddiskVolume2\\Users\\guest\\{file}"),
        "fileSize": source.rng.random_range(4_096..90_000_000),
        "incidentStatus": "unresolved",
        "incidentStatusDescription": "Unresolved",
        "initiatedBy": "agent_policy",
        "initiatingUserId": null,
        "isFileless": false,
        "maliciousProcessArguments": source.one_in(2).then_some("--run \"now\" 'or later'"),
        "md5": null,
        "mitigationStatus": "not_mitigated",
        "mitigationStatusDescription": "Not mitigated",
        "originatorProcess": "shell.exe",
        "pendingActions": false,
        "processUser": "QUAY\\noor",
        "publisherName": "",
        "rebootRequired": false,
        "sha1": source.hexadecimal(40),
        "sha256": null,
        "storyline": source.hexadecimal(16).to_uppercase(),
    })
}

fn detection_info(source: &mut Source, place: &EstatePlace, at: DateTime<Utc>) -> Value {
    let keys = json!({
        "agentDomain": "QUAY",
        "agentIpV4": "192.0.2.80,198.51.100.12",
        "agentIpV6": "2001:db8:7::50",
        "agentLastLoggedInUserName": "noor",
        "agentMitigationMode": "protect",
        "agentOsName": "Windows 11 Pro",
        "agentOsRevision": "26100",
        "agentRegisteredAt": microseconds(at - TimeDelta::days(41)),
        "agentUuid": source.hexadecimal(32),
        "agentVersion": "25.1.4.117",
        "externalIp": source.pick(&ADDRESSES),
        "cloudProviders": {},
    });
    source.placed(place, keys)
}

fn realtime_info(source: &mut Source, place: &EstatePlace, at: DateTime<Utc>) -> Value {
    let keys = json!({
        "activeThreats": source.rng.random_range(1..5),
        "agentComputerName": source.computer(),
        "agentDecommissionedAt": null,
        "agentId": source.id_at(at - TimeDelta::days(41)),
        "agentInfected": true,
        "agentIsActive": true,
        "agentIsDecommissioned": false,
        "agentMachineType": "laptop",
        "agentNetworkStatus": "connected",
        "agentOsType": "windows",
        "networkInterfaces": [{"id": source.id_at(at), "inet": ["192.0.2.80"], "inet6": [], "name": "Wi-Fi"}],
        "scanStatus": "finished",
        "userActionsNeeded": [],
    });
    source.placed(place, keys)
}

/// From none to many: the list is what makes a threat large.
fn indicators(source: &mut Source) -> Value {
    let count = source.rng.random_range(0..5);
    let one = |number: i32| {
        json!({
            "category": "Evasion",
            "description": format!("Sign {number}: it hid \"itself\"\nand its traces."),
            "ids": [number * 7],
            "tactics": [{"name": "Defense Evasion", "source": "MITRE", "techniques": []}],
        })
    };
    Value::from((0..count).map(one).collect::<Vec<Value>>())
}

fn mitigation(at: DateTime<Utc>) -> Value {
    json!({
        "action": "quarantine",
        "actionsCounters": {"failed": 0, "notFound": 0, "pendingReboot": 0, "success": 1, "total": 1},
        "agentSupportsReport": true,
        "groupNotFound": false,
        "lastUpdate": microseconds(at),
        "latestReport": null,
        "mitigationEndedAt": microseconds(at),
        "mitigationStartedAt": microseconds(at - TimeDelta::milliseconds(800)),
        "status": "success",
    })
}
