//! Whether a stream is `ok`, `behind` or `failing`, and whether its numbers are those of events.

use std::fs;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use simulator::azurite::Azurite;
use simulator::functions_host::Mode;
use simulator::generate::pingone_enterprise::SubscriptionEvents;
use simulator::logs_ingestion::IngestionFault;
use simulator::pingone::PingOne;
use simulator::pingone_enterprise::{self as enterprise, PingOneEnterprise};
use simulator::sentinelone::{SentinelOne, Stream};

use crate::harness::*;
use crate::ingestion::Azure;
use crate::sentinelone::name;

const HEALTH: &str = "SentinelConnectorHealth_CL";
const EVENTS: &str = "PingOneEnterprise_AuditEvents_CL";

async fn status_of(handler: &Handler) -> Value {
    let ended = handler.run(&["status", "--json"]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    serde_json::from_str(&ended.output).unwrap()
}

fn streams(status: &Value) -> Vec<(&str, &str)> {
    let streams = status["streams"].as_array().unwrap().iter();
    streams
        .map(|stream| (stream["stream"].as_str().unwrap(), stream["status"].as_str().unwrap()))
        .collect()
}

fn stream<'s>(status: &'s Value, name: &str) -> &'s Value {
    let mut streams = status["streams"].as_array().unwrap().iter();
    streams.find(|stream| stream["stream"] == name).unwrap()
}

fn numbers<const N: usize>(stream: &Value, names: [&str; N]) -> [u64; N] {
    names.map(|name| stream["tables"][0]["counts"][name].as_u64().unwrap())
}

