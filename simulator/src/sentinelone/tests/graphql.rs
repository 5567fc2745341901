use serde_json::json;

use super::*;

const QUERY: &str = "query($filters: [FilterInput!], $sort: SortInput, $first: Int, $after: String) {
    alerts(filters: $filters, sort: $sort, first: $first, after: $after) {
        edges { cursor node { id updatedAt assets { name } assignee { email } } }
        pageInfo { hasNextPage endCursor }
        totalCount
    }
}";

async fn post(server: &SentinelOne, body: &Value) -> Value {
    let token = ConsoleOptions::default().api_token;
    let answer = plain_client()
        .post(format!("{}{}", server.origin(), Stream::UnifiedAlerts.path()))
        .header("Authorization", format!("ApiToken {token}"))
        .header("Content-Type", "application/json")
        .body(body.to_string())
        .send()
        .await
        .expect("the server answers");
    assert_eq!(answer.status(), 200);
    json_of(answer).await
}

fn variables(field: &str) -> Value {
    json!({
        "filters": [{"fieldId": field, "dateTimeRange": {
            "start": start_time().timestamp_millis(),
            "end": (start_time() + TimeDelta::hours(1)).timestamp_millis(),
        }}],
        "sort": {"by": field, "order": "ASC"},
        "first": 10,
    })
}

fn server_with_alerts(options: ConsoleOptions) -> SentinelOne {
    let server = SentinelOne::start(options);
    let mut generator = ConsoleObjects::new(5);
    let alerts =
        (0..25).map(|step| generator.new_object(Stream::UnifiedAlerts, start_time() + TimeDelta::seconds(step / 2)));
    server.publish(alerts.collect::<Vec<_>>());
    server
}

#[tokio::test]
async fn pages_hold_what_was_selected_of_every_alert_once() {
    let server = server_with_alerts(ConsoleOptions::default());
    let mut variables = variables("updatedAt");
    let mut seen = Vec::new();
    loop {
        let page = post(&server, &json!({"query": QUERY, "variables": variables})).await;
        let alerts = &page["data"]["alerts"];
        assert_eq!(alerts["totalCount"], 25);
        for edge in alerts["edges"].as_array().expect("a list") {
            let keys: Vec<&String> = edge["node"].as_object().expect("an object").keys().collect();
            assert_eq!(keys, ["assets", "assignee", "id", "updatedAt"]);
            seen.push(edge["node"]["id"].to_string());
        }
        if alerts["pageInfo"]["hasNextPage"] == false {
            break;
        }
        variables["after"] = alerts["pageInfo"]["endCursor"].clone();
    }

    assert_eq!(seen.len(), 25);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 25);
    assert_eq!(server.violations(), Vec::<String>::new());
    assert_eq!(server.versions_shown().len(), 25);
}

#[tokio::test]
async fn the_metadata_tells_what_can_be_filtered() {
    let query = json!({"query": "query { alertColumnMetadata { fieldId filterTypes sortable } }"});
    for without_updated_at in [false, true] {
        let server = server_with_alerts(ConsoleOptions {
            without_updated_at,
            ..ConsoleOptions::default()
        });

        let metadata = post(&server, &query).await;
        let page = post(&server, &json!({"query": QUERY, "variables": variables("updatedAt")})).await;

        let columns = metadata["data"]["alertColumnMetadata"]
            .as_array()
            .expect("a list")
            .clone();
        let has_updated_at = columns.iter().any(|column| column["fieldId"] == "updatedAt");
        assert_ne!(has_updated_at, without_updated_at);
        assert_eq!(page["data"].is_null(), without_updated_at);
        assert_eq!(page["errors"].is_array(), without_updated_at);
        let other = post(&server, &json!({"query": QUERY, "variables": variables("createdAt")})).await;
        assert_eq!(other["data"]["alerts"]["totalCount"], 25);
    }
}

#[tokio::test]
async fn a_bad_query_is_an_error_in_a_good_answer() {
    let server = server_with_alerts(ConsoleOptions::default());
    for query in [
        "{ alerts { edges { node { id shoeSize } } } }",
        "{ alerts { edges { node { assets } } } }",
        "{ alerts { edges { node { id { x } } } } }",
        "{ alerts(first: 1001) { totalCount } }",
        "{ alerts(last: 10) { totalCount } }",
        "{ alerts(after: \"forged\") { totalCount } }",
        "{ alerts(first: $first) { totalCount } }",
        "query($first: String) { alerts(first: $first) { totalCount } }",
        "{ alerts(sort: {by: \"shoeSize\", order: ASC}) { totalCount } }",
        "{ alerts(filters: [{fieldId: \"updatedAt\", dateTimeRange: {start: \"now\"}}]) { totalCount } }",
        "{ alerts(filters: [{fieldId: \"status\", stringIn: {values: [\"NEW\"]}}]) { totalCount } }",
        "{ cats { name } }",
    ] {
        let answer = post(&server, &json!({ "query": query })).await;

        assert!(answer["errors"][0]["message"].is_string(), "{query}");
        assert!(answer["data"].is_null(), "{query}");
    }
    assert_eq!(server.violations().len(), 12);
}

#[tokio::test]
async fn a_change_of_filters_under_a_cursor_is_a_violation() {
    let server = server_with_alerts(ConsoleOptions::default());
    let first = post(&server, &json!({"query": QUERY, "variables": variables("updatedAt")})).await;
    let mut changed = variables("createdAt");
    changed["after"] = first["data"]["alerts"]["pageInfo"]["endCursor"].clone();

    post(&server, &json!({"query": QUERY, "variables": changed})).await;

    assert_eq!(server.violations().len(), 1);
}

#[tokio::test]
async fn faults_reach_the_unified_alerts_too() {
    let server = server_with_alerts(ConsoleOptions::default());
    let ask = async || post(&server, &json!({"query": QUERY, "variables": variables("updatedAt")})).await;
    server.fail_next_on(
        Stream::UnifiedAlerts,
        [
            Fault::Vendor(ConsoleFault::NullData),
            Fault::Vendor(ConsoleFault::ErrorsBesideData),
        ],
    );

    assert!(ask().await["data"].is_null());
    assert_eq!(server.versions_shown().len(), 0);
    let both = ask().await;
    assert_eq!(both["errors"], json!([{}]));
    assert_eq!(both["data"]["alerts"]["edges"].as_array().map(Vec::len), Some(10));
}
