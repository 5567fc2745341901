//! What the state costs: operations of Blob Storage per run, as docs/deploy.md counts them.
//!
//! `cargo test -p handler --test program state_cost -- --nocapture` prints them.

use chrono::TimeDelta;
use simulator::azurite::{Azurite, AzuriteProxy, Operations};
use simulator::functions_host::{FunctionsHost, Mode};
use simulator::sentinelone::{SentinelOne, Stream};

use crate::everything::Everything;
use crate::harness::*;

const STREAMS: [Stream; 5] = [
    Stream::Activities,
    Stream::Agents,
    Stream::Alerts,
    Stream::Groups,
    Stream::Threats,
];

/// The operations of so many runs, each after `publish`.
async fn runs(count: usize, host: &FunctionsHost, proxy: &AzuriteProxy, mut publish: impl FnMut()) -> Operations {
    let before = proxy.requests().len();
    for _ in 0..count {
        publish();
        host.timer().await.unwrap();
    }
    proxy.operations(before)
}

fn show(what: &str, runs: usize, operations: &Operations) {
    let each = |count: usize| format!("{:.1}", count as f64 / runs as f64);
    let Operations {
        writes,
        lists,
        reads,
        removals,
    } = *operations;
    println!(
        "{what}: {} writes, {} lists, {} reads, {} removals a run",
        each(writes),
        each(lists),
        each(reads),
        each(removals)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn five_streams_of_a_console_cost_what_the_documents_say() {
    const BUSY: usize = 34;
    let azurite = Azurite::shared();
    let proxy = AzuriteProxy::start(azurite);
    let container = azurite.new_container("cost").await;
    let console = SentinelOne::start(console_options());
    let mut estate = Estate::new(940);
    let mut handler = Handler::with_sentinelone(&console, "activities,agents,alerts,groups,threats");
    handler.set("STATE_URL", &proxy.state_url(azurite, &container));
    // A run in which the timer becomes due again writes once more.
    handler.set("POLL_SCHEDULE", "0 0 0 1 1 *");
    let host = handler.host(Mode::Proxy).await;
    runs(1, &host, &proxy, || {}).await;
    let idle = runs(4, &host, &proxy, || {}).await;
    show("idle", 4, &idle);
    // A lease taken and given back, and that the timer was invoked; the checkpoints listed, and the spool.
    assert_eq!((idle.writes, idle.lists, idle.reads), (4 * 3, 4 * 2, 4 * 6));

    let busy = runs(BUSY, &host, &proxy, || {
        for stream in STREAMS {
            estate.publish(&console, stream, [now() - TimeDelta::seconds(5)]);
        }
    })
    .await;
    show("something new for every stream in every run", BUSY, &busy);
    // Identities, position and health of each stream; its identities are merged now and then.
    assert_eq!(busy.lists, BUSY * 2);
    assert!(busy.writes <= BUSY * 19, "{busy:?}");
    assert!(busy.reads <= BUSY * (6 + 5 * 6), "{busy:?}");

    let idle_again = runs(4, &host, &proxy, || {}).await;
    show("idle afterwards", 4, &idle_again);
    assert_eq!((idle_again.writes, idle_again.lists), (4 * 3, 4 * 2));
    assert!(idle_again.reads <= 4 * (6 + 5 * 9), "{idle_again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_sources_together_cost_what_the_documents_say_while_nothing_comes() {
    let azurite = Azurite::shared();
    let proxy = AzuriteProxy::start(azurite);
    let container = azurite.new_container("cost-all").await;
    let mut everything = Everything::start(941);
    let mut handler = everything.handler();
    handler.set("STATE_URL", &proxy.state_url(azurite, &container));
    // A run in which the timer becomes due again writes once more.
    handler.set("POLL_SCHEDULE", "0 0 0 1 1 *");
    everything.publish(3);
    let host = handler.host(Mode::Proxy).await;
    runs(2, &host, &proxy, || {}).await;
    let idle = runs(4, &host, &proxy, || {}).await;
    show("all sources, idle", 4, &idle);
    assert!(idle.writes <= 4 * 11 && idle.lists <= 4 * 12, "{idle:?}");
}
