//! `handler poll` on SentinelOne.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::Value;
use simulator::generate::sentinelone::{ConsoleObjects, REGISTRATION_TOKEN_MARK};
use simulator::sentinelone::{ConsoleFault, ConsoleOptions, Fault, SentinelOne, Stream, Version};

use crate::harness::*;

const EVERY_STREAM: &str = "activities,agents,alerts,groups,threats,unified-alerts";
/// More than a page holds, of groups as of all others, and ties across the pages' ends.
pub const TWO_PAGES: i32 = 1100;

pub fn table(stream: Stream) -> &'static str {
    match stream {
        Stream::Activities => "SentinelOneActivities_CL",
        Stream::Agents => "SentinelOneAgents_CL",
        Stream::Groups => "SentinelOneGroups_CL",
        Stream::Threats => "SentinelOneThreats_CL",
        Stream::Alerts => "SentinelOneAlerts_CL",
        Stream::UnifiedAlerts => "SentinelOneAlertsV2_CL",
    }
}

/// The stream in settings and messages.
pub fn name(stream: Stream) -> &'static str {
    match stream {
        Stream::Activities => "activities",
        Stream::Agents => "agents",
        Stream::Groups => "groups",
        Stream::Threats => "threats",
        Stream::Alerts => "alerts",
        Stream::UnifiedAlerts => "unified-alerts",
    }
}

/// Id and version of a row.
pub fn version_of(stream: Stream, row: &Value) -> (String, String) {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    match stream {
        Stream::Alerts => {
            let info: Value = serde_json::from_str(row["AlertInfo"].as_str().unwrap()).unwrap();
            (text(&info["alertId"]), text(&info["updatedAt"]))
        }
        Stream::UnifiedAlerts => (text(&row["AlertId"]), text(&row["UpdatedAt"])),
        _ => (text(&row["Id"]), text(&row["UpdatedAt"])),
    }
}

/// Id and version of every row, sorted.
pub fn delivered(handler: &Handler, stream: Stream) -> Vec<(String, String)> {
    let rows = handler.rows(table(stream));
    let mut versions: Vec<_> = rows.iter().map(|row| version_of(stream, row)).collect();
    versions.sort();
    versions
}

/// Whatever a poll was shown is there, once, and nothing else; of every object the newest version was shown.
pub fn assert_each_version_once(console: &SentinelOne, handler: &Handler) {
    assert_once(console, handler, &console.versions_shown());
    for stream in Stream::ALL {
        let shown: BTreeSet<_> = names(stream, &console.versions_shown()).into_iter().collect();
        let mut unseen = names(stream, &console.versions_current());
        unseen.retain(|version| !shown.contains(version));
        assert!(unseen.is_empty(), "{stream:?}: {} were not shown", unseen.len());
    }
}

/// What the console shows now is there, once, and nothing else.
pub fn assert_each_current_version_once(console: &SentinelOne, handler: &Handler) {
    assert_once(console, handler, &console.versions_current());
}

fn assert_once(console: &SentinelOne, handler: &Handler, expected: &[Version]) {
    for stream in Stream::ALL {
        let (delivered, expected) = (delivered(handler, stream), names(stream, expected));
        let unique: BTreeSet<_> = delivered.iter().collect();
        let missing: Vec<_> = expected.iter().filter(|version| !unique.contains(version)).collect();
        let first = missing.first();
        assert!(first.is_none(), "{stream:?} misses {}, first {first:?}", missing.len());
        assert_eq!(delivered.len(), unique.len(), "{stream:?}: doubles");
        assert_eq!(delivered.len(), expected.len(), "{stream:?}: more than there is");
    }
    assert_eq!(console.violations(), Vec::<String>::new());
    assert_no_registration_token(handler);
}

/// Id and version of those of a stream, sorted.
pub fn names(stream: Stream, versions: &[Version]) -> Vec<(String, String)> {
    let of_stream = versions.iter().filter(|version| version.stream == stream);
    let mut names: Vec<_> = of_stream
        .map(|version| (version.id.clone(), version.updated_at.clone()))
        .collect();
    names.sort();
    names
}

