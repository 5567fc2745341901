//! What must hold at the end of a life.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::TryStreamExt;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use super::ingestion::POISON;
use super::life::Life;
use super::onelogin::Event;

const PINGONE_TABLES: [&str; 2] = ["PingOne_AuditActivitiesV2_CL", "PingOne_AuditActivities_CL"];
const ENTERPRISE_TABLE: &str = "PingOneEnterprise_AuditEvents_CL";
const ONELOGIN_TABLE: &str = "OneLogin_CL";
const ONELOGIN_API_TABLE: &str = "OneLoginEventsV2_CL";
/// An event that is read is held back so long: its push may still come.
const PATIENCE: TimeDelta = TimeDelta::minutes(15);
/// A reply is given and its loss noted at most so far apart: the time that a reply gets.
const LOSS_TOLERANCE: TimeDelta = TimeDelta::seconds(130);
/// State does not grow with time: what is more than this is not cleaned up.
const MOST_OBJECTS: usize = 150;

pub struct Judged {
    pub events: u64,
    pub doubled: u64,
    pub set_aside: u64,
    pub possible_losses: u64,
}

pub async fn judge(life: &Life) -> Judged {
    let seed = life.seed;
    let times = arrivals(life);
    let dead = texts_below(&life.container, "dead-letters").await.concat();
    // What waits at rest is never taken, with nothing beside it that is.
    let waiting = waiting_rows(&life.container).await.concat();
    let dead = dead
        + &waiting
            .into_iter()
            .filter(|row| row.contains(POISON))
            .collect::<String>();
    let losses = possible_losses(life).await;

    let mut events = 0;
    for table in PINGONE_TABLES {
        for activity in life.world.pingone().activities() {
            events += 1;
            let key = (table.to_owned(), activity.mark.clone());
            assert!(times.contains_key(&key), "schedule {seed}: {key:?} is missing");
        }
    }
    for (marks, at) in &life.world.enterprise().given {
        let is_reported = losses.iter().any(|loss| (*loss - *at).abs() < LOSS_TOLERANCE);
        for mark in marks {
            events += 1;
            let key = (ENTERPRISE_TABLE.to_owned(), mark.clone());
            assert!(
                times.contains_key(&key) || is_reported,
                "schedule {seed}: {key:?}, given at {at}, is missing and its loss is not reported ({losses:?})"
            );
        }
    }
    let tables = match life.kinds.onelogin_api {
        true => vec![ONELOGIN_TABLE, ONELOGIN_API_TABLE],
        false => vec![ONELOGIN_TABLE],
    };
    for mark in life.acknowledged.keys().filter(|mark| mark.starts_with("#o")) {
        events += 1;
        let is_in = |table: &&str| times.contains_key(&((*table).to_owned(), mark.clone()));
        let is_dead = dead.contains(mark.as_str());
        assert!(
            is_dead || is_in(&ONELOGIN_TABLE),
            "schedule {seed}: {mark} was acknowledged and is not in {ONELOGIN_TABLE}"
        );
        // In the API's table its other form may stand for it.
        assert!(
            is_dead || life.kinds.onelogin_api || tables.iter().all(is_in),
            "schedule {seed}: {mark} was acknowledged and is nowhere"
        );
    }
    if life.kinds.onelogin_api {
        events += both_forms(life, &times, &dead);
    }
    let objects = objects_below(&life.container, "").await;
    assert!(
        objects.len() < MOST_OBJECTS,
        "schedule {seed}: {} objects in the state: {objects:#?}",
        objects.len()
    );
    Judged {
        events,
        doubled: doubled(life, &times),
        set_aside: dead.matches(POISON).count() as u64,
        possible_losses: losses.len() as u64,
    }
}

