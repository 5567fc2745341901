use serde_json::Value;

use super::*;
use crate::client::plain_client;

const AUDIENCE: &str = "https://monitor.azure.com";

async fn ask(identity: &ManagedIdentity, query: &str, header: Option<&str>) -> (u16, Value) {
    let mut request = plain_client().get(format!("{}?{query}", identity.endpoint()));
    if let Some(header) = header {
        request = request.header("X-IDENTITY-HEADER", header);
    }
    let answer = request.send().await.expect("the endpoint answers");
    let status = answer.status().as_u16();
    let text = answer.text().await.expect("the body can be read");
    let body = serde_json::from_str(&text).expect("the body is JSON");
    (status, body)
}

#[tokio::test]
async fn a_token_is_valid_for_its_audience_until_it_is_revoked() {
    let identity = ManagedIdentity::start();
    let query = "api-version=2019-08-01&resource=https%3A%2F%2Fmonitor.azure.com";

    let (status, body) = ask(&identity, query, Some(&identity.header())).await;

    assert_eq!(status, 200);
    let token = body["access_token"].as_str().expect("a token");
    assert!(identity.is_valid(token, AUDIENCE));
    assert!(identity.is_valid(token, "https://monitor.azure.com/"));
    assert!(!identity.is_valid(token, "https://vault.azure.net"));
    let expires_on = body["expires_on"].as_str().expect("a text");
    assert!(expires_on.parse::<i64>().expect("seconds") > wall_clock::now().timestamp());
    identity.revoke_all();
    assert!(!identity.is_valid(token, AUDIENCE));
    assert_eq!(identity.issued(), 1);
    assert_eq!(identity.client_ids(), [None]);
}

#[tokio::test]
async fn the_client_id_of_a_user_assigned_identity_is_remembered() {
    let identity = ManagedIdentity::start();
    let query = "api-version=2019-08-01&resource=https://storage.azure.com/&client_id=abc";

    let (status, body) = ask(&identity, query, Some(&identity.header())).await;

    assert_eq!(status, 200);
    assert_eq!(body["client_id"], "abc");
    assert_eq!(identity.client_ids(), [Some("abc".to_owned())]);
}

#[tokio::test]
async fn a_missing_header_is_401_and_a_wrong_one_403() {
    let identity = ManagedIdentity::start();
    let query = format!("api-version=2019-08-01&resource={AUDIENCE}");

    assert_eq!(ask(&identity, &query, None).await.0, 401);
    assert_eq!(ask(&identity, &query, Some("guess")).await.0, 403);
    assert_eq!(identity.issued(), 0);
}

#[tokio::test]
async fn a_bad_query_is_400() {
    let identity = ManagedIdentity::start();
    for query in [
        "resource=https://monitor.azure.com",
        "api-version=2018-02-01&resource=https://monitor.azure.com",
        "api-version=2019-08-01",
        "api-version=2019-08-01&resource=monitor",
        "api-version=2019-08-01&resource=https://monitor.azure.com/.default",
        "api-version=2019-08-01&resource=https://monitor.azure.com&scope=x",
    ] {
        let (status, _) = ask(&identity, query, Some(&identity.header())).await;
        assert_eq!(status, 400, "{query}");
    }
}

#[tokio::test]
async fn a_failing_endpoint_answers_500_until_it_is_well() {
    let identity = ManagedIdentity::start();
    let query = format!("api-version=2019-08-01&resource={AUDIENCE}");
    identity.set_failing(true);
    assert_eq!(ask(&identity, &query, Some(&identity.header())).await.0, 500);

    identity.set_failing(false);
    assert_eq!(ask(&identity, &query, Some(&identity.header())).await.0, 200);
}
