//! Whole lives of the handler in one process, on a virtual clock: the real wiring, sources, pipeline, destination and
//! blob store against a world that fails by a seeded schedule.
//!
//! The world is reached only through HTTP requests and through the objects of the state container. Each of these is a
//! moment at which a fault can strike, and before or after which the process can be killed ([`plug`]): a killed process
//! never gets another answer. Between two such moments nothing that it does can be seen from outside.

mod chance;
mod enterprise;
mod ingestion;
mod judge;
mod life;
mod long_life;
mod objects;
mod onelogin;
mod pingone;
mod plug;
mod process;
mod summary;
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
                        sum += life::live(seed, count == 1);
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
