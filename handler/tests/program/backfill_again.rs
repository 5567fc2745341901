//! `backfill --again`: a window that was read before is read anew, for what the vendor showed late.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use simulator::generate::pingone::{Activities, Activity};
use simulator::pingone::{Fault, PingOne};

use crate::harness::*;

const NEVER: Duration = Duration::from_secs(600);

/// One event for each of `numbers` seconds before now; equal numbers of one seed are the same event.
fn seconds_ago(seed: u64, numbers: impl Iterator<Item = i64>) -> Vec<Activity> {
    let mut generator = Activities::new(seed, ENVIRONMENT_ID);
    let now = now();
    numbers
        .map(|number| generator.at(now - TimeDelta::seconds(number)))
        .collect()
}

async fn again(handler: &Handler, from: DateTime<Utc>, to: DateTime<Utc>, more: &[&str]) -> Ended {
    let (from, to) = (from.to_rfc3339(), to.to_rfc3339());
    let mut arguments = vec![
        "backfill", "--source", "pingone", "--from", &from, "--to", &to, "--again",
    ];
    arguments.extend(more);
    handler.run(&arguments).await
}

fn counted(ids: &[String]) -> (usize, usize) {
    let distinct: BTreeSet<&String> = ids.iter().collect();
    (distinct.len(), ids.len() - distinct.len())
}

