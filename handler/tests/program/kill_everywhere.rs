//! Kills at any instant, over every source, with faults of vendors and of the destination.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::process::Stdio;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use simulator::azurite::Azurite;
use simulator::functions_host::Mode;
use simulator::{logs_ingestion, onelogin_api, pingone, pingone_enterprise, sentinelone};

use crate::everything::{ENTERPRISE, Everything, Push, end_leases};
use crate::harness::*;

/// How often a run of the test command kills, over both kinds of state; `CONNECTOR_KILLS=5000` is a long proof.
fn kills() -> usize {
    variable("CONNECTOR_KILLS", 200)
}

/// `CONNECTOR_KILL_SEED` makes a run differ from others, so that a long proof can be made in parts.
fn seed() -> u64 {
    variable("CONNECTOR_KILL_SEED", 20_261)
}

#[allow(
    clippy::disallowed_methods,
    reason = "how long the test takes is the caller's choice, not a setting"
)]
fn variable<T: FromStr>(name: &str, default: T) -> T {
    let text = std::env::var(name).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// One process from its start to its end.
struct Round {
    /// The calls that had come before it.
    first_call: usize,
    /// The GETs that had consumed before it.
    first_consumption: usize,
    /// When it started and when it was gone.
    times: RangeInclusive<DateTime<Utc>>,
    /// It did not end by itself.
    killed: bool,
    output: String,
}

/// A round that goes on.
struct Begun {
    first_call: usize,
    first_consumption: usize,
    at: DateTime<Utc>,
}

struct Ordeal {
    everything: Everything,
    handler: Handler,
    container: Option<(&'static Azurite, String)>,
    rng: StdRng,
    rounds: Vec<Round>,
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_at_any_instant_with_local_state_lose_nothing_and_double_one_batch_at_the_most() {
    Ordeal::start(seed(), None).run(kills().div_ceil(2)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_at_any_instant_with_state_on_blob_lose_nothing_and_double_one_batch_at_the_most() {
    let azurite = Azurite::shared();
    let container = azurite.new_container("kills").await;
    Ordeal::start(seed() + 1, Some((azurite, container)))
        .run(kills() / 2)
        .await;
}

impl Begun {
    fn end(self, killed: bool, output: String) -> Round {
        Round {
            first_call: self.first_call,
            first_consumption: self.first_consumption,
            times: self.at..=now(),
            killed,
            output,
        }
    }
}

impl Round {
    /// The times of the possible losses that it reported.
    fn possible_losses(&self) -> Vec<DateTime<Utc>> {
        let reports = self.output.split("possible loss at ").skip(1);
        let times = reports.map(|report| report.split(": ").next().unwrap().parse().unwrap());
        times.collect()
    }
}

impl Ordeal {
    fn start(seed: u64, container: Option<(&'static Azurite, String)>) -> Self {
        // Shown where the test fails.
        println!("seed {seed}");
        let everything = Everything::start(seed);
        let mut handler = everything.handler();
        if let Some((azurite, container)) = &container {
            handler.set("STATE_URL", &azurite.state_url(container));
        }
        Self {
            everything,
            handler,
            container,
            rng: StdRng::seed_from_u64(seed),
            rounds: Vec::new(),
        }
    }

    async fn run(mut self, kills: usize) {
        self.everything.publish(30);
        let mut killed = 0;
        while killed < kills {
            self.everything.publish(2);
            self.add_faults();
            let delay = self.delay();
            let begun = self.begin();
            let (was_killed, output) = if self.rng.random_range(0..4) == 0 {
                self.everything.publish_to_senders(3);
                (true, self.kill_serving(delay).await)
            } else {
                self.kill_polling(delay).await
            };
            killed += usize::from(was_killed);
            self.rounds.push(begun.end(was_killed, output));
            if let Some((azurite, container)) = &self.container {
                end_leases(azurite, container).await;
            }
        }
        self.end_well().await;
        self.judge().await;
    }

    fn begin(&self) -> Begun {
        Begun {
            first_call: self.everything.azure.ingestion.calls().len(),
            first_consumption: self.everything.enterprise.consumed().len(),
            at: now(),
        }
    }

    /// The first moments of a process matter most; with state on blob they last longer.
    fn delay(&mut self) -> Duration {
        let one_in = if self.container.is_some() { 2 } else { 5 };
        let is_long = self.rng.random_range(0..one_in) == 0;
        let most = if is_long { 1500 } else { 300 };
        Duration::from_millis(self.rng.random_range(0..=most))
    }

    async fn kill_polling(&self, delay: Duration) -> (bool, String) {
        let mut child = self.handler.command(&["poll"]).stdin(Stdio::null()).spawn().unwrap();
        let ended = tokio::time::timeout(delay, child.wait()).await;
        let killed = ended.is_err();
        if killed {
            child.start_kill().unwrap();
        }
        let output = child.wait_with_output().await.unwrap();
        let text = [output.stdout, output.stderr].concat();
        let killed = killed && output.status.code().is_none();
        (killed, String::from_utf8_lossy(&text).into_owned())
    }

    /// Pushes and the timer at once, until the end comes.
    async fn kill_serving(&mut self, delay: Duration) -> String {
        let host = self.handler.host(Mode::Proxy).await;
        let waiting = std::mem::take(&mut self.everything.waiting_pushes);
        let accepted = parking_lot::Mutex::new(BTreeSet::new());
        let pushing = async {
            for (place, push) in waiting.iter().enumerate() {
                if push.send(&host).await {
                    accepted.lock().insert(place);
                }
            }
        };
        let working = async { tokio::join!(pushing, host.timer()) };
        // Whatever came of it: it is the senders who know what was accepted.
        let _ = tokio::time::timeout(delay, working).await;
        let output = host.kill().await;
        let accepted = accepted.into_inner();
        let kept = waiting.into_iter().enumerate();
        let kept: Vec<Push> = kept
            .filter(|(place, _)| !accepted.contains(place))
            .map(|(_, push)| push)
            .collect();
        self.everything.waiting_pushes = kept;
        [output.stdout, output.stderr].concat().join("\n")
    }

    /// One fault more for a service that has met its last one, now and then. None of them consumes and loses.
    fn add_faults(&mut self) {
        let everything = &self.everything;
        let rng = &mut self.rng;
        let mut is_due = |waiting: usize| waiting == 0 && rng.random_range(0..6) == 0;
        let (for_pingone, for_enterprise) = (
            is_due(everything.pingone.waiting_faults()),
            is_due(everything.enterprise.waiting_faults()),
        );
        let (for_console, for_onelogin) = (
            is_due(everything.console.waiting_faults()),
            is_due(everything.onelogin.waiting_faults()),
        );
        let for_ingestion = is_due(everything.azure.ingestion.waiting_faults());
        if for_pingone {
            use pingone::Fault;
            let faults = [
                status(|status, retry_after| Fault::Status { status, retry_after }, 503),
                Fault::TruncatedJson,
                Fault::HtmlPage,
                Fault::Reset,
                Fault::RevokeToken,
                Fault::RepeatLastOfPreviousPage,
            ];
            everything.pingone.fail_next(faults.choose(rng).cloned());
        }
        if for_enterprise {
            use pingone_enterprise::SubscriptionFault;
            let faults = [
                status(
                    |status, retry_after| SubscriptionFault::Status { status, retry_after },
                    504,
                ),
                SubscriptionFault::ExpireToken,
                SubscriptionFault::ResetBeforeConsuming,
            ];
            everything.enterprise.fail_next(faults.choose(rng).cloned());
        }
        if for_console {
            use sentinelone::{ConsoleFault, Fault};
            let faults = [
                status(|status, retry_after| Fault::Status { status, retry_after }, 429),
                Fault::TruncatedJson,
                Fault::Vendor(ConsoleFault::NullData),
                Fault::Reset,
                Fault::RepeatLastOfPreviousPage,
            ];
            everything.console.fail_next(faults.choose(rng).cloned());
        }
        if for_onelogin {
            use onelogin_api::{Fault, OneLoginFault};
            let faults = [
                Fault::Vendor(OneLoginFault::RateLimitExceeded),
                Fault::TruncatedJson,
                Fault::Reset,
                Fault::RevokeToken,
                Fault::RepeatLastOfPreviousPage,
            ];
            everything.onelogin.fail_next(faults.choose(rng).cloned());
        }
        if for_ingestion {
            use logs_ingestion::IngestionFault;
            let refused = |status, code| IngestionFault::Status {
                status,
                retry_after: Some(0),
                code,
            };
            let faults = [
                refused(429, "TooManyRequests"),
                refused(503, "ServiceUnavailable"),
                IngestionFault::ResetBeforeReading,
                IngestionFault::RefuseToken,
                IngestionFault::AcceptThenReset,
            ];
            everything.azure.ingestion.fail_next(faults.choose(rng).cloned());
        }
    }

    /// Nobody kills any more: the senders get rid of what they hold, and in the end a run is well.
    async fn end_well(&mut self) {
        let host = self.handler.host(Mode::Proxy).await;
        let mut waiting = std::mem::take(&mut self.everything.waiting_pushes);
        for _ in 0..5 {
            let mut refused = Vec::new();
            for push in waiting {
                if !push.send(&host).await {
                    refused.push(push);
                }
            }
            waiting = refused;
        }
        assert!(waiting.is_empty(), "{} pushes are refused for ever", waiting.len());
        host.kill().await;
        let mut last = None;
        // Faults that nobody has met yet may cost a run each.
        for _ in 0..4 {
            let begun = self.begin();
            let ended = self.handler.poll().await;
            self.rounds.push(begun.end(false, ended.output.clone()));
            last = Some(ended);
        }
        let last = last.unwrap();
        assert_eq!(last.code, Some(0), "{}", last.output);
    }

    async fn judge(&self) {
        let killed = self.rounds.iter().filter(|round| round.killed).count();
        for round in &self.rounds {
            for word in ["panicked", "does not balance"] {
                assert!(!round.output.contains(word), "{word}: {}", round.output);
            }
        }
        let mut missing = self.everything.missing();
        let lost = missing.remove(ENTERPRISE).unwrap_or_default();
        assert_eq!(missing, Default::default());
        self.judge_lost(lost);
        self.judge_doubles();
        self.everything.assert_no_violations(killed);
        let state = self.state().await;
        for folder in ["spool/", "intents/", "dead-letters/"] {
            let left: Vec<_> = state.iter().filter(|name| name.contains(folder)).collect();
            assert!(left.is_empty(), "{left:?}");
        }
    }

    /// Only a reply that was in flight at a kill may be lost, and each such kill was reported, by a report of its own.
    ///
    /// The vendor may answer the request of a process that is dead by then, when the next one has begun already: the
    /// request was made in the round of the consumption, or in the killed one before it.
    fn judge_lost(&self, mut lost: BTreeSet<String>) {
        let consumed = self.everything.enterprise.consumed();
        let mut reported: Vec<(usize, DateTime<Utc>)> = (0..)
            .zip(&self.rounds)
            .flat_map(|(place, round)| round.possible_losses().into_iter().map(move |time| (place, time)))
            .collect();
        let mut kills_with_loss = 0;
        for (place, round) in self.rounds.iter().enumerate() {
            let next = self.rounds.get(place + 1);
            let end = next.map_or(consumed.len(), |next| next.first_consumption);
            let of_round = &consumed[round.first_consumption..end];
            let last = of_round.iter().rposition(|consumption| !consumption.ids.is_empty());
            let Some(in_flight) = last.filter(|_| round.killed) else {
                continue;
            };
            let before = lost.len();
            for id in &of_round[in_flight].ids {
                lost.remove(id);
            }
            if lost.len() == before {
                continue;
            }
            kills_with_loss += 1;
            let late = place.checked_sub(1).map(|place| &self.rounds[place]);
            let asked_in: Vec<&Round> = late.filter(|late| late.killed).into_iter().chain([round]).collect();
            let report = reported
                .iter()
                .position(|(by, time)| *by >= place && asked_in.iter().any(|asked| asked.times.contains(time)));
            let Some(report) = report else {
                panic!(
                    "a reply was lost at a kill within {:?}, and nobody said so; said later: {:?}",
                    round.times,
                    reported.iter().filter(|(by, _)| *by >= place).collect::<Vec<_>>()
                );
            };
            reported.remove(report);
        }
        assert!(
            lost.is_empty(),
            "lost, and in no reply that was in flight at a kill: {lost:?}"
        );
        println!("{kills_with_loss} kills lost a reply");
    }

    /// Per table, at most one batch of each killed process came again, and those whose answer got lost.
    fn judge_doubles(&self) {
        let calls = self.everything.azure.ingestion.calls();
        for (table, doubled) in self.everything.doubled_calls() {
            let mut spent = BTreeSet::new();
            for call in doubled {
                // Accepted, and the connection cut.
                if calls[call].status == 0 {
                    continue;
                }
                let round = self.rounds.iter().rposition(|round| round.first_call <= call).unwrap();
                // A call may still be on its way when its process is gone, and count as one of the next.
                let mine = [Some(round), round.checked_sub(1)].into_iter().flatten();
                let free = mine
                    .filter(|round| self.rounds[*round].killed)
                    .find(|round| spent.insert(*round));
                assert!(
                    free.is_some(),
                    "{table}: call {call} of round {round} came again, which is more than one batch of a kill:\n{}",
                    self.rounds[round].output
                );
            }
            println!("{table}: {} batches came again", spent.len());
        }
    }

    /// The name of everything in the state.
    async fn state(&self) -> Vec<String> {
        if let Some((azurite, container)) = &self.container {
            return azurite.list(container, "").await;
        }
        let files = files_below(&self.handler.path("data/state"));
        files.iter().map(|file| file.to_string_lossy().into_owned()).collect()
    }
}

fn status<Fault>(make: impl Fn(u16, Option<u64>) -> Fault, status: u16) -> Fault {
    make(status, Some(0))
}
