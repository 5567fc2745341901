//! Whole events to whole rows, in the shapes that SentinelOne sends; those of other vendors in files of their own.

mod onelogin;
mod pingone;

use serde_json::{Value, json};

use super::row::{RowContext, RowNotes};
use super::{TableOptions, table, table_with};

fn arrival() -> RowContext<'static> {
    RowContext {
        arrival: "2026-11-20T12:00:00.250Z".parse().unwrap(),
        constant_fields: &[],
    }
}

fn project_with(options: TableOptions, name: &str, event: &Value) -> (Value, RowNotes) {
    let mut out = Vec::new();
    let table = table_with(name, options).unwrap();
    let notes = table.project(&event.to_string(), arrival(), &mut out).notes;
    let mut row: Value = serde_json::from_slice(&out).unwrap();
    let instance = row.as_object_mut().unwrap().remove("ConnectorInstance");
    assert_eq!(instance, Some("default".into()), "every row names its instance");
    (row, notes)
}

/// The row of an event that fits its table whole.
fn row(name: &str, event: &Value) -> Value {
    let (row, notes) = project_with(TableOptions::default(), name, event);
    assert_eq!(notes, RowNotes::default());
    row
}

fn text(value: Value) -> Value {
    Value::String(value.to_string())
}

#[test]
fn an_activity_keeps_its_data_as_json_text_and_its_type_as_a_number() {
    let data = json!({"fullScopeDetails": "Site Ghent", "role": null, "userId": 1_902_837_465_019_283_746_u64});
    let event = json!({"id": "2101", "activityType": 27, "createdAt": "2026-11-20T11:58:01.605229Z", "updatedAt": "2026-11-20T11:58:01.603183Z",
        "accountId": "11", "accountName": "Harbour", "agentId": null, "data": data, "primaryDescription": "Someone signed in.",
        "hash": "", "userId": "42", "applications": null, "comments": null});
    let expected = json!({"TimeGenerated": "2026-11-20T11:58:01.605229Z", "UserId": "42", "PrimaryDescription": "Someone signed in.",
        "Id": "2101", "CreatedAt": "2026-11-20T11:58:01.605229Z", "AccountName": "Harbour", "Data": text(data), "Hash": "",
        "UpdatedAt": "2026-11-20T11:58:01.603183Z", "ActivityType": 27, "AccountId": "11"});
    assert_eq!(row("SentinelOneActivities_CL", &event), expected);
}

