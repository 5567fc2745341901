//! The rows of the health table.

use serde_json::Value;
use simulator::functions_host::Mode;
use simulator::logs_ingestion::IngestionFault;
use simulator::pingone::{Fault, PingOne, PingOneFault};

use crate::harness::*;
use crate::ingestion::Azure;

const HEALTH: &str = "SentinelConnectorHealth_CL";
const REFERENCE: &str = "@Microsoft.KeyVault(SecretUri=https://team.vault.azure.net/secrets/worker)";

fn watched(pingone: &PingOne) -> Handler {
    let mut handler = Handler::with_pingone(pingone);
    handler.set("HEALTH__ENABLED", "true");
    handler
}

/// The rows of the last run: all of one time.
fn last_rows(rows: &[Value]) -> Vec<&Value> {
    let newest = rows.iter().map(|row| row["TimeGenerated"].as_str().unwrap()).max();
    rows.iter()
        .filter(|row| row["TimeGenerated"].as_str() == newest)
        .collect()
}

fn of<'r>(rows: &[&'r Value], source: &str, instance: &str, stream: Option<&str>) -> &'r Value {
    let found: Vec<&Value> = rows
        .iter()
        .filter(|row| row["Source"] == source && row["Instance"] == instance && row["Stream"].as_str() == stream)
        .copied()
        .collect();
    assert_eq!(found.len(), 1, "{source}/{instance}/{stream:?} in {rows:?}");
    found[0]
}

