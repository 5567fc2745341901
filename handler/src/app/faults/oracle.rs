//! What must hold at the end of a scenario.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::TryStreamExt;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use serde_json::Value;

use super::evidence::Evidence;
use super::marks::{Origin, POISON};
use super::published::OneLoginEvent;
use super::world::HEALTH_TABLE;

const ENTERPRISE_TABLE: &str = "PingOneEnterprise_AuditEvents_CL";
const ONELOGIN_TABLE: &str = "OneLogin_CL";
const ONELOGIN_API_TABLE: &str = "OneLoginEventsV2_CL";
/// An event that is read is held back so long: its push may still come.
const PATIENCE: TimeDelta = TimeDelta::minutes(15);
/// A reply is given and its loss noted at most so far apart: the time that a reply gets.
const LOSS_TOLERANCE: TimeDelta = TimeDelta::seconds(130);
/// State does not grow with time: what is more than this is not cleaned up. SentinelOne has six streams of its own.
const MOST_OBJECTS: usize = 150;
const MOST_OBJECTS_OF_SENTINELONE: usize = 60;

pub struct Findings {
    pub events: u64,
    pub doubled: u64,
    pub set_aside: u64,
    pub possible_losses: u64,
}

/// Table and mark -> the numbers of the calls that brought it.
type Arrivals = BTreeMap<(String, String), Vec<usize>>;

pub async fn check(evidence: &Evidence<'_>) -> Findings {
    let seed = evidence.seed;
    let arrivals = arrivals(evidence);
    let dead = texts_below(evidence.container, "dead-letters").await.concat();
    // What waits at rest is never taken, with nothing beside it that is.
    let waiting = waiting_rows(evidence.container).await.concat();
    let dead = dead
        + &waiting
            .into_iter()
            .filter(|row| row.contains(POISON))
            .collect::<String>();
    let losses = possible_losses(evidence.container).await;

    let mut events = everything_newest_arrived(evidence, &arrivals);
    events += consumed_arrived_or_is_reported(evidence, &arrivals, &losses);
    events += pushed_arrived(evidence, &arrivals, &dead);
    if evidence.kinds.onelogin_api {
        events += both_forms(evidence, &arrivals, &dead);
    }
    if evidence.kinds.health {
        health_rows(evidence);
    }
    contracts_were_kept(evidence);
    let objects = objects_below(evidence.container, "").await;
    let most = MOST_OBJECTS + usize::from(evidence.kinds.sentinelone) * MOST_OBJECTS_OF_SENTINELONE;
    assert!(
        objects.len() < most,
        "schedule {seed}: {} objects in the state: {objects:#?}",
        objects.len()
    );
    Findings {
        events,
        doubled: doubled(evidence, &arrivals),
        set_aside: dead.matches(POISON).count() as u64,
        possible_losses: losses.len() as u64,
    }
}

/// The newest version of everything that can be read again is in its table.
fn everything_newest_arrived(evidence: &Evidence<'_>, arrivals: &Arrivals) -> u64 {
    let mut events = 0;
    for (table, mark) in evidence.world.published().expected() {
        events += 1;
        let key = (table.to_owned(), mark.to_owned());
        assert!(
            arrivals.contains_key(&key),
            "schedule {}: {key:?} is missing",
            evidence.seed
        );
    }
    events
}

/// What reading has consumed is in its table, or the loss is reported with its time.
fn consumed_arrived_or_is_reported(evidence: &Evidence<'_>, arrivals: &Arrivals, losses: &[DateTime<Utc>]) -> u64 {
    let mut events = 0;
    for (marks, at) in evidence.world.published().consumed() {
        let is_reported = losses.iter().any(|loss| (*loss - *at).abs() < LOSS_TOLERANCE);
        for mark in marks {
            events += 1;
            let key = (ENTERPRISE_TABLE.to_owned(), mark.clone());
            assert!(
                arrivals.contains_key(&key) || is_reported,
                "schedule {}: {key:?}, given at {at}, is missing and its loss is not reported ({losses:?})",
                evidence.seed
            );
        }
    }
    events
}

