//! `check`: a line for every part, and what is broken named with what to do.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use simulator::azurite::Azurite;
use simulator::generate::pingone_enterprise;
use simulator::logs_ingestion::{LogsIngestion, Rule};
use simulator::managed_identity::ManagedIdentity;
use simulator::onelogin_api::OneLoginApi;
use simulator::pingone::{Fault, PingOne};
use simulator::pingone_enterprise::PingOneEnterprise;
use simulator::sentinelone::{SentinelOne, Stream};

use crate::harness::*;
use crate::ingestion::Azure;
use crate::sentinelone::name;

/// The line of a part; there must be one and only one that begins so.
#[track_caller]
fn line(ended: &Ended, subject: &str) -> String {
    let of_subject = |line: &&str| {
        let (_, rest) = line.split_once(' ').unwrap_or_default();
        rest.trim_start().starts_with(&format!("{subject}: "))
    };
    let lines: Vec<&str> = ended.output.lines().filter(of_subject).collect();
    assert_eq!(lines.len(), 1, "lines of {subject}: {}", ended.output);
    lines[0].to_owned()
}

#[track_caller]
fn assert_line(ended: &Ended, verdict: &str, subject: &str, words: &[&str]) {
    let line = line(ended, subject);
    assert!(line.starts_with(verdict), "{line}");
    for word in words {
        assert!(line.contains(word), "{word}: {line}");
    }
}

