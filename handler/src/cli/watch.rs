//! `poll --watch`: runs by the schedule until the process is told to stop.

use std::process::ExitCode;

use super::exit_code::{CommandEnd, misused};
use crate::config::Schedule;
use crate::time::{Clock, Shutdown, SystemClock};

/// Says what is polled and when, then runs at every tick. Ticks that pass during a run are one, as under the host. Ends with 0 when it is told to, after
/// the run in progress has come to its good end.
pub async fn watch(schedule: &Schedule, polled: &str, stop: &Shutdown, mut run: impl AsyncFnMut()) -> CommandEnd {
    if let Some(next) = schedule.next_after(SystemClock.now()) {
        log::info!(
            "polls {polled}; the next run is at {} (POLL_SCHEDULE {})",
            next.format("%Y-%m-%d %H:%M:%SZ"),
            schedule.text()
        );
    }
    loop {
        let now = SystemClock.now();
        let Some(next) = schedule.next_after(now) else {
            return Err(misused("POLL_SCHEDULE: has no time in the future"));
        };
        let wait = (next - now).to_std().unwrap_or_default();
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stop.requested() => return Ok(ExitCode::SUCCESS),
        }
        run().await;
        if stop.is_requested() {
            return Ok(ExitCode::SUCCESS);
        }
    }
}
