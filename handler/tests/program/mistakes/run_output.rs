//! How much a run prints: a line for the run, a line per table where rows moved, and one line per cause.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};

use super::case::{Before, Case, POLL, Source};
use super::run::{run_all, terminate};
use super::stand_in::Answer;
use crate::harness::*;

const CASES: &[Case] = &[
    Case {
        name: "a run of five streams without news is one line",
        sources: &[Source::FiveStreams],
        code: 0,
        lines: 1,
        ..POLL
    },
    Case {
        name: "with -v every table has its line",
        sources: &[Source::FiveStreams],
        command: &["poll", "-v"],
        code: 0,
        says: &[
            "sentinelone/default/activities -> SentinelOneActivities_CL: 0 events read",
            "sentinelone/default/threats -> SentinelOneThreats_CL: 0 events read",
        ],
        lines: 6,
        ..POLL
    },
    Case {
        name: "a table that took rows has its line",
        sources: &[Source::PingOne(12), Source::Threats],
        code: 0,
        says: &["pingone/default/activities -> PingOne_AuditActivitiesV2_CL: 12 events read, 12 rows delivered"],
        never_says: &["SentinelOneThreats_CL"],
        ..POLL
    },
    Case {
        name: "a status says a remedy once",
        sources: &[Source::Threats],
        settings: &[("SENTINELONE__URL", "{stand-in}")],
        answers: &[("/web/api/", Answer::Json(401, "{}"))],
        before: &[Before::PolledInVain],
        command: &["status"],
        code: 0,
        says: &[
            "sentinelone/default/threats  failing",
            "credentials_rejected",
            "SENTINELONE__API_TOKEN",
        ],
        lines: 11,
        changes_nothing: true,
        ..POLL
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn a_run_says_what_moved_and_what_failed_and_no_more() {
    run_all(CASES).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_says_at_once_what_it_polls_and_when() {
    let mut handler = Handler::with_onelogin();
    handler
        .set("ONELOGIN__URL", "https://example.onelogin.com")
        .set("ONELOGIN__CLIENT_ID", "a-client")
        .set("ONELOGIN__CLIENT_SECRET", CLIENT_SECRET)
        .set("POLL_SCHEDULE", "0 0 0 1 1 *");
    let mut child = handler.command(&["poll", "--watch"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let first = tokio::time::timeout(Duration::from_secs(5), lines.next_line()).await;
    terminate(&child).await;
    let first = first
        .expect("a watch says nothing before its first run")
        .unwrap()
        .unwrap();
    for word in ["onelogin/default", "-01-01 00:00:00Z", "POLL_SCHEDULE"] {
        assert!(first.contains(word), "{word}: {first}");
    }
}
