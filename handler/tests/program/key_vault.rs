//! Settings that are Key Vault references, resolved by the program itself.
//!
//! The executable goes to `https://x.vault.azure.net` as in production: only its environment names a proxy and a
//! certificate authority, as it would behind the proxy of a company.

use std::sync::Arc;
use std::time::{Duration, Instant};

use simulator::connect_proxy::ConnectProxy;
use simulator::functions_host::{FunctionsHost, Mode};
use simulator::key_vault::{KeyVault, Refusal};
use simulator::managed_identity::ManagedIdentity;
use simulator::pingone::PingOne;
use simulator::tls::{Authority, TlsFront};

use crate::harness::*;

const HOST: &str = "x.vault.azure.net";
const REFERENCE: &str = "@Microsoft.KeyVault(SecretUri=https://x.vault.azure.net/secrets/worker/)";
const TOKEN_REFERENCE: &str = "@Microsoft.KeyVault(VaultName=x;SecretName=token)";
const EVENT: &str = r#"[{"event_timestamp": "2026-11-20 10:15:30 UTC", "event_type_id": 5, "user_id": 1}]"#;

/// A vault behind its production host name.
struct Azure {
    identity: Arc<ManagedIdentity>,
    vault: KeyVault,
    authority: Authority,
    proxy: ConnectProxy,
    _front: TlsFront,
}

impl Azure {
    fn start() -> Self {
        let identity = Arc::new(ManagedIdentity::start());
        let vault = KeyVault::start(identity.clone(), HOST);
        let authority = Authority::new();
        let front = TlsFront::start(&authority, &["*.vault.azure.net"], &vault.origin());
        let proxy = ConnectProxy::start();
        proxy.lead(HOST, 443, front.port());
        Self {
            identity,
            vault,
            authority,
            proxy,
            _front: front,
        }
    }

    fn configure(&self, handler: &mut Handler) {
        let file = handler.path("authority.pem");
        std::fs::write(&file, self.authority.certificate_pem()).unwrap();
        handler
            .set("SSL_CERT_FILE", file.to_str().unwrap())
            .set("HTTPS_PROXY", &self.proxy.url())
            .set("IDENTITY_ENDPOINT", &self.identity.endpoint())
            .set("IDENTITY_HEADER", &self.identity.header());
    }

    fn assert_no_violations(&self) {
        assert_eq!(self.vault.violations(), Vec::<String>::new());
        assert_eq!(self.proxy.violations(), Vec::<String>::new());
    }
}

/// A second PingOne, whose secret is plain, under `PINGONE__OTHER__`.
fn add_other(handler: &mut Handler) -> PingOne {
    let environment_id = "5f1c2d3e-0000-4000-8000-00000000e002";
    let other = PingOne::start(simulator::pingone::EnvironmentOptions {
        environment_id: environment_id.to_owned(),
        auth_environment_id: environment_id.to_owned(),
        ..options()
    });
    let mut generator = simulator::generate::pingone::Activities::new(7, environment_id);
    other.publish(times(9, 30).map(|at| generator.at(at)).collect::<Vec<_>>());
    handler.add_pingone("PINGONE__OTHER__", environment_id, &other);
    other
}

fn assert_says(output: &str, words: &[&str]) {
    for word in words {
        assert!(output.contains(word), "{word}: {output}");
    }
}

