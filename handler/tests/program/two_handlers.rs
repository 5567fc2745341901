//! Several processes on one state in a container.

use std::collections::BTreeSet;
use std::time::Duration;

use simulator::azurite::Azurite;
use simulator::functions_host::Mode;
use simulator::logs_ingestion::IngestionFault;
use simulator::pingone::PingOne;
use tokio::process::{Child, Command};

use crate::everything::{Everything, end_leases};
use crate::harness::*;
use crate::ingestion::Azure;

async fn signal(child: &Child, name: &str) {
    let pid = child.id().unwrap().to_string();
    let status = Command::new("kill").args([name, &pid]).status().await.unwrap();
    assert!(status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_pollers_and_a_server_at_once_double_nothing_and_miss_nothing() {
    let azurite = Azurite::shared();
    let container = azurite.new_container("three").await;
    let mut everything = Everything::start(910);
    let mut handlers = [everything.handler(), everything.handler(), everything.handler()];
    for handler in &mut handlers {
        handler.set("STATE_URL", &azurite.state_url(&container));
    }
    let [first, second, server] = handlers;
    let host = server.host(Mode::Proxy).await;
    let mut skipped = 0;
    for _ in 0..8 {
        everything.publish(15);
        everything.publish_to_senders(4);
        let pushes = std::mem::take(&mut everything.waiting_pushes);
        let pushing = async {
            for push in &pushes {
                assert!(push.send(&host).await);
            }
        };
        // What another one holds is skipped, and that is no failure.
        let (first, second, invocation, ()) =
            tokio::join!(first.poll_well(), second.poll_well(), host.timer(), pushing);
        invocation.unwrap();
        skipped += [first, second]
            .iter()
            .filter(|output| output.contains("skipped"))
            .count();
    }
    assert!(skipped > 0, "they never met");
    host.kill().await;
    end_leases(azurite, &container).await;
    first.poll_well().await;
    assert_eq!(everything.missing(), Default::default());
    assert_eq!(everything.doubled_calls(), Default::default());
    everything.assert_no_violations(0);
}

/// A process that is stopped while its deliveries are under way, past the end of its lease.
#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_sleeps_past_its_lease_stops_at_its_next_write_and_doubles_what_it_had_in_flight() {
    let azurite = Azurite::shared();
    let container = azurite.new_container("sleeper").await;
    let (azure, pingone) = (Azure::start(), PingOne::start(options()));
    // Several pages, so that there is more to do than what is in flight.
    pingone.publish(activities(911, 1_800, 40));
    let handler = || {
        let mut handler = Handler::with_pingone(&pingone);
        azure.configure(&mut handler);
        handler
            .set("STATE_URL", &azurite.state_url(&container))
            .set("PINGONE__TABLES", &format!("{ACTIVITIES},{ACTIVITIES_OLD}"));
        handler
    };
    let (sleeper, other) = (handler(), handler());
    let tables = [ACTIVITIES, ACTIVITIES_OLD];
    // Taken at once, answered too late.
    azure
        .ingestion
        .fail_next(vec![IngestionFault::Delay(Duration::from_secs(2)); 2]);
    let child = sleeper.command(&["poll"]).spawn().unwrap();
    until("a batch is in flight", || !azure.ingestion.calls().is_empty()).await;
    signal(&child, "-STOP").await;
    let before = azure.ingestion.calls();

    // Its lease ends by itself, and the other one does the whole of the work.
    let mut was_skipped = false;
    let mut output = String::new();
    for _ in 0..60 {
        output = other.poll_well().await;
        if !output.contains("skipped") {
            break;
        }
        was_skipped = true;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert!(was_skipped, "{output}");
    assert!(!output.contains("skipped"), "{output}");

    let calls = azure.ingestion.calls().len();
    signal(&child, "-CONT").await;
    let ended = child.wait_with_output().await.unwrap();
    let text = String::from_utf8([ended.stdout, ended.stderr].concat()).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{text}");
    assert!(text.contains("lease") && text.contains("was lost"), "{text}");
    // It delivered nothing more, and wrote nothing over the other's position.
    assert_eq!(azure.ingestion.calls().len(), calls, "{text}");
    other.poll_well().await;
    assert_eq!(azure.ingestion.calls().len(), calls, "{text}");

    let in_flight = |table: &str| {
        let of_table = before.iter().filter(|call| call.table == table);
        of_table.map(|call| call.rows).collect::<Vec<_>>()
    };
    for table in tables {
        let mut delivered = azure.ids(table);
        let unique: BTreeSet<String> = delivered.iter().cloned().collect();
        let in_flight = in_flight(table);
        assert!(in_flight.len() <= 1, "{table}: {in_flight:?}");
        let doubles = delivered.len() - unique.len();
        assert!(
            doubles <= in_flight.iter().sum::<usize>(),
            "{table}: {doubles} doubles, {in_flight:?}"
        );
        delivered = unique.into_iter().collect();
        assert_each_once(&pingone, &delivered);
    }
}
