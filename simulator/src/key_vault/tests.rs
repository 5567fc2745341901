use serde_json::{Value, json};

use super::*;
use crate::client::plain_client;

struct Fixture {
    identity: Arc<ManagedIdentity>,
    vault: KeyVault,
}

impl Fixture {
    fn start() -> Self {
        let identity = Arc::new(ManagedIdentity::start());
        let vault = KeyVault::start(identity.clone(), "v.vault.azure.net");
        Self { identity, vault }
    }

    async fn token(&self, audience: &str) -> String {
        let url = format!(
            "{}?api-version=2019-08-01&resource={audience}",
            self.identity.endpoint()
        );
        let request = plain_client()
            .get(url)
            .header("X-IDENTITY-HEADER", self.identity.header());
        let text = request.send().await.expect("an answer").text().await.expect("a body");
        let body: Value = serde_json::from_str(&text).expect("JSON");
        body["access_token"].as_str().expect("a token").to_owned()
    }

    async fn get(&self, path: &str, token: Option<&str>) -> (u16, Value) {
        let mut request = plain_client().get(format!("{}{path}?api-version=7.4", self.vault.origin()));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        let has_challenge = answer.headers().contains_key("WWW-Authenticate");
        assert_eq!(has_challenge, status == 401);
        let text = answer.text().await.expect("a body");
        (status, serde_json::from_str(&text).expect("JSON"))
    }
}

#[tokio::test]
async fn the_latest_version_and_an_old_one_are_given_to_a_token_for_vaults() {
    let fixture = Fixture::start();
    let first = fixture.vault.set("n", "one");
    fixture.vault.set("n", "two");
    let token = fixture.token(AUDIENCE).await;

    for (path, value) in [
        ("/secrets/n/", "two"),
        ("/secrets/n", "two"),
        (&format!("/secrets/n/{first}"), "one"),
    ] {
        let (status, body) = fixture.get(path, Some(&token)).await;
        assert_eq!((status, body["value"].as_str()), (200, Some(value)), "{path}");
    }
    assert_eq!(fixture.vault.lookups("n"), 3);
    assert_eq!(fixture.vault.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn without_a_token_for_vaults_there_is_a_challenge() {
    let fixture = Fixture::start();
    fixture.vault.set("n", "one");
    let other = fixture.token("https://monitor.azure.com").await;

    assert_eq!(fixture.get("/secrets/n/", None).await.0, 401);
    assert_eq!(fixture.get("/secrets/n/", Some(&other)).await.0, 401);
    assert_eq!(fixture.vault.lookups("n"), 0);
}

#[tokio::test]
async fn refusals_say_what_the_real_service_says() {
    let fixture = Fixture::start();
    fixture.vault.set("n", "one");
    let token = fixture.token(AUDIENCE).await;
    let inner = "/error/innererror/code";

    let (status, body) = fixture.get("/secrets/m/", Some(&token)).await;
    assert_eq!((status, body["error"]["code"].as_str()), (404, Some("SecretNotFound")));
    assert_eq!(fixture.get("/secrets/n/0", Some(&token)).await.0, 404);
    fixture.vault.set_enabled("n", false);
    let (status, body) = fixture.get("/secrets/n/", Some(&token)).await;
    assert_eq!((status, body.pointer(inner)), (403, Some(&json!("SecretDisabled"))));
    for (refusal, status, code) in [
        (Refusal::NoRole, 403, Some(json!("ForbiddenByRbac"))),
        (Refusal::Firewall, 403, Some(json!("ForbiddenByFirewall"))),
        (Refusal::Throttled, 429, None),
    ] {
        fixture.vault.refuse(Some(refusal));
        let (answered, body) = fixture.get("/secrets/n/", Some(&token)).await;
        assert_eq!((answered, body.pointer(inner)), (status, code.as_ref()));
    }
}
