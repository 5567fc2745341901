//! Rows name the instance that they come from: two tenants in one table can be told apart.

use std::collections::BTreeMap;

use simulator::functions_host::Mode;
use simulator::pingone::{EnvironmentOptions, PingOne};

use crate::harness::*;

const OTHER: &str = "5f1c2d3e-0000-4000-8000-00000000e002";
const OTHER_TOKEN: &str = "another-token-for-the-second-tenant";

/// The instance of every row, by a column that names the event.
fn instances(handler: &Handler, table: &str, column: &str) -> BTreeMap<String, String> {
    let rows = handler.rows(table).into_iter();
    let named = rows.map(|row| {
        let instance = row["ConnectorInstance"].as_str().unwrap().to_owned();
        (row[column].to_string().trim_matches('"').to_owned(), instance)
    });
    named.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_instances_that_are_polled_into_one_table_are_told_apart() {
    let (first, second) = (
        PingOne::start(options()),
        PingOne::start(EnvironmentOptions {
            environment_id: OTHER.to_owned(),
            auth_environment_id: OTHER.to_owned(),
            ..options()
        }),
    );
    first.publish(activities(960, 9, 30));
    second.publish(activities(961, 6, 30));
    let mut handler = Handler::with_pingone(&first);
    handler.add_pingone("PINGONE__ACME__", OTHER, &second);
    handler.poll_well().await;
    let of = |vendor: &PingOne, instance: &str| {
        let published = vendor.published().into_iter();
        published
            .map(|activity| (activity.id, instance.to_owned()))
            .collect::<Vec<_>>()
    };
    let expected = [of(&first, "default"), of(&second, "acme")].concat();
    assert_eq!(instances(&handler, ACTIVITIES, "Id"), expected.into_iter().collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_instances_that_push_into_one_table_are_told_apart() {
    let mut handler = Handler::with_onelogin();
    handler.set("ONELOGIN__ACME__BEARER_TOKEN", OTHER_TOKEN);
    let host = handler.host(Mode::Proxy).await;
    for (token, kind) in [(PUSH_TOKEN, 5), (OTHER_TOKEN, 6)] {
        let headers = [("Authorization".to_owned(), format!("Bearer {token}"))];
        let event = format!(r#"{{"event_timestamp":"2026-11-20 10:15:30 UTC","event_type_id":{kind}}}"#);
        let answer = host
            .http("POST", "/api/push/onelogin", &headers, event.into_bytes())
            .await;
        assert_eq!(answer.unwrap().status, 200);
    }
    let found: Vec<String> = instances(&handler, ONELOGIN, "event_type_id_d").into_values().collect();
    assert_eq!(found, ["default", "acme"]);
}