#[test]
fn aliases_are_added_to_an_activity_only_where_they_are_asked_for() {
    let event = json!({"id": "1", "data": {"username": "mira", "ruleName": "r 1"}});
    let aliases = TableOptions {
        parser_aliases: true,
        ..TableOptions::default()
    };
    let data = |options| {
        let (row, _) = project_with(options, "SentinelOneActivities_CL", &event);
        serde_json::from_str::<Value>(row["Data"].as_str().unwrap()).unwrap()
    };
    assert_eq!(data(TableOptions::default()), event["data"]);
    let expected = json!({"username": "mira", "ruleName": "r 1", "userName": "mira", "rulename": "r 1"});
    assert_eq!(data(aliases), expected);

    let odd = json!({"id": "1", "data": ["username"]});
    let (row, _) = project_with(aliases, "SentinelOneActivities_CL", &odd);
    assert_eq!(row["Data"], r#"["username"]"#);
}

#[test]
fn an_agent_gets_its_change_as_its_time_and_its_lists_as_json_text() {
    let interfaces = json!([{"id": "5", "inet": ["10.0.0.7"], "inet6": []}]);
    let event = json!({"id": "31", "uuid": "ab12", "computerName": "quay-3", "createdAt": "2026-01-02T03:04:05.000006Z",
        "updatedAt": "2026-11-20T11:00:00.434284Z", "lastActiveDate": "2026-11-20T11:00:00Z", "osStartTime": "2026-11-01T00:00:00Z",
        "registeredAt": null, "scanFinishedAt": "", "isActive": true, "isDecommissioned": false, "totalMemory": 8191, "activeThreats": 0,
        "networkInterfaces": interfaces, "userActionsNeeded": [], "externalId": "", "firewallEnabled": true, "locationEnabled": false,
        "operationalState": "na", "detectionState": "full_mode", "tags": {"sentinelone": []}, "cloudProviders": {}});
    let (row, notes) = project_with(TableOptions::default(), "SentinelOneAgents_CL", &event);
    let expected = json!({"TimeGenerated": "2026-11-20T11:00:00.434284Z", "Uuid": "ab12", "Id": "31", "ComputerName": "quay-3",
        "TotalMemory": 8191, "CreatedAt": "2026-01-02T03:04:05.000006Z", "LastActiveDate": "2026-11-20T11:00:00Z", "IsActive": true,
        "ExternalId": "", "UpdatedAt": "2026-11-20T11:00:00.434284Z", "IsDecommissioned": false, "NetworkInterfaces": text(interfaces),
        "ActiveThreats": 0, "UserActionsNeeded": "[]", "OsStartTime": "2026-11-01T00:00:00Z", "FirewallEnabled": true,
        "LocationEnabled": false, "OperationalState": "na", "DetectionState": "full_mode", "Tags": "{\"sentinelone\":[]}",
        "CloudProviders": "{}"});
    assert_eq!(row, expected);
    assert_eq!(notes, RowNotes { unfit: 1, cut: 0 }, "an empty text is no time");
}

#[test]
fn an_agent_without_a_change_gets_its_registration_as_its_time() {
    let event = json!({"id": "31", "updatedAt": null, "createdAt": "2026-01-02T03:04:05Z"});
    assert_eq!(
        row("SentinelOneAgents_CL", &event)["TimeGenerated"],
        "2026-01-02T03:04:05Z"
    );
}

#[test]
fn an_alert_is_json_text_except_its_time_and_the_realtime_info_of_its_agent() {
    let info = json!({"alertId": "77", "createdAt": "2026-11-20T10:00:03.003000Z", "reportedAt": "2026-11-20T10:00:03.128163Z", "srcIp": null});
    let rule = json!({"id": "9", "name": "quiet hours", "s1ql": "x = \"y\""});
    let event = json!({"alertInfo": info, "ruleInfo": rule, "containerInfo": null, "agentRealtimeInfo": {"id": "3"}});
    let expected = json!({"TimeGenerated": "2026-11-20T10:00:03.003000Z", "AlertInfo": text(info), "RuleInfo": text(rule),
            "AgentRealtimeInfo": {"id": "3"}});
    assert_eq!(row("SentinelOneAlerts_CL", &event), expected);
}

#[test]
fn a_group_has_its_flags_as_text_and_never_its_registration_token() {
    let event = json!({"id": "61", "name": "Cranes", "type": "dynamic", "rank": 2, "isDefault": false, "inherits": true, "totalAgents": 42,
        "filterId": null, "description": "North quay", "registrationToken": "s3cret", "RegistrationToken": "s3cret", "siteId": "8", "creator": "Mira",
        "createdAt": "2026-04-05T16:01:56.928383Z", "updatedAt": "2026-04-05T16:01:57.564266Z"});
    let expected = json!({"TimeGenerated": "2026-04-05T16:01:57.564266Z", "Creator": "Mira", "IsDefault": "false",
        "UpdatedAt": "2026-04-05T16:01:57.564266Z", "TotalAgents": "42", "Inherits": "true", "Name": "Cranes", "Rank": 2,
        "GroupType": "dynamic", "Id": "61", "CreatedAt": "2026-04-05T16:01:56.928383Z", "SiteId": "8", "Description": "North quay"});
    assert_eq!(row("SentinelOneGroups_CL", &event), expected);
}

#[test]
fn a_threat_is_taken_apart_and_kept_whole_beside_it() {
    let info = json!({"threatId": "5", "confidenceLevel": "malicious", "storyline": "9F", "createdAt": "2026-11-20T09:00:00.554368Z", "updatedAt": "2026-11-20T09:33:41.910607Z",
        "cloudFilesHashVerdict": "black", "isValidCertificate": true, "engines": ["On-Write"], "filePath": "\\Device\\a.exe", "md5": null});
    let detection = json!({"agentMitigationMode": "detect", "siteId": "8", "agentIpV4": "10.0.1.4", "accountId": "11"});
    let realtime = json!({"agentId": "31", "agentInfected": true, "agentIsDecommissioned": false});
    let event = json!({"id": "5", "threatInfo": info, "agentDetectionInfo": detection, "agentRealtimeInfo": realtime,
        "indicators": [{"ids": [38]}], "mitigationStatus": [], "whiteningOptions": ["hash"], "containerInfo": {"id": null}});
    let expected = json!({"TimeGenerated": "2026-11-20T09:33:41.910607Z", "FilePath": "\\Device\\a.exe", "CloudVerdict": "black",
        "MitigationMode": "detect", "AgentInfected": true, "Engines": "[\"On-Write\"]", "Id": "5",
        "CreatedAt": "2026-11-20T09:00:00.554368Z", "IsCertValid": true, "FileDisplayName": "\\Device\\a.exe", "AgentIp": "10.0.1.4",
        "Indicators": "[{\"ids\":[38]}]", "AgentId": "31", "MitigationReport": "[]", "UpdatedAt": "2026-11-20T09:33:41.910607Z",
        "SiteId": "8", "WhiteningOptions": "[\"hash\"]", "AgentIsDecommissioned": false, "AccountId": "11",
        "ThreatInfo": info, "AgentDetectionInfo": detection, "AgentRealtimeInfo": realtime, "ConfidenceLevel": "malicious",
        "StorylineId": "9F", "ContainerInfo": "{\"id\":null}"});
    assert_eq!(row("SentinelOneThreats_CL", &event), expected);
}

#[test]
fn the_time_of_a_threat_is_the_later_of_its_two_times() {
    for (updated, created, time) in [
        (
            "2026-11-20T09:00:00.012Z",
            "2026-11-20T09:00:00.02Z",
            "2026-11-20T09:00:00.02Z",
        ),
        ("2026-11-20T10:00:00Z", "2026-11-20T09:00:00Z", "2026-11-20T10:00:00Z"),
        (
            "2026-11-20T10:00:00+02:00",
            "2026-11-20T09:00:00Z",
            "2026-11-20T09:00:00Z",
        ),
        ("soon", "2026-11-20T09:00:00Z", "2026-11-20T09:00:00Z"),
        ("2026-11-20T09:00:00Z", "", "2026-11-20T09:00:00Z"),
        ("soon", "", "2026-11-20T12:00:00.250Z"),
    ] {
        let event = json!({"id": "5", "threatInfo": {"updatedAt": updated, "createdAt": created}});
        let (row, _) = project_with(TableOptions::default(), "SentinelOneThreats_CL", &event);
        assert_eq!(row["TimeGenerated"], time, "{updated} {created}");
    }
}

#[test]
fn a_unified_alert_keeps_its_lists_dynamic() {
    let event = json!({"id": "0190", "name": "Odd login", "description": "d", "detectedAt": "2026-11-20T08:00:00.5Z",
        "createdAt": "2026-11-20T08:00:01Z", "updatedAt": "2026-11-20T08:00:02Z", "status": "NEW", "severity": "HIGH",
        "attackSurfaces": ["ENDPOINT"], "detectionSource": {"product": "EDR", "vendor": "S"}, "assignee": null,
        "assets": [{"id": "3", "osType": null}], "dataSources": [], "storylineId": null});
    let expected = json!({"TimeGenerated": "2026-11-20T08:00:00.5Z", "AlertId": "0190", "AlertName": "Odd login", "AlertDescription": "d",
        "DetectedAt": "2026-11-20T08:00:00.5Z", "CreatedAt": "2026-11-20T08:00:01Z", "UpdatedAt": "2026-11-20T08:00:02Z",
        "Status": "NEW", "Severity": "HIGH", "AttackSurfaces": ["ENDPOINT"], "Product": "EDR", "Vendor": "S",
        "Assets": [{"id": "3", "osType": null}], "DataSources": []});
    assert_eq!(row("SentinelOneAlertsV2_CL", &event), expected);
}

#[test]
fn options_change_nothing_for_a_table_without_aliases() {
    let event = json!({"id": "1", "updatedAt": "2026-11-20T08:00:00Z", "username": "x"});
    let (row, _) = project_with(
        TableOptions {
            parser_aliases: true,
            ..TableOptions::default()
        },
        "SentinelOneAgents_CL",
        &event,
    );
    assert_eq!(row, self::row("SentinelOneAgents_CL", &event));
    assert!(table("SentinelOne_CL").is_none());
}
