//! One limiter per vendor account or ingestion rule.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::retry::{OutOfTime, pause};
use crate::time::Deadline;

/// The answers of late: so many.
const OF_LATE: usize = 64;

/// A steady rate with a burst, the pause that a 429 asks of everybody, and how long an answer usually takes.
#[derive(Debug, Default)]
pub struct Throttle {
    limiter: Option<(Limiter, TokioClock)>,
    paused_until: Mutex<Option<Instant>>,
    /// How long the last answers took, the latest at the end.
    answers: Mutex<VecDeque<Duration>>,
}

impl Throttle {
    /// No rate of our own, only the pauses that the server asks for.
    pub fn unlimited() -> Self {
        Self::default()
    }

    /// At most `rate` requests per second (positive) after a burst of `burst`.
    pub fn per_second(rate: f64, burst: NonZeroU32) -> Self {
        let clock = TokioClock(Instant::now());
        let quota = Quota::with_period(Duration::from_secs_f64(1.0 / rate));
        let limiter = quota.map(|quota| Limiter::direct_with_clock(quota.allow_burst(burst), clock.clone()));
        Self {
            limiter: limiter.map(|limiter| (limiter, clock)),
            ..Self::default()
        }
    }

    /// Everybody waits at least that long before the next request.
    pub fn pause_for(&self, time: Duration) {
        let until = Instant::now() + time;
        let mut paused_until = self.paused_until.lock();
        *paused_until = Some(paused_until.map_or(until, |present| present.max(until)));
    }

    /// True while a pause that the server asked for holds everybody back, and not our rate.
    pub fn is_paused(&self) -> bool {
        let paused_until = *self.paused_until.lock();
        paused_until.is_some_and(|until| until > Instant::now())
    }

    /// What was asked for came after that time.
    pub fn note_answer(&self, after: Duration) {
        let mut answers = self.answers.lock();
        if answers.len() >= OF_LATE {
            answers.pop_front();
        }
        answers.push_back(after);
    }

    /// How long the slowest answer of late took; zero before the first.
    pub fn slowest_answer(&self) -> Duration {
        let answers = self.answers.lock();
        answers.iter().max().copied().unwrap_or_default()
    }

    /// Waits for a place. `OutOfTime` at once if there is none before the deadline.
    pub async fn admit(&self, deadline: Deadline) -> Result<(), OutOfTime> {
        loop {
            let paused_until = *self.paused_until.lock();
            let asked = paused_until
                .map(|until| until.saturating_duration_since(Instant::now()))
                .unwrap_or_default();
            if !asked.is_zero() {
                pause(asked, deadline).await?;
                continue;
            }
            let Some((limiter, clock)) = &self.limiter else {
                return Ok(());
            };
            match limiter.check() {
                Ok(()) => return Ok(()),
                Err(full) => pause(full.wait_time_from(clock.now()), deadline).await?,
            }
        }
    }
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Nanos>>;

/// The limiter's clock is tokio's, which tests can pause.
#[derive(Clone, Debug)]
struct TokioClock(Instant);

impl Clock for TokioClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.elapsed().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn after_the_burst_requests_keep_the_rate() {
        let throttle = Throttle::per_second(2.0, NonZeroU32::new(3).unwrap());
        let start = Instant::now();
        for _ in 0..9 {
            throttle.admit(Deadline::after(Duration::from_secs(60))).await.unwrap();
        }
        assert!(start.elapsed() >= Duration::from_millis(2990), "{:?}", start.elapsed());
        assert!(start.elapsed() <= Duration::from_millis(3200), "{:?}", start.elapsed());
    }

    #[test]
    fn the_slowest_answer_is_forgotten_after_many_quicker_ones() {
        let throttle = Throttle::unlimited();
        assert_eq!(throttle.slowest_answer(), Duration::ZERO);
        throttle.note_answer(Duration::from_secs(9));
        for _ in 1..OF_LATE {
            throttle.note_answer(Duration::from_secs(1));
        }
        assert_eq!(throttle.slowest_answer(), Duration::from_secs(9));
        throttle.note_answer(Duration::from_secs(1));
        assert_eq!(throttle.slowest_answer(), Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_everybody_and_is_refused_beyond_the_deadline() {
        let throttle = Throttle::unlimited();
        throttle.pause_for(Duration::from_secs(30));
        throttle.pause_for(Duration::from_secs(1));
        assert_eq!(
            throttle.admit(Deadline::after(Duration::from_secs(20))).await,
            Err(OutOfTime)
        );
        assert!(throttle.is_paused());
        let start = Instant::now();
        throttle.admit(Deadline::after(Duration::from_secs(40))).await.unwrap();
        assert_eq!(start.elapsed(), Duration::from_secs(30));
        assert!(!throttle.is_paused());
    }
}
