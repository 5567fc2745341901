//! When a request is tried again, and how long to wait before it.

use std::time::Duration;

use chrono::{DateTime, Utc};
#[cfg(not(test))]
use rand::RngExt;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use tokio::time::Instant;

use crate::time::Deadline;

/// What a status asks of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retryability {
    /// 2xx
    Success,
    /// 429: wait as long as the server says.
    Throttled,
    /// 408 and 5xx: may pass by itself.
    Transient,
    /// Trying again would bring the same.
    Final,
}

/// Sorts a status.
pub fn retryability(status: StatusCode) -> Retryability {
    match status.as_u16() {
        200..=299 => Retryability::Success,
        429 => Retryability::Throttled,
        408 | 500..=599 => Retryability::Transient,
        _ => Retryability::Final,
    }
}

/// No server is waited for longer than this, whatever it asks for.
const LONGEST_ASKED: Duration = Duration::from_secs(24 * 3600);

/// `Retry-After`, in seconds or as a date, at most a day.
pub fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds).min(LONGEST_ASKED));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    Some(until.duration_since(now.into()).unwrap_or_default().min(LONGEST_ASKED))
}

/// Exponential pauses with jitter, up to a number of tries.
#[derive(Debug)]
pub struct Backoff {
    next: Duration,
    longest: Duration,
    tries_left: u32,
}

impl Backoff {
    /// `tries` in all, the first included.
    pub fn new(first: Duration, longest: Duration, tries: u32) -> Self {
        Self {
            next: first,
            longest,
            tries_left: tries,
        }
    }

    /// The pause before the next try; `None` when there is none left.
    pub fn next_pause(&mut self) -> Option<Duration> {
        self.tries_left = self.tries_left.saturating_sub(1);
        if self.tries_left == 0 {
            return None;
        }
        let pause = self.next;
        self.next = (self.next * 2).min(self.longest);
        // Many handlers that were cut off together must not come back together.
        Some(pause.mul_f64(jitter()))
    }
}

#[cfg(not(test))]
fn jitter() -> f64 {
    rand::rng().random_range(0.5..=1.0)
}

/// A test's course must be the same every time.
#[cfg(test)]
fn jitter() -> f64 {
    0.75
}

/// A server that fails for so long at the end of a run keeps failing; for a short run it is a quarter of it.
const KEPT_FAILING_AFTER: Duration = Duration::from_secs(20);
/// A server that is silent for less is not silent, however short the run.
const SHORTEST_SILENCE: Duration = Duration::from_secs(1);
/// No usual answer takes so many times what the slowest of late took.
const TIMES_THE_USUAL: u32 = 3;
/// Failures in a row that no single bad moment explains.
const KEPT_FAILING_TRIES: u32 = 2;

/// How long a server has failed without an answer in between. It tells one that kept failing from one whose single
/// bad moment happened to be the last of a run.
#[derive(Debug, Default)]
pub struct Trouble {
    since: Option<Instant>,
    failures: u32,
}

impl Trouble {
    /// The request that was sent at `sent_at` brought a failure.
    pub fn failed(&mut self, sent_at: Instant) {
        self.failures += 1;
        self.since.get_or_insert(sent_at);
    }

    /// The server asked for patience at that time. That is usual where much is read, unless it lasts.
    pub fn throttled(&mut self, at: Instant) {
        self.since.get_or_insert(at);
    }

    /// True if a run that ends because of it ends in failure: what is left of its time counts, since nothing can be
    /// done with it.
    pub fn outlasts(&self, deadline: Deadline) -> bool {
        let limit = KEPT_FAILING_AFTER.min(deadline.whole() / 4);
        let lasted = self
            .since
            .is_some_and(|since| since.elapsed() + deadline.remaining() >= limit);
        lasted || self.failures >= KEPT_FAILING_TRIES
    }

    /// The same for a request that is still without an answer when the time is over. A server whose usual answers
    /// take their time, the slowest of late `usual`, does not fail because a run ends in the middle of one.
    pub fn is_without_answer(&self, sent_at: Instant, usual: Duration, deadline: Deadline) -> bool {
        let waited = sent_at.elapsed();
        let is_long = waited >= KEPT_FAILING_AFTER.min(deadline.whole() / 4).max(SHORTEST_SILENCE);
        self.outlasts(deadline) || (is_long && waited > usual * TIMES_THE_USUAL)
    }
}

/// The pause would outlast the deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfTime;

/// Waits, unless the deadline would pass first: then at once `OutOfTime`.
pub async fn pause(time: Duration, deadline: Deadline) -> Result<(), OutOfTime> {
    if time >= deadline.remaining() {
        return Err(OutOfTime);
    }
    tokio::time::sleep(time).await;
    Ok(())
}

/// The tries of one request within a deadline.
#[derive(Debug)]
pub struct Tries {
    backoff: Backoff,
    deadline: Deadline,
}

/// Why a request is not tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoMoreTries {
    /// All of them failed.
    UsedUp,
    /// The deadline would pass before the next one.
    OutOfTime,
}

impl Tries {
    /// As many as `backoff` has, and none after the deadline.
    pub fn new(backoff: Backoff, deadline: Deadline) -> Self {
        Self { backoff, deadline }
    }

