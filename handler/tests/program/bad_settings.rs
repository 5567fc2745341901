//! What a bad setting stops: its own instance, and nothing else; the whole program only where it is nobody's.

use serde_json::Value;
use simulator::functions_host::{FunctionsHost, Mode};
use simulator::pingone::PingOne;

use crate::harness::*;

/// No output may hold it.
const VALUE: &str = "zz-a-value-that-is-wrong";
const POLL_URL: &str = "https://admin-api.pingone.com/v3/reports/acc/poll-subscriptions/sub/events";
const EVENT: &str = r#"[{"event_timestamp": "2026-11-20 10:15:30 UTC", "event_type_id": 5, "user_id": 1}]"#;

type Pairs = &'static [(&'static str, &'static str)];

/// One good PingOne with activities, and a OneLogin that takes pushes.
fn good_sources(seed: u64) -> (PingOne, Handler) {
    let pingone = PingOne::start(options());
    pingone.publish(activities(seed, 12, 30));
    let mut handler = Handler::with_pingone(&pingone);
    handler.set("ONELOGIN__BEARER_TOKEN", PUSH_TOKEN);
    (pingone, handler)
}

fn set_all(handler: &mut Handler, pairs: &[(&str, &str)]) {
    for (name, value) in pairs {
        handler.set(name, value);
    }
}

fn error_lines(output: &str) -> Vec<&str> {
    output.lines().filter(|line| line.starts_with("ERROR")).collect()
}

/// One line names the stream, the setting and the accepted form.
#[track_caller]
fn assert_one_line(lines: &[&str], words: &[&str]) {
    let found = lines.iter().filter(|line| words.iter().all(|word| line.contains(word)));
    assert_eq!(found.count(), 1, "{words:?}: {lines:#?}");
}

