//! Connections to the container that break, before or after the service has done what it was asked for.

use std::time::Duration;

use serde_json::{Value, json};
use simulator::azurite::{Azurite, AzuriteProxy, Break};
use simulator::functions_host::Mode;
use simulator::logs_ingestion::IngestionFault;
use simulator::pingone::PingOne;

use crate::harness::*;
use crate::ingestion::Azure;

const BREAKS: [Break; 2] = [Break::BeforeRequest, Break::BeforeAnswer];

#[tokio::test(flavor = "multi_thread")]
async fn a_conditional_write_whose_connection_breaks_is_tried_again_and_is_no_conflict() {
    let azurite = Azurite::shared();
    let proxy = AzuriteProxy::start(azurite);
    for (seed, part) in [(910, "/leases/"), (911, "/activities.json"), (912, ".ids")] {
        let container = azurite.new_container("broken").await;
        let pingone = PingOne::start(options());
        let mut handler = Handler::with_pingone(&pingone);
        handler.set("STATE_URL", &proxy.state_url(azurite, &container));
        for (round, when) in BREAKS.into_iter().enumerate() {
            pingone.publish(activities(seed + 10 * round as u64, 20, 5));
            proxy.break_next(&["PUT ", part, "match"], when);
            let output = handler.poll_well().await;
            assert_eq!(proxy.waiting_breaks(), 0, "{part} is not written");
            assert!(!output.contains("skipped"), "{part} {when:?}: {output}");
        }
        assert_each_once(&pingone, &handler.ids(ACTIVITIES));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_of_a_spool_entry_stands_in_its_place_although_the_connection_breaks() {
    let azurite = Azurite::shared();
    let proxy = AzuriteProxy::start(azurite);
    for when in BREAKS {
        let container = azurite.new_container("broken-spool").await;
        let azure = Azure::start();
        let mut handler = Handler::with_onelogin();
        azure.configure(&mut handler);
        handler.set("STATE_URL", &proxy.state_url(azurite, &container));
        azure.ingestion.set_access(&azure.rule_id, false);
        let host = handler.host(Mode::Proxy).await;
        let event =
            |number| json!({"event_timestamp": "2026-11-20 10:15:30 UTC", "event_type_id": 5, "user_id": number});
        let body = Value::from((0..8).map(event).collect::<Vec<_>>())
            .to_string()
            .into_bytes();
        let headers = [("Authorization".to_owned(), format!("Bearer {PUSH_TOKEN}"))];
        let answer = host.http("POST", "/api/push/onelogin", &headers, body).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        host.kill().await;

        // Half of the entry is taken, the other half is not: only that may come again.
        azure.ingestion.set_access(&azure.rule_id, true);
        let refusal = |status, code| IngestionFault::Status {
            status,
            retry_after: None,
            code,
        };
        azure.ingestion.fail_next([
            refusal(413, "ContentLengthLimitExceeded"),
            IngestionFault::Delay(Duration::ZERO),
            refusal(403, "OperationFailed"),
        ]);
        proxy.break_next(&["PUT ", "/spool/", "if-match"], when);
        let ended = handler.poll().await;
        assert_eq!((ended.code, proxy.waiting_breaks()), (Some(1), 0), "{}", ended.output);
        handler.poll_well().await;
        let rows = azure.ingestion.rows(ONELOGIN);
        let mut numbers: Vec<_> = rows.iter().map(|row| row["user_id_d"].as_u64().unwrap()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..8).collect::<Vec<_>>(), "{when:?}");
        assert_eq!(azurite.list(&container, "spool/").await, Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_single_broken_connection_to_the_container_fails_a_run() {
    let azurite = Azurite::shared();
    let proxy = AzuriteProxy::start(azurite);
    let container = azurite.new_container("broken-each").await;
    let pingone = PingOne::start(options());
    let mut handler = Handler::with_pingone(&pingone);
    handler.set("STATE_URL", &proxy.state_url(azurite, &container));
    handler.poll_well().await;
    let before = proxy.requests().len();
    pingone.publish(activities(930, 3, 5));
    handler.poll_well().await;
    let of_a_run = proxy.requests().len() - before;
    for number in 0..of_a_run {
        let when = BREAKS[number % 2];
        pingone.publish(activities(931 + number as u64, 3, 5));
        proxy.break_request(number, when);
        let ended = handler.poll().await;
        let requests = proxy.requests();
        let asked = requests.len();
        assert_eq!(proxy.waiting_breaks(), 0, "request {number} of {asked}");
        assert_eq!(
            ended.code,
            Some(0),
            "request {number} {when:?}: {requests:#?}\n{}",
            ended.output
        );
    }
    assert_each_once(&pingone, &handler.ids(ACTIVITIES));
}
