//! Deterministic simulation: the real wiring, sources, jobs, destination and blob store in one process, on a virtual
//! clock, against the simulated vendors and Azure endpoints, under faults and crashes that a seed decides.
//!
//! The world is reached only through HTTP requests and through the objects of the state container. At each of these a
//! fault can strike, and before or after it the process can be killed ([`crash_points`]): a killed process never gets
//! another answer. Between two of them nothing that it does can be seen from outside.
//!
//! All ten polled streams take part, both webhooks, the two sources that are pushed and polled, and the health rows.

mod crash_points;
mod deliveries;
mod evidence;
mod fault_kinds;
mod ingestion;
mod long_run;
mod marks;
mod objects;
mod oracle;
mod process;
mod process_io;
mod published;
mod push;
mod rng;
mod scenario;
mod settings;
mod summary;
mod vendors;
mod workload;
mod world;

use std::sync::atomic::{AtomicU64, Ordering};

use self::summary::Summary;

/// Two of them keep two cores busy.
const THREADS: u64 = 2;

#[allow(
    clippy::disallowed_methods,
    reason = "how long the test takes is the caller's choice, not a setting"
)]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn whatever_fails_and_whenever_nothing_is_lost_and_nothing_doubled_beyond_the_bound() {
    let (first, count) = match number("CONNECTOR_SCHEDULE") {
        Some(one) => (one, 1),
        None => (
            number("CONNECTOR_FIRST_SCHEDULE").unwrap_or(0),
            number("CONNECTOR_SCHEDULES").unwrap_or(200),
        ),
    };
    let next = AtomicU64::new(first);
    let mut total = Summary::default();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    let mut sum = Summary::default();
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= first + count {
                            return sum;
                        }
                        sum += scenario::run(seed, count == 1);
                    }
                })
            })
            .collect();
        for thread in threads {
            match thread.join() {
                Ok(sum) => total += sum,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    println!("{count} schedules: {total}");
    assert!(
        count < 100 || total.is_worth_the_name(),
        "the schedules did not bring what they are for: {total}"
    );
}

#[test]
fn a_seed_decides_everything() {
    // Kills, pauses, rivals and OneLogin's API; and all faults together.
    for seed in [0b111_1000, 0b111_1111] {
        assert_eq!(
            scenario::run(seed, false),
            scenario::run(seed, false),
            "schedule {seed}"
        );
    }
}