async fn push_to(host: &FunctionsHost, vendor: &str, token: &str) -> (u16, bool) {
    let headers = [("Authorization".to_owned(), format!("Bearer {token}"))];
    let route = format!("/api/push/{vendor}");
    let answer = host.http("POST", &route, &headers, EVENT.into()).await.unwrap();
    (answer.status, answer.header("retry-after").is_some())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_setting_of_one_instance_switches_off_that_instance_and_nothing_else() {
    let cases: &[(Pairs, &str, &[&str])] = &[
        (
            &[
                ("PINGONE__ACME__ENVIRONMENT_ID", "e2"),
                ("PINGONE__ACME__REGION", VALUE),
            ],
            "pingone/acme",
            &[
                "PINGONE__ACME__REGION",
                "PINGONE__ACME__CLIENT_ID",
                "PINGONE__ACME__CLIENT_SECRET",
            ],
        ),
        (
            &[
                (
                    "PINGONE_ENTERPRISE__POLL_URL",
                    "https://admin-api.pingone.com/zz-a-value-that-is-wrong",
                ),
                ("PINGONE_ENTERPRISE__USERNAME", "user"),
                ("PINGONE_ENTERPRISE__PASSWORD", "password"),
            ],
            "pingone-enterprise/default",
            &["PINGONE_ENTERPRISE__POLL_URL"],
        ),
        (
            &[
                ("PINGONE_ENTERPRISE__POLL_URL", POLL_URL),
                ("PINGONE_ENTERPRISE__CLIENT_ID", "client"),
                ("PINGONE_ENTERPRISE__CLIENT_SECRET", "  "),
            ],
            "pingone-enterprise/default",
            &["PINGONE_ENTERPRISE__CLIENT_SECRET"],
        ),
        (
            &[
                ("SENTINELONE__URL", "https://console.example.net"),
                ("SENTINELONE__API_TOKEN", "a-token"),
                ("SENTINELONE__STREAMS", "threats,zz-a-value-that-is-wrong"),
            ],
            "sentinelone/default",
            &["SENTINELONE__STREAMS"],
        ),
        (
            &[("SENTINELONE__URL", "https://console.example.net")],
            "sentinelone/default",
            &["SENTINELONE__API_TOKEN"],
        ),
        (
            &[("ONELOGIN__ACME__BEARER_TOKEN", "zz-too-short")],
            "onelogin/acme",
            &["ONELOGIN__ACME__BEARER_TOKEN"],
        ),
        (
            &[
                ("ONELOGIN__ACME__BEARER_TOKEN", "a-token-that-is-long-enough"),
                ("ONELOGIN__ACME__TABLES", VALUE),
                ("ONELOGIN__ACME__RULE_ID", "dcr-1"),
            ],
            "onelogin/acme",
            &["ONELOGIN__ACME__TABLES", "ONELOGIN__ACME__INGESTION_ENDPOINT"],
        ),
        // An option of a source that is not configured at all.
        (
            &[("SENTINELONE__PARSER_ALIASES", VALUE)],
            "sentinelone/default",
            &["SENTINELONE__PARSER_ALIASES"],
        ),
        // Names that look like known ones.
        (
            &[
                ("SENTINELONE__URL", "https://console.example.net"),
                ("SENTINELONE__API_TOKEN", "a-token"),
                ("SENTINELONE__STREMAS", VALUE),
            ],
            "sentinelone/default",
            &["SENTINELONE__STREAMS?"],
        ),
        (
            &[("sentinelone__url", VALUE)],
            "sentinelone/default",
            &["SENTINELONE__URL?"],
        ),
        (
            &[("SENTINEL_ONE__URL", VALUE)],
            "sentinelone/default",
            &["SENTINELONE__URL?"],
        ),
        (
            &[("SENTINELONE_API_TOKEN", VALUE)],
            "sentinelone/default",
            &["SENTINELONE__API_TOKEN?"],
        ),
        (
            &[("PINGON__ACME__CLIENT_ID", VALUE)],
            "pingone/acme",
            &["PINGONE__ACME__CLIENT_ID?"],
        ),
        (
            &[("PINGONE__ACME__REGOIN", VALUE)],
            "pingone/acme",
            &["PINGONE__ACME__REGION?"],
        ),
        (
            &[("ONELOGIN__acme__BEARER_TOKEN", VALUE)],
            "onelogin/acme",
            &["ONELOGIN__ACME__BEARER_TOKEN"],
        ),
    ];
    for (number, (pairs, off, settings)) in (0..).zip(cases) {
        let (pingone, mut handler) = good_sources(900 + number);
        set_all(&mut handler, pairs);

        let ended = handler.poll().await;

        assert_eq!(ended.code, Some(1), "{pairs:?}: {}", ended.output);
        assert_each_once(&pingone, &handler.ids(ACTIVITIES));
        let errors = error_lines(&ended.output);
        assert_eq!(errors.len(), settings.len(), "{errors:#?}");
        for setting in *settings {
            assert_one_line(&errors, &[off, setting]);
        }
        assert!(!ended.output.contains("zz-"), "{}", ended.output);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_off_shows_in_the_status_in_a_check_and_at_the_host() {
    let (pingone, mut handler) = good_sources(930);
    handler
        .set("PINGONE__ACME__PUSH_TOKEN", "the-push-token-of-acme")
        .set("PINGONE__ACME__REGION", VALUE)
        .set("PINGONE__ACME__TABLES", VALUE)
        .set("HEALTH__ENABLED", "true");

    let status = handler.run(&["status", "--json"]).await;
    assert_eq!(status.code, Some(0), "{}", status.output);
    let status: Value = serde_json::from_str(&status.output).unwrap();
    let streams = status["streams"].as_array().unwrap();
    let off: Vec<&Value> = streams.iter().filter(|stream| stream["status"] == "off").collect();
    assert_eq!(off.len(), 1, "{status}");
    assert_eq!(off[0]["stream"], "pingone/acme");
    let text = off[0].to_string();
    for setting in ["PINGONE__ACME__REGION", "PINGONE__ACME__TABLES"] {
        assert_eq!(text.matches(setting).count(), 1, "{text}");
    }
    assert_eq!(text.matches("switched off").count(), 1, "{text}");
    assert!(!text.contains(VALUE), "{text}");

    for source in ["pingone/acme", "pingone/acme/push"] {
        let ended = handler.run(&["poll", "--source", source]).await;
        assert_eq!(ended.code, Some(1), "{}", ended.output);
        assert_one_line(&error_lines(&ended.output), &["pingone/acme", "PINGONE__ACME__TABLES"]);
    }
    let ended = handler.run(&["poll", "--source", "pingone/default"]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    let ended = handler.run(&["replay"]).await;
    assert_eq!(ended.code, Some(1), "{}", ended.output);

    let check = handler.run(&["check"]).await;
    assert_eq!(check.code, Some(1), "{}", check.output);
    assert!(check.output.contains("FAILED pingone/acme: "), "{}", check.output);
    assert!(!check.output.contains(VALUE));

    let host = handler.host(Mode::Proxy).await;
    let failure = host.timer().await.unwrap_err().to_string();
    assert!(failure.contains("500"), "{failure}");
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));
    let health = handler.rows("SentinelConnectorHealth_CL");
    let off = health.iter().filter(|row| row["Status"] == "off");
    let off: Vec<(&Value, &Value)> = off.map(|row| (&row["Instance"], &row["ErrorCode"])).collect();
    // Of the two polls that took the instance, and of the timer.
    assert_eq!(off, [(&"acme".into(), &"bad_setting".into()); 3]);
    assert_eq!(push_to(&host, "onelogin", PUSH_TOKEN).await.0, 200);
    assert_eq!(push_to(&host, "pingone", "the-push-token-of-acme").await, (503, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_tokens_and_one_account_in_two_instances_switch_both_off() {
    let (pingone, mut handler) = good_sources(931);
    let shared = "a-token-that-two-share-1";
    handler.set("ONELOGIN__ACME__BEARER_TOKEN", shared).set(
        "ONELOGIN__ZETA__BEARER_TOKEN",
        &format!("{shared},another-token-of-its-own"),
    );
    let host = handler.host(Mode::Proxy).await;
    let failure = host.timer().await.unwrap_err().to_string();
    assert!(failure.contains("500"), "{failure}");
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));
    assert_eq!(push_to(&host, "onelogin", PUSH_TOKEN).await.0, 200);
    assert_eq!(push_to(&host, "onelogin", shared).await, (503, true));
    assert_eq!(
        push_to(&host, "onelogin", "another-token-of-its-own").await,
        (503, true)
    );
    drop(host);

    let (pingone, mut handler) = good_sources(932);
    for instance in ["ACME", "ZETA"] {
        handler.add_pingone(&format!("PINGONE__{instance}__"), "e2", &pingone);
    }
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(1));
    let errors = error_lines(&ended.output);
    assert_eq!(errors.len(), 2, "{errors:#?}");
    assert_one_line(&errors, &["pingone/acme", "PINGONE__ACME__ENVIRONMENT_ID must not"]);
    assert_one_line(&errors, &["pingone/zeta", "PINGONE__ZETA__ENVIRONMENT_ID must not"]);
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));
}