fn failing() -> Fault<PingOneFault> {
    Fault::Status {
        status: 403,
        retry_after: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_being_asked_for_no_health_row_is_made() {
    let pingone = PingOne::start(options());
    pingone.publish(activities(110, 10, 30));
    let handler = Handler::with_pingone(&pingone);
    handler.poll_well().await;
    assert!(handler.rows(HEALTH).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_stream_has_a_row_after_every_run_be_it_well_or_failing_or_off() {
    let pingone = PingOne::start(options());
    pingone.publish(activities(111, 40, 30));
    let mut handler = watched(&pingone);
    handler.set("ONELOGIN__BEARER_TOKEN", PUSH_TOKEN);
    handler.poll_well().await;
    let rows = handler.rows(HEALTH);
    assert_eq!(rows.len(), 2, "{rows:?}");
    let rows = last_rows(&rows);
    let row = of(&rows, "pingone", "default", Some("activities"));
    assert_eq!(
        (
            &row["Status"],
            &row["EventsReceived"],
            &row["RowsDelivered"],
            &row["AlreadySeen"]
        ),
        (&"ok".into(), &40.into(), &40.into(), &0.into()),
        "{row}"
    );
    assert!(row["Watermark"].is_string() && row["LagSeconds"].as_f64().unwrap() >= 30.0);
    assert!(row["RunSeconds"].is_number() && row["Version"].is_string() && row.get("ErrorCode").is_none());
    let row = of(&rows, "onelogin", "default", Some("push"));
    assert_eq!((&row["Status"], row.get("Watermark")), (&"ok".into(), None), "{row}");

    handler.add_pingone("PINGONE__ACME__", "e2", &pingone);
    handler.set("PINGONE__ACME__CLIENT_SECRET", REFERENCE);
    pingone.fail_next([failing()]);
    assert_eq!(handler.poll().await.code, Some(1));
    let rows = handler.rows(HEALTH);
    assert_eq!(rows.len(), 5, "{rows:?}");
    let rows = last_rows(&rows);
    let row = of(&rows, "pingone", "default", Some("activities"));
    assert_eq!(
        (&row["Status"], &row["ErrorCode"]),
        (&"failing".into(), &"permission_denied".into()),
        "{row}"
    );
    assert!(row["ErrorMessage"].as_str().unwrap().contains("403") && row["Remedy"].is_string());
    let row = of(&rows, "pingone", "acme", None);
    assert_eq!(
        (&row["Status"], &row["ErrorCode"]),
        (&"off".into(), &"secret_unresolved".into()),
        "{row}"
    );
    assert!(
        row["ErrorMessage"]
            .as_str()
            .unwrap()
            .contains("PINGONE__ACME__CLIENT_SECRET")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_whose_store_is_gone_still_leaves_its_row() {
    let pingone = PingOne::start(options());
    let handler = watched(&pingone);
    std::fs::create_dir_all(handler.path("data/state")).unwrap();
    std::fs::write(handler.path("data/state/checkpoints"), "in the way").unwrap();
    assert_eq!(handler.poll().await.code, Some(1));
    let rows = handler.rows(HEALTH);
    let row = of(&last_rows(&rows), "pingone", "default", Some("activities"));
    assert_eq!(
        (&row["Status"], &row["ErrorCode"]),
        (&"failing".into(), &"state_unavailable".into()),
        "{row}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_go_through_a_rule_of_their_own_and_tell_of_the_other_that_refuses() {
    let (azure, health) = (Azure::start(), Azure::with_tables(&[HEALTH]));
    let pingone = PingOne::start(options());
    pingone.publish(activities(112, 20, 30));
    let mut handler = watched(&pingone);
    azure.configure(&mut handler);
    handler
        .set("WEBSITE_SITE_NAME", "idlogs-contoso")
        .set("STATE_URL", "data/state");
    // Both rules share the identity of the app.
    let health = Azure {
        ingestion: simulator::logs_ingestion::LogsIngestion::start(
            azure.identity.clone(),
            vec![simulator::logs_ingestion::Rule::numbered(1, &[HEALTH])],
        ),
        ..health
    };
    handler
        .set("HEALTH__INGESTION_ENDPOINT", &health.ingestion.origin())
        .set("HEALTH__RULE_ID", &health.rule_id);
    let host = handler.host(Mode::Proxy).await;
    host.timer().await.unwrap();
    azure.ingestion.set_access(&azure.rule_id, false);
    pingone.publish(activities(113, 20, 30));
    assert!(host.timer().await.is_err());

    let rows = health.ingestion.rows(HEALTH);
    assert_eq!(health.ingestion.violations(), Vec::<String>::new());
    let statuses: Vec<&str> = rows.iter().map(|row| row["Status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["ok", "failing"], "{rows:?}");
    assert_eq!(rows[1]["ErrorCode"], "destination_refused");
    assert!(
        rows[1]["Remedy"]
            .as_str()
            .unwrap()
            .contains("Monitoring Metrics Publisher")
    );
    // Another deployment into the workspace has the same sources, instances and streams.
    assert!(rows.iter().all(|row| row["App"] == "idlogs-contoso"), "{rows:?}");
    let ids: Vec<&Value> = rows.iter().map(|row| &row["InvocationId"]).collect();
    assert!(ids[0].is_string() && ids[0] != ids[1], "{ids:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_health_table_that_cannot_be_reached_is_said_once_and_fails_nothing() {
    let (azure, health) = (Azure::start(), Azure::with_tables(&[HEALTH]));
    let pingone = PingOne::start(options());
    pingone.publish(activities(114, 20, 30));
    let mut handler = watched(&pingone);
    azure.configure(&mut handler);
    handler
        .set("HEALTH__INGESTION_ENDPOINT", &health.ingestion.origin())
        .set("HEALTH__RULE_ID", &health.rule_id);
    health
        .ingestion
        .fail_next([IngestionFault::Delay(std::time::Duration::from_secs(60))]);
    let output = handler.poll_well().await;
    assert_eq!(output.matches("health rows").count(), 1, "{output}");
    assert_each_once(&pingone, &azure.ids(ACTIVITIES));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_in_the_spool_and_what_was_pushed_since_stand_in_the_row() {
    let azure = Azure::start();
    let mut handler = Handler::with_onelogin();
    azure.configure(&mut handler);
    let health = Azure {
        ingestion: simulator::logs_ingestion::LogsIngestion::start(
            azure.identity.clone(),
            vec![simulator::logs_ingestion::Rule::numbered(1, &[HEALTH])],
        ),
        ..Azure::with_tables(&[HEALTH])
    };
    handler
        .set("HEALTH__ENABLED", "true")
        .set("HEALTH__INGESTION_ENDPOINT", &health.ingestion.origin())
        .set("HEALTH__RULE_ID", &health.rule_id)
        .set("PUSH_DEADLINE", "1s");
    azure.ingestion.set_access(&azure.rule_id, false);
    let host = handler.host(Mode::Proxy).await;
    let headers = [("Authorization".to_owned(), format!("Bearer {PUSH_TOKEN}"))];
    let body = b"[{\"event_timestamp\":\"2026-11-20 10:15:30 UTC\",\"event_type_id\":5},7]".to_vec();
    assert_eq!(
        host.http("POST", "/api/push/onelogin", &headers, body)
            .await
            .unwrap()
            .status,
        200
    );
    assert!(host.timer().await.is_err());
    let rows = health.ingestion.rows(HEALTH);
    let row = of(&last_rows(&rows), "onelogin", "default", Some("push"));
    assert_eq!(
        (&row["Status"], &row["Spooled"]),
        (&"failing".into(), &1.into()),
        "{row}"
    );
    assert!(row["OldestWaiting"].is_string());
    assert_eq!(health.ingestion.violations(), Vec::<String>::new());
}
