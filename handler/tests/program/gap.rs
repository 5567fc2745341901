//! A long gap is walked to its end, in slices, in bounded memory, over a kill.

use chrono::TimeDelta;
use simulator::functions_host::Mode;
use simulator::generate::pingone::Activities;
use simulator::pingone::PingOne;

use crate::harness::*;

/// What a run of the test command walks; `CONNECTOR_GAP_EVENTS=200000` is the long proof.
#[allow(
    clippy::disallowed_methods,
    reason = "how long the test takes is the caller's choice, not a setting"
)]
fn events() -> i32 {
    std::env::var("CONNECTOR_GAP_EVENTS")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(24_000)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_of_two_weeks_is_walked_in_slices_over_a_kill() {
    let pingone = PingOne::start(options());
    let mut generator = Activities::new(80, ENVIRONMENT_ID);
    let start = now() - TimeDelta::days(14) + TimeDelta::hours(1);
    let step = TimeDelta::days(13) / events();
    pingone.publish(
        (0..events())
            .map(|number| generator.at(start + step * number))
            .collect::<Vec<_>>(),
    );
    let mut handler = Handler::with_pingone(&pingone);
    handler.set("POLL_LOOKBACK", "13days 23h 50m");

    let host = handler.host(Mode::Proxy).await;
    let tick = tokio::spawn(async move {
        let outcome = host.timer().await;
        (host, outcome)
    });
    until("a third of the pages was asked for", || {
        pingone.requests().len() > events() as usize / 1500
    })
    .await;
    tick.abort();
    // Dropping the host kills the handler, as the real host does.
    assert!(tick.await.is_err());

    let host = handler.host(Mode::Proxy).await;
    let invocation = host.timer().await.unwrap();
    println!("{:?}", invocation.logs);
    let peak = host.peak_memory_kib().unwrap();
    println!(
        "{} events, {} requests, peak memory {peak} KiB",
        events(),
        pingone.requests().len()
    );
    let delivered = handler.ids(ACTIVITIES);
    let mut unique = delivered.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), events() as usize);
    // A kill may double the one batch whose acceptance was not remembered yet; a batch holds under 2000 of these rows.
    assert!(
        delivered.len() - unique.len() < 2000,
        "{} doubles",
        delivered.len() - unique.len()
    );
    assert_eq!(pingone.violations(), Vec::<String>::new());
    assert!(peak < 128 * 1024, "{peak} KiB");

    let output = handler.poll_well().await;
    assert!(output.contains(" 0 rows delivered"), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hole_that_the_vendor_can_no_longer_fill_is_said_once_and_stays_visible() {
    let pingone = PingOne::start(options());
    pingone.publish(activities(81, 10, 30));
    let handler = Handler::with_pingone(&pingone);
    handler.poll_well().await;
    let file = handler.path("data/state/checkpoints/pingone/default/activities.json");
    let mut checkpoint: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let long_ago = (now() - TimeDelta::days(20)).to_rfc3339();
    let position = &mut checkpoint["tables"][ACTIVITIES];
    position["begin"] = long_ago.clone().into();
    position["watermark"] = long_ago.clone().into();
    position["reread_from"] = long_ago.clone().into();
    position["coverage"] = serde_json::json!([]);
    std::fs::write(&file, checkpoint.to_string()).unwrap();

    let output = handler.poll_well().await;
    assert!(
        output.contains("not shown by the vendor any more") && output.contains(&long_ago[..16]),
        "{output}"
    );
    let output = handler.poll_well().await;
    assert!(!output.contains("not shown by the vendor any more"), "{output}");
    let checkpoint: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let covered = &checkpoint["tables"][ACTIVITIES]["coverage"];
    assert!(covered[0]["from"].as_str().unwrap() > &long_ago[..16], "{covered}");
}