/// What OneLogin's webhook got acknowledged is in its table or set aside.
fn pushed_arrived(evidence: &Evidence<'_>, arrivals: &Arrivals, dead: &str) -> u64 {
    let pushed = evidence.acknowledged.keys();
    let mut events = 0;
    for mark in pushed.filter(|mark| Origin::OneLoginPushed.has(mark)) {
        events += 1;
        // In the API's table its other form may stand for it.
        let is_in_table = arrivals.contains_key(&(ONELOGIN_TABLE.to_owned(), mark.clone()));
        assert!(
            is_in_table || dead.contains(mark.as_str()),
            "schedule {}: {mark} was acknowledged and is not in {ONELOGIN_TABLE}",
            evidence.seed
        );
    }
    events
}

/// The last run left a good row for each of its streams, and no row of any run does not fit.
fn health_rows(evidence: &Evidence<'_>) {
    let rows = evidence.world.ingestion.rows(HEALTH_TABLE);
    let of_last_run = rows
        .iter()
        .filter(|row| row["InvocationId"] == evidence.last_run.id.as_str());
    let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    // What a vendor shows late by its own clock is late; a row that is never taken fails its stream.
    let usual = [
        "ok",
        "failing",
        if evidence.kinds.wrong_clocks { "behind" } else { "ok" },
    ];
    let good: BTreeSet<String> = of_last_run
        .filter(|row| usual.contains(&text(row, "Status").as_str()))
        .map(|row| ["Source", "Instance", "Stream"].map(|name| text(row, name)).join("/"))
        .collect();
    let subjects = evidence.last_run.report.streams.iter().map(|report| &report.stream);
    for stream in subjects.filter_map(|subject| subject.stream()) {
        assert!(
            good.contains(&stream.to_string()),
            "schedule {}: no health row of {stream} in {good:?}",
            evidence.seed
        );
    }
}

/// Neither a vendor nor the ingestion endpoint was asked for what it does not have, or given what does not fit.
fn contracts_were_kept(evidence: &Evidence<'_>) {
    let world = evidence.world;
    let violations = [world.vendors.violations(), world.ingestion.violations()].concat();
    assert!(violations.is_empty(), "schedule {}: {violations:#?}", evidence.seed);
}

/// Events that are alike in all that both forms share cannot be told apart, so they are counted: of each kind there are
/// as many rows as events, and no more unless a push came later than it is waited for.
fn both_forms(evidence: &Evidence<'_>, arrivals: &Arrivals, dead: &str) -> u64 {
    let seed = evidence.seed;
    let mut alike: BTreeMap<_, Vec<OneLoginEvent>> = BTreeMap::new();
    let published = evidence.world.published();
    for event in published.onelogin_events() {
        alike.entry(event.common()).or_default().push(event.clone());
    }
    for (common, events) in &alike {
        let acknowledged = |event: &&OneLoginEvent| evidence.acknowledged.contains_key(&event.pushed_mark());
        let pushed = events.iter().filter(acknowledged);
        let shown = events.iter().filter(|event| event.is_in_api).count();
        let expected = shown.max(pushed.clone().count());
        let arrived = |mark: String| {
            arrivals.contains_key(&(ONELOGIN_API_TABLE.to_owned(), mark.clone())) || dead.contains(mark.as_str())
        };
        let rows = events
            .iter()
            .map(|event| usize::from(arrived(event.pushed_mark())) + usize::from(arrived(event.read_mark())))
            .sum::<usize>();
        assert!(
            rows >= expected,
            "schedule {seed}: {rows} rows of {expected} events in {ONELOGIN_API_TABLE}: {common:?}, {events:?}"
        );
        let in_time =
            |event: &&OneLoginEvent| evidence.acknowledged[&event.pushed_mark()] < event.created_at + PATIENCE;
        let late = pushed.clone().filter(|event| !in_time(event)).count();
        let unanswered = events
            .iter()
            .filter(|event| evidence.unanswered_at_kills.contains(&event.pushed_mark()))
            .count();
        assert!(
            rows <= expected + late + unanswered,
            "schedule {seed}: {rows} rows of {expected} events in {ONELOGIN_API_TABLE}, {late} of them late: {common:?}, {events:?}"
        );
    }
    published.onelogin_events().len() as u64
}

/// The numbers of the calls that brought an event to a table.
fn arrivals(evidence: &Evidence<'_>) -> Arrivals {
    let mut times: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (number, call) in evidence.world.deliveries().accepted.iter().enumerate() {
        for mark in &call.marks {
            times
                .entry((call.table.clone(), mark.clone()))
                .or_default()
                .push(number);
        }
    }
    times
}

