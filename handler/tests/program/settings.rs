//! Settings as the command line meets them.

use std::collections::BTreeSet;

use serde_json::Value;
use simulator::connect_proxy::ConnectProxy;
use simulator::functions_host::Mode;
use simulator::pingone::PingOne;

use crate::harness::*;

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_wrong_is_named_at_once_and_no_value_is_shown() {
    let mut handler = Handler::new();
    for (name, value) in [
        ("PINGONE__ENVIRONMENT_ID", "../etc"),
        ("PINGONE__CLIENT_IDD", "value-one"),
        ("PINGONE__REGION", "value-two"),
        ("POLL_BUDGET", "0s"),
        ("LOGS_INGESTION__ENDPOINT", "http://ingest.example.net"),
        ("SENTINELONE__STREAMS", "value-three"),
        ("PUSH_LINGERS", "1s"),
    ] {
        handler.set(name, value);
    }
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(64));
    let names = handler.environment.keys().map(String::as_str);
    for name in names.chain([
        "PINGONE__CLIENT_SECRET",
        "LOGS_INGESTION__RULE_ID",
        "PINGONE__CLIENT_ID?",
    ]) {
        assert!(ended.output.contains(name), "{name}: {}", ended.output);
    }
    for value in ["../etc", "value-one", "value-two", "value-three", "ingest.example.net"] {
        assert!(!ended.output.contains(value), "{value}: {}", ended.output);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_nothing_configured_poll_says_so_and_a_wrong_command_line_is_a_usage_error() {
    let handler = Handler::new();
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(64));
    for word in [
        "nothing is configured",
        "PINGONE__ENVIRONMENT_ID",
        "PINGONE_ENTERPRISE__POLL_URL",
        "SENTINELONE__URL",
        "ONELOGIN__BEARER_TOKEN",
    ] {
        assert!(ended.output.contains(word), "{word}: {}", ended.output);
    }
    assert_eq!(handler.run(&["pol"]).await.code, Some(64));
    assert_eq!(handler.run(&["--version"]).await.code, Some(0));
    assert!(handler.run(&["--help"]).await.output.contains("poll"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unresolved_key_vault_reference_switches_off_its_own_source_only() {
    let pingone = PingOne::start(options());
    pingone.publish(activities(40, 10, 30));
    let mut handler = Handler::with_pingone(&pingone);
    let reference = "@Microsoft.KeyVault(SecretUri=https://team.vault.azure.net/secrets/worker)";
    handler.add_pingone("PINGONE__ACME__", "e2", &pingone);
    handler.set("PINGONE__ACME__CLIENT_SECRET", reference);
    // It leads nobody anywhere: no vault of this name is asked.
    let proxy = ConnectProxy::start();
    handler.set("HTTPS_PROXY", &proxy.url());
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(1));
    assert_eq!(
        ended.output.matches("PINGONE__ACME__CLIENT_SECRET").count(),
        1,
        "{}",
        ended.output
    );
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));

    let mut handler = Handler::new();
    handler
        .set("ONELOGIN__BEARER_TOKEN", reference)
        .set("HTTPS_PROXY", &proxy.url());
    let host = handler.host(Mode::Proxy).await;
    let headers = [("Authorization".to_owned(), "Bearer anything".to_owned())];
    let answer = host
        .http("POST", "/api/push/onelogin", &headers, b"[]".to_vec())
        .await
        .unwrap();
    assert_eq!(answer.status, 503);
    assert!(answer.header("retry-after").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn in_azure_the_local_defaults_are_bad_settings() {
    let pingone = PingOne::start(options());
    let mut handler = Handler::with_pingone(&pingone);
    handler.set("WEBSITE_SITE_NAME", "app");
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(64));
    assert!(
        ended.output.contains("STATE_URL") && ended.output.contains("LOGS_INGESTION__ENDPOINT"),
        "{}",
        ended.output
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_this_version_does_not_read_is_not_passed_over_in_silence() {
    let pingone = PingOne::start(options());
    pingone.publish(activities(41, 10, 30));
    let mut handler = Handler::with_pingone(&pingone);
    handler
        .set("SENTINELONE__URL", "https://console.example.net")
        .set("SENTINELONE__API_TOKEN", "token");
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.output.contains("sentinelone/default"), "{}", ended.output);
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));
}

#[tokio::test(flavor = "multi_thread")]
async fn log_lines_are_json_on_demand_and_text_otherwise() {
    let pingone = PingOne::start(options());
    let mut handler = Handler::with_pingone(&pingone);
    let text = handler.poll_well().await;
    assert!(text.lines().all(|line| line.starts_with("INFO")), "{text}");
    handler.set("LOG_FORMAT", "json");
    let lines = handler.poll_well().await;
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (run, tables) = lines.split_last().unwrap();
    assert_eq!((&run["level"], &run["streams"]), (&"info".into(), &1.into()));
    for line in tables {
        assert_eq!(line["level"], "info");
        assert_eq!(line["stream"], "pingone/default/activities");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalog_of_settings_lists_the_keys_that_the_handler_takes() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/settings.json");
    let catalog: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let of = |name: &str| catalog[name].as_array().unwrap().iter();
    let keys = |owner: &Value| -> BTreeSet<String> {
        let settings = owner["settings"].as_array().unwrap().iter();
        settings
            .map(|setting| setting["key"].as_str().unwrap().to_owned())
            .collect()
    };
    let prefixed = of("sources").chain(of("groups")).filter(|owner| owner["prefix"] != "");
    for owner in prefixed {
        let prefix = owner["prefix"].as_str().unwrap();
        let mut expected = keys(owner);
        if owner["name"].is_string() {
            expected.extend(of("everySource").map(|setting| setting["key"].as_str().unwrap().to_owned()));
        }
        let mut handler = Handler::new();
        handler.set(&format!("{prefix}QQQQ"), "x");
        let said = handler.poll().await.output;
        let line = said
            .lines()
            .find(|line| line.contains("QQQQ") && line.contains(" takes "))
            .unwrap();
        let taken = line.rsplit_once(" takes ").unwrap().1.split(", ").map(str::to_owned);
        assert_eq!(taken.collect::<BTreeSet<_>>(), expected, "{prefix}");
    }
}
