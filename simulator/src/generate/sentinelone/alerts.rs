//! Alerts of custom rules (`cloud-detection/alerts`): snapshots without a top-level id.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use rand::RngExt;
use serde_json::{Value, json};

use super::common::{CONTAINER_KEYS, FILES, KUBERNETES_KEYS, cut, microseconds, nothing};
use super::object::Object;
use super::source::Source;
use crate::generate::DIFFICULT_NAMES;
use crate::sentinelone::Stream;

/// What an alert says where it has no time for something.
const NO_TIME: &str = "1970-01-01T00:00:00Z";

/// Keys of `alertInfo` that only some events have.
const NULL_ALERT_KEYS: [&str; 28] = [
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
];

/// Keys of `targetProcessInfo` that only some events have.
const NULL_TARGET_KEYS: [&str; 11] = [
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
];

/// Makes alerts of one account.
#[derive(Debug)]
pub struct Alerts {
    source: Source,
}

impl Alerts {
    /// A generator for the account of that seed.
    pub fn new(seed: u64) -> Self {
        Alerts {
            source: Source::new(seed),
        }
    }

    /// An alert on something that happened at that time (cut to milliseconds).
    pub fn new_object(&mut self, at: DateTime<Utc>) -> Object {
        let late = TimeDelta::microseconds(self.source.rng.random_range(100_000..400_000));
        self.reported(at, cut(at.trunc_subsecs(3) + late))
    }

    /// An alert whose row appeared at `reported_at`, long after the event: the agent was offline.
    pub fn late_object(&mut self, at: DateTime<Utc>, reported_at: DateTime<Utc>) -> Object {
        self.reported(at, cut(reported_at))
    }

    fn reported(&mut self, at: DateTime<Utc>, reported_at: DateTime<Utc>) -> Object {
        let created_at = at.trunc_subsecs(3);
        let id = self.source.id_at(reported_at);
        let file = self.source.pick(&FILES);
        let alert = json!({
            "alertInfo": self.alert_info(&id, created_at, reported_at),
            "ruleInfo": {
                "id": self.source.id_at(created_at - TimeDelta::days(12)),
                "name": self.source.pick(&DIFFICULT_NAMES),
                "description": self.source.one_in(2).then_some("What it looks for:\n\trenames"),
                "queryLang": "2.0",
                "queryType": "events",
                "s1ql": "EventType = \"File Rename\"",
                "scopeLevel": "site",
                "severity": if self.source.one_in(2) { "High" } else { "Low" },
                "treatAsThreat": "UNDEFINED",
            },
            "agentDetectionInfo": self.agent(),
            "agentRealtimeInfo": {
                "id": self.source.id_at(created_at - TimeDelta::days(41)),
                "infected": false,
                "isActive": true,
                "isDecommissioned": false,
                "machineType": "laptop",
                "name": "bench-11",
                "os": "windows",
                "uuid": self.source.hexadecimal(32),
            },
            "sourceProcessInfo": self.process(file, created_at),
            "sourceParentProcessInfo": self.process("shell.exe", created_at),
            "targetProcessInfo": self.target(),
            "kubernetesInfo": nothing(&KUBERNETES_KEYS),
            "containerInfo": nothing(&CONTAINER_KEYS),
        });
        Object {
            stream: Stream::Alerts,
            id,
            created_at,
            updated_at: reported_at,
            json: alert.to_string(),
        }
    }

    /// The same alert with another verdict or status, changed at that time.
    pub fn update(&mut self, previous: &Object, at: DateTime<Utc>) -> Object {
        let has_verdict = self.source.one_in(2);
        previous.changed(at, "/alertInfo", |alert| {
            let info = &mut alert["alertInfo"];
            if has_verdict {
                info["analystVerdict"] = json!("False positive");
            }
            info["incidentStatus"] = json!("Resolved");
        })
    }

    fn alert_info(&mut self, id: &str, created_at: DateTime<Utc>, reported_at: DateTime<Utc>) -> Value {
        let mut info = nothing(&NULL_ALERT_KEYS);
        info["alertId"] = json!(id);
        info["analystVerdict"] = json!("Undefined");
        info["createdAt"] = json!(microseconds(created_at));
        info["reportedAt"] = json!(microseconds(reported_at));
        info["updatedAt"] = json!(microseconds(reported_at));
        info["dvEventId"] = json!(format!("{}_14", self.source.hexadecimal(26).to_uppercase()));
        info["eventType"] = json!(if self.source.one_in(2) { "FILERENAME" } else { "TCPV4" });
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
        let place = self.source.place();
        json!({
            "accountId": self.source.estate.account_id,
            "machineType": "laptop",
            "name": self.source.computer(),
            "osFamily": "windows",
            "osName": "Windows 11 Pro",
            "osRevision": "26100",
            "siteId": place.site_id,
            "uuid": self.source.hexadecimal(32),
            "version": "25.1.4.117",
        })
    }

    fn process(&mut self, name: &str, at: DateTime<Utc>) -> Value {
        json!({
            "name": name,
            "commandline": format!("\"C:\\Tools\\{name}\" -q 'x y'"),
            "filePath": format!("C:\\Tools\\{name}"),
            "fileHashMd5": self.source.hexadecimal(32),
            "fileHashSha1": self.source.hexadecimal(40),
            "fileHashSha256": self.source.hexadecimal(64),
            "fileSignerIdentity": null,
            "integrityLevel": "high",
            "pid": self.source.rng.random_range(400..30_000).to_string(),
            "pidStarttime": microseconds(at - TimeDelta::seconds(20)),
            "storyline": self.source.hexadecimal(16).to_uppercase(),
            "subsystem": "win32",
            "uniqueId": self.source.hexadecimal(16).to_uppercase(),
            "user": "QUAY\\noor",
            "effectiveUser": null,
            "loginUser": null,
            "realUser": null,
        })
    }

    fn target(&mut self) -> Value {
        let mut target = nothing(&NULL_TARGET_KEYS);
        target["tgtFileCreatedAt"] = json!(NO_TIME);
        target["tgtFileModifiedAt"] = json!(NO_TIME);
        target["tgtProcessStartTime"] = json!(NO_TIME);
        target["tgtFileIsSigned"] = json!("unsigned");
        target["tgtProcIntegrityLevel"] = json!("unknown");
        target["tgtProcSignedStatus"] = json!("unsigned");
        target
    }
}