    /// Waits before the next try after one that failed: as long as the server asked for, else a pause of our own.
    pub async fn wait(&mut self, asked: Option<Duration>) -> Result<(), NoMoreTries> {
        if self.deadline.has_passed() {
            return Err(NoMoreTries::OutOfTime);
        }
        let own_pause = self.backoff.next_pause().ok_or(NoMoreTries::UsedUp)?;
        let paused = pause(asked.unwrap_or(own_pause), self.deadline).await;
        paused.map_err(|_| NoMoreTries::OutOfTime)
    }

    /// The next pause of our own, which costs a try; `None` when there is none left.
    pub fn next_pause(&mut self) -> Option<Duration> {
        self.backoff.next_pause()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())])
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date() {
        let now = "2026-11-20T12:00:00Z".parse().unwrap();
        assert_eq!(retry_after(&header(" 7 "), now), Some(Duration::from_secs(7)));
        assert_eq!(
            retry_after(&header("Fri, 20 Nov 2026 12:01:30 GMT"), now),
            Some(Duration::from_secs(90))
        );
        assert_eq!(
            retry_after(&header("Fri, 20 Nov 2026 11:00:00 GMT"), now),
            Some(Duration::ZERO)
        );
        assert_eq!(retry_after(&header("18446744073709551615"), now), Some(LONGEST_ASKED));
        assert_eq!(retry_after(&header("soon"), now), None);
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }

    #[test]
    fn pauses_grow_to_the_longest_and_end_after_the_last_try() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(4), 5);
        let pauses: Vec<_> = std::iter::from_fn(|| backoff.next_pause()).collect();
        assert_eq!(pauses.len(), 4);
        for (pause, full) in pauses.iter().zip([1, 2, 4, 4].map(Duration::from_secs)) {
            assert!(*pause >= full / 2 && *pause <= full, "{pause:?} of {full:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_keeps_failing_if_it_lasts_or_costs_the_rest_of_the_run_and_not_for_one_bad_moment() {
        let deadline = Deadline::after(Duration::from_secs(240));
        tokio::time::sleep(Duration::from_secs(238)).await;
        let (mut once, mut twice, mut throttled) = (Trouble::default(), Trouble::default(), Trouble::default());
        once.failed(Instant::now());
        twice.failed(Instant::now());
        twice.failed(Instant::now());
        throttled.throttled(Instant::now());
        assert!(!Trouble::default().outlasts(deadline));
        assert!(!once.outlasts(deadline) && twice.outlasts(deadline) && !throttled.outlasts(deadline));
        // The same answers cost more than their moment where much time is left.
        let deadline = Deadline::after(Duration::from_secs(240));
        assert!(once.outlasts(deadline) && throttled.outlasts(deadline));
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_server_fails_and_a_slow_one_whose_usual_answer_is_cut_off_does_not() {
        // The budget, how long the slowest answer took, and how long there was none.
        for (whole, usual, silent, fails) in [
            (20_000, 250, 8_700, true),
            (20_000, 250, 4_900, false),
            (10_000, 250, 4_000, true),
            (10_000, 1_400, 4_000, false),
            (4_000, 0, 1_000, true),
            (2_000, 100, 900, false),
            (240_000, 500, 20_000, true),
            (240_000, 500, 19_000, false),
            (240_000, 25_000, 40_000, false),
            (600_000, 500, 20_000, true),
        ]
        .map(|(whole, usual, silent, fails)| {
            let [whole, usual, silent] = [whole, usual, silent].map(Duration::from_millis);
            (whole, usual, silent, fails)
        }) {
            let (deadline, sent_at) = (Deadline::after(whole), Instant::now());
            // What is left to read in ends before the whole does.
            let deadline = deadline.less(whole - silent);
            tokio::time::sleep(silent).await;
            let found = Trouble::default().is_without_answer(sent_at, usual, deadline);
            assert_eq!(found, fails, "{silent:?} of {whole:?}, usually {usual:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_pause_outlasts_the_deadline() {
        let deadline = Deadline::after(Duration::from_secs(5));
        assert_eq!(pause(Duration::from_secs(4), deadline).await, Ok(()));
        assert_eq!(pause(Duration::from_secs(1), deadline).await, Err(OutOfTime));
    }

    #[tokio::test(start_paused = true)]
    async fn tries_end_with_the_last_one_or_with_the_deadline_and_a_server_may_set_the_pause() {
        let backoff = || Backoff::new(Duration::from_secs(1), Duration::from_secs(4), 3);
        let mut tries = Tries::new(backoff(), Deadline::after(Duration::from_secs(60)));
        let begin = Instant::now();
        assert_eq!(tries.wait(Some(Duration::from_secs(30))).await, Ok(()));
        assert_eq!(begin.elapsed(), Duration::from_secs(30));
        assert_eq!(tries.wait(None).await, Ok(()));
        assert_eq!(tries.wait(None).await, Err(NoMoreTries::UsedUp));
        let mut tries = Tries::new(backoff(), Deadline::after(Duration::from_secs(5)));
        let too_long = Some(Duration::from_secs(5));
        assert_eq!(tries.wait(too_long).await, Err(NoMoreTries::OutOfTime));
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(tries.wait(None).await, Err(NoMoreTries::OutOfTime));
    }
}
