use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::*;
use crate::client::plain_client;
use crate::wall_clock;

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

#[tokio::test]
async fn a_token_says_for_whom_by_whom_and_how_long_and_no_two_are_equal() {
    let identity = ManagedIdentity::start();
    let query = "api-version=2019-08-01&resource=https://storage.azure.com";
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let (_, body) = ask(&identity, query, Some(&identity.header())).await;
        let token = body["access_token"].as_str().expect("a token").to_owned();
        let parts: Vec<_> = token
            .split('.')
            .map(|part| URL_SAFE_NO_PAD.decode(part).expect("base64"))
            .collect();
        assert_eq!(parts.len(), 3);
        let claims: Value = serde_json::from_slice(&parts[1]).expect("JSON");
        assert_eq!(claims["aud"], "https://storage.azure.com");
        let issuer = claims["iss"].as_str().expect("an issuer");
        assert!(
            issuer.starts_with("https://sts.windows.net/") && issuer.ends_with('/'),
            "{issuer}"
        );
        let time = |name: &str| claims[name].as_i64().expect("a time");
        let now = wall_clock::now().timestamp();
        assert!(time("nbf") <= now && time("iat") <= now && now < time("exp"));
        assert_eq!(time("exp").to_string(), body["expires_on"]);
        tokens.push(token);
    }
    assert_ne!(tokens[0], tokens[1]);
}