#[tokio::test(flavor = "multi_thread")]
async fn half_of_a_rule_switches_off_those_who_rely_on_it() {
    let (pingone, mut handler) = good_sources(933);
    handler.set("ONELOGIN__RULE_ID", "dcr-1");
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(1), "{}", ended.output);
    assert_one_line(
        &error_lines(&ended.output),
        &["onelogin/default", "ONELOGIN__INGESTION_ENDPOINT is missing"],
    );
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_setting_of_nobody_in_particular_stops_everything_and_serve_stays_up() {
    for (name, value, word) in [
        ("LOGS_INGESTION__RULE_ID", "dcr-1", "LOGS_INGESTION__ENDPOINT"),
        (
            "LOGS_INGESTON__ENDPOINT",
            "https://example.net",
            "LOGS_INGESTION__ENDPOINT?",
        ),
        ("STATE_URI", "data/elsewhere", "STATE_URL?"),
        ("DESTINATION_DIRR", "data/elsewhere", "DESTINATION_DIR?"),
        ("LOG_FORMATT", "json", "LOG_FORMAT?"),
        ("POLL_BUGDET", "1m", "POLL_BUDGET?"),
        ("HEALTH__RULE_ID", "dcr-1", "HEALTH__INGESTION_ENDPOINT"),
        ("MEMORY_BUDGET", "much", "MEMORY_BUDGET"),
    ] {
        let (pingone, mut handler) = good_sources(934);
        handler.set(name, value);
        let ended = handler.poll().await;
        assert_eq!(ended.code, Some(64), "{name}: {}", ended.output);
        assert_one_line(&error_lines(&ended.output), &[word]);
        assert!(handler.ids(ACTIVITIES).is_empty());
        drop(pingone);
    }

    let (_pingone, mut handler) = good_sources(935);
    handler.set("STATE_URI", "data/elsewhere");
    let host = handler.host(Mode::Proxy).await;
    let failure = host.timer().await.unwrap_err().to_string();
    assert!(failure.contains("500"), "{failure}");
    assert_eq!(push_to(&host, "onelogin", PUSH_TOKEN).await, (503, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_source_is_left_nothing_runs() {
    let mut handler = Handler::new();
    set_all(
        &mut handler,
        &[
            ("PINGONE__ENVIRONMENT_ID", "../zz-"),
            ("SENTINELONE__URL", "zz-console"),
            ("SENTINELONE__API_TOKEN", "a-token"),
            ("ONELOGIN__BEARER_TOKN", "zz-token"),
        ],
    );
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(64), "{}", ended.output);
    for word in [
        "PINGONE__ENVIRONMENT_ID: must",
        "SENTINELONE__URL: must",
        "did you mean ONELOGIN__BEARER_TOKEN?",
    ] {
        assert_one_line(&error_lines(&ended.output), &[word]);
    }
    assert!(!ended.output.contains("zz-"), "{}", ended.output);
    let host = handler.host(Mode::Proxy).await;
    assert!(host.timer().await.is_err());
    assert_eq!(push_to(&host, "onelogin", "anything").await, (503, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_looks_like_none_is_a_warning_and_a_check_counts_it() {
    let (pingone, mut handler) = good_sources(936);
    handler
        .set("SENTINELONE__FUTURE_OPTION", VALUE)
        .set("LOGS_QUERY__WORKSPACE_ID", VALUE);
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    for name in ["SENTINELONE__FUTURE_OPTION", "LOGS_QUERY__WORKSPACE_ID"] {
        let lines: Vec<&str> = ended.output.lines().filter(|line| line.contains(name)).collect();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with("WARN"), "{lines:?}");
    }
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));

    let check = handler.run(&["check"]).await;
    assert_eq!(check.code, Some(1), "{}", check.output);
    assert!(
        check.output.contains("FAILED SENTINELONE__FUTURE_OPTION: "),
        "{}",
        check.output
    );
    assert!(!check.output.contains(VALUE), "{}", check.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_a_newer_template_are_accepted() {
    let (pingone, mut handler) = good_sources(937);
    handler
        .set("PINGONE__ADDITIONAL_FIELDS", "true")
        .set("MEMORY_BUDGET", "192MiB")
        .set("DEAD_LETTERS_MAX_BYTES", "1GiB");
    let output = handler.poll_well().await;
    assert!(!output.contains("WARN"), "{output}");
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));
}