/// Events that are alike in all that both forms share cannot be told apart, so they are counted: of each kind there are
/// as many rows as events, and no more unless a push came later than it is waited for.
fn both_forms(life: &Life, times: &BTreeMap<(String, String), Vec<usize>>, dead: &str) -> u64 {
    let seed = life.seed;
    let mut alike: BTreeMap<_, Vec<Event>> = BTreeMap::new();
    let onelogin = life.world.onelogin();
    for event in onelogin.events() {
        alike.entry(event.common()).or_default().push(event.clone());
    }
    for (common, events) in &alike {
        let acknowledged = |event: &&Event| life.acknowledged.contains_key(&event.pushed_mark());
        let pushed = events.iter().filter(acknowledged);
        let shown = events.iter().filter(|event| event.is_in_api).count();
        let expected = shown.max(pushed.clone().count());
        let arrived = |mark: String| {
            times.contains_key(&(ONELOGIN_API_TABLE.to_owned(), mark.clone())) || dead.contains(mark.as_str())
        };
        let rows = events
            .iter()
            .map(|event| usize::from(arrived(event.pushed_mark())) + usize::from(arrived(event.read_mark())))
            .sum::<usize>();
        assert!(
            rows >= expected,
            "schedule {seed}: {rows} rows of {expected} events in {ONELOGIN_API_TABLE}: {common:?}, {events:?}"
        );
        let in_time = |event: &&Event| life.acknowledged[&event.pushed_mark()] < event.created_at + PATIENCE;
        let late = pushed.clone().filter(|event| !in_time(event)).count();
        let unanswered = events
            .iter()
            .filter(|event| life.unanswered_at_kills.contains(&event.pushed_mark()))
            .count();
        assert!(
            rows <= expected + late + unanswered,
            "schedule {seed}: {rows} rows of {expected} events in {ONELOGIN_API_TABLE}, {late} of them late: {common:?}, {events:?}"
        );
    }
    onelogin.events().len() as u64
}

/// The numbers of the calls that brought an event to a table.
fn arrivals(life: &Life) -> BTreeMap<(String, String), Vec<usize>> {
    let mut times: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (number, call) in life.world.ingestion().accepted.iter().enumerate() {
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
fn doubled(life: &Life, times: &BTreeMap<(String, String), Vec<usize>>) -> u64 {
    let seed = life.seed;
    let ingestion = life.world.ingestion();
    let mut doubled = 0;
    let mut doubled_calls: BTreeMap<(u32, &str), BTreeSet<usize>> = BTreeMap::new();
    for (key, calls) in times {
        if life.unanswered_at_kills.contains(&key.1) || ingestion.doubtful.contains(&key.1) {
            continue;
        }
        let is_excused = |number: &&usize| ingestion.accepted[**number].is_excused;
        let unexcused: Vec<&usize> = calls.iter().filter(|number| !is_excused(number)).collect();
        assert!(
            unexcused.len() <= 1,
            "schedule {seed}: {key:?} arrived {} times, in calls {calls:?}, and nothing excuses that the calls {unexcused:?} were \
             not remembered",
            calls.len(),
        );
        let once = unexcused.first().copied().or(calls.last());
        for number in calls.iter().filter(|number| Some(*number) != once) {
            let call = &ingestion.accepted[*number];
            doubled += 1;
            let place = (call.process, call.table.as_str());
            doubled_calls.entry(place).or_default().insert(call.batch);
        }
    }
    for (place, calls) in doubled_calls {
        let mishaps = ingestion.mishaps.get(&place.0).copied().unwrap_or_default();
        assert!(
            calls.len() <= mishaps,
            "schedule {seed}: {mishaps} mishaps of {place:?} doubled {} batches",
            calls.len()
        );
    }
    doubled
}

async fn possible_losses(life: &Life) -> Vec<DateTime<Utc>> {
    let checkpoints = texts_below(&life.container, "checkpoints/pingone-enterprise").await;
    let mut losses = Vec::new();
    for text in checkpoints {
        let Ok(checkpoint) = serde_json::from_str::<serde_json::Value>(&text) else {
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
        let rows: Vec<serde_json::Value> = serde_json::from_str(body).unwrap_or_default();
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
