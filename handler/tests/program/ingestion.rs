//! Delivery through the Logs Ingestion API with the managed identity.

use std::sync::Arc;

use serde_json::Value;
use simulator::logs_ingestion::{IngestionFault, LogsIngestion, Rule};
use simulator::managed_identity::ManagedIdentity;
use simulator::pingone::PingOne;

use crate::harness::*;

/// Logs Ingestion with one rule for three tables, and the identity that may use it.
pub struct Azure {
    pub identity: Arc<ManagedIdentity>,
    pub ingestion: LogsIngestion,
    pub rule_id: String,
}

impl Azure {
    pub fn start() -> Self {
        Self::with_tables(&[ACTIVITIES, ACTIVITIES_OLD, ONELOGIN])
    }

    pub fn with_tables(tables: &[&str]) -> Self {
        let identity = Arc::new(ManagedIdentity::start());
        let rule = Rule::numbered(1, tables);
        let rule_id = rule.rule_id.clone();
        Self {
            ingestion: LogsIngestion::start(identity.clone(), vec![rule]),
            identity,
            rule_id,
        }
    }

    pub fn configure(&self, handler: &mut Handler) {
        handler
            .set("IDENTITY_ENDPOINT", &self.identity.endpoint())
            .set("IDENTITY_HEADER", &self.identity.header());
        handler
            .set("LOGS_INGESTION__ENDPOINT", &self.ingestion.origin())
            .set("LOGS_INGESTION__RULE_ID", &self.rule_id);
    }

    pub fn ids(&self, table: &str) -> Vec<String> {
        assert_eq!(self.ingestion.violations(), Vec::<String>::new());
        ids_of(&self.ingestion.rows(table))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_arrive_once_in_calls_within_the_limit_over_passing_faults() {
    let (azure, pingone) = (Azure::start(), PingOne::start(options()));
    pingone.publish(activities(70, 3000, 40));
    let mut handler = Handler::with_pingone(&pingone);
    azure.configure(&mut handler);
    azure.ingestion.fail_next([
        IngestionFault::Status {
            status: 429,
            retry_after: Some(1),
            code: "TooManyRequests",
        },
        IngestionFault::ResetBeforeReading,
        IngestionFault::RefuseToken,
        IngestionFault::Status {
            status: 503,
            retry_after: None,
            code: "ServiceUnavailable",
        },
    ]);
    handler.poll_well().await;
    handler.poll_well().await;
    assert_each_once(&pingone, &azure.ids(ACTIVITIES));
    let calls = azure.ingestion.calls();
    assert!(calls.iter().filter(|call| call.status == 204).count() >= 2, "{calls:?}");
    assert!(azure.identity.issued() >= 2);
    assert!(!handler.path("data/tables").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_of_an_older_template_keeps_every_row_without_the_added_columns() {
    let (azure, pingone) = (Azure::start(), PingOne::start(options()));
    pingone.publish(activities(72, 300, 40));
    azure.ingestion.declare_no_added_columns(&azure.rule_id);
    let mut handler = Handler::with_pingone(&pingone);
    azure.configure(&mut handler);
    handler.set("PINGONE__TABLES", &format!("{ACTIVITIES},{ACTIVITIES_OLD}"));
    handler.poll_well().await;
    for table in [ACTIVITIES, ACTIVITIES_OLD] {
        assert_each_once(&pingone, &azure.ids(table));
        for row in azure.ingestion.rows(table) {
            assert_eq!(
                (&row["ConnectorInstance"], &row["AdditionalFields"]),
                (&Value::Null, &Value::Null)
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_role_or_rule_is_explained_and_the_rows_are_kept() {
    let (azure, pingone) = (Azure::start(), PingOne::start(options()));
    pingone.publish(activities(71, 40, 30));
    let mut handler = Handler::with_pingone(&pingone);
    azure.configure(&mut handler);
    azure.ingestion.set_access(&azure.rule_id, false);
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(1));
    for word in [
        "pingone/default/activities",
        ACTIVITIES,
        "403",
        "Monitoring Metrics Publisher",
        &azure.rule_id,
    ] {
        assert!(ended.output.contains(word), "{word}: {}", ended.output);
    }
    handler.set("LOGS_INGESTION__RULE_ID", "dcr-00000000000000000000000000000000");
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(1));
    for word in ["404", "LOGS_INGESTION__RULE_ID", "dcr-00000000000000000000000000000000"] {
        assert!(ended.output.contains(word), "{word}: {}", ended.output);
    }
    azure.configure(&mut handler);
    azure.ingestion.set_access(&azure.rule_id, true);
    handler.poll_well().await;
    assert_each_once(&pingone, &azure.ids(ACTIVITIES));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_that_gives_no_token_is_named() {
    let (azure, pingone) = (Azure::start(), PingOne::start(options()));
    pingone.publish(activities(72, 10, 30));
    let mut handler = Handler::with_pingone(&pingone);
    azure.configure(&mut handler);
    handler
        .set("IDENTITY_HEADER", "not-the-header")
        .set("POLL_BUDGET", "30s");
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.output.contains("managed identity"), "{}", ended.output);
    // The libraries' own lines about it would stand beside ours.
    for noise in ["ManagedIdentityCredential will use", "Failed response"] {
        assert!(!ended.output.contains(noise), "{}", ended.output);
    }
    azure.configure(&mut handler);
    handler.poll_well().await;
    assert_each_once(&pingone, &azure.ids(ACTIVITIES));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_lost_after_acceptance_doubles_one_batch_at_the_most() {
    let (azure, pingone) = (Azure::start(), PingOne::start(options()));
    pingone.publish(activities(73, 50, 30));
    let mut handler = Handler::with_pingone(&pingone);
    azure.configure(&mut handler);
    azure.ingestion.fail_next([IngestionFault::AcceptThenReset]);
    handler.poll_well().await;
    handler.poll_well().await;
    let mut delivered = azure.ids(ACTIVITIES);
    assert_eq!(delivered.len(), 100);
    delivered.sort();
    delivered.dedup();
    assert_each_once(&pingone, &delivered);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_refused_does_not_hold_up_the_other() {
    let pingone = PingOne::start(options());
    pingone.publish(activities(74, 40, 30));
    let identity = Arc::new(ManagedIdentity::start());
    let rule = Rule::numbered(2, &[ACTIVITIES]);
    let rule_id = rule.rule_id.clone();
    let azure = Azure {
        ingestion: LogsIngestion::start(identity.clone(), vec![rule]),
        identity,
        rule_id,
    };
    let mut handler = Handler::with_pingone(&pingone);
    azure.configure(&mut handler);
    handler.set("PINGONE__TABLES", &format!("{ACTIVITIES},{ACTIVITIES_OLD}"));
    for _ in 0..2 {
        let ended = handler.poll().await;
        assert_eq!(ended.code, Some(1));
        assert!(ended.output.contains(ACTIVITIES_OLD), "{}", ended.output);
    }
    let delivered = ids_of(&azure.ingestion.rows(ACTIVITIES));
    assert_each_once(&pingone, &delivered);

    // The rule gets its second stream: that table catches up by itself.
    let whole = Azure::start();
    whole.configure(&mut handler);
    handler.poll_well().await;
    assert_each_once(&pingone, &whole.ids(ACTIVITIES_OLD));
    assert!(whole.ids(ACTIVITIES).is_empty());
}
