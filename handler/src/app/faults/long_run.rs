//! Days of a handler in good health: what is pushed comes by the API too, and nothing else does. Its state must not grow
//! with its age, and an outage now and then must cost nothing.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use serde_json::Value;

use super::fault_kinds::FaultKinds;
use super::push::Push;
use super::rng::SeededRng;
use super::scenario::Scenario;
use super::vendors::Vendor;

const EVERY: Duration = Duration::from_secs(240);
const A_DAY: i64 = 86_400;
const DAYS: i64 = 3;
/// No more than three runs, and what is waited for.
const LONGEST_LAG: TimeDelta = TimeDelta::minutes(28);
/// 24 bytes an identity, those of two days and of a run or two more.
const MOST_IDENTITY_BYTES: u64 = 24 * 2 * (2 * A_DAY as u64 / EVERY.as_secs()) * 2;

#[test]
fn days_of_pushes_beside_the_poller_leave_no_backlog_no_growth_and_no_gap() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    // One takes as long as a thousand schedules.
    let runs = super::number("CONNECTOR_SCHEDULES").unwrap_or_default() / 5_000 + 1;
    for seed in 0..runs {
        runtime.block_on(run(seed));
    }
}

async fn run(seed: u64) {
    let kinds = FaultKinds {
        onelogin_api: true,
        ..FaultKinds::calm()
    };
    let seed = 1_000_000 + seed;
    let mut scenario = Scenario::of(seed, SeededRng::new(seed), kinds, false);
    let begin = scenario.world.now();
    let mut last_outage_end = begin;
    while scenario.world.now() < begin + TimeDelta::seconds(DAYS * A_DAY) {
        tokio::time::sleep(EVERY).await;
        let age = (scenario.world.now() - begin).num_seconds();
        // Fifty minutes of every seventh hour, each time another table.
        let is_outage = age % 25_200 < 3_000;
        let tables = ["OneLogin_CL", "OneLoginEventsV2_CL", "PingOne_AuditActivitiesV2_CL"];
        scenario
            .world
            .refuse(is_outage.then(|| tables[usize::try_from(age / 25_200).unwrap() % 3]));
        if is_outage {
            last_outage_end = scenario.world.now();
        }
        push(&mut scenario).await;
        scenario.poll(&scenario.timer).await.unwrap();
        if scenario.world.now() - last_outage_end > LONGEST_LAG {
            assert_is_up_to_date(&scenario).await;
        }
    }
    let size = identity_bytes(&scenario, "checkpoints/onelogin/default/events", "OneLogin_CL").await;
    assert!(
        size <= MOST_IDENTITY_BYTES,
        "schedule {seed}: {size} bytes of identities"
    );
    scenario.settle_and_check().await;
}

/// An event of each vendor, which its webhook brings and its API shows.
async fn push(scenario: &mut Scenario) {
    let now = scenario.world.vendor_now(Vendor::PingOne);
    let activity = scenario.world.published().pingone(&scenario.world.vendors, now);
    let of_pingone = Push::of_pingone(&scenario.rng, &[activity]);
    let of_onelogin = scenario.workload().joined_push(2);
    for (push, is_acknowledged) in scenario.send(vec![of_pingone, of_onelogin]).await {
        assert!(is_acknowledged);
        scenario.note_acknowledged(push);
    }
}

async fn assert_is_up_to_date(scenario: &Scenario) {
    for (file, tables) in [
        (
            "checkpoints/pingone/default/activities.json",
            &["PingOne_AuditActivitiesV2_CL", "PingOne_AuditActivities_CL"][..],
        ),
        ("checkpoints/onelogin/default/events.json", &["OneLoginEventsV2_CL"][..]),
    ] {
        let bytes = scenario
            .container
            .get(&Path::from(file))
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap();
        let checkpoint: Value = serde_json::from_slice(&bytes).unwrap();
        for table in tables {
            let watermark: DateTime<Utc> = checkpoint["tables"][table]["watermark"]
                .as_str()
                .unwrap()
                .parse()
                .unwrap();
            let lag = scenario.world.now() - watermark;
            assert!(
                lag <= LONGEST_LAG,
                "schedule {}: {file}: {table} is {lag} behind",
                scenario.seed
            );
        }
    }
}

async fn identity_bytes(scenario: &Scenario, folder: &str, table: &str) -> u64 {
    let found: Vec<_> = scenario
        .container
        .list(Some(&Path::from(folder)))
        .try_collect()
        .await
        .unwrap();
    let of_table = found
        .iter()
        .filter(|object| object.location.as_ref().contains(&format!("/{table}/")));
    of_table.map(|object| object.size).sum()
}