/// Every time in the text lies so much earlier.
fn earlier(text: &str, minutes: i64) -> String {
    fn shift(value: &mut Value, by: TimeDelta) {
        match value {
            Value::String(text) => {
                if let Ok(time) = text.parse::<DateTime<Utc>>() {
                    *text = (time - by).to_rfc3339();
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| shift(item, by)),
            Value::Object(members) => members.values_mut().for_each(|member| shift(member, by)),
            _ => {}
        }
    }
    let mut value: Value = serde_json::from_str(text).unwrap();
    shift(&mut value, TimeDelta::minutes(minutes));
    value.to_string()
}

/// What so many minutes without a run make of the state.
pub fn let_pass(handler: &Handler, minutes: i64) {
    for folder in ["checkpoints", "health", "leases"] {
        for file in files_below(&handler.path("data/state").join(folder)) {
            let Ok(text) = fs::read_to_string(&file) else { continue };
            if text.starts_with('{') {
                fs::write(&file, earlier(&text, minutes)).unwrap();
            }
        }
    }
}

/// Every vendor, with nothing to tell.
struct Quiet {
    pingone: PingOne,
    console: SentinelOne,
    enterprise: PingOneEnterprise,
    onelogin: simulator::onelogin_api::OneLoginApi,
}

impl Quiet {
    fn start() -> Self {
        Self {
            pingone: PingOne::start(options()),
            console: SentinelOne::start(console_options()),
            enterprise: PingOneEnterprise::start(enterprise::SubscriptionOptions::default()),
            onelogin: simulator::onelogin_api::OneLoginApi::start(simulator::onelogin_api::AccountOptions::default()),
        }
    }

    /// Polled, walked, consumed, pushed and joined streams.
    fn handler(&self) -> Handler {
        let onelogin = simulator::onelogin_api::AccountOptions::default();
        let enterprise = enterprise::SubscriptionOptions::default();
        let mut handler = Handler::with_pingone(&self.pingone);
        handler.add_sentinelone("SENTINELONE__", &self.console);
        handler
            .set("SENTINELONE__STREAMS", &Stream::ALL.map(name).join(","))
            .set("PINGONE__PUSH_TOKEN", &format!("{PUSH_TOKEN}-of-pingone"))
            .set("PINGONE_ENTERPRISE__POLL_URL", &self.enterprise.poll_url())
            .set("PINGONE_ENTERPRISE__CLIENT_ID", &enterprise.client_id)
            .set("PINGONE_ENTERPRISE__CLIENT_SECRET", &enterprise.client_secret)
            .set("PINGONE_ENTERPRISE__TOKEN_URL", &self.enterprise.token_url())
            .set("ONELOGIN__URL", &self.onelogin.origin())
            .set("ONELOGIN__CLIENT_ID", &onelogin.client_id)
            .set("ONELOGIN__CLIENT_SECRET", &onelogin.client_secret)
            .set("ONELOGIN__BEARER_TOKEN", PUSH_TOKEN)
            .set("HEALTH__ENABLED", "true");
        handler
    }
}

#[track_caller]
fn assert_polled(status: &Value, expected: &str) {
    for (stream, standing) in streams(status) {
        if !stream.ends_with("/push") {
            assert_eq!(standing, expected, "{stream}: {status:#}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_stream_of_any_kind_is_well_from_its_first_run_on_and_behind_once_the_timer_stops() {
    let quiet = Quiet::start();
    let handler = quiet.handler();
    handler.poll_well().await;
    assert_polled(&status_of(&handler).await, "ok");
    // Runs that bring nothing save nothing for ten minutes, and are known all the same.
    for _ in 0..3 {
        let_pass(&handler, 4);
        assert_polled(&status_of(&handler).await, "behind");
        handler.poll_well().await;
        let status = status_of(&handler).await;
        assert_polled(&status, "ok");
        let lag = stream(&status, "pingone/default/activities")["tables"][0]["lag_seconds"].as_f64();
        assert!(lag.unwrap() < 120.0, "{status:#}");
        let table = &stream(&status, "pingone/default/activities")["tables"][0];
        assert_eq!(table["holes"], serde_json::json!([]), "{status:#}");
    }
    let_pass(&handler, 1);
    assert_polled(&status_of(&handler).await, "ok");
    let_pass(&handler, 600);
    assert_polled(&status_of(&handler).await, "behind");
    handler.poll_well().await;
    assert_polled(&status_of(&handler).await, "ok");

    // The page and the rows of the last run say the same.
    let host = handler.host(Mode::Proxy).await;
    let accept = [("Accept".to_owned(), "text/html".to_owned())];
    let page = host.http("GET", "/api/status", &accept, Vec::new()).await.unwrap();
    assert!(!page.text().contains("class=\"behind\""), "{}", page.text());
    let rows = handler.rows(HEALTH);
    let newest = rows.iter().map(|row| row["TimeGenerated"].as_str().unwrap()).max();
    let status = status_of(&handler).await;
    for row in rows.iter().filter(|row| row["TimeGenerated"].as_str() == newest) {
        assert_eq!(row["Status"], "ok", "{row}");
        let name = format!(
            "{}/{}/{}",
            row["Source"].as_str().unwrap(),
            row["Instance"].as_str().unwrap(),
            row["Stream"].as_str().unwrap()
        );
        if name.ends_with("/push") {
            continue;
        }
        let shown = stream(&status, &name)["tables"][0]["watermark"].as_str().unwrap();
        let shown: DateTime<Utc> = shown.parse().unwrap();
        let told: DateTime<Utc> = row["Watermark"].as_str().unwrap().parse().unwrap();
        assert!(
            (shown - told).abs() < TimeDelta::milliseconds(1),
            "{name}: {shown} {told}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_container_the_runs_that_saved_nothing_are_known_too() {
    let azurite = Azurite::shared();
    let container = azurite.new_container("standing").await;
    let pingone = PingOne::start(options());
    let mut handler = Handler::with_pingone(&pingone);
    handler.set("STATE_URL", &azurite.state_url(&container));
    handler.poll_well().await;
    assert_polled(&status_of(&handler).await, "ok");
    for expected in ["behind", "ok"] {
        if expected == "ok" {
            handler.poll_well().await;
        } else {
            for name in azurite.list(&container, "").await {
                if name.ends_with(".json") {
                    let text = String::from_utf8(azurite.read(&container, &name).await.unwrap()).unwrap();
                    azurite.write(&container, &name, earlier(&text, 5)).await;
                }
            }
        }
        assert_polled(&status_of(&handler).await, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_runs_write_neither_position_nor_health_and_what_they_saw_again_is_counted() {
    let pingone = PingOne::start(options());
    let handler = Handler::with_pingone(&pingone);
    pingone.publish(activities(700, 9, 8));
    handler.poll_well().await;
    let before = |folder: &str| {
        let files = files_below(&handler.path("data/state").join(folder)).into_iter();
        files.map(|file| fs::read(file).unwrap()).collect::<Vec<_>>()
    };
    let (checkpoints, health) = (before("checkpoints"), before("health"));
    for _ in 0..3 {
        handler.poll_well().await;
    }
    assert_eq!((before("checkpoints"), before("health")), (checkpoints, health));
    let status = status_of(&handler).await;
    let shown = stream(&status, "pingone/default/activities");
    let counts = numbers(shown, ["received", "delivered", "seen_before"]);
    assert_eq!(counts, [36, 9, 27], "{shown:#}");
    assert_eq!(shown["last_run"]["tables"][ACTIVITIES]["seen_before"], 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_waits_through_several_runs_is_counted_once() {
    let azure = Azure::with_tables(&[EVENTS]);
    let vendor = PingOneEnterprise::start(enterprise::SubscriptionOptions {
        batch_size: 8,
        ..enterprise::SubscriptionOptions::default()
    });
    let mut events = SubscriptionEvents::new(701);
    vendor.publish(
        (0..20)
            .map(|number| events.at(now() - TimeDelta::minutes(number)))
            .collect::<Vec<_>>(),
    );
    let options = enterprise::SubscriptionOptions::default();
    let mut handler = Handler::new();
    handler
        .set("PINGONE_ENTERPRISE__POLL_URL", &vendor.poll_url())
        .set("PINGONE_ENTERPRISE__CLIENT_ID", &options.client_id)
        .set("PINGONE_ENTERPRISE__CLIENT_SECRET", &options.client_secret)
        .set("PINGONE_ENTERPRISE__TOKEN_URL", &vendor.token_url());
    azure.configure(&mut handler);
    azure.ingestion.set_access(&azure.rule_id, false);
    let names = ["received", "delivered", "seen_before", "spooled"];
    for _ in 0..4 {
        assert_eq!(handler.poll().await.code, Some(1));
        let status = status_of(&handler).await;
        let shown = stream(&status, "pingone-enterprise/default/events");
        assert_eq!(numbers(shown, names), [20, 0, 0, 20], "{shown:#}");
        assert_eq!(shown["status"], "failing");
    }
    azure.ingestion.set_access(&azure.rule_id, true);
    let replayed = handler.run(&["replay"]).await;
    assert_eq!(replayed.code, Some(0), "{}", replayed.output);
    let status = status_of(&handler).await;
    let shown = stream(&status, "pingone-enterprise/default/events");
    assert_eq!(numbers(shown, names), [20, 20, 0, 0], "{shown:#}");
    assert_eq!(
        (&shown["status"], &shown["consecutive_failures"]),
        (&"ok".into(), &0.into()),
        "{shown:#}"
    );
    handler.poll_well().await;
    let status = status_of(&handler).await;
    let shown = stream(&status, "pingone-enterprise/default/events");
    assert_eq!(numbers(shown, names), [20, 20, 0, 0], "{shown:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_failed_runs_gave_up_are_counted_once_and_so_are_those_of_health_rows() {
    let (azure, pingone) = (Azure::with_tables(&[ACTIVITIES, HEALTH]), PingOne::start(options()));
    pingone.publish(activities(702, 4000, 40));
    let mut handler = Handler::with_pingone(&pingone);
    azure.configure(&mut handler);
    handler.set("HEALTH__ENABLED", "true");
    for _ in 0..3 {
        // The first call of every run is taken, the others are not.
        azure.ingestion.fail_next([
            IngestionFault::Delay(std::time::Duration::ZERO),
            IngestionFault::Status {
                status: 403,
                retry_after: None,
                code: "Forbidden",
            },
        ]);
        assert_eq!(handler.poll().await.code, Some(1));
        let status = status_of(&handler).await;
        let [received, delivered, seen, in_flight] = numbers(
            stream(&status, "pingone/default/activities"),
            ["received", "delivered", "seen_before", "in_flight"],
        );
        assert_eq!((received, in_flight), (delivered + seen, 0), "{status:#}");
    }
    handler.poll_well().await;
    let status = status_of(&handler).await;
    let [delivered] = numbers(stream(&status, "pingone/default/activities"), ["delivered"]);
    assert_eq!(delivered, 4000);
    let rows = azure.ingestion.rows(HEALTH);
    let sum = |name: &str| {
        rows.iter()
            .map(|row| row[name].as_u64().unwrap_or_default())
            .sum::<u64>()
    };
    assert_eq!(sum("EventsReceived"), sum("RowsDelivered") + sum("AlreadySeen"));
    assert_eq!(sum("RowsDelivered"), 4000);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_moves_a_damaged_checkpoint_away_as_told_loses_nothing_and_a_fresh_stream_begins_at_the_lookback() {
    let pingone = PingOne::start(options());
    let handler = Handler::with_pingone(&pingone);
    pingone.publish(activities(710, 40, 50 * 60));
    // A fresh installation reads the last hour.
    handler.poll_well().await;
    assert!(handler.rows(ACTIVITIES).len() < 5);
    // Two days and more pass in which nobody reads.
    let_pass(&handler, 60 * 60);
    let file = handler.path("data/state/checkpoints/pingone/default/activities.json");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, &text[..text.len() / 2]).unwrap();
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(1), "{}", ended.output);
    assert!(
        ended.output.contains("move the file away: reading then goes on from"),
        "{}",
        ended.output
    );
    let status = status_of(&handler).await;
    assert_eq!(stream(&status, "pingone/default/activities")["status"], "failing");
    fs::rename(&file, handler.path("moved-away.json")).unwrap();
    let told = handler.poll_well().await;
    assert!(
        told.contains("its checkpoint is gone") && told.contains("may arrive twice"),
        "{told}"
    );
    let delivered: std::collections::BTreeSet<String> = handler.ids(ACTIVITIES).into_iter().collect();
    assert_eq!(delivered.len(), 40);
    let told = handler.poll_well().await;
    assert!(!told.contains("its checkpoint is gone"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_tells_the_place_the_oldest_that_the_vendor_shows_is_read() {
    let pingone = PingOne::start(options());
    let handler = Handler::with_pingone(&pingone);
    pingone.publish(activities(711, 60, 50 * 60));
    pingone.publish(activities(712, 6, 8));
    handler.poll_well().await;
    for folder in ["health", "leases", "checkpoints/pingone/default/activities.json"] {
        let path = handler.path("data/state").join(folder);
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
    }
    let told = handler.poll_well().await;
    assert!(told.contains("the oldest that can be asked for"), "{told}");
    let delivered: std::collections::BTreeSet<String> = handler.ids(ACTIVITIES).into_iter().collect();
    assert_eq!(delivered.len(), 66);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_that_is_replayed_counts_as_delivered() {
    let (azure, mended, pingone) = (Azure::start(), Azure::start(), PingOne::start(options()));
    let events = activities(720, 9, 30);
    azure.ingestion.refuse_rows_with(&events[3].id);
    pingone.publish(events);
    let mut handler = Handler::with_pingone(&pingone);
    azure.configure(&mut handler);
    handler.poll_well().await;
    let names = ["received", "delivered", "dead_lettered"];
    let status = status_of(&handler).await;
    assert_eq!(numbers(stream(&status, "pingone/default/activities"), names), [9, 8, 1]);
    mended.configure(&mut handler);
    let ended = handler.run(&["replay"]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    let status = status_of(&handler).await;
    assert_eq!(numbers(stream(&status, "pingone/default/activities"), names), [9, 9, 0]);
    assert_eq!(status["dead_letters"], serde_json::json!({}));
}
