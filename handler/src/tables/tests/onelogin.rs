//! Events of OneLogin's API.

use serde_json::json;

use super::row;

#[test]
fn an_event_of_the_api_has_everything_that_its_documentation_names() {
    let event = json!({"id": 7, "created_at": "2026-11-20T08:00:00.100Z", "account_id": 1, "user_id": 2, "event_type_id": 6,
        "assuming_acting_user_id": 3, "browser_fingerprint": true, "client_id": 4, "directory_id": 5, "directory_sync_run_id": 6,
        "error_description": "no such user", "group_id": 8, "group_name": "Crew", "operation_name": "sync", "otp_device_id": 9,
        "otp_device_name": "Pocket", "proxy_ip": "192.0.2.9", "resolution": "done", "resource_type_id": 10,
        "risk_cookie_id": "c", "risk_reasons": "New device", "risk_score": 91, "user_agent": null});
    let expected = json!({"TimeGenerated": "2026-11-20T08:00:00.100Z", "EventId": 7, "UserId": 2, "AccountId": 1, "EventTypeId": 6,
        "EventTimestamp": "2026-11-20T08:00:00.100Z", "AssumingActingUserId": 3, "BrowserFingerprint": "true", "ClientId": "4",
        "DirectoryId": 5, "DirectorySyncRunId": 6, "ErrorDescription": "no such user", "GroupId": 8, "GroupName": "Crew",
        "OperationName": "sync", "OtpDeviceId": 9, "OtpDeviceName": "Pocket", "ProxyIp": "192.0.2.9", "Resolution": "done",
        "ResourceTypeId": 10, "RiskCookieId": "c", "RiskReasons": "New device", "RiskScore": 91});
    assert_eq!(row("OneLoginEventsV2_CL", &event), expected);
}