/// A poll read three hours; afterwards the vendor shows 50 events of an hour that was read.
async fn with_late_events(pingone: &PingOne, on_time: i64) -> Handler {
    pingone.publish(seconds_ago(
        600,
        (0..on_time).map(|number| 1200 + number * 8000 / on_time),
    ));
    let mut handler = Handler::with_pingone(pingone);
    handler.set("POLL_LOOKBACK", "3h");
    handler.poll_well().await;
    assert_eq!(handler.ids(ACTIVITIES).len(), pingone.published().len());
    pingone.publish(seconds_ago(601, (0..50).map(|number| 3000 + number * 20)));
    handler.poll_well().await;
    assert_eq!(handler.ids(ACTIVITIES).len(), pingone.published().len() - 50);
    handler
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_shown_late_is_fetched_and_no_more_rows_come_twice_than_were_said() {
    let pingone = PingOne::start(options());
    let handler = with_late_events(&pingone, 160).await;
    let (from, to) = (now() - TimeDelta::hours(2), now());
    let before = handler.ids(ACTIVITIES);
    let plain = handler
        .run(&[
            "backfill",
            "--source",
            "pingone",
            "--from",
            &from.to_rfc3339(),
            "--to",
            &to.to_rfc3339(),
        ])
        .await;
    assert!(
        plain.output.contains("nothing is missing in what can be read"),
        "{}",
        plain.output
    );

    let ended = again(&handler, from, to, &[]).await;
    assert_eq!(ended.code, Some(64), "{}", ended.output);
    let (_, said) = ended.output.split_once("ERROR ").unwrap();
    let promised: usize = said.split_whitespace().next().unwrap().parse().unwrap();
    assert!(
        said.contains("rows may arrive twice, so nothing was sent") && said.contains("--yes"),
        "{said}"
    );
    assert!((100..=180).contains(&promised), "{promised}");
    assert_eq!(handler.ids(ACTIVITIES), before);

    let ended = again(&handler, from, to, &["--yes"]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    let (distinct, doubled) = counted(&handler.ids(ACTIVITIES));
    assert_eq!(distinct, pingone.published().len());
    assert!(doubled <= promised, "{doubled} of {promised}");
    handler.poll_well().await;
    assert_eq!(counted(&handler.ids(ACTIVITIES)), (distinct, doubled));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_still_known_is_not_sent_again_and_needs_no_question() {
    let pingone = PingOne::start(options());
    pingone.publish(seconds_ago(602, (1..100).map(|number| 60 + number * 3)));
    let mut handler = Handler::with_pingone(&pingone);
    handler.set("POLL_OVERLAP", "30m");
    handler.poll_well().await;
    // Late, and before the overlap: known to nobody, and in a place that was read.
    let late = seconds_ago(603, (0..20).map(|number| 2400 + number));
    pingone.publish(late);
    for _ in 0..2 {
        let ended = again(&handler, now() - TimeDelta::minutes(30), now(), &[]).await;
        assert_eq!(ended.code, Some(0), "{}", ended.output);
        assert_eq!(counted(&handler.ids(ACTIVITIES)), (99, 0));
    }
    // Late within the overlap: the poller, which reads it too, knows it afterwards.
    pingone.publish(seconds_ago(604, (0..20).map(|number| 600 + number)));
    let ended = again(&handler, now() - TimeDelta::minutes(25), now(), &["--yes"]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.output);
    assert_eq!(counted(&handler.ids(ACTIVITIES)), (119, 0));
    handler.poll_well().await;
    assert_eq!(counted(&handler.ids(ACTIVITIES)), (119, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_and_repeated_no_more_rows_come_twice_than_were_said() {
    for page in 1..5 {
        let pingone = PingOne::start(options());
        let mut handler = with_late_events(&pingone, 1600).await;
        handler.set("RUST_LOG", "info");
        let (from, to) = (now() - TimeDelta::hours(2), now());
        let arguments = [
            "--from",
            &from.to_rfc3339(),
            "--to",
            &to.to_rfc3339(),
            "--again",
            "--yes",
        ];
        let refused = again(&handler, from, to, &[]).await.output;
        let (_, said) = refused.split_once("ERROR ").unwrap();
        let promised: usize = said.split_whitespace().next().unwrap().parse().unwrap();
        let asked = |pingone: &PingOne| {
            let requests = pingone.requests();
            requests
                .iter()
                .filter(|request| request.path.ends_with("/activities"))
                .count()
        };
        let before = asked(&pingone);
        assert_eq!(again(&handler, from, to, &[]).await.code, Some(64));
        let of_counting = asked(&pingone) - before;
        pingone.fail_next(vec![Fault::Delay(Duration::ZERO); of_counting + page]);
        pingone.fail_next([Fault::Delay(NEVER)]);
        let command = [&["backfill", "--source", "pingone"], &arguments[..]].concat();
        let mut child = handler.command(&command).spawn().unwrap();
        until("the page is asked for", || pingone.waiting_faults() == 0).await;
        child.kill().await.unwrap();
        let ended = again(&handler, from, to, &["--yes"]).await;
        assert_eq!(ended.code, Some(0), "{}", ended.output);
        let (distinct, doubled) = counted(&handler.ids(ACTIVITIES));
        assert_eq!(distinct, pingone.published().len(), "killed at page {page}");
        assert!(doubled <= promised, "killed at page {page}: {doubled} of {promised}");
        let left = files_below(&handler.path("data/state/checkpoints"));
        let left: Vec<_> = left
            .iter()
            .filter(|file| file.to_string_lossy().contains("/backfill/"))
            .collect();
        assert!(left.is_empty(), "identities are left behind: {left:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_cannot_be_read_to_its_end_sends_nothing() {
    let pingone = PingOne::start(options());
    let mut handler = with_late_events(&pingone, 40).await;
    let before = handler.ids(ACTIVITIES);
    handler.set("PINGONE__CLIENT_SECRET", "another-one");
    let ended = again(&handler, now() - TimeDelta::hours(2), now(), &["--yes"]).await;
    assert_eq!(ended.code, Some(1), "{}", ended.output);
    assert!(ended.output.contains("nothing was sent"), "{}", ended.output);
    assert_eq!(handler.ids(ACTIVITIES), before);
    let alone = handler.run(&[
        "backfill",
        "--source",
        "pingone",
        "--from",
        "2026-11-01",
        "--to",
        "2026-11-02",
        "--yes",
    ]);
    assert_eq!(alone.await.code, Some(64));
}
