//! Alerts of custom rules (`cloud-detection/alerts`): snapshots without a top-level id.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::common::{FILES, cut, hexadecimal, microseconds, parsed};
use super::estate::Estate;
use super::snowflake::Snowflakes;
use super::threats::nothing;
use crate::generate::DIFFICULT_NAMES;
use crate::random::{one_in, pick};

/// What an alert says where it has no time for something.
const NO_TIME: &str = "1970-01-01T00:00:00Z";

/// One version of an alert.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Alert {
    /// `alertInfo.alertId`; its time is that of `reported_at`.
    pub id: String,
    /// `alertInfo.createdAt`: the time of the event, whole milliseconds written with six digits.
    pub created_at: DateTime<Utc>,
    /// `alertInfo.reportedAt`: when the row appeared, 100 to 400 ms later.
    pub reported_at: DateTime<Utc>,
    /// `alertInfo.updatedAt`.
    pub updated_at: DateTime<Utc>,
    /// The alert as compact JSON text.
    pub json: String,
}

/// Makes alerts of one account.
#[derive(Debug)]
pub struct Alerts {
    rng: StdRng,
    ids: Snowflakes,
    estate: Estate,
}

impl Alerts {
    /// A generator for the account of that seed.
    pub fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        Alerts {
            ids: Snowflakes::new(&mut rng),
            estate: Estate::new(seed),
            rng,
        }
    }

    /// An alert on something that happened at that time (cut to milliseconds).
    pub fn new_object(&mut self, at: DateTime<Utc>) -> Alert {
        let late = TimeDelta::microseconds(self.rng.random_range(100_000..400_000));
        self.reported(at, cut(at.trunc_subsecs(3) + late))
    }

    /// An alert whose row appeared at `reported_at`, long after the event: the agent was offline.
    pub fn late_object(&mut self, at: DateTime<Utc>, reported_at: DateTime<Utc>) -> Alert {
        self.reported(at, cut(reported_at))
    }

    fn reported(&mut self, at: DateTime<Utc>, reported_at: DateTime<Utc>) -> Alert {
        let created_at = at.trunc_subsecs(3);
        let id = self.ids.at(reported_at);
        let file = pick(&mut self.rng, &FILES);
        let alert = json!({
            "alertInfo": self.alert_info(&id, created_at, reported_at),
            "ruleInfo": {
                "id": self.ids.at(created_at - TimeDelta::days(12)),
                "name": pick(&mut self.rng, &DIFFICULT_NAMES),
                "description": one_in(&mut self.rng, 2).then_some("What it looks for:\n\trenames"),
                "queryLang": "2.0",
                "queryType": "events",
                "s1ql": "EventType = \"File Rename\"",
                "scopeLevel": "site",
                "severity": if one_in(&mut self.rng, 2) { "High" } else { "Low" },
                "treatAsThreat": "UNDEFINED",
            },
            "agentDetectionInfo": self.agent(),
            "agentRealtimeInfo": {
                "id": self.ids.at(created_at - TimeDelta::days(41)),
                "infected": false,
                "isActive": true,
                "isDecommissioned": false,
                "machineType": "laptop",
                "name": "bench-11",
                "os": "windows",
                "uuid": hexadecimal(&mut self.rng, 32),
            },
            "sourceProcessInfo": self.process(file, created_at),
            "sourceParentProcessInfo": self.process("shell.exe", created_at),
            "targetProcessInfo": self.target(),
            "kubernetesInfo": nothing(&["cluster", "controllerKind", "controllerLabels", "controllerName", "namespace",
                "namespaceLabels", "node", "pod", "podLabels"]),
            "containerInfo": nothing(&["id", "image", "labels", "name"]),
        });
        Alert {
            id,
            created_at,
            reported_at,
            updated_at: reported_at,
            json: alert.to_string(),
        }
    }

    /// The same alert with another verdict or status, changed at that time.
    pub fn update(&mut self, previous: &Alert, at: DateTime<Utc>) -> Alert {
        let updated_at = cut(at);
        let mut alert = parsed(&previous.json);
        let info = &mut alert["alertInfo"];
        if one_in(&mut self.rng, 2) {
            info["analystVerdict"] = json!("False positive");
        }
        info["incidentStatus"] = json!("Resolved");
        info["updatedAt"] = json!(microseconds(updated_at));
        Alert {
            updated_at,
            json: alert.to_string(),
            ..previous.clone()
        }
    }

    fn alert_info(&mut self, id: &str, created_at: DateTime<Utc>, reported_at: DateTime<Utc>) -> Value {
        let mut info = nothing(&[
            "dnsRequest",
            "dnsResponse",
            "dstIp",
            "dstPort",
            "indicatorCategory",
            "indicatorDescription",
            "indicatorName",
            "loginAccountDomain",
            "loginAccountSid",
            "loginIsAdministratorEquivalent",
            "loginIsSuccessful",
            "loginType",
            "loginsUserName",
            "modulePath",
            "moduleSha1",
            "netEventDirection",
            "registryKeyPath",
            "registryOldValue",
            "registryOldValueType",
            "registryPath",
            "registryValue",
            "srcIp",
            "srcMachineIp",
            "srcPort",
            "tiIndicatorComparisonMethod",
            "tiIndicatorSource",
            "tiIndicatorType",
            "tiIndicatorValue",
        ]);
        info["alertId"] = json!(id);
        info["analystVerdict"] = json!("Undefined");
        info["createdAt"] = json!(microseconds(created_at));
        info["reportedAt"] = json!(microseconds(reported_at));
        info["updatedAt"] = json!(microseconds(reported_at));
        info["dvEventId"] = json!(format!("{}_14", hexadecimal(&mut self.rng, 26).to_uppercase()));
        info["eventType"] = json!(if one_in(&mut self.rng, 2) {
            "FILERENAME"
        } else {
            "TCPV4"
        });
        info["hitType"] = json!("Events");
        info["incidentStatus"] = json!("Unresolved");
        info["isEdr"] = json!(true);
        info["source"] = json!("STAR");
        if info["eventType"] == "TCPV4" {
            info["srcIp"] = json!("192.0.2.80");
            info["dstIp"] = json!("203.0.113.77");
            info["dstPort"] = json!("8443");
        }
        info
    }

    fn agent(&mut self) -> Value {
        let place = self.estate.place(&mut self.rng);
        json!({
            "accountId": self.estate.account_id,
            "machineType": "laptop",
            "name": format!("bench-{}", self.rng.random_range(10..60)),
            "osFamily": "windows",
            "osName": "Windows 11 Pro",
            "osRevision": "26100",
            "siteId": place.site_id,
            "uuid": hexadecimal(&mut self.rng, 32),
            "version": "25.1.4.117",
        })
    }

    fn process(&mut self, name: &str, at: DateTime<Utc>) -> Value {
        json!({
            "name": name,
            "commandline": format!("\"C:\\Tools\\{name}\" -q 'x y'"),
            "filePath": format!("C:\\Tools\\{name}"),
            "fileHashMd5": hexadecimal(&mut self.rng, 32),
            "fileHashSha1": hexadecimal(&mut self.rng, 40),
            "fileHashSha256": hexadecimal(&mut self.rng, 64),
            "fileSignerIdentity": null,
            "integrityLevel": "high",
            "pid": self.rng.random_range(400..30_000).to_string(),
            "pidStarttime": microseconds(at - TimeDelta::seconds(20)),
            "storyline": hexadecimal(&mut self.rng, 16).to_uppercase(),
            "subsystem": "win32",
            "uniqueId": hexadecimal(&mut self.rng, 16).to_uppercase(),
            "user": "QUAY\\noor",
            "effectiveUser": null,
            "loginUser": null,
            "realUser": null,
        })
    }

    fn target(&mut self) -> Value {
        let mut target = nothing(&[
            "tgtFileHashSha1",
            "tgtFileHashSha256",
            "tgtFileId",
            "tgtFileOldPath",
            "tgtFilePath",
            "tgtProcCmdLine",
            "tgtProcImagePath",
            "tgtProcName",
            "tgtProcPid",
            "tgtProcStorylineId",
            "tgtProcUid",
        ]);
        target["tgtFileCreatedAt"] = json!(NO_TIME);
        target["tgtFileModifiedAt"] = json!(NO_TIME);
        target["tgtProcessStartTime"] = json!(NO_TIME);
        target["tgtFileIsSigned"] = json!("unsigned");
        target["tgtProcIntegrityLevel"] = json!("unknown");
        target["tgtProcSignedStatus"] = json!("unsigned");
        target
    }
}
