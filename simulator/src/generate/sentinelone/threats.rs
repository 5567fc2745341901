//! Threats: snapshots whose verdict and mitigation change.

use chrono::{DateTime, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::common::{CLASSIFICATIONS, FILES, cut, hexadecimal, microseconds, parsed};
use super::estate::{Estate, EstatePlace};
use super::snowflake::Snowflakes;
use crate::generate::ADDRESSES;
use crate::random::{one_in, pick};

/// One version of a threat. There is no top-level `createdAt`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Threat {
    /// `id`, the same as `threatInfo.threatId`.
    pub id: String,
    /// `threatInfo.createdAt`.
    pub created_at: DateTime<Utc>,
    /// `threatInfo.updatedAt`: at birth 5 to 16 ms before `created_at`.
    pub updated_at: DateTime<Utc>,
    /// The threat as compact JSON text.
    pub json: String,
}

/// Makes threats of one account.
#[derive(Debug)]
pub struct Threats {
    rng: StdRng,
    ids: Snowflakes,
    estate: Estate,
}

impl Threats {
    /// A generator for the account of that seed.
    pub fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        Threats {
            ids: Snowflakes::new(&mut rng),
            estate: Estate::new(seed),
            rng,
        }
    }

    /// A threat that was created at that time.
    pub fn new_object(&mut self, at: DateTime<Utc>) -> Threat {
        let created_at = cut(at);
        let updated_at = created_at - TimeDelta::microseconds(self.rng.random_range(5_000..16_000));
        let id = self.ids.at(created_at);
        let place = self.estate.place(&mut self.rng);
        let mut threat = json!({
            "id": id,
            "threatInfo": self.threat_info(&id, created_at, updated_at),
            "agentDetectionInfo": self.detection_info(&place, created_at),
            "agentRealtimeInfo": self.realtime_info(&place, created_at),
            "mitigationStatus": [],
            "indicators": self.indicators(),
            "whiteningOptions": ["hash", "path"],
            "kubernetesInfo": nothing(&["cluster", "controllerKind", "controllerLabels", "controllerName", "namespace",
                "namespaceLabels", "node", "pod", "podLabels"]),
            "containerInfo": nothing(&["id", "image", "labels", "name"]),
        });
        if one_in(&mut self.rng, 2) {
            threat["ecsInfo"] = nothing(&["clusterName", "serviceArn", "taskArn", "type", "version"]);
        }
        Threat {
            id,
            created_at,
            updated_at,
            json: threat.to_string(),
        }
    }

    /// The same threat with another verdict or mitigation, changed at that time.
    pub fn update(&mut self, previous: &Threat, at: DateTime<Utc>) -> Threat {
        let updated_at = cut(at);
        let mut threat = parsed(&previous.json);
        let info = &mut threat["threatInfo"];
        if one_in(&mut self.rng, 2) {
            info["analystVerdict"] = json!("true_positive");
            info["analystVerdictDescription"] = json!("True positive");
            info["incidentStatus"] = json!("in_progress");
        } else {
            info["mitigationStatus"] = json!("mitigated");
            info["mitigationStatusDescription"] = json!("Mitigated");
        }
        info["updatedAt"] = json!(microseconds(updated_at));
        if let Some(steps) = threat["mitigationStatus"].as_array_mut() {
            steps.push(json!({
                "action": "quarantine",
                "actionsCounters": {"failed": 0, "notFound": 0, "pendingReboot": 0, "success": 1, "total": 1},
                "agentSupportsReport": true,
                "groupNotFound": false,
                "lastUpdate": microseconds(updated_at),
                "latestReport": null,
                "mitigationEndedAt": microseconds(updated_at),
                "mitigationStartedAt": microseconds(updated_at - TimeDelta::milliseconds(800)),
                "status": "success",
            }));
        }
        Threat {
            updated_at,
            json: threat.to_string(),
            ..previous.clone()
        }
    }

    fn threat_info(&mut self, id: &str, created_at: DateTime<Utc>, updated_at: DateTime<Utc>) -> Value {
        let file = pick(&mut self.rng, &FILES);
        let seen_before = TimeDelta::milliseconds(self.rng.random_range(100..3_000));
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
            "classification": pick(&mut self.rng, &CLASSIFICATIONS),
            "classificationSource": "Engine",
            "cloudFilesHashVerdict": null,
            "collectionId": self.ids.at(created_at),
            "confidenceLevel": if one_in(&mut self.rng, 3) { "suspicious" } else { "malicious" },
            "detectionEngines": [{"key": "data_files", "title": "Documents, scripts"}],
            "detectionType": "dynamic",
            "engines": ["Documents, scripts"],
            "externalTicketExists": false,
            "externalTicketId": null,
            "failedActions": false,
            "fileExtension": "EXE",
            "fileExtensionType": "Executable",
            "filePath": format!("\\Device\\HarddiskVolume2\\Users\\guest\\{file}"),
            "fileSize": self.rng.random_range(4_096..90_000_000),
            "incidentStatus": "unresolved",
            "incidentStatusDescription": "Unresolved",
            "initiatedBy": "agent_policy",
            "initiatingUserId": null,
            "isFileless": false,
            "maliciousProcessArguments": one_in(&mut self.rng, 2).then_some("--run \"now\" 'or later'"),
            "md5": null,
            "mitigationStatus": "not_mitigated",
            "mitigationStatusDescription": "Not mitigated",
            "originatorProcess": "shell.exe",
            "pendingActions": false,
            "processUser": "QUAY\\noor",
            "publisherName": "",
            "rebootRequired": false,
            "sha1": hexadecimal(&mut self.rng, 40),
            "sha256": null,
            "storyline": hexadecimal(&mut self.rng, 16).to_uppercase(),
        })
    }

    fn detection_info(&mut self, place: &EstatePlace, at: DateTime<Utc>) -> Value {
        json!({
            "accountId": self.estate.account_id,
            "accountName": self.estate.account_name,
            "siteId": place.site_id,
            "siteName": place.site_name,
            "groupId": place.group_id,
            "groupName": place.group_name,
            "agentDomain": "QUAY",
            "agentIpV4": "192.0.2.80,198.51.100.12",
            "agentIpV6": "2001:db8:7::50",
            "agentLastLoggedInUserName": "noor",
            "agentMitigationMode": "protect",
            "agentOsName": "Windows 11 Pro",
            "agentOsRevision": "26100",
            "agentRegisteredAt": microseconds(at - TimeDelta::days(41)),
            "agentUuid": hexadecimal(&mut self.rng, 32),
            "agentVersion": "25.1.4.117",
            "externalIp": pick(&mut self.rng, &ADDRESSES),
            "cloudProviders": {},
        })
    }

    fn realtime_info(&mut self, place: &EstatePlace, at: DateTime<Utc>) -> Value {
        json!({
            "accountId": self.estate.account_id,
            "accountName": self.estate.account_name,
            "siteId": place.site_id,
            "siteName": place.site_name,
            "groupId": place.group_id,
            "groupName": place.group_name,
            "activeThreats": self.rng.random_range(1..5),
            "agentComputerName": format!("bench-{}", self.rng.random_range(10..60)),
            "agentDecommissionedAt": null,
            "agentId": self.ids.at(at - TimeDelta::days(41)),
            "agentInfected": true,
            "agentIsActive": true,
            "agentIsDecommissioned": false,
            "agentMachineType": "laptop",
            "agentNetworkStatus": "connected",
            "agentOsType": "windows",
            "networkInterfaces": [{"id": self.ids.at(at), "inet": ["192.0.2.80"], "inet6": [], "name": "Wi-Fi"}],
            "scanStatus": "finished",
            "userActionsNeeded": [],
        })
    }

    /// From none to many: the list is what makes a threat large.
    fn indicators(&mut self) -> Value {
        let count = self.rng.random_range(0..5);
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
}

/// An object whose keys are all there and all null.
pub(super) fn nothing(keys: &[&str]) -> Value {
    keys.iter().map(|key| ((*key).to_owned(), Value::Null)).collect()
}
