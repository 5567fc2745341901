//! Alerts of custom rules (`cloud-detection/alerts`): snapshots without a top-level id.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use rand::RngExt;
use serde_json::{Value, json};

use super::common::{FILES, cut, merge, microseconds, no_container, no_kubernetes};
use super::object::Object;
use super::source::Source;
use crate::generate::DIFFICULT_NAMES;
use crate::sentinelone::Stream;

/// What an alert says where it has no time for something.
const NO_TIME: &str = "1970-01-01T00:00:00Z";

/// An alert on something that happened at that time (cut to milliseconds).
pub(super) fn new_object(source: &mut Source, at: DateTime<Utc>) -> Object {
    let late = TimeDelta::microseconds(source.rng.random_range(100_000..400_000));
    reported(source, at, cut(at.trunc_subsecs(3) + late))
}

/// An alert whose row appeared at `reported_at`, long after the event: the agent was offline.
pub(super) fn late_object(source: &mut Source, at: DateTime<Utc>, reported_at: DateTime<Utc>) -> Object {
    reported(source, at, cut(reported_at))
}

fn reported(source: &mut Source, at: DateTime<Utc>, reported_at: DateTime<Utc>) -> Object {
    let created_at = at.trunc_subsecs(3);
    let id = source.id_at(reported_at);
    let file = source.pick(&FILES);
    let alert = json!({
        "alertInfo": alert_info(source, &id, created_at, reported_at),
        "ruleInfo": {
            "id": source.id_at(created_at - TimeDelta::days(12)),
            "name": source.pick(&DIFFICULT_NAMES),
            "description": source.one_in(2).then_some("What it looks for:\n\trenames"),
            "queryLang": "2.0",
            "queryType": "events",
            "s1ql": "EventType = \"File Rename\"",
            "scopeLevel": "site",
            "severity": if source.one_in(2) { "High" } else { "Low" },
            "treatAsThreat": "UNDEFINED",
        },
        "agentDetectionInfo": agent(source),
        "agentRealtimeInfo": {
            "id": source.id_at(created_at - TimeDelta::days(41)),
            "infected": false,
            "isActive": true,
            "isDecommissioned": false,
            "machineType": "laptop",
            "name": "bench-11",
            "os": "windows",
            "uuid": source.hexadecimal(32),
        },
        "sourceProcessInfo": process(source, file, created_at),
        "sourceParentProcessInfo": process(source, "shell.exe", created_at),
        "targetProcessInfo": target(),
        "kubernetesInfo": no_kubernetes(),
        "containerInfo": no_container(),
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
pub(super) fn update(source: &mut Source, previous: &Object, at: DateTime<Utc>) -> Object {
    let has_verdict = source.one_in(2);
    previous.changed(at, "/alertInfo", |alert| {
        let info = &mut alert["alertInfo"];
        if has_verdict {
            info["analystVerdict"] = json!("False positive");
        }
        info["incidentStatus"] = json!("Resolved");
    })
}

fn alert_info(source: &mut Source, id: &str, created_at: DateTime<Utc>, reported_at: DateTime<Utc>) -> Value {
    let event_id = source.hexadecimal(26).to_uppercase();
    let is_file = source.one_in(2);
    let of_connection = |value: &'static str| (!is_file).then_some(value);
    let mut info = json!({
        "alertId": id,
        "analystVerdict": "Undefined",
        "createdAt": microseconds(created_at),
        "reportedAt": microseconds(reported_at),
        "updatedAt": microseconds(reported_at),
        "dvEventId": format!("{event_id}_14"),
        "eventType": if is_file { "FILERENAME" } else { "TCPV4" },
        "hitType": "Events",
        "incidentStatus": "Unresolved",
        "isEdr": true,
        "source": "STAR",
        "srcIp": of_connection("192.0.2.80"),
        "dstIp": of_connection("203.0.113.77"),
        "dstPort": of_connection("8443"),
    });
    let of_other_events = json!({
        "dnsRequest": null, "dnsResponse": null, "srcMachineIp": null, "srcPort": null, "netEventDirection": null,
        "indicatorCategory": null, "indicatorDescription": null, "indicatorName": null,
        "loginAccountDomain": null, "loginAccountSid": null, "loginIsAdministratorEquivalent": null,
        "loginIsSuccessful": null, "loginType": null, "loginsUserName": null,
        "modulePath": null, "moduleSha1": null,
        "registryKeyPath": null, "registryOldValue": null, "registryOldValueType": null, "registryPath": null,
        "registryValue": null,
        "tiIndicatorComparisonMethod": null, "tiIndicatorSource": null, "tiIndicatorType": null,
        "tiIndicatorValue": null,
    });
    merge(&mut info, of_other_events);
    info
}

fn agent(source: &mut Source) -> Value {
    let place = source.place();
    json!({
        "accountId": source.estate.account_id,
        "machineType": "laptop",
        "name": source.computer(),
        "osFamily": "windows",
        "osName": "Windows 11 Pro",
        "osRevision": "26100",
        "siteId": place.site_id,
        "uuid": source.hexadecimal(32),
        "version": "25.1.4.117",
    })
}

fn process(source: &mut Source, name: &str, at: DateTime<Utc>) -> Value {
    json!({
        "name": name,
        "commandline": format!("\"C:\\Tools\\{name}\" -q 'x y'"),
        "filePath": format!("C:\\Tools\\{name}"),
        "fileHashMd5": source.hexadecimal(32),
        "fileHashSha1": source.hexadecimal(40),
        "fileHashSha256": source.hexadecimal(64),
        "fileSignerIdentity": null,
        "integrityLevel": "high",
        "pid": source.rng.random_range(400..30_000).to_string(),
        "pidStarttime": microseconds(at - TimeDelta::seconds(20)),
        "storyline": source.hexadecimal(16).to_uppercase(),
        "subsystem": "win32",
        "uniqueId": source.hexadecimal(16).to_uppercase(),
        "user": "QUAY\\noor",
        "effectiveUser": null,
        "loginUser": null,
        "realUser": null,
    })
}

fn target() -> Value {
    json!({
        "tgtFileCreatedAt": NO_TIME,
        "tgtFileModifiedAt": NO_TIME,
        "tgtProcessStartTime": NO_TIME,
        "tgtFileIsSigned": "unsigned",
        "tgtProcIntegrityLevel": "unknown",
        "tgtProcSignedStatus": "unsigned",
        "tgtFileHashSha1": null, "tgtFileHashSha256": null, "tgtFileId": null, "tgtFileOldPath": null,
        "tgtFilePath": null, "tgtProcCmdLine": null, "tgtProcImagePath": null, "tgtProcName": null,
        "tgtProcPid": null, "tgtProcStorylineId": null, "tgtProcUid": null,
    })
}