async fn push(host: &FunctionsHost) -> u16 {
    let headers = [("Authorization".to_owned(), format!("Bearer {PUSH_TOKEN}"))];
    let answer = host.http("POST", "/api/push/onelogin", &headers, EVENT.into()).await;
    answer.unwrap().status
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_is_resolved_before_the_poll() {
    let (azure, pingone) = (Azure::start(), PingOne::start(options()));
    pingone.publish(activities(80, 30, 30));
    azure.vault.set("worker", CLIENT_SECRET);
    let mut handler = Handler::with_pingone(&pingone);
    azure.configure(&mut handler);
    handler.set("PINGONE__CLIENT_SECRET", REFERENCE);

    handler.poll_well().await;

    assert_each_once(&pingone, &handler.ids(ACTIVITIES));
    assert_eq!(azure.vault.lookups("worker"), 1);
    assert_eq!(azure.proxy.asked(), ["x.vault.azure.net:443"]);
    azure.assert_no_violations();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_says_which_setting_came_from_where() {
    let (azure, pingone) = (Azure::start(), PingOne::start(options()));
    azure.vault.set("worker", CLIENT_SECRET);
    let mut handler = Handler::with_pingone(&pingone);
    azure.configure(&mut handler);
    handler.set("PINGONE__CLIENT_SECRET", REFERENCE);
    let ended = handler.run(&["check"]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    let line = "ok     PINGONE__CLIENT_SECRET: secret worker of https://x.vault.azure.net, resolved by the handler";
    assert_says(&ended.output, &[line]);

    azure.vault.refuse(Some(Refusal::NoRole));
    let ended = handler.run(&["check"]).await;
    assert_eq!(ended.code, Some(1), "{}", ended.output);
    assert_says(
        &ended.output,
        &["FAILED PINGONE__CLIENT_SECRET: ", "role Key Vault Secrets User"],
    );
    azure.assert_no_violations();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_asked_for_and_a_secret_in_two_settings_is_looked_up_once() {
    let (azure, pingone) = (Azure::start(), PingOne::start(options()));
    let version = azure.vault.set("worker", CLIENT_SECRET);
    azure.vault.set("worker", "a-later-one");
    let reference = format!("@Microsoft.KeyVault(VaultName=x;SecretName=worker;SecretVersion={version})");
    let mut handler = Handler::with_pingone(&pingone);
    azure.configure(&mut handler);
    handler
        .set("PINGONE__CLIENT_SECRET", &reference)
        .set("ONELOGIN__BEARER_TOKEN", &reference);

    handler.poll_well().await;

    assert_eq!(azure.vault.lookups("worker"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_that_cannot_be_resolved_switches_off_its_own_source_and_says_why() {
    let (azure, pingone) = (Azure::start(), PingOne::start(options()));
    azure.vault.set("worker", CLIENT_SECRET);
    azure.vault.set("empty", "");
    azure.vault.set("disabled", CLIENT_SECRET);
    azure.vault.set_enabled("disabled", false);
    let mut handler = Handler::with_pingone(&pingone);
    azure.configure(&mut handler);
    let other = add_other(&mut handler);
    for (secret, refusal, said) in [
        ("missing", None, "404 (SecretNotFound); check the name"),
        ("empty", None, "the secret is empty; give it a value"),
        ("disabled", None, "the secret is disabled; enable it"),
        ("worker", Some(Refusal::NoRole), "role Key Vault Secrets User"),
        ("worker", Some(Refusal::Firewall), "firewall of the vault"),
    ] {
        azure.vault.refuse(refusal);
        let reference = format!("@Microsoft.KeyVault(VaultName=x;SecretName={secret})");
        handler.set("PINGONE__CLIENT_SECRET", &reference);

        let ended = handler.poll().await;

        assert_eq!(ended.code, Some(1), "{}", ended.output);
        let place = format!("secret {secret} of https://x.vault.azure.net");
        assert_says(&ended.output, &["PINGONE__CLIENT_SECRET", &place, said]);
        let count = ended.output.matches("cannot be resolved").count();
        assert_eq!(count, 1, "said {count} times: {}", ended.output);
    }
    assert_each_once(&other, &handler.ids(ACTIVITIES));
    azure.assert_no_violations();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_that_cannot_be_reached_or_trusted_or_asked_is_named() {
    let (azure, pingone) = (Azure::start(), PingOne::start(options()));
    let mut handler = Handler::with_pingone(&pingone);
    handler.set("PINGONE__CLIENT_SECRET", REFERENCE);
    azure.configure(&mut handler);

    handler.set(
        "PINGONE__CLIENT_SECRET",
        "@Microsoft.KeyVault(VaultName=nobody;SecretName=worker)",
    );
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(1));
    assert_says(
        &ended.output,
        &["nobody.vault.azure.net", "cannot be reached", "PINGONE__CLIENT_SECRET"],
    );

    handler.set("PINGONE__CLIENT_SECRET", REFERENCE);
    std::fs::write(handler.path("authority.pem"), Authority::new().certificate_pem()).unwrap();
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(1));
    assert_says(&ended.output, &["cannot be reached", "certificate"]);

    azure.configure(&mut handler);
    handler.set("IDENTITY_HEADER", "not-the-header");
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(1));
    assert_says(&ended.output, &["PINGONE__CLIENT_SECRET", "managed identity"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_that_does_not_answer_holds_the_others_up_for_ten_seconds_at_the_most() {
    let (azure, pingone) = (Azure::start(), PingOne::start(options()));
    azure.vault.set("worker", CLIENT_SECRET);
    azure.vault.delay(Some(Duration::from_secs(120)));
    let mut handler = Handler::with_pingone(&pingone);
    azure.configure(&mut handler);
    handler.set("PINGONE__CLIENT_SECRET", REFERENCE);
    let other = add_other(&mut handler);

    let begun = Instant::now();
    let ended = handler.poll().await;

    // The vault would have answered after two minutes; the rest is room for a busy machine.
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    assert_eq!(ended.code, Some(1));
    assert_says(&ended.output, &["PINGONE__CLIENT_SECRET", "no answer within 10 s"]);
    assert_each_once(&other, &handler.ids(ACTIVITIES));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_is_refused_for_now_until_its_token_can_be_resolved() {
    let azure = Azure::start();
    azure.vault.set("token", PUSH_TOKEN);
    azure.vault.refuse(Some(Refusal::NoRole));
    let mut handler = Handler::new();
    azure.configure(&mut handler);
    handler.set("ONELOGIN__BEARER_TOKEN", TOKEN_REFERENCE);
    let host = handler.host(Mode::Proxy).await;
    assert_eq!(push(&host).await, 503);
    assert!(handler.rows(ONELOGIN).is_empty());
    drop(host);

    azure.vault.refuse(None);
    let host = handler.host(Mode::Proxy).await;
    assert_eq!(push(&host).await, 200);
    assert_eq!(handler.rows(ONELOGIN).len(), 1);
    azure.assert_no_violations();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_of_a_source_without_references_does_not_wait_for_the_vault() {
    let azure = Azure::start();
    azure.vault.delay(Some(Duration::from_secs(120)));
    let mut handler = Handler::with_onelogin();
    azure.configure(&mut handler);
    handler.set("PINGONE__PUSH_TOKEN", TOKEN_REFERENCE);
    let host = handler.host(Mode::Proxy).await;

    let begun = Instant::now();

    assert_eq!(push(&host).await, 200);
    assert!(begun.elapsed() < Duration::from_secs(9), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_secret_is_used_after_the_vendor_has_rejected_the_old_one() {
    let (azure, pingone) = (Azure::start(), PingOne::start(options()));
    pingone.publish(activities(81, 30, 30));
    azure.vault.set("worker", "the-secret-of-yesterday");
    let mut handler = Handler::with_pingone(&pingone);
    azure.configure(&mut handler);
    handler.set("PINGONE__CLIENT_SECRET", REFERENCE);
    let host = handler.host(Mode::Proxy).await;
    assert!(host.timer().await.is_err(), "the old secret is accepted");
    assert!(handler.rows(ACTIVITIES).is_empty());

    azure.vault.set("worker", CLIENT_SECRET);
    host.timer().await.unwrap();

    assert_each_once(&pingone, &handler.ids(ACTIVITIES));
    assert_eq!(azure.vault.lookups("worker"), 2);
    azure.assert_no_violations();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_platform_resolved_is_resolved_anew_after_a_rejection_and_not_with_every_run() {
    let (azure, pingone) = (Azure::start(), PingOne::start(options()));
    pingone.publish(activities(82, 30, 30));
    azure.vault.set("worker", "the-secret-of-yesterday");
    let told = format!(r#"{{"PINGONE__CLIENT_SECRET":{{"rawReference":"{REFERENCE}","status":"Resolved"}}}}"#);
    let mut handler = Handler::with_pingone(&pingone);
    azure.configure(&mut handler);
    handler
        .set("PINGONE__CLIENT_SECRET", "the-secret-of-yesterday")
        .set("WEBSITE_KEYVAULT_REFERENCES", &told);
    let host = handler.host(Mode::Proxy).await;
    for _ in 0..3 {
        assert!(host.timer().await.is_err());
    }
    assert_eq!(azure.vault.lookups("worker"), 1, "not more than once in five minutes");
    drop(host);

    azure.vault.set("worker", CLIENT_SECRET);
    let host = handler.host(Mode::Proxy).await;
    assert!(host.timer().await.is_err());
    host.timer().await.unwrap();
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_of_which_the_platform_left_nothing_is_resolved_or_switches_off_its_own_source() {
    let (azure, pingone) = (Azure::start(), PingOne::start(options()));
    pingone.publish(activities(83, 12, 30));
    azure.vault.set("worker", CLIENT_SECRET);
    let mut handler = Handler::with_pingone(&pingone);
    azure.configure(&mut handler);
    let told = format!(
        r#"{{"PINGONE__CLIENT_SECRET":{{"rawReference":"{REFERENCE}","status":"SecretNotFound"}},
            "ONELOGIN__BEARER_TOKEN":{{"reference":"{TOKEN_REFERENCE}","status":"AccessToKeyVaultDenied"}}}}"#
    );
    handler.set("WEBSITE_KEYVAULT_REFERENCES", &told);
    handler.environment.remove("PINGONE__CLIENT_SECRET");

    let ended = handler.poll().await;

    assert_eq!(ended.code, Some(1), "{}", ended.output);
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));
    assert_says(
        &ended.output,
        &["onelogin/default", "ONELOGIN__BEARER_TOKEN", "404 (SecretNotFound)"],
    );
    let errors = ended.output.lines().filter(|line| line.starts_with("ERROR")).count();
    assert_eq!(errors, 1, "{}", ended.output);
    let host = handler.host(Mode::Proxy).await;
    assert_eq!(push(&host).await, 503);
    drop(host);

    azure.vault.set("token", PUSH_TOKEN);
    let host = handler.host(Mode::Proxy).await;
    assert_eq!(push(&host).await, 200);
    host.timer().await.unwrap();
    azure.assert_no_violations();
}