async fn check(handler: &Handler, code: i32) -> Ended {
    let ended = handler.run(&["check"]).await;
    assert_eq!(ended.code, Some(code), "{}", ended.output);
    assert!(handler.rows(ACTIVITIES).is_empty() && handler.rows(ONELOGIN).is_empty());
    assert!(!handler.path("data/state/checkpoints").exists(), "it left a position");
    assert!(files_below(&handler.path("data/state/check")).is_empty());
    ended
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_works_has_its_line_and_nothing_is_delivered() {
    let pingone = PingOne::start(options());
    pingone.publish(activities(600, 30, 10));
    let vendor = OneLoginApi::start(simulator::onelogin_api::AccountOptions::default());
    let onelogin = simulator::onelogin_api::AccountOptions::default();
    let console = SentinelOne::start(simulator::sentinelone::ConsoleOptions {
        token_ends: Some(now() + TimeDelta::days(90)),
        ..console_options()
    });
    let mut handler = Handler::with_sentinelone(&console, &Stream::ALL.map(name).join(","));
    handler.add_pingone("PINGONE__", ENVIRONMENT_ID, &pingone);
    handler
        .set("ONELOGIN__URL", &vendor.origin())
        .set("ONELOGIN__CLIENT_ID", &onelogin.client_id)
        .set("ONELOGIN__CLIENT_SECRET", &onelogin.client_secret)
        .set("ONELOGIN__BEARER_TOKEN", &format!("{PUSH_TOKEN},another-{PUSH_TOKEN}"));

    let ended = check(&handler, 0).await;

    assert_line(&ended, "ok", "state store", &["written, read back, exchanged", "lease"]);
    assert_line(
        &ended,
        "note",
        "push/onelogin of default",
        &["2 tokens are set", "only its first push proves"],
    );
    assert_line(&ended, "ok", "pingone/default/activities", &["read one event"]);
    assert_line(&ended, "ok", "onelogin/default/events", &["may read"]);
    assert_line(&ended, "ok", "onelogin/default/users", &["may read"]);
    for stream in Stream::ALL {
        assert_line(
            &ended,
            "ok",
            &format!("sentinelone/default/{}", name(stream)),
            &["may read"],
        );
    }
    assert_line(&ended, "ok", "sentinelone/default", &["SENTINELONE__API_TOKEN", "days"]);
    for table in [ACTIVITIES, ONELOGIN, "SentinelOneThreats_CL", "OneLoginUsersV2_CL"] {
        assert_line(&ended, "ok", &format!("table {table}"), &["can be written"]);
    }
    assert!(ended.output.contains(" 0 failed"), "{}", ended.output);
    assert!(files_below(&handler.path("data/tables")).is_empty());
    assert_eq!(pingone.violations(), Vec::<String>::new());
    assert_eq!(vendor.violations(), Vec::<String>::new());
    assert_eq!(console.violations(), Vec::<String>::new());
    let console = console.requests().into_iter().filter(|request| request.method == "GET");
    let pingone = pingone.requests().into_iter().filter(|request| request.method == "GET");
    let vendor = vendor.requests().into_iter().filter(|request| request.method == "GET");
    let queries: Vec<String> = console
        .map(|request| request.query)
        .chain(pingone.map(|request| request.query))
        .chain(vendor.map(|request| request.query))
        .collect();
    assert_eq!(queries.len(), 8, "{queries:?}");
    assert!(
        queries
            .iter()
            .all(|query| query.split('&').any(|part| part == "limit=1")),
        "{queries:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_credential_and_a_missing_stream_are_named_and_the_others_are_fine() {
    let pingone = PingOne::start(options());
    let console = SentinelOne::start(simulator::sentinelone::ConsoleOptions {
        unavailable: vec![Stream::Alerts],
        ..console_options()
    });
    let mut handler = Handler::with_sentinelone(&console, "alerts,threats");
    handler.add_pingone("PINGONE__", ENVIRONMENT_ID, &pingone);
    handler.set("PINGONE__CLIENT_SECRET", "not-the-secret");

    let ended = check(&handler, 1).await;

    let words = ["token endpoint", "PINGONE__CLIENT_SECRET"];
    assert_line(&ended, "FAILED", "pingone/default/activities", &words);
    assert!(!ended.output.contains("not-the-secret"), "{}", ended.output);
    assert_line(&ended, "FAILED", "sentinelone/default/alerts", &["404"]);
    assert_line(&ended, "ok", "sentinelone/default/threats", &["may read"]);
    assert_line(
        &ended,
        "ok",
        "sentinelone/default",
        &["does not tell when the token", "403"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ends_soon_or_has_ended_is_told() {
    let console = SentinelOne::start(simulator::sentinelone::ConsoleOptions {
        token_ends: Some(now() + TimeDelta::days(6)),
        ..console_options()
    });
    let mut handler = Handler::with_sentinelone(&console, "agents");
    let ended = check(&handler, 0).await;
    assert_line(&ended, "note", "sentinelone/default", &["create a new one", "5 days"]);
    handler.set("SENTINELONE__API_TOKEN", "a-token-of-last-year");
    let ended = check(&handler, 1).await;
    let words = ["401", "SENTINELONE__API_TOKEN", "expired"];
    assert_line(&ended, "FAILED", "sentinelone/default/agents", &words);
    assert!(!ended.output.contains("a-token-of-last-year"), "{}", ended.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_subscription_is_never_read() {
    let options = simulator::pingone_enterprise::SubscriptionOptions::default();
    let vendor = PingOneEnterprise::start(options.clone());
    vendor.publish([pingone_enterprise::SubscriptionEvents::new(601).at(now())]);
    let mut handler = Handler::new();
    handler
        .set("PINGONE_ENTERPRISE__POLL_URL", &vendor.poll_url())
        .set("PINGONE_ENTERPRISE__TOKEN_URL", &vendor.token_url())
        .set("PINGONE_ENTERPRISE__CLIENT_ID", &options.client_id)
        .set("PINGONE_ENTERPRISE__CLIENT_SECRET", &options.client_secret);
    let ended = check(&handler, 0).await;
    assert_line(
        &ended,
        "note",
        "pingone-enterprise/default/events",
        &["token endpoint", "not proved"],
    );
    assert!(
        ended.output.contains(" ok, 1 not tried, 0 to look at, 0 failed"),
        "{}",
        ended.output
    );
    assert_eq!(vendor.tokens_issued(), 1);
    assert_eq!(vendor.waiting_events(), 1);
    let asked: Vec<String> = vendor.requests().into_iter().map(|request| request.path).collect();
    assert!(
        asked.iter().all(|path| !path.contains("poll-subscriptions")),
        "{asked:?}"
    );

    handler.set("PINGONE_ENTERPRISE__CLIENT_SECRET", "not-the-secret");
    let ended = check(&handler, 1).await;
    let words = ["token endpoint", "PINGONE_ENTERPRISE__CLIENT_SECRET"];
    assert_line(&ended, "FAILED", "pingone-enterprise/default/events", &words);
    assert_eq!(vendor.waiting_events(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_name_that_only_the_poll_url_sees_is_not_called_well() {
    let vendor = PingOneEnterprise::start(simulator::pingone_enterprise::SubscriptionOptions {
        authentication: simulator::pingone_enterprise::Authentication::Basic,
        ..simulator::pingone_enterprise::SubscriptionOptions::default()
    });
    let mut handler = Handler::new();
    handler
        .set("PINGONE_ENTERPRISE__POLL_URL", &vendor.poll_url())
        .set("PINGONE_ENTERPRISE__USERNAME", "somebody")
        .set("PINGONE_ENTERPRISE__PASSWORD", "not-the-password");
    let ended = check(&handler, 0).await;
    let subject = "pingone-enterprise/default/events";
    assert_line(
        &ended,
        "note",
        subject,
        &["nothing could be tried", "The next run tells"],
    );
    assert!(ended.output.contains(", 1 not tried, "), "{}", ended.output);
    assert!(vendor.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn state_that_a_run_would_refuse_is_named_before_it_runs() {
    let pingone = PingOne::start(options());
    let handler = Handler::with_pingone(&pingone);
    handler.poll_well().await;
    let ended = handler.run(&["check"]).await;
    assert_line(&ended, "ok", "state files", &["2 can be read"]);
    let file = handler.path("data/state/checkpoints/pingone/default/activities.json");
    let text = std::fs::read_to_string(&file).unwrap();
    let mut checkpoint: serde_json::Value = serde_json::from_str(&text).unwrap();
    checkpoint["tables"][ACTIVITIES]["watermark"] = "2999-01-01T00:00:00Z".into();
    std::fs::write(&file, checkpoint.to_string()).unwrap();
    let ended = handler.run(&["check"]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    let words = [ACTIVITIES, "2999-01-01", "lies in the future"];
    assert_line(&ended, "note", "state of pingone/default/activities", &words);
    std::fs::write(&file, "{\"version\": 1, \"acc").unwrap();
    let ended = handler.run(&["check"]).await;
    assert_eq!(ended.code, Some(1), "{}", ended.output);
    let words = ["checkpoints/pingone/default/activities.json", "move the file away"];
    assert_line(&ended, "FAILED", "state of pingone/default/activities", &words);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_tried_without_rows_and_what_is_wrong_with_it_is_named() {
    let azure = Azure::start();
    let mut handler = Handler::with_onelogin();
    azure.configure(&mut handler);
    let table = format!("table {ONELOGIN}");

    let ended = check(&handler, 0).await;
    assert_line(&ended, "ok", &table, &[&azure.rule_id, "only the first rows prove"]);
    assert_line(&ended, "ok", "identity for https://monitor.azure.com", &["token"]);
    let calls = azure.ingestion.calls();
    assert!(
        calls.iter().all(|call| call.rows == 0 && call.status == 204),
        "{calls:?}"
    );
    let mut violations = azure.ingestion.violations();
    violations.retain(|violation| violation != "a call without rows");
    assert_eq!(violations, Vec::<String>::new());

    azure.ingestion.set_access(&azure.rule_id, false);
    let ended = check(&handler, 1).await;
    assert_line(
        &ended,
        "FAILED",
        &table,
        &["403", "Monitoring Metrics Publisher", &azure.rule_id],
    );
    assert!(!ended.output.contains("rows are kept"), "{}", ended.output);
    azure.ingestion.set_access(&azure.rule_id, true);

    handler.set("LOGS_INGESTION__RULE_ID", "dcr-00000000000000000000000000000000");
    let ended = check(&handler, 1).await;
    assert_line(&ended, "FAILED", &table, &["404", "LOGS_INGESTION__RULE_ID"]);

    azure.configure(&mut handler);
    handler.set("IDENTITY_HEADER", "not-the-header");
    let ended = check(&handler, 1).await;
    assert_line(&ended, "note", &table, &["not tried", "https://monitor.azure.com"]);
    assert_line(
        &ended,
        "FAILED",
        "identity for https://monitor.azure.com",
        &["managed identity"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_without_the_stream_of_a_table_is_named() {
    let identity = Arc::new(ManagedIdentity::start());
    let rule = Rule::numbered(2, &[ACTIVITIES]);
    let rule_id = rule.rule_id.clone();
    let azure = Azure {
        ingestion: LogsIngestion::start(identity.clone(), vec![rule]),
        identity,
        rule_id,
    };
    let mut handler = Handler::with_onelogin();
    azure.configure(&mut handler);
    let ended = check(&handler, 1).await;
    let words = ["400", "has no stream Custom-OneLogin_CL", "LOGS_INGESTION__RULE_ID"];
    assert_line(&ended, "FAILED", &format!("table {ONELOGIN}"), &words);
    // An older connector may have made it.
    let migrate = "table migrate --resource-group <group> --workspace-name <workspace> --table-name OneLogin_CL";
    assert_line(&ended, "FAILED", &format!("table {ONELOGIN}"), &[migrate]);
    handler.set("LOGS_INGESTION__RULE_ID", "dcr-00000000000000000000000000000000");
    let ended = check(&handler, 1).await;
    assert_line(&ended, "FAILED", &format!("table {ONELOGIN}"), &["404", migrate]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_health_table_is_tried_too_once_it_is_switched_on() {
    let azure = Azure::start();
    let mut handler = Handler::with_onelogin();
    handler
        .set("IDENTITY_ENDPOINT", &azure.identity.endpoint())
        .set("IDENTITY_HEADER", &azure.identity.header())
        .set("HEALTH__INGESTION_ENDPOINT", &azure.ingestion.origin())
        .set("HEALTH__RULE_ID", &azure.rule_id);
    check(&handler, 0).await;
    handler.set("HEALTH__ENABLED", "true");
    let ended = check(&handler, 1).await;
    let words = ["has no stream Custom-SentinelConnectorHealth_CL"];
    assert_line(&ended, "FAILED", "table SentinelConnectorHealth_CL", &words);
    assert!(!ended.output.contains("table migrate"), "{}", ended.output);
    assert_line(&ended, "ok", "identity for https://monitor.azure.com", &["token"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_does_not_answer_holds_nothing_else_up() {
    let pingone = PingOne::start(options());
    pingone.fail_next([Fault::Delay(Duration::from_secs(600))]);
    let mut handler = Handler::with_pingone(&pingone);
    handler.set("ONELOGIN__BEARER_TOKEN", PUSH_TOKEN);
    let ended = check(&handler, 1).await;
    let line = line(&ended, "pingone/default/activities");
    assert!(line.starts_with("FAILED"), "{line}");
    assert!(!line.contains("POLL_BUDGET"), "{line}");
    assert_line(&ended, "ok", "state store", &["lease"]);
    assert_line(&ended, "ok", &format!("table {ONELOGIN}"), &["can be written"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_cannot_be_written_is_named_and_bad_settings_end_it_with_64() {
    let mut handler = Handler::with_onelogin();
    std::fs::write(handler.path("a-file"), "").unwrap();
    for (setting, word) in [("STATE_URL", "STATE_URL"), ("DESTINATION_DIR", "DESTINATION_DIR")] {
        handler.set(setting, "a-file/below");
        let ended = check(&handler, 1).await;
        assert_line(&ended, "FAILED", "state store and local destination", &[word]);
        handler.environment.remove(setting);
    }
    handler.set("POLL_BUDGET", "soon");
    assert_eq!(handler.run(&["check"]).await.code, Some(64));
    assert_eq!(Handler::new().run(&["check"]).await.code, Some(64));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_of_an_earlier_deployment_is_named_while_there_is_no_other() {
    let azurite = Azurite::shared();
    // The one of the host's account, which is the emulator's only one.
    azurite.create_container("connector-state").await;
    let container = azurite.new_container("new-account").await;
    let pingone = PingOne::start(options());
    let mut handler = Handler::with_pingone(&pingone);
    handler.set("STATE_URL", &azurite.state_url(&container));
    handler.set("AzureWebJobsStorage__accountName", "devstoreaccount1");
    let named = "state of an earlier deployment";
    let ended = check(&handler, 0).await;
    assert!(!ended.output.contains(named), "{}", ended.output);
    let checkpoint = "checkpoints/pingone/default/activities.json";
    azurite.write("connector-state", checkpoint, "{}").await;
    let ended = check(&handler, 0).await;
    assert_line(
        &ended,
        "note",
        named,
        &[
            "azcopy copy --recursive",
            "devstoreaccount1/connector-state",
            &container,
        ],
    );
    handler.poll_well().await;
    let ended = check(&handler, 0).await;
    assert!(!ended.output.contains(named), "{}", ended.output);
}
