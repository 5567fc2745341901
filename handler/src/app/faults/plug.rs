//! The line between a process and the world. Pulled, it is as if the process were killed.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// On which side of what the world does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    Before,
    After,
}

#[derive(Debug, Default)]
pub struct Plug {
    state: Mutex<State>,
    pulled: Notify,
}

#[derive(Debug, Default)]
struct State {
    moments: u64,
    kill_at: Option<(u64, Moment)>,
    pause_at: Option<(u64, Duration)>,
    paused_until: Option<Instant>,
    is_pulled: bool,
}

impl Plug {
    /// Kills at the so many-th thing from now that the process asks of the world.
    pub fn kill_after(&self, things: u64, moment: Moment) {
        let mut state = self.lock();
        state.kill_at = Some((state.moments + things, moment));
    }

    /// Stops the process for a time, as SIGSTOP does, at the so many-th thing from now.
    pub fn pause_after(&self, things: u64, time: Duration) {
        let mut state = self.lock();
        state.pause_at = Some((state.moments + things, time));
    }

    /// What was planned and did not come is forgotten.
    pub fn calm(&self) {
        let mut state = self.lock();
        state.kill_at = None;
        state.pause_at = None;
    }

    pub fn is_pulled(&self) -> bool {
        self.lock().is_pulled
    }

    /// Returns when the process is dead.
    pub async fn death(&self) {
        while !self.is_pulled() {
            self.pulled.notified().await;
        }
    }

    /// The process asks something of the world. Gives the number of the thing; `true` if the process is paused by it.
    pub fn arrive(&self) -> (u64, bool) {
        let mut state = self.lock();
        state.moments += 1;
        let number = state.moments;
        if state.kill_at == Some((number, Moment::Before)) {
            state.is_pulled = true;
        }
        let pause = state.pause_at.take_if(|(at, _)| *at == number);
        if let Some((_, time)) = pause {
            state.paused_until = Some(Instant::now() + time);
        }
        (number, pause.is_some())
    }

    /// Before the world does it. Never returns to a process that is dead.
    pub async fn before(&self) {
        if self.is_pulled() {
            self.hang().await;
        }
        self.sit_out_the_pause().await;
    }

    /// After the world has done it, before the process learns of it.
    pub async fn after(&self, number: u64) {
        let is_pulled = {
            let mut state = self.lock();
            if state.kill_at == Some((number, Moment::After)) {
                state.is_pulled = true;
            }
            state.is_pulled
        };
        if is_pulled {
            self.hang().await;
        }
        self.sit_out_the_pause().await;
    }

    async fn sit_out_the_pause(&self) {
        loop {
            let until = self.lock().paused_until;
            match until {
                Some(until) if until > Instant::now() => tokio::time::sleep_until(until).await,
                _ => return,
            }
        }
    }

    async fn hang(&self) {
        self.pulled.notify_waiters();
        self.pulled.notify_one();
        std::future::pending::<()>().await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
