//! Backwards with events as vendors send them: the simulator's, those of the fixtures, and those below `$SAMPLES_DIR`.
//! Each goes through every table of its vendor.

use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::value::RawValue;
use simulator::generate::onelogin::WebhookEvents;
use simulator::generate::onelogin_api::{ApiEvents, Users};
use simulator::generate::pingone::Activities;
use simulator::generate::pingone_enterprise::SubscriptionEvents;
use simulator::generate::sentinelone::ConsoleObjects;
use simulator::sentinelone::Stream;

use super::catalog::table_with;
use super::layout::TableOptions;
use super::rebuild_tests::{check_rebuilt, definitions};
use super::row::RowContext;
use crate::json::{Kind, kind};

/// Folders and files of a vendor have one of these in their path; the first counts.
const VENDORS: [(&str, &str); 5] = [
    ("pingone_enterprise", "PingOneEnterprise_"),
    ("pingone-enterprise", "PingOneEnterprise_"),
    ("pingone", "PingOne_"),
    ("sentinelone", "SentinelOne"),
    ("onelogin", "OneLogin"),
];

/// Events with the table that they are for.
fn generated() -> Vec<(&'static str, Vec<String>)> {
    const EACH: i64 = 300;
    let at = |number: i64| DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::seconds(number);
    let times = || (0..EACH).map(at);
    let mut activities = Activities::new(7, "5f1c2d3e-0000-4000-8000-00000000e001");
    let mut subscription = SubscriptionEvents::new(7);
    let mut webhook = WebhookEvents::new(7, 1);
    let mut events = ApiEvents::new(7, 1);
    let mut users = Users::new(7);
    let mut objects = ConsoleObjects::new(7);
    let mut all = vec![
        (
            "PingOne_AuditActivitiesV2_CL",
            times().map(|at| activities.at(at).json).collect(),
        ),
        (
            "PingOneEnterprise_AuditEvents_CL",
            times().map(|at| subscription.at(at).json).collect(),
        ),
        ("OneLogin_CL", times().map(|at| webhook.at(at).json).collect()),
        ("OneLoginEventsV2_CL", times().map(|at| events.at(at).json).collect()),
        (
            "OneLoginUsersV2_CL",
            times().map(|at| users.new_object(at).json).collect(),
        ),
    ];
    for stream in Stream::ALL {
        let table = match stream {
            Stream::Activities => "SentinelOneActivities_CL",
            Stream::Agents => "SentinelOneAgents_CL",
            Stream::Groups => "SentinelOneGroups_CL",
            Stream::Threats => "SentinelOneThreats_CL",
            Stream::Alerts => "SentinelOneAlerts_CL",
            Stream::UnifiedAlerts => "SentinelOneAlertsV2_CL",
        };
        all.push((table, times().map(|at| objects.new_object(stream, at).json).collect()));
    }
    all
}

/// The objects of a JSON document, a list of them, or one a line.
fn objects_of(text: &str) -> Vec<String> {
    let values = if let Ok(list) = serde_json::from_str::<Vec<Box<RawValue>>>(text) {
        list
    } else if let Ok(one) = serde_json::from_str::<Box<RawValue>>(text) {
        vec![one]
    } else {
        text.lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    };
    let objects = values.iter().filter(|value| kind(value.get()) == Kind::Object);
    objects.map(|value| value.get().to_owned()).collect()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(files_below(&path)),
            false => files.push(path),
        }
    }
    files.sort();
    files
}

/// What is not rebuilt from the row of a table; and how many rows were made, and values of them withheld or cut.
fn differences(place: &str, tables: &str, events: &[String]) -> (Vec<String>, u64, u64) {
    let (mut differences, mut rows, mut shortened) = (Vec::new(), 0, 0);
    for (definition, table) in definitions()
        .iter()
        .filter(|(_, table)| table.name().starts_with(tables))
    {
        for event in events {
            match check_rebuilt(definition, table, event) {
                Ok(marked) => shortened += marked.withheld + marked.cut,
                Err(difference) => differences.push(format!("{place} -> {}: {difference}", table.name())),
            }
            rows += 1;
        }
    }
    (differences, rows, shortened)
}

#[test]
fn generated_events_are_rebuilt_from_the_rows_of_every_table_of_their_vendor() {
    for (table, events) in generated() {
        let (_, tables) = VENDORS.iter().find(|(_, tables)| table.starts_with(tables)).unwrap();
        let (differences, rows, _) = differences(table, tables, &events);
        assert!(rows > 0);
        assert_eq!(differences.first(), None, "{} of {rows}", differences.len());
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "where samples lie is the caller's choice, not a setting"
)]
#[test]
fn recorded_events_are_rebuilt_from_the_rows_of_every_table_of_their_vendor() {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/state-1/published");
    let samples = std::env::var("SAMPLES_DIR").ok();
    let (mut all, mut read, mut shortened) = (Vec::new(), 0, 0);
    for file in [Some(fixtures.to_owned()), samples]
        .iter()
        .flatten()
        .flat_map(|folder| files_below(Path::new(folder)))
    {
        let place = file.to_string_lossy().into_owned();
        let vendor = VENDORS.iter().find(|(name, _)| place.contains(name));
        let (Some((_, tables)), Ok(text)) = (vendor, std::fs::read_to_string(&file)) else {
            continue;
        };
        let (found, rows, values) = differences(&place, tables, &objects_of(&text));
        all.extend(found);
        read += rows;
        shortened += values;
    }
    println!(
        "{read} rows, {shortened} values of them withheld or cut, {} not rebuilt",
        all.len()
    );
    assert!(read > 0);
    assert!(all.is_empty(), "{}", all.join("\n\n"));
}

/// `cargo test -p handler --lib what_additional_fields_cost -- --ignored --nocapture`
#[test]
#[ignore = "prints what the column costs"]
fn what_additional_fields_cost() {
    println!("bytes an event: table, event, row without the column, row with it, its value, added beside the value");
    for (name, events) in generated() {
        let count = events.len() as f64;
        let size = |additional_fields| {
            let options = TableOptions {
                additional_fields,
                ..TableOptions::default()
            };
            let table = table_with(name, options).unwrap();
            let mut out = Vec::new();
            for event in &events {
                let context = RowContext {
                    arrival: DateTime::UNIX_EPOCH,
                    constant_fields: &[],
                };
                table.project(event, context, &mut out);
            }
            out
        };
        let (without, with) = (size(false), size(true));
        let rows = serde_json::Deserializer::from_slice(&with).into_iter::<RowOfTable>();
        let values: usize = rows
            .map(|row| row.unwrap().rest.map_or(0, |rest| rest.get().len()))
            .sum();
        let read: usize = events.iter().map(String::len).sum();
        let added = with.len() - without.len();
        println!(
            "{name}: {:.0}, {:.0}, {:.0}, {:.0}, {:.1}",
            read as f64 / count,
            without.len() as f64 / count,
            with.len() as f64 / count,
            values as f64 / count,
            (added - values) as f64 / count
        );
    }
}

#[derive(serde::Deserialize)]
struct RowOfTable {
    #[serde(rename = "AdditionalFields")]
    rest: Option<Box<RawValue>>,
}
