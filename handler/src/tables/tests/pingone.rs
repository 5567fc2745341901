//! Audit activities of PingOne Protect and of DaVinci.

use serde_json::{Value, json};

use super::row;

const TABLE: &str = "PingOne_AuditActivitiesV2_CL";

/// An activity with `more` beside the members that every activity has.
fn activity(more: Value) -> Value {
    let mut event =
        json!({"id": "a1", "recordedAt": "2026-11-20T08:00:00.100Z", "createdAt": "2026-11-20T08:00:00.120Z"});
    if let (Value::Object(event), Value::Object(more)) = (&mut event, more) {
        event.extend(more);
    }
    event
}

/// The values of the columns, null for one that the row lacks.
fn values(row: &Value, columns: &[&str]) -> Value {
    columns.iter().map(|column| row[*column].clone()).collect()
}

#[test]
fn an_activity_has_its_tags_its_transaction_and_the_environment_of_its_client() {
    let event = activity(
        json!({"tags": ["adminIdentityEvent"], "internalCorrelation": {"sessionId": "s", "transactionId": "t"},
        "actors": {"client": {"id": "c", "environment": {"id": "e"}, "href": "https://api.example.com/c"}}}),
    );
    let row = row(TABLE, &event);
    assert_eq!(row["Tags"], json!(["adminIdentityEvent"]));
    let columns = [
        "InternalCorrelationSessionId",
        "InternalCorrelationTransactionId",
        "ClientId",
        "ClientEnvironmentId",
    ];
    assert_eq!(values(&row, &columns), json!(["s", "t", "c", "e"]));
}

#[test]
fn a_risk_evaluation_has_its_result_its_user_and_its_details() {
    let details = json!({"newDevice": {"level": "HIGH"}, "country": "Norway"});
    let evaluation = json!({"id": "r1", "result": {"level": "HIGH", "score": 80.0, "type": "VALUE", "source": "AGGREGATED_SCORES",
        "recommendedAction": "BOT_MITIGATION"}, "riskPolicySet": {"id": "p1", "name": "Strict"},
        "event": {"ip": "192.0.2.9", "user": {"id": "u1", "name": "mira@example.com"}}, "details": details});
    let row = row(TABLE, &activity(json!({"_embedded": {"riskEvaluation": evaluation}})));
    let result = ["RiskLevel", "RiskScore", "RiskResultType", "RiskRecommendedAction"];
    assert_eq!(values(&row, &result), json!(["HIGH", 80.0, "VALUE", "BOT_MITIGATION"]));
    let others = ["RiskPolicySetName", "RiskUserId", "RiskUserName", "RiskIpAddress"];
    let expected = json!(["Strict", "u1", "mira@example.com", "192.0.2.9"]);
    assert_eq!(values(&row, &others), expected);
    assert_eq!(row["RiskDetails"], details);
}

#[test]
fn a_risk_evaluation_is_read_from_the_result_of_the_activity_as_well() {
    let result = json!({"status": "SUCCESS", "level": "LOW", "score": 7, "type": "VALUE"});
    let row = row(
        TABLE,
        &activity(json!({"result": result, "_embedded": {"riskEvent": {"username": "mira", "ip": "192.0.2.9"}}})),
    );
    let result = ["ResultStatus", "RiskLevel", "RiskScore", "RiskResultType"];
    assert_eq!(values(&row, &result), json!(["SUCCESS", "LOW", 7, "VALUE"]));
    assert_eq!(
        values(&row, &["RiskUserName", "RiskIpAddress"]),
        json!(["mira", "192.0.2.9"])
    );
}

#[test]
fn an_interaction_of_davinci_has_its_flow_its_id_and_all_its_details() {
    let details = json!({"interactionId": "i1", "flowId": "f1", "flowName": "Sign on", "tsEms": 1_795_772_400_123_u64,
        "outcomeStatus": "denied"});
    let resource = json!({"id": "f1", "type": "DAVINCI_INTERACTION"});
    let event = activity(json!({"resources": resource, "_embedded": {"flowInteractionEvent": details}}));
    let columns = [
        "DaVinciInteractionId",
        "DaVinciFlowId",
        "DaVinciFlowName",
        "DaVinciDetails",
        "Resources",
    ];
    let expected = json!(["i1", "f1", "Sign on", details, resource]);
    assert_eq!(values(&row(TABLE, &event), &columns), expected);
}

#[test]
fn a_change_of_a_davinci_flow_has_its_flow() {
    let flow = json!({"flowId": "f1", "flowName": "Sign on", "logLevel": "DEBUG"});
    let event = activity(json!({"_embedded": {"davinciFlow": flow, "davinciFlowVersion": {"flowVersion": 4}}}));
    let columns = [
        "DaVinciFlowId",
        "DaVinciFlowName",
        "DaVinciInteractionId",
        "DaVinciDetails",
    ];
    assert_eq!(
        values(&row(TABLE, &event), &columns),
        json!(["f1", "Sign on", null, flow])
    );
}
