//! How a run ends whose time is over: well where it had only more to read, as a failure where something kept failing.

use std::time::Duration;

use simulator::logs_ingestion::IngestionFault;
use simulator::onelogin_api::OneLoginApi;
use simulator::pingone::{Fault, PingOne};
use simulator::sentinelone::{SentinelOne, Stream};

use crate::harness::*;
use crate::ingestion::Azure;

/// Pages come, and then only this.
fn after_two_pages<V: Clone>(fault: Fault<V>) -> Vec<Fault<V>> {
    let mut faults = vec![Fault::Delay(Duration::ZERO); 2];
    faults.extend(vec![fault; 20]);
    faults
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_fails_to_the_end_fails_the_run_whatever_was_delivered_before() {
    for (seed, budget, fault) in [
        (
            1,
            "30s",
            Fault::Status {
                status: 429,
                retry_after: Some(3600),
            },
        ),
        (
            2,
            "4s",
            Fault::Status {
                status: 429,
                retry_after: Some(1),
            },
        ),
        (
            3,
            "30s",
            Fault::Status {
                status: 503,
                retry_after: Some(60),
            },
        ),
        (
            4,
            "4s",
            Fault::Status {
                status: 500,
                retry_after: None,
            },
        ),
        (5, "4s", Fault::Delay(Duration::from_secs(60))),
    ] {
        let pingone = PingOne::start(options());
        pingone.publish(activities(seed, 1600, 40));
        pingone.fail_next(after_two_pages(fault.clone()));
        let mut handler = Handler::with_pingone(&pingone);
        handler.set("POLL_BUDGET", budget);
        let ended = handler.poll().await;
        assert!(!handler.rows(ACTIVITIES).is_empty(), "{fault:?}: {}", ended.output);
        assert_eq!(ended.code, Some(1), "{fault:?}: {}", ended.output);
        let what = match &fault {
            Fault::Status { status, .. } => format!("the activities endpoint answered {status}"),
            _ => "the activities endpoint did not answer within".to_owned(),
        };
        assert!(ended.output.contains(&what), "{fault:?}: {}", ended.output);
        let status = handler.run(&["status"]).await;
        assert!(status.output.contains("failing"), "{fault:?}: {}", status.output);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_falls_silent_fails_the_run_however_late_it_does() {
    let pingone = PingOne::start(options());
    pingone.publish(activities(9, 6000, 40));
    let mut faults = vec![Fault::Delay(Duration::from_millis(400)); 8];
    faults.extend(vec![Fault::Delay(Duration::from_secs(60)); 5]);
    pingone.fail_next(faults);
    let mut handler = Handler::with_pingone(&pingone);
    handler.set("POLL_BUDGET", "10s");
    let ended = handler.poll().await;
    assert!(!handler.rows(ACTIVITIES).is_empty(), "{}", ended.output);
    assert_eq!(ended.code, Some(1), "{}", ended.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_only_had_more_to_read_is_well_also_past_a_passing_fault() {
    let pingone = PingOne::start(options());
    pingone.publish(activities(6, 6000, 40));
    let mut faults = vec![Fault::Delay(Duration::from_millis(400)); 20];
    faults[1] = Fault::Status {
        status: 500,
        retry_after: None,
    };
    pingone.fail_next(faults);
    let mut handler = Handler::with_pingone(&pingone);
    handler.set("POLL_BUDGET", "4s");
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    assert!(ended.output.contains("the next run goes on"), "{}", ended.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn walks_and_cursors_end_in_failure_too_where_the_vendor_lets_nobody_through() {
    let console = SentinelOne::start(console_options());
    let mut estate = Estate::new(7);
    estate.publish(&console, Stream::Threats, times(3000, 40));
    let refusal = Fault::Status {
        status: 429,
        retry_after: Some(600),
    };
    console.fail_next([Fault::Delay(Duration::ZERO), refusal]);
    let mut handler = Handler::with_sentinelone(&console, "threats");
    handler.set("POLL_BUDGET", "20s");
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(1), "{}", ended.output);
    assert!(!handler.rows("SentinelOneThreats_CL").is_empty());
    drop(OneLoginApi::start(simulator::onelogin_api::AccountOptions::default()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_fails_to_the_end_fails_the_run_whatever_it_took_before() {
    let (azure, pingone) = (Azure::start(), PingOne::start(options()));
    pingone.publish(activities(8, 6000, 40));
    let mut handler = Handler::with_pingone(&pingone);
    azure.configure(&mut handler);
    handler.set("POLL_BUDGET", "10s");
    let mut faults = vec![IngestionFault::Delay(Duration::ZERO)];
    faults.extend(vec![
        IngestionFault::Status {
            status: 503,
            retry_after: Some(2),
            code: "ServiceUnavailable"
        };
        20
    ]);
    azure.ingestion.fail_next(faults);
    let ended = handler.poll().await;
    assert!(!azure.ids(ACTIVITIES).is_empty(), "{}", ended.output);
    assert_eq!(ended.code, Some(1), "{}", ended.output);
}