/// Every arrival but one is in a call that may be doubled. That one need not be the last: what a killed process had on
/// its way may arrive after its successor has delivered the same.
fn doubled(evidence: &Evidence<'_>, arrivals: &Arrivals) -> u64 {
    let seed = evidence.seed;
    let deliveries = evidence.world.deliveries();
    let mut doubled = 0;
    let mut doubled_calls: BTreeMap<(u32, &str), BTreeSet<usize>> = BTreeMap::new();
    for (key, calls) in arrivals {
        if evidence.unanswered_at_kills.contains(&key.1) || deliveries.doubtful.contains(&key.1) {
            continue;
        }
        let may_repeat = |number: &&usize| deliveries.accepted[**number].may_repeat;
        let unforeseen: Vec<&usize> = calls.iter().filter(|number| !may_repeat(number)).collect();
        assert!(
            unforeseen.len() <= 1,
            "schedule {seed}: {key:?} arrived {} times, in calls {calls:?}, and nothing explains that the calls {unforeseen:?} were \
             not remembered",
            calls.len(),
        );
        let once = unforeseen.first().copied().or(calls.last());
        for number in calls.iter().filter(|number| Some(*number) != once) {
            let call = &deliveries.accepted[*number];
            doubled += 1;
            let place = (call.process, call.table.as_str());
            doubled_calls.entry(place).or_default().insert(call.batch);
        }
    }
    for (place, calls) in doubled_calls {
        let incidents = deliveries.incidents.get(&place.0).copied().unwrap_or_default();
        assert!(
            calls.len() <= incidents,
            "schedule {seed}: {incidents} incidents of {place:?} doubled {} batches",
            calls.len()
        );
    }
    doubled
}

async fn possible_losses(container: &InMemory) -> Vec<DateTime<Utc>> {
    let checkpoints = texts_below(container, "checkpoints/pingone-enterprise").await;
    let mut losses = Vec::new();
    for text in checkpoints {
        let Ok(checkpoint) = serde_json::from_str::<Value>(&text) else {
            continue;
        };
        let noted = checkpoint["possible_losses"].as_array().cloned().unwrap_or_default();
        losses.extend(
            noted
                .iter()
                .map(|loss| loss.as_str().unwrap().parse::<DateTime<Utc>>().unwrap()),
        );
    }
    losses
}

/// True if nothing waits, or in every queue a row that is never taken: it keeps the entries beside it waiting, whose
/// other rows must have arrived all the same.
pub async fn is_spool_at_rest(container: &InMemory) -> bool {
    let mut is_poisoned: BTreeMap<String, bool> = BTreeMap::new();
    let names = objects_below(container, "spool").await;
    for (name, rows) in names.iter().zip(waiting_rows(container).await) {
        let queue = name.rsplit_once('/').map_or("", |(queue, _)| queue);
        *is_poisoned.entry(queue.to_owned()).or_default() |= rows.iter().any(|row| row.contains(POISON));
    }
    is_poisoned.values().all(|is_poisoned| *is_poisoned)
}

/// The rows or events of every entry of the spool.
async fn waiting_rows(container: &InMemory) -> Vec<Vec<String>> {
    let entries = texts_below(container, "spool").await;
    let rows_of = |entry: &String| {
        let body = entry.split_once('\n').map_or("[]", |(_, body)| body);
        let rows: Vec<Value> = serde_json::from_str(body).unwrap_or_default();
        rows.iter().map(ToString::to_string).collect()
    };
    entries.iter().map(rows_of).collect()
}

pub async fn objects_below(container: &InMemory, folder: &str) -> Vec<String> {
    let prefix = (!folder.is_empty()).then(|| Path::from(folder));
    let found: Vec<_> = container.list(prefix.as_ref()).try_collect().await.unwrap();
    found.into_iter().map(|object| object.location.to_string()).collect()
}

async fn texts_below(container: &InMemory, folder: &str) -> Vec<String> {
    let mut texts = Vec::new();
    for name in objects_below(container, folder).await {
        let bytes = container.get(&Path::from(name)).await.unwrap().bytes().await.unwrap();
        texts.push(String::from_utf8_lossy(&bytes).into_owned());
    }
    texts
}