/// Neither the tables nor the state know one, dead letters included.
pub fn assert_no_registration_token(handler: &Handler) {
    for file in files_below(&handler.path("data")) {
        let bytes = std::fs::read(&file).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains(REGISTRATION_TOKEN_MARK), "{}", file.display());
    }
}

fn status(status: u16, retry_after: Option<u64>) -> Fault<ConsoleFault> {
    Fault::Status { status, retry_after }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_version_arrives_once_over_runs_with_ties_late_objects_and_changes() {
    let console = SentinelOne::start(console_options());
    let mut estate = Estate::new(200);
    for stream in Stream::ALL {
        estate.publish(&console, stream, times(TWO_PAGES, 50));
    }
    let handler = Handler::with_sentinelone(&console, EVERY_STREAM);
    handler.poll_well().await;
    assert_each_version_once(&console, &handler);

    for round in 0..3 {
        // Late ones, at times that others have; changes long settled; and changes of this moment, all at once.
        for stream in Stream::ALL {
            estate.publish(&console, stream, times(30, 8 - round));
            estate.change(&console, stream, 40, now() - TimeDelta::minutes(3 - round));
            estate.change(&console, stream, 20, now() - TimeDelta::seconds(2));
        }
        let output = handler.poll_well().await;
        assert!(!output.contains(REGISTRATION_TOKEN_MARK), "{output}");
        assert_each_version_once(&console, &handler);
    }
    let output = handler.poll_well().await;
    // Each of the six tables, and the run.
    assert_eq!(output.matches(" 0 rows delivered").count(), 7, "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn passing_faults_and_odd_answers_cost_time_and_nothing_else() {
    let console = SentinelOne::start(console_options());
    let mut estate = Estate::new(201);
    for stream in Stream::ALL {
        // Inside the overlap, so that the second run has two pages again.
        estate.publish(&console, stream, times(TWO_PAGES, 9));
        console.fail_next_on(
            stream,
            [status(429, Some(1)), status(429, None), status(503, None), Fault::Reset],
        );
        if stream == Stream::UnifiedAlerts {
            // The columns are asked for before the first page.
            console.fail_next_on(
                stream,
                [
                    Fault::Vendor(ConsoleFault::ErrorsBesideData),
                    Fault::Vendor(ConsoleFault::NullData),
                ],
            );
        }
        console.fail_next_on(
            stream,
            [
                Fault::Vendor(ConsoleFault::UrlEncodedCursor),
                Fault::TruncatedJson,
                Fault::HtmlPage,
            ],
        );
        console.fail_next_on(stream, [status(500, Some(0)), Fault::RepeatLastOfPreviousPage]);
    }
    let handler = Handler::with_sentinelone(&console, EVERY_STREAM);
    handler.poll_well().await;
    assert_eq!(console.waiting_faults(), 0);
    assert_each_version_once(&console, &handler);

    for stream in Stream::ALL {
        estate.publish(&console, stream, times(9, 7));
        estate.change(&console, stream, 9, now() - TimeDelta::minutes(2));
        console.fail_next_on(
            stream,
            [
                Fault::Vendor(ConsoleFault::OldCursorForm),
                Fault::Vendor(ConsoleFault::ErrorsBesideData),
            ],
        );
    }
    handler.poll_well().await;
    assert_eq!(console.waiting_faults(), 0);
    assert_each_version_once(&console, &handler);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_is_named_with_its_setting_and_a_new_one_goes_on_without_a_gap() {
    const OLD_TOKEN: &str = "the-token_of.last-year";
    let console = SentinelOne::start(ConsoleOptions {
        api_token: OLD_TOKEN.to_owned(),
        ..console_options()
    });
    let mut estate = Estate::new(202);
    for stream in Stream::ALL {
        estate.publish(&console, stream, times(TWO_PAGES, 50));
    }
    let mut handler = Handler::with_sentinelone(&console, EVERY_STREAM);
    handler.set("SENTINELONE__API_TOKEN", OLD_TOKEN);
    // In the middle of paging.
    console.fail_next_on(Stream::Activities, [Fault::Delay(Duration::ZERO), Fault::RevokeToken]);
    for _ in 0..2 {
        let ended = handler.poll().await;
        assert_eq!(ended.code, Some(1), "{}", ended.output);
        for word in ["sentinelone/default (activities, ", "401", "SENTINELONE__API_TOKEN"] {
            assert!(ended.output.contains(word), "{word}: {}", ended.output);
        }
        assert!(!ended.output.contains(OLD_TOKEN), "{}", ended.output);
    }
    estate.publish(&console, Stream::Activities, times(30, 40));

    console.set_api_token(CLIENT_SECRET);
    handler.set("SENTINELONE__API_TOKEN", CLIENT_SECRET);
    for _ in 0..2 {
        handler.poll_well().await;
        assert_each_version_once(&console, &handler);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_fail_are_named_and_leave_the_others_alone() {
    let console = SentinelOne::start(ConsoleOptions {
        unavailable: vec![Stream::UnifiedAlerts],
        ..console_options()
    });
    let mut estate = Estate::new(204);
    let offered = Stream::ALL
        .into_iter()
        .filter(|stream| *stream != Stream::UnifiedAlerts);
    let offered: Vec<Stream> = offered.collect();
    for &stream in &offered {
        estate.publish(&console, stream, times(60, 50));
    }
    console.fail_next_on(Stream::Threats, [status(403, None)]);
    let mut handler = Handler::with_sentinelone(&console, EVERY_STREAM);
    let ended = handler.poll().await;
    assert_eq!(ended.code, Some(1), "{}", ended.output);
    for words in [
        ["sentinelone/default/threats", "403", "SENTINELONE__API_TOKEN"],
        ["sentinelone/default/unified-alerts", "404", "SENTINELONE__STREAMS"],
    ] {
        let names_all = |line: &str| words.iter().all(|word| line.contains(word));
        assert!(ended.output.lines().any(names_all), "{words:?}: {}", ended.output);
    }
    for &stream in &offered {
        let expected = if stream == Stream::Threats { 0 } else { 60 };
        assert_eq!(delivered(&handler, stream).len(), expected, "{stream:?}");
    }
    handler.set("SENTINELONE__STREAMS", "activities,agents,alerts,groups,threats");
    handler.poll_well().await;
    assert_each_version_once(&console, &handler);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_while_pages_are_read_is_met_once_in_each_version() {
    let console = SentinelOne::start(console_options());
    let mut estate = Estate::new(205);
    let streams = [Stream::Agents, Stream::Groups, Stream::Threats, Stream::UnifiedAlerts];
    for stream in streams {
        estate.publish(&console, stream, times(TWO_PAGES, 9));
        // The answer is made before the delay, so the changes meet the page after it.
        let delays = if stream == Stream::UnifiedAlerts { 2 } else { 1 };
        console.fail_next_on(stream, vec![Fault::Delay(Duration::from_secs(1)); delays]);
    }
    let handler = Handler::with_sentinelone(&console, EVERY_STREAM);
    // Behind everything else, so that what the first page showed comes again on a later one.
    let change = async {
        until("the first pages are asked for", || console.waiting_faults() == 0).await;
        for stream in streams {
            estate.change(&console, stream, 700, now() - TimeDelta::seconds(50));
            estate.publish(&console, stream, times(10, 8));
        }
    };
    tokio::join!(handler.poll_well(), change);
    for _ in 0..2 {
        handler.poll_well().await;
        assert_each_version_once(&console, &handler);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_alert_is_a_new_row_for_as_long_as_its_report_is_read_again() {
    let console = SentinelOne::start(console_options());
    let mut alerts = ConsoleObjects::new(206);
    let old = alerts.new_object(Stream::Alerts, now() - TimeDelta::minutes(30));
    let fresh = alerts.new_object(Stream::Alerts, now() - TimeDelta::minutes(4));
    // Reported much later than it happened.
    let late = alerts.late_alert(now() - TimeDelta::hours(30), now() - TimeDelta::minutes(5));
    console.publish([old.clone(), fresh.clone(), late.clone()]);
    let handler = Handler::with_sentinelone(&console, "alerts");
    handler.poll_well().await;
    assert_eq!(delivered(&handler, Stream::Alerts).len(), 3);

    let changed = [&old, &fresh, &late].map(|alert| alerts.update(alert, now() - TimeDelta::seconds(2)));
    console.publish(changed);
    for _ in 0..2 {
        handler.poll_well().await;
        let mut rows_of: BTreeMap<String, usize> = BTreeMap::new();
        for (id, _) in delivered(&handler, Stream::Alerts) {
            *rows_of.entry(id).or_default() += 1;
        }
        let expected = [(old.id.clone(), 1), (fresh.id.clone(), 2), (late.id.clone(), 2)];
        assert_eq!(rows_of, expected.into());
    }
    assert_eq!(console.violations(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_updated_at_unified_alerts_are_read_by_creation_and_that_is_said() {
    let console = SentinelOne::start(ConsoleOptions {
        without_updated_at: true,
        ..console_options()
    });
    let mut estate = Estate::new(207);
    estate.publish(&console, Stream::UnifiedAlerts, times(TWO_PAGES, 50));
    let handler = Handler::with_sentinelone(&console, "unified-alerts");
    for round in 0..3 {
        let output = handler.poll_well().await;
        let warning = "does not offer updatedAt for unified alerts; they are read by createdAt";
        assert!(output.contains(warning), "{output}");
        assert_each_version_once(&console, &handler);
        estate.publish(&console, Stream::UnifiedAlerts, times(20, 7 - round));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hidden_activities_and_agents_out_of_service_are_read_too() {
    let console = SentinelOne::start(console_options());
    let mut estate = Estate::new(208);
    estate.publish(&console, Stream::Activities, times(90, 30));
    let hidden = console_options().hidden_activity_types;
    let hidden: BTreeSet<String> = console
        .published(Stream::Activities)
        .into_iter()
        .filter(|activity| {
            let activity: Value = serde_json::from_str(&activity.json).unwrap();
            hidden.iter().any(|hidden| activity["activityType"] == *hidden)
        })
        .map(|activity| activity.id)
        .collect();
    assert!(!hidden.is_empty());
    let mut agents = ConsoleObjects::new(208);
    let agent = |agents: &mut ConsoleObjects| agents.new_object(Stream::Agents, now() - TimeDelta::minutes(20));
    let (one, other, third) = (agent(&mut agents), agent(&mut agents), agent(&mut agents));
    let gone = agents.decommission(&one, now() - TimeDelta::minutes(9));
    console.publish([gone, other.clone(), third.clone()]);
    let handler = Handler::with_sentinelone(&console, "activities,agents");
    handler.poll_well().await;
    assert!(hidden.is_subset(&handler.ids(table(Stream::Activities)).into_iter().collect()));

    console.publish([
        agents.decommission(&other, now() - TimeDelta::minutes(2)),
        agents.uninstall(&third, now() - TimeDelta::minutes(1)),
    ]);
    handler.poll_well().await;
    assert_each_version_once(&console, &handler);
    let agents = handler.rows(table(Stream::Agents));
    let count = |column: &str| agents.iter().filter(|row| row[column] == true).count();
    assert_eq!(
        (agents.len(), count("IsDecommissioned"), count("IsUninstalled")),
        (5, 2, 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn names_for_the_parser_are_in_data_where_they_are_asked_for() {
    for with_aliases in [false, true] {
        let console = SentinelOne::start(console_options());
        Estate::new(209).publish(&console, Stream::Activities, times(120, 30));
        let mut handler = Handler::with_sentinelone(&console, "activities");
        handler.set("SENTINELONE__PARSER_ALIASES", &with_aliases.to_string());
        handler.poll_well().await;
        let given: BTreeMap<String, Value> = console
            .published(Stream::Activities)
            .into_iter()
            .map(|activity| (activity.id, serde_json::from_str(&activity.json).unwrap()))
            .collect();
        let mut added = BTreeMap::new();
        for row in handler.rows(table(Stream::Activities)) {
            let data: Value = serde_json::from_str(row["Data"].as_str().unwrap()).unwrap();
            let mut expected = given[row["Id"].as_str().unwrap()]["data"].clone();
            for (alias, of) in [("userName", "username"), ("rulename", "ruleName")] {
                if with_aliases && !expected[of].is_null() && expected.get(alias).is_none() {
                    expected[alias] = expected[of].clone();
                    *added.entry(alias).or_insert(0) += 1;
                }
            }
            assert_eq!(data, expected);
        }
        assert_eq!(added.len(), if with_aliases { 2 } else { 0 });
        assert_each_version_once(&console, &handler);
    }
}
