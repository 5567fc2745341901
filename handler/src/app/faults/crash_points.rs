//! Where a process is killed or paused: at one of the requests that it makes of the world.

use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;
use tokio::time::Instant;

/// On which side of what the world does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Before,
    After,
}

#[derive(Debug, Default)]
pub struct CrashPoints {
    state: Mutex<State>,
    killed: Notify,
}

#[derive(Debug, Default)]
struct State {
    requests: u64,
    kill_at: Option<(u64, Side)>,
    pause_at: Option<(u64, Duration)>,
    paused_until: Option<Instant>,
    is_killed: bool,
}

impl CrashPoints {
    /// Kills at the so many-th request from now.
    pub fn kill_after(&self, requests: u64, moment: Side) {
        let mut state = self.lock();
        state.kill_at = Some((state.requests + requests, moment));
    }

    /// Stops the process for a time, as SIGSTOP does, at the so many-th request from now.
    pub fn pause_after(&self, requests: u64, time: Duration) {
        let mut state = self.lock();
        state.pause_at = Some((state.requests + requests, time));
    }

    /// Forgets what was planned and did not come.
    pub fn disarm(&self) {
        let mut state = self.lock();
        state.kill_at = None;
        state.pause_at = None;
    }

    pub fn is_killed(&self) -> bool {
        self.lock().is_killed
    }

    /// Returns when the process is killed.
    pub async fn killed(&self) {
        while !self.is_killed() {
            self.killed.notified().await;
        }
    }

    /// The process makes a request. Gives its number; `true` if the process is paused by it.
    pub fn arrive(&self) -> (u64, bool) {
        let mut state = self.lock();
        state.requests += 1;
        let number = state.requests;
        if state.kill_at == Some((number, Side::Before)) {
            state.is_killed = true;
        }
        let pause = state.pause_at.take_if(|(at, _)| *at == number);
        if let Some((_, time)) = pause {
            state.paused_until = Some(Instant::now() + time);
        }
        (number, pause.is_some())
    }

    /// Before the world does it. Never returns to a process that is killed.
    pub async fn before(&self) {
        if self.is_killed() {
            self.hang().await;
        }
        self.sit_out_the_pause().await;
    }

    /// After the world has done it, before the process learns of it.
    pub async fn after(&self, number: u64) {
        let is_killed = {
            let mut state = self.lock();
            if state.kill_at == Some((number, Side::After)) {
                state.is_killed = true;
            }
            state.is_killed
        };
        if is_killed {
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
        self.killed.notify_waiters();
        self.killed.notify_one();
        std::future::pending::<()>().await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}
